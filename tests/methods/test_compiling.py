"""What is compiled is kept on the disk, and nothing hangs on that: it may be full, or hold half a file."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

PAGE = """
from untaught.methods.non_local.kernels.compiling import compiled

@compiled
def doubled(x):
    return 2 * x
"""


def loaded(folder: Path) -> ModuleType:
    """Load a page anew, as another process does."""
    path = folder / "page.py"
    if not path.exists():
        path.write_text(PAGE)
    spec = importlib.util.spec_from_file_location("page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_what_is_kept_and_cut_off_is_compiled_again(ending: str, tmp_path: Path) -> None:
    assert loaded(tmp_path).doubled(3.0) == 6.0
    (kept,) = (tmp_path / "__pycache__").glob(f"*.{ending}")
    size = kept.stat().st_size
    os.truncate(kept, 40)
    assert loaded(tmp_path).doubled(3.0) == 6.0
    (kept,) = (tmp_path / "__pycache__").glob(f"*.{ending}")
    assert kept.stat().st_size == size  # for the next one


def test_a_full_disk_costs_the_keeping_alone(tmp_path: Path) -> None:
    function = loaded(tmp_path).doubled

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    function._cache._cache_file.save = full
    assert function(3.0) == 6.0
    assert not list(tmp_path.glob("__pycache__/*.nb?"))


def test_what_a_killed_process_left_is_litter_after_a_day(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    old, new = (tmp_path / "__pycache__" / f"page.f-2.py311.nbi.tmp.{name}" for name in ("old", "new"))
    for path in (old, new):
        path.touch()
    os.utime(old, (0, 0))
    assert loaded(tmp_path).doubled(3.0) == 6.0
    assert not old.exists()
    assert new.exists()
