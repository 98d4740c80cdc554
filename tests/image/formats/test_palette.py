"""Files of listed colours, and of 1 bit, come back as such where their colours are enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

import untaught
from untaught.image.formats.palette import indexed, outgrown

RNG = np.random.default_rng(0)


def drawing(path: Path, clear: bool = False) -> None:
    image = PillowImage.frombytes(
        "P", (60, 48), RNG.integers(0, 6, (8, 10)).repeat(6, 0).repeat(6, 1).astype(np.uint8).tobytes()
    )
    image.putpalette(RNG.integers(0, 255, 18).tolist())
    image.save(path, **({"transparency": 2} if clear else {}))


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_a_palette_stays(suffix: str, tmp_path: Path) -> None:
    drawing(tmp_path / f"in{suffix}")
    picture = untaught.read(tmp_path / f"in{suffix}")
    untaught.write(tmp_path / f"out{suffix}", picture)
    with (
        PillowImage.open(tmp_path / f"in{suffix}") as before,
        PillowImage.open(tmp_path / f"out{suffix}") as after,
    ):
        assert after.mode == "P"
        assert np.array_equal(np.asarray(before.convert("RGB")), np.asarray(after.convert("RGB")))
        assert before.getpalette()[:18] == after.getpalette()[:18]


def test_a_clear_colour_stays(tmp_path: Path) -> None:
    drawing(tmp_path / "in.png", clear=True)
    picture = untaught.read(tmp_path / "in.png")
    assert picture.alpha
    untaught.write(tmp_path / "out.png", picture)
    with PillowImage.open(tmp_path / "out.png") as after:
        assert after.mode == "P"
    assert np.array_equal(untaught.read(tmp_path / "out.png").array, picture.array)


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_one_bit_stays(suffix: str, tmp_path: Path) -> None:
    PillowImage.fromarray(RNG.random((40, 50)) > 0.5).save(tmp_path / f"in{suffix}")
    picture = untaught.read(tmp_path / f"in{suffix}")
    untaught.write(tmp_path / f"out{suffix}", picture)
    with PillowImage.open(tmp_path / f"out{suffix}") as after:
        assert after.mode == "1"
    assert np.array_equal(untaught.read(tmp_path / f"out{suffix}").array, picture.array)


def test_other_colours_are_written_in_full_and_said(tmp_path: Path) -> None:
    drawing(tmp_path / "in.png")
    picture = untaught.read(tmp_path / "in.png")
    array = picture.array.copy()
    array[0, 0] = (1, 2, 3)
    other = replace(picture, array=array)
    assert indexed(picture) is not None
    assert indexed(other) is None
    assert "6 colours" in str(outgrown(other, picture))
    assert outgrown(picture, picture) is None
    untaught.write(tmp_path / "out.png", other)
    assert np.array_equal(untaught.read(tmp_path / "out.png").array, array)


def test_a_drawing_without_its_impulses_has_its_colours(tmp_path: Path) -> None:
    colours = np.array([[0, 0, 0], [255, 255, 255], [200, 60, 40], [40, 90, 200], [90, 170, 80]], np.uint8)
    x = RNG.integers(2, 5, (12, 12)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    hit, y = RNG.random(x.shape), x.copy()
    y[hit < 0.02], y[hit > 0.98] = 0, 1
    for name, values in (("x", x), ("y", y)):
        image = PillowImage.frombytes("P", x.shape[::-1], values.tobytes())
        image.putpalette(colours.tobytes())
        image.save(tmp_path / f"{name}.png")
    result = untaught.denoise(tmp_path / "y.png")
    assert result.noise.replaces
    assert (result.image != colours[x]).any(-1).mean() < 0.01
    untaught.write(tmp_path / "out.png", result.picture)
    with PillowImage.open(tmp_path / "out.png") as after:
        assert after.mode == "P"


def test_a_palette_of_colours_is_none_of_greys(tmp_path: Path) -> None:
    drawing(tmp_path / "in.png")
    picture = untaught.read(tmp_path / "in.png")
    assert indexed(picture) is not None
    grey = untaught.Image.of(picture.array[..., 0].copy(), "YX", metadata=picture.metadata)
    assert indexed(grey) is None
