"""The benchmark of folders: its pictures, and what it concludes."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import clean
from tests.helpers.benchmark_pages import pages


@pytest.fixture(scope="module")
def folders():
    with pages("folders") as found:
        yield found["folders"]


@pytest.mark.parametrize("channels", [1, 3])
def test_every_file_is_another_square(folders, tmp_path: Path, channels: int) -> None:
    folder = tmp_path / "set9_awgn" / "25"
    folder.mkdir(parents=True)
    for name in folders.SET9:
        Image.fromarray(np.rint(255 * clean(64, 80)).astype(np.uint8)).save(folder / f"{name}_noisy.png")
    case = {"side": 32, "channels": channels, "data": str(tmp_path)}
    squares = [folders.square(case, number) for number in range(0, 27, 9)]
    assert {part.shape for part in squares} == {(32, 32, 3) if channels == 3 else (32, 32)}
    assert not any(np.array_equal(squares[0], other) for other in squares[1:])


def test_quick_runs_are_small(folders) -> None:
    args = argparse.Namespace(
        workers="1,2",
        dask=False,
        calls=6,
        files=40,
        quick=True,
        side=256,
        channels=1,
        effort="normal",
        data=Path("data"),
    )
    assert [(case["workers"], case["files"], case["side"]) for case in folders.cases(args)] == [
        *((0, 2, 32), (1, 2, 32), (2, 2, 32))
    ]


def test_it_says_how_many_times_faster(folders) -> None:
    case = {"side": 256, "channels": 1, "effort": "normal", "threads": "1"}
    rows = [
        {
            "case": {**case, "workers": 0, "files": 5},
            "seconds": 20.0,
            "cpu_seconds": 15.0,
            "seconds_a_file_more": 4.0,
        },
        {
            "case": {**case, "workers": 2, "files": 40},
            "seconds": 24.0,
            "cpu_seconds": 40.0,
            "seconds_a_file_more": 0.5,
        },
        {
            "case": {**case, "workers": 2, "files": 40, "threads": ""},
            "seconds": 1.0,
            "cpu_seconds": 1.0,
            "seconds_a_file_more": 0.5,
        },
    ]
    (found,) = folders.faster(rows, 200)
    assert found["loop"] == 800
    assert found["folder"] == 104
    assert found["times_faster"] == 7.69
    assert found["times_faster_by_cpu"] == 6
