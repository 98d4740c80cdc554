"""Seconds of untaught beside those of others: a comparison, its ratios and its table."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import clean
from tests.helpers.benchmark_pages import pages


@pytest.fixture(scope="module")
def loaded():
    with pages("speed", "lib.rivals", "tables.instruments") as found:
        yield found


def asked(data: Path, **more: Any) -> argparse.Namespace:
    usual = {"methods": "nonlocal", "rivals": None, "level": None, "width": 1.0, "repeats": 2, "quick": False}
    return argparse.Namespace(**{**usual, "seed": 0, "data": data, **more})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "set9_awgn" / "25"
    folder.mkdir(parents=True)
    Image.fromarray(np.rint(255 * clean(64, 64)).astype(np.uint8)).save(folder / "F16_GT.png")
    return tmp_path


def test_rows_of_before_are_asked_for_as_before(loaded, data) -> None:
    (case,) = loaded["speed"].cases(asked(data, level=15.0, repeats=3))
    assert case == {
        "picture": "F16",
        "method": "nonlocal",
        "level": 15.0,
        "width": 1.0,
        "side": 0,
        "repeats": 3,
        "seed": 0,
        "data": str(data),
    }
    assert next(loaded["speed"].cases(asked(data)))["level"] == 15


def test_rivals_that_are_not_installed_are_no_part_of_the_case(loaded, data, monkeypatch) -> None:
    monkeypatch.setattr(loaded["lib.rivals"], "find_spec", lambda name: None if name == "cv2" else name)
    (case,) = loaded["speed"].cases(asked(data, rivals=loaded["speed"].COMPARED))
    assert case["rivals"] == "nonlocal-quick,nonlocal,nonlocal-thorough,auto,bm3d,skimage-nlm"
    assert case["level"] == 25


def test_methods_take_turns_and_are_held_against_bm3d_of_the_same_turn(loaded, data, monkeypatch) -> None:
    turns: list[tuple[str, tuple[int, ...]]] = []

    def bm3d_rgb(y, level):
        turns.append(("bm3d", y.shape))
        assert level == pytest.approx(25 / 255)
        return y

    monkeypatch.setitem(sys.modules, "bm3d", SimpleNamespace(bm3d_rgb=bm3d_rgb))
    rival = loaded["lib.rivals"].RIVALS["bm3d"]
    monkeypatch.setattr(type(rival), "version", lambda self: "1.0")
    monkeypatch.setattr(loaded["lib.rivals"], "find_spec", lambda name: name)
    (case,) = loaded["speed"].cases(asked(data, rivals="nonlocal-quick,bm3d,skimage-nlm"))
    row = loaded["speed"].run(case | {"side": 48})
    assert json.loads(json.dumps(row))["size"] == [48, 48]
    assert [shape for _, shape in turns[1:]] == [(48, 48, 3)] * 2  # the first call is not counted
    assert row["ratios"]["bm3d"] == [1, 1]
    assert all(len(values) == 2 for values in row["seconds"].values())
    assert row["psnr"]["bm3d"] == pytest.approx(row["psnr_noisy"], abs=0.01)
    assert row["psnr"]["nonlocal-quick"] > row["psnr"]["skimage-nlm"] > row["psnr_noisy"]


def test_ratios_are_of_the_turn_and_the_table_has_their_spread(loaded) -> None:
    seconds = {"nonlocal": [1.0, 3.0, 2.0], "auto": [4.0, 4.0, 4.0], "bm3d": [10.0, 10.0, 20.0]}
    ratios = {name: loaded["speed"].ratios(values, seconds["bm3d"]) for name, values in seconds.items()}
    row = {
        "benchmark": "speed",
        "case": {"picture": "F16", "rivals": "nonlocal,auto,bm3d", "level": 25.0, "repeats": 3, "side": 0},
        "seconds": seconds,
        "cpu_seconds": seconds,
        "ratios": ratios,
        "psnr": {"nonlocal": 33.0, "auto": 33.1, "bm3d": 32.5},
        "size": [512, 512],
        "threads": 2,
        "date": "2026-01-02",
        "machine": {"cpu": "c", "cores": 2},
    }
    old = {"benchmark": "speed", "case": {"method": "nonlocal", "side": 0}, "ratio": 1.5}
    text = loaded["tables.instruments"].rivals([row, old])
    wanted = "| `nonlocal` | 2.00 [1.00 to 3.00] | 2.00 [1.00 to 3.00] | 0.100 [0.100 to 0.300] | 33.00 |"
    assert wanted in text
    assert "| `auto` (level measured) |" in text
    assert "| BM3D | 10.00 [10.00 to 20.00] |" in text
    assert "`python benchmarks/speed.py --data DIR --rivals nonlocal,auto,bm3d --level 25 --repeats 3`" in text
    without = loaded["tables.instruments"].rivals([row | {"ratios": {}}])
    assert "| `nonlocal` | 2.00 [1.00 to 3.00] | 2.00 [1.00 to 3.00] | - | 33.00 |" in without
    assert loaded["tables.instruments"].speed([row]) == loaded["tables.instruments"].NOTHING
