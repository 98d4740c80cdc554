"""The pages of the benchmarks, which are scripts and not in the package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@contextmanager
def pages(*names: str) -> Iterator[dict[str, ModuleType]]:
    """Import pages by name; afterwards nothing of that folder is loaded any more: its names are common ones."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name, module in list(sys.modules.items()):
            if Path(getattr(module, "__file__", None) or ".").parent == BENCHMARKS:
                del sys.modules[name]
