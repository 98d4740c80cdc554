"""How a file is read, as a page may say it, and the same on the command line."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from untaught.cli.parse import parse
from untaught.errors import InputError
from untaught.serve.reads import Reads
from untaught.serve.settings import Settings, command_line

pytest.importorskip("fastapi")


@pytest.mark.parametrize(
    "wrong",
    [
        {"axes": "Y/X"},
        {"axes": ""},
        {"series": -1},
        {"page": 1.5},
        {"inside": "../other"},
        {"inside": "/a//b"},
        {"inside": "a/./b"},
        {"inside": "C:\\x"},
        {"inside": ""},
        {"inside": "/a\0"},
        {"value_range": [0, float("inf")]},
        {"value_range": [0]},
        {"path": "/etc/passwd"},
    ],
)
def test_no_other_file_can_be_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Reads(**wrong)


def test_a_range_that_does_not_rise_is_refused() -> None:
    with pytest.raises(InputError, match="rise"):
        _ = Reads(value_range=(4095, 0)).reading


@pytest.mark.parametrize(
    ("reads", "name", "folder", "words"),
    [
        ({}, "a b.tif", False, "'a b.tif' -o OUT.tif"),
        ({"axes": "zyx", "page": 2}, "a.tif", False, "a.tif -o OUT.tif --axes zyx --page 2"),
        (
            {"series": 1, "value_range": (0, 4095)},
            "a.lif",
            False,
            "a.lif -o OUT.tif --series 1 --value-range 0,4095",
        ),
        ({"value_range": (-0.25, 1.5)}, "a.tif", False, "a.tif -o OUT.tif --value-range -0.25,1.5"),
        ({"inside": "raw/0"}, "a.h5", False, "a.h5:/raw/0 -o OUT.tif"),
        ({"inside": "/A/1/0/"}, "a.zarr", True, "a.zarr/A/1/0 -o OUT.tif"),
    ],
)
def test_the_command_reads_it_the_same_way(reads: dict[str, Any], name: str, folder: bool, words: str) -> None:
    picture, options = Reads(**reads).written(name, folder)
    command = command_line(Settings(), (picture, "OUT.tif"), {}, options)
    assert command == f"untaught denoise {words}"
    assert callable(parse(shlex.split(command)[1:]))


def test_a_picture_in_a_folder_is_named_and_has_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "plate.zarr" / "A").mkdir(parents=True)
    plate = tmp_path / "plate.zarr"
    assert Reads(inside="/A").place(plate) == plate / "A"
    with pytest.raises(InputError, match="holds nothing under '/B'"):
        Reads(inside="/B").place(plate)
