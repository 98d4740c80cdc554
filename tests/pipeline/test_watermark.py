"""Half-transparent marks: opacity and colour are found, what is under them comes back, the rest is filled in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from tests.conftest import clean, psnr
from tests.helpers.command import levels, pixels, says
from untaught import rerun
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.methods.untrained.pixels import PixelTV
from untaught.pipeline.tasks.inpaint import inpaint
from untaught.pipeline.tasks.watermark import unmark

SIDE = 96
Array = NDArray[Any]


def mark(width: int = 8) -> Array:
    """Return True where a mark of bars is."""
    found = np.zeros((SIDE, SIDE), np.bool_)
    for at in (12, 40, 68):
        found[at : at + width, 8:88] = True
        found[8:88, at : at + width] = True
    return found


def marked(opacity: float, colour: Array, channels: int = 3) -> tuple[Array, Array]:
    """Return a picture and the same with the mark, both of 8 bits."""
    x = clean(SIDE, SIDE, channels)
    shown = np.where(mark()[..., None], (1 - opacity) * x + opacity * colour, x)
    return tuple(levels(v if channels > 1 else v[..., 0]) for v in (x, shown))  # type: ignore[return-value]


@pytest.mark.parametrize("opacity", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("colour", [[1.0, 1.0, 1.0], [0.8, 0.2, 0.1], [0.5]])
def test_opacity_and_colour_are_found(opacity: float, colour: list[float]) -> None:
    _, y = marked(opacity, np.array(colour), len(colour))
    found = unmark(as_image(y), ~mark())
    assert found.opacity == pytest.approx(opacity, abs=0.03)
    assert found.colour == pytest.approx(colour, abs=0.06)
    assert "opacity" in found.told


def test_what_is_under_a_mark_comes_back() -> None:
    x, y = marked(0.5, np.ones(3))
    found = unmark(as_image(y), ~mark())
    under = found.kept & mark()
    assert under.sum() > 0.4 * mark().sum()
    assert psnr(found.picture.array[under], x[under], 255) > psnr(y[under], x[under], 255) + 15
    assert np.array_equal(found.picture.array[~mark()], x[~mark()])


def test_the_rim_and_what_was_cut_off_are_not_kept() -> None:
    y = marked(0.5, np.ones(3))[1]
    y[13:18, 30:34] = 255
    found = unmark(as_image(y), ~mark())
    assert not found.kept[13:18, 30:34].any()
    assert found.kept[[10, 11, 12, 13, 15], 24].tolist() == [True, False, False, True, True]


def test_nothing_shows_through_an_opaque_mark() -> None:
    drawn = np.random.default_rng(0).normal(0, 0.01, (SIDE, SIDE, 3))
    _, y = marked(1.0, 0.6 + drawn)
    found = unmark(as_image(y), ~mark())
    assert found.opacity == 1
    assert not found.kept[mark()].any()
    assert "nothing shows through" in found.told


def test_a_mark_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="no half-transparent mark"):
        unmark(as_image(levels(clean(SIDE, SIDE))), ~mark())
    kept = np.zeros((SIDE, SIDE), np.bool_)
    kept[0, 0] = True
    with pytest.raises(InputError, match="the whole picture"):
        unmark(as_image(levels(clean(SIDE, SIDE))), kept)


def test_every_plane_of_a_stack_has_its_own_contrast() -> None:
    x, y = marked(0.5, np.ones(1), 1)
    stack = np.stack([y, y // 2])
    found = unmark(as_image(stack), ~mark())
    under = found.kept & mark()
    assert psnr(found.picture.array[0][under], x[under], 255) > 30
    assert psnr(found.picture.array[1][under], (x // 2)[under], 255) > 30


def test_inpaint_takes_it_off_and_says_so() -> None:
    x, y = marked(0.6, np.array([0.9, 0.1, 0.1]))
    result = inpaint(y, ~mark(), translucent=True, noise="gaussian:0", method=PixelTV())
    over = inpaint(y, ~mark(), noise="gaussian:0", method=PixelTV())
    assert result.notes[0].startswith("the mark's opacity is")
    assert psnr(result.image, x, 255) > psnr(over.image, x, 255) + 3
    assert np.array_equal(rerun(result.recipe, result.input).image, result.image)
    with pytest.raises(InputError, match="needs a mask"):
        inpaint(y, translucent=True)


def test_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    x, y = marked(0.5, np.ones(3))
    Pillow.fromarray(y).save("in.png")
    Pillow.fromarray((255 * ~mark()).astype(np.uint8)).save("mask.png")
    argv = ["inpaint", "in.png", "-o", "out.png", "--translucent", "-q", "--json"]
    quick = ["--method", "pixel-tv", "--noise", "gaussian:0"]
    assert main([*argv, "--mask", "mask.png", *quick]) == 0
    assert any("opacity" in note for note in json.loads(capsys.readouterr().out)["notes"])
    assert psnr(pixels(tmp_path / "out.png"), x, 255) > psnr(y, x, 255) + 12
    assert main([*argv, *quick]) == 2
    assert says(capsys.readouterr().err, "needs a mask")
