"""The benchmark of size: its picture, a case, and how time and memory grow."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import clean
from tests.helpers.benchmark_pages import pages


@pytest.fixture(scope="module")
def size():
    with pages("size") as found:
        yield found["size"]


def test_the_picture_is_mirrored_on_and_on(size) -> None:
    tile = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    made = np.concatenate([part for _, part in size.bands(tile, (5, 6, 3))])
    assert made.shape == (5, 6, 3)
    expected = np.pad(tile, ((0, 3), (0, 4), (0, 0)), mode="symmetric") / 255
    np.testing.assert_allclose(made, expected)
    grey = np.concatenate([part for _, part in size.bands(tile, (200, 3))])
    assert grey.shape == (200, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_case_goes_from_file_to_file(size, tmp_path: Path, channels: int) -> None:
    folder = tmp_path / "set9_awgn" / "25"
    folder.mkdir(parents=True)
    Image.fromarray(np.rint(255 * clean(64, 64)).astype(np.uint8)).save(folder / "F16_GT.png")
    args = argparse.Namespace(
        sides="512", channels=str(channels), method="wavelet", memory=None, quick=True, seed=0, data=tmp_path
    )
    first, _ = size.cases(args)
    row = size.run(first | {"side": 40})
    assert row["psnr"] > 20
    assert row["peak_gib"] >= row["before_gib"]
    assert row["parts"] == ""


def test_how_it_grows_is_the_slope_of_logarithms(size) -> None:
    case = {"channels": 1, "method": "nonlocal", "memory": None}
    rows = [
        {"case": {**case, "side": side}, "seconds": side**2 / 1e4, "peak_gib": side / 1e3}
        for side in (64, 128, 256)
    ]
    (found,) = size.exponents(rows)
    assert found["exponents"] == {"seconds": pytest.approx(1), "peak_gib": pytest.approx(0.5)}
    assert found["of_the_last_two"]["seconds"] == pytest.approx(1)
    assert not list(size.exponents(rows[:1]))
