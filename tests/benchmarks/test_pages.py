"""The helper that loads the benchmarks: it leaves nothing behind, and takes nothing away."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from tests.helpers.benchmark_pages import BENCHMARKS, pages


def test_modules_of_the_same_names_are_put_aside_and_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {name: ModuleType(name) for name in ("lib", "lib.harness", "tables", "gpu")}
    for name, module in others.items():
        monkeypatch.setitem(sys.modules, name, module)
    with pages("gpu", "table", "tables.gpu", "lib.harness") as found:
        assert all(str(module.__file__).startswith(str(BENCHMARKS)) for module in found.values())
        assert "tables.markdown" in sys.modules
    assert {name: sys.modules.get(name) for name in others} == others
    assert not {"table", "tables.gpu", "tables.markdown"} & sys.modules.keys()
    assert str(BENCHMARKS) not in sys.path
