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
    """Import pages by name, those of `lib` and `tables` too, whatever else bears these names.

    Such names are common ones: what is loaded under them is put aside, and put back when the pages are gone.
    """
    others = _loaded()
    for name in others:
        del sys.modules[name]
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name in _loaded():
            del sys.modules[name]
        sys.modules.update(others)


def _loaded() -> dict[str, ModuleType]:
    """Return all loaded modules that bear a name of that folder, and those within them."""
    own = {path.stem for path in BENCHMARKS.iterdir()}
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in own}
