"""Waves in flat parts: the measure, the pictures, a case; and the time for correlated noise."""

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
    names = ("flat_parts", "speed", "lib.flat_waves", "lib.flat_pictures", "tables.instruments")
    with pages(*names) as found:
        yield found


@pytest.mark.parametrize(("period", "share"), [(2.5, 0.3), (3, 0.3), (5, 1), (16, 1), (33, 1), (300, 0.2)])
def test_waves_of_the_band_count_and_no_others(loaded, period: float, share: float) -> None:
    page = loaded["lib.flat_waves"]
    flat = np.full((120, 110), 100.0)
    wave = 3 * np.sqrt(2) * np.sin(2 * np.pi * np.arange(120) / period)[:, None] + 0 * flat
    found = page.waves(wave, page.corners(flat))
    assert found.windows == 8 * 8
    assert found.rms == pytest.approx(3, rel=0.02) if share == 1 else found.rms < 3 * share


def test_white_noise_has_its_share_and_a_constant_none(loaded) -> None:
    page = loaded["lib.flat_waves"]
    where = page.corners(np.zeros((150, 150, 3)))
    noise = 10 * np.random.default_rng(0).standard_normal((150, 150, 3))
    found = page.waves(noise, where)
    assert found.rms == pytest.approx(4.6, abs=0.1)  # the quarter of a disc of radius 16.5 of 33 x 33 coefficients
    assert found.common > found.rms
    assert page.waves(np.full((150, 150), 7.0), where).rms == pytest.approx(0, abs=1e-6)
    assert page.waves(noise, []).windows == 0
    assert np.isnan(page.waves(noise, []).rms)


def test_windows_with_edges_grain_or_padding_are_left_out(loaded) -> None:
    page = loaded["lib.flat_waves"]
    x = np.full((100, 140), 50.0)
    x[:, 70:] = 60
    found = page.corners(x)
    assert found
    assert all(j + page.SIDE <= 70 or j >= 70 for _, j in found)
    grain = x + 0.5 * np.random.default_rng(0).standard_normal(x.shape)
    assert page.corners(grain) == found
    assert page.corners(x + 5 * np.random.default_rng(0).standard_normal(x.shape)) == []
    counted = np.arange(140)[None, :] + 0 * x > 75
    assert all(j > 75 for _, j in page.corners(x, counted=counted))


def test_the_drawn_picture_is_flat_textured_and_edged(loaded) -> None:
    page = loaded["lib.flat_pictures"]
    x = page.drawn()
    assert x.shape == (256, 256)
    assert 0 < x.min() < x.max() < 255
    assert (x[:64, :64] == x[0, 0]).all()
    assert np.std(x[:64, 192:]) == pytest.approx(page.TEXTURE, rel=0.1)
    given = page.flat_picture(Path(), "drawn", "correlated:15,1", quick=True)
    assert given.clean.shape == given.noisy.shape == (128, 128)
    assert np.std(given.noisy - given.clean) == pytest.approx(15, rel=0.1)
    assert len(given.corners) > 10


def test_a_sky_is_cut_out_where_it_is_flattest(loaded, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 255, (160, 200, 3)).astype(np.uint8)
    x[20:120, 70:180] = 90
    (tmp_path / "kodak").mkdir()
    Image.fromarray(x).save(tmp_path / "kodak" / "a.png")
    found = loaded["lib.flat_pictures"].sky(tmp_path, "a", side=96)
    assert found.shape == (96, 96, 3)
    assert (found == 90).mean() > 0.6


def test_padding_of_ct_is_neither_flat_nor_counted(loaded, tmp_path: Path) -> None:
    x = np.full((320, 320), 40.0)
    x[200:, :] = 1000
    x[:, :160] = -2000
    y = np.where(x == -2000, x, x + 60 * np.random.default_rng(1).standard_normal(x.shape))
    (tmp_path / "cases").mkdir()
    np.save(tmp_path / "cases" / "ct_truth.npy", x.astype(np.float32))
    np.save(tmp_path / "cases" / "ct_sigma60HU_int16.npy", np.rint(y).astype(np.int16))
    given = loaded["lib.flat_pictures"].flat_picture(tmp_path, "ct", "of the file", quick=True)
    assert given.clean.shape == (160, 160)
    assert (np.ptp(given.clean[given.counted]), given.clean.min()) == (pytest.approx(255), 0)
    assert given.corners
    assert all(j >= 32 for _, j in given.corners)
    scale = 255 / 960
    assert np.std((given.noisy - given.clean)[~given.counted]) == pytest.approx(60 * scale, rel=0.05)


def test_a_case_tells_the_waves_before_and_after(loaded) -> None:
    args = argparse.Namespace(pictures="", quick=True, methods="nonlocal,bm3d", seed=0, data=Path("d"))
    case = next(iter(loaded["flat_parts"].cases(args)))
    row = loaded["flat_parts"].run(case)
    assert json.loads(json.dumps(row)) == row
    assert row["waves"] < 0.3 * row["waves_noisy"]
    assert row["waves_noisy"] == pytest.approx(0.46 * 25, rel=0.1)
    assert row["psnr"] > row["psnr_noisy"] + 10
    text = loaded["tables.instruments"].flat_parts([{"benchmark": "flat_parts", "case": case, **row}])
    assert f"| drawn (a part), gaussian:25 | {row['windows']} | {row['waves_noisy']:.2f} |" in text


def test_bm3d_is_told_what_the_noise_is_and_left_out_where_it_is_not(loaded, monkeypatch) -> None:
    page = loaded["flat_parts"]
    args = argparse.Namespace(pictures="drawn", quick=True, methods="bm3d", seed=0, data=Path("d"))
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    assert list(page.cases(args)) == []
    monkeypatch.setattr(page, "find_spec", lambda name: name)
    (case,) = page.cases(args)
    told: list[Any] = []
    module = SimpleNamespace(bm3d=lambda y, level: told.append(level) or y)
    monkeypatch.setitem(sys.modules, "bm3d", module)
    for law in ("gaussian:25", "correlated:15,1"):
        row = page.run(case | {"noise": law})
        assert row["waves"] == pytest.approx(row["waves_noisy"], abs=1e-6)
    level, spectrum = told
    assert level == pytest.approx(25 / 255, rel=0.05)
    # by Parseval's identity the mean of the spectrum over the pixels is the variance
    assert spectrum.mean() / spectrum.size == pytest.approx((15 / 255) ** 2, rel=1e-6)


def test_the_time_for_correlated_noise_is_told_over_that_for_white(loaded, tmp_path: Path) -> None:
    folder = tmp_path / "set9_awgn" / "25"
    folder.mkdir(parents=True)
    Image.fromarray(np.rint(255 * clean(64, 64)).astype(np.uint8)).save(folder / "F16_GT.png")
    args = argparse.Namespace(
        methods="nonlocal", rivals=None, level=15.0, width=1.0, repeats=3, quick=True, seed=0, data=tmp_path
    )
    (case,) = loaded["speed"].cases(args)
    row = loaded["speed"].run(case | {"side": 48})
    assert len(row["seconds_white"]) == 1
    assert row["ratio"] == pytest.approx(row["seconds_correlated"][0] / row["seconds_white"][0], rel=0.1)
    assert row["found_white"] == "gaussian"
    text = loaded["tables.instruments"].speed([{"benchmark": "speed", "case": case, **row}])
    assert "| `nonlocal` | 48 x 48 |" in text
