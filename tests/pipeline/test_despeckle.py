"""Pages of one bit: specks go, and letters, dots, accents and screens stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import untaught
from tests.conftest import clean
from tests.helpers.prints import dots
from untaught.noise.estimation.specks import specks_of, stroke_of

TEXT = 'Fiji: die Möwe; 1.5 i.e. über j! "a" (x) - b'


def page(size: int) -> NDArray[np.bool_]:
    """Return letters, True where there is ink."""
    image = Image.new("L", (23 * size, 4 * size), 255)
    for line in range(2):
        font = ImageFont.load_default(size)
        ImageDraw.Draw(image).text((size, size * (0.5 + 1.7 * line)), TEXT, fill=0, font=font)
    return np.asarray(image) < 128


def specked(ink: NDArray[np.bool_], density: float, side: int = 1) -> NDArray[np.bool_]:
    found, rng = ink.copy(), np.random.default_rng(0)
    for y, x in np.argwhere(rng.random(ink.shape) < density):
        found[y : y + side, x : x + side] ^= True
    return found


@pytest.mark.parametrize("size", [12, 20, 32, 48])
def test_a_clean_page_stays(size: int) -> None:
    found = specks_of(page(size))
    assert not found.ink.any()
    assert found.paper.sum() <= 4  # slivers of a pixel or two where strokes touch


@pytest.mark.parametrize(
    ("size", "density", "side", "left"), [(32, 0.003, 1, 0.3), (48, 0.01, 1, 0.3), (48, 0.0005, 2, 0.8)]
)
def test_specks_and_pinholes_go(size: int, density: float, side: int, left: float) -> None:
    ink = page(size)
    spoilt = specked(ink, density, side)
    found = specks_of(spoilt)
    wrong = (spoilt ^ found.any) != ink
    assert wrong.sum() < left * (spoilt != ink).sum()
    assert min(found.counts) > 0


def test_the_width_of_a_stroke_does_not_depend_on_specks() -> None:
    ink = page(40)
    assert stroke_of(specked(ink, 0.02)) == pytest.approx(stroke_of(ink), abs=1)
    assert stroke_of(np.zeros((8, 8), np.bool_)) == 0


def test_the_dots_of_a_screen_stay() -> None:
    screen = dots(clean(192, 192, 1)[..., 0], 6, 45) < 0.5
    assert specks_of(screen).any.mean() < 1e-3


@pytest.mark.parametrize("kind", ["bool", "grey", "two greys", "two colours", "inverted"])
def test_both_colours_of_a_page_stay(kind: str) -> None:
    ink = specked(page(32), 0.003)
    y = {
        "bool": ~ink,
        "grey": np.where(ink, 0, 255).astype(np.uint8),
        "two greys": np.where(ink, 40, 210).astype(np.uint8),
        "two colours": np.where(ink[..., None], [20, 30, 120], [250, 240, 200]).astype(np.uint8),
        "inverted": ink,
    }[kind]
    result = untaught.despeckle(y)
    changed = (result.image != y).reshape(*ink.shape, -1).any(-1)
    assert np.array_equal(changed, specks_of(ink).any)
    assert result.image.dtype == y.dtype
    assert set(np.unique(result.image)) <= set(np.unique(y))
    assert result.method == "despeckle"
    assert "specks and" in result.noise.describe()
    again = untaught.rerun(untaught.Recipe.model_validate_json(result.recipe.model_dump_json()), y)
    assert np.array_equal(again.image, result.image)


def test_hairlines_and_clean_pages_are_said() -> None:
    thin = page(12)
    assert any("one pixel wide" in note for note in untaught.despeckle(thin).notes)
    clean_page = untaught.despeckle(page(32))
    assert clean_page.method == "none"
    assert np.array_equal(clean_page.image, page(32))


def test_greys_are_refused() -> None:
    with pytest.raises(untaught.InputError, match="more than two values"):
        untaught.despeckle(np.arange(256, dtype=np.uint8).reshape(16, 16))
    with pytest.raises(untaught.InputError, match="sizes alone"):
        untaught.despeckle(page(20), method="nlm")


def test_pages_of_a_stack_and_a_file(tmp_path: Path) -> None:
    import tifffile

    ink = specked(page(32), 0.003)
    tifffile.imwrite(tmp_path / "in.tif", np.stack([~ink, np.ones_like(ink)]), photometric="minisblack")
    untaught.despeckle(tmp_path / "in.tif", output=tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as tif:
        assert tif.pages[0].bitspersample == 1
        assert np.array_equal(tif.asarray()[0], ~(ink ^ specks_of(ink).any))
        assert tif.asarray()[1].all()
