"""What docstrings show is so."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

import untaught

ROOT = Path(untaught.__file__).parent
SHOWN = sorted(path for path in ROOT.rglob("*.py") if re.search(r"^ +>>> ", path.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_of_docstrings_run_and_give_what_they_show(path: Path) -> None:
    name = ".".join(("untaught", *path.relative_to(ROOT).with_suffix("").parts))
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0
    assert found.failed == 0


def test_every_verb_that_restores_shows_an_example() -> None:
    tasks = {path.stem for path in SHOWN if path.parent.name == "tasks"}
    assert {"denoise", "inpaint", "upscale", "deblur", "demosaic", "descreen", "despeckle", "restore"} <= tasks
