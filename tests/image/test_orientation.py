"""Pictures that are stored turned: masks, guides and references are laid as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from tests.conftest import clean, noisy
from tests.helpers.command import levels
from tests.helpers.files import exif, noise
from untaught import Image, compare, inpaint, rerun
from untaught.cli import main
from untaught.image.files import read
from untaught.image.image import image_of_array
from untaught.image.orientation import laid_as
from untaught.pipeline.tasks.inputs import guide_of
from untaught.pipeline.tasks.masks import laid_mask, mask_of

ORIENTATIONS = range(1, 9)
PICTURE = noise((16, 24, 3))
HOLE = np.full((16, 24), 255, np.uint8)
HOLE[2:5, 3:9] = 0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stored(name: str, array: np.ndarray, orientation: int) -> Path:
    Pillow.fromarray(array).save(name, exif=exif(orientation))
    return Path(name)


def shown(path: Path) -> np.ndarray:
    with Pillow.open(path) as opened:
        return np.asarray(ImageOps.exif_transpose(opened))


@pytest.mark.parametrize("here", ORIENTATIONS)
@pytest.mark.parametrize("there", ORIENTATIONS)
def test_what_is_shown_stays_the_same(there: int, here: int) -> None:
    path = stored("a.png", PICTURE, there)
    swapped = (there > 4) != (here > 4)
    other = stored("b.png", PICTURE.swapaxes(0, 1) if swapped else PICTURE, here)
    found = laid_as(read(path), read(other))
    assert found.metadata["orientation"] == here
    np.testing.assert_array_equal(shown(stored("c.png", found.array, here)), shown(path))


@pytest.mark.parametrize("orientation", [3, 6])
def test_masks_and_guides_painted_upright_meet_what_they_were_painted_on(orientation: int) -> None:
    picture = read(stored("in.jpg", PICTURE, orientation))
    upright = shown(stored("turned.png", HOLE, orientation))
    Pillow.fromarray(upright).save("mask.png")
    np.testing.assert_array_equal(mask_of("mask.png", picture)[0, 0].numpy() * 255, HOLE)
    np.testing.assert_array_equal(guide_of("mask.png", (16, 24), picture)[0, 0].numpy() * 255, HOLE)
    assert mask_of(HOLE, picture)[0, 0].numpy().sum() == (HOLE > 0).sum()


def test_what_was_made_of_stored_pixels_stays_as_it_is() -> None:
    """An array, .npy, and a file that would not fit any more."""
    Pillow.fromarray(HOLE).save("mask.png")
    np.save("mask.npy", HOLE)
    for picture, masks in (
        (read(stored("in.jpg", PICTURE, 6)), (HOLE, "mask.npy", "mask.png")),
        (read(stored("in.jpg", PICTURE, 3)), (HOLE, "mask.npy")),
        (image_of_array(PICTURE), ("mask.png",)),
    ):
        for mask in masks:
            np.testing.assert_array_equal(mask_of(mask, picture)[0, 0].numpy() * 255, HOLE)


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_reference_is_turned_too(orientation: int, capsys: pytest.CaptureFixture[str]) -> None:
    picture = stored("in.png", levels(noisy(clean(24, 32))), orientation)
    reference = shown(stored("turned.png", levels(clean(24, 32)), orientation))
    Pillow.fromarray(reference).save("clean.png")
    argv = ["denoise", "in.png", "-o", "out.png", "--method", "wavelet", "--noise", "gaussian:25", "--json"]
    scores = []
    for name in ("clean.png", "turned.png"):
        assert main([*argv, "--reference", name]) == 0
        scores.append(json.loads(capsys.readouterr().out)["psnr"])
    assert scores[0] == scores[1] > 20
    found = compare(picture, ["wavelet"], reference="clean.png", noise="gaussian:25")
    assert found.rows[0].quality is not None
    assert found.rows[0].quality.psnr == pytest.approx(scores[0])


SQUARE = noise((24, 24, 3))
CORNER = np.full((24, 24), 255, np.uint8)
CORNER[2:5, 3:9] = 0


def test_a_mask_that_fits_both_ways_is_laid_as_shown_and_says_so() -> None:
    picture = read(stored("in.jpg", SQUARE, 6))
    Pillow.fromarray(CORNER).save("mask.png")
    np.save("mask.npy", CORNER)
    laid = laid_mask("mask.png", picture)
    assert isinstance(laid, Image)
    (note,) = laid.notes
    assert "mask.png" in note
    assert ".npy" in note
    np.testing.assert_array_equal(shown(stored("back.png", laid.array, 6)), CORNER)
    result = inpaint("in.jpg", "mask.png", method="pixels", noise="gaussian:5")
    assert note in result.notes
    assert np.array_equal(rerun(result.recipe, "in.jpg").image, result.image)
    for certain in ("mask.npy", CORNER, stored("told.png", CORNER, 6), stored("upright.png", CORNER, 1)):
        found = laid_mask(certain, picture)
        assert isinstance(found, Image)
        assert not found.notes
    np.testing.assert_array_equal(mask_of("told.png", picture)[0, 0].numpy() * 255, CORNER)
    np.testing.assert_array_equal(mask_of("upright.png", picture), mask_of("mask.png", picture))


@pytest.mark.parametrize("name", ["as_stored.png", "as_shown.png"])
def test_a_reference_of_a_square_picture_is_laid_as_it_agrees(name: str) -> None:
    truth = levels(clean(32, 32))
    picture = stored("in.png", levels(noisy(clean(32, 32))), 6)
    Pillow.fromarray(truth).save("as_stored.png")
    Pillow.fromarray(shown(stored("turned.png", truth, 6))).save("as_shown.png")
    found = compare(picture, ["wavelet"], reference=name, noise="gaussian:25")
    assert found.rows[0].quality is not None
    assert found.rows[0].quality.psnr > 24
