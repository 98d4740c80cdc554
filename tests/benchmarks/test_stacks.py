"""Stacks beside others: flicker by its definition, the table from made-up rows, a volume that is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.helpers.benchmark_pages import pages


@pytest.fixture(scope="module")
def loaded():
    names = ("stacks", "volume", "film", "microscopy", "lib.flicker", "tables.stacks", "tables.microscopy")
    with pages(*names) as found:
        yield found


def film(planes: int = 6) -> np.ndarray:
    """Return planes with a flat half that stands still and a textured one that moves."""
    texture = np.random.default_rng(0).uniform(0, 255, (16, 16 + planes))
    return np.stack([np.hstack([np.full((16, 16), 100.0), texture[:, k : k + 16]]) for k in range(planes)])[
        ..., None
    ]


def test_flicker_is_of_flat_squares_that_stand_still(loaded) -> None:
    flicker, clean = loaded["lib.flicker"].flicker, film()
    steps = np.array([0, 1, 0, 1, 0, 1.0])[:, None, None, None]
    assert flicker(clean, clean) == 0
    assert flicker(clean + 7, clean) == 0  # too bright, but steadily
    assert flicker(clean + steps, clean) == pytest.approx(1.0)
    moving = np.where(np.arange(32) < 16, 0, 1)[:, None]
    assert flicker(clean + steps * moving, clean) == 0
    assert flicker(clean[:, :, 16:], clean[:, :, 16:]) is None


def test_a_stack_beside_its_planes_and_others(loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = loaded["stacks"]
    x = np.tile(np.linspace(96, 108, 24), (4, 24, 1)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "carphone_gray.tif", x, photometric="minisblack")
    monkeypatch.setattr(page, "find_spec", lambda _: None)  # whether or not there is a bm4d
    case = {"stack": "carphone_gray", "law": "gaussian", "level": 20.0, "planes": 4, "threads": 1}
    row = page.run({**case, "networks": "", "crop": 0, "steps": 0, "data": str(tmp_path)})
    assert row["together"]["psnr"] > row["alone"]["psnr"] > row["noisy"]
    assert row["quick"]["psnr"] > row["noisy"]
    assert row["together"]["flicker"] < row["flicker"]
    told = loaded["tables.stacks"].stacks([{"case": {**case, "networks": ""}, "benchmark": "stacks", **row}])
    assert "| carphone_gray, 4 planes | 20 |" in told
    assert f"| {row['together']['psnr']:.2f} | {row['quick']['psnr']:.2f} |" in told


def test_a_volume_is_what_it_is_said_to_be(loaded, tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr", reason='zarr is missing: pip install "untaught[science]"')
    page, folder = loaded["volume"], tmp_path / "set9_awgn" / "25"
    folder.mkdir(parents=True)
    tile = np.random.default_rng(1).integers(0, 255, (20, 24, 3), np.uint8)
    Image.fromarray(tile).save(folder / "F16_GT.png")
    case = {"planes": 3, "side": 48, "data": str(tmp_path)}
    assert page.write(tmp_path / "v.zarr", case) == 3 * 48 * 48 * 8
    noisy = np.asarray(zarr.open_group(tmp_path / "v.zarr", mode="r")["0"])
    clean = np.stack(list(page.clean(case)))
    np.testing.assert_array_equal(clean[0, :20, :24], tile.mean(2))
    np.testing.assert_array_equal(clean[1, :-1, :-1], clean[0, 1:, 1:])
    assert np.std(noisy - clean) == pytest.approx(20, rel=0.05)
    assert page.decibels(tmp_path / "v.zarr", case) == pytest.approx(
        20 * np.log10(255 / np.std(noisy - clean)), abs=0.01
    )


def test_a_long_film_is_what_it_is_said_to_be(loaded, tmp_path: Path) -> None:
    page, folder = loaded["film"], tmp_path / "set9_awgn" / "25"
    folder.mkdir(parents=True)
    tile = np.broadcast_to(np.linspace(80, 170, 24).astype(np.uint8)[:, None, None], (24, 24, 3))
    Image.fromarray(tile.copy()).save(folder / "F16_GT.png")
    case = {"planes": 3, "side": 40, "data": str(tmp_path)}
    page.write(tmp_path / "film.tif", case)
    with tifffile.TiffFile(tmp_path / "film.tif") as file:
        assert file.series[0].axes == "TYX"
        noisy = file.asarray()
    assert noisy.shape == (3, 40, 40)
    error = np.std(noisy - np.stack(list(page.clean(case))))
    assert error == pytest.approx(20, rel=0.08)
    assert page.decibels(tmp_path / "film.tif", case) == pytest.approx(20 * np.log10(255 / error), abs=0.05)


def test_real_stacks_are_held_against_what_follows_them(loaded, tmp_path: Path) -> None:
    page, folder = loaded["microscopy"], tmp_path / "stacks" / "microscopy"
    folder.mkdir(parents=True)
    x = np.tile(np.linspace(500, 1500, 32), (32, 1))
    frames = (x + np.random.default_rng(0).normal(0, 200, (20, 32, 32))).clip(0).round()
    tifffile.imwrite(folder / "gcamp_2photon.tif", frames.astype(np.uint16), photometric="minisblack")
    planes, reference, own, scored = page.loaded("gcamp", tmp_path)
    np.testing.assert_array_equal(planes, frames[:10])
    np.testing.assert_allclose(reference, frames[10:].mean(0))
    assert own == pytest.approx(200**2 / 10, rel=0.1)
    assert scored == list(range(10))
    row = page.run({"stack": "gcamp", "planes": 4, "data": str(tmp_path)})
    assert row["together"]["psnr"] > row["mean of 3"]["psnr"] > row["input"]["psnr"]
    assert "gaussian" in row["said"]["together"].lower()
    whole = {"case": {"stack": "gcamp", "planes": 0}, "benchmark": "microscopy", **row}
    told = loaded["tables.microscopy"].microscopy([whole])
    assert "| Stack | input | together | alone | mean of 3 |" in told
    assert f"| gcamp, 4 of 32 x 32 | {row['input']['psnr']:.2f} | {row['together']['psnr']:.2f} |" in told
