"""JPEG: what its files hold, and pictures that could have given them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from tests.conftest import clean, psnr
from tests.helpers.command import levels, pixels, says
from untaught import InputError, dejpeg, denoise, inspect, read, rerun
from untaught.cli import main
from untaught.methods.plug_and_play import PlugAndPlay
from untaught.operators import Jpeg
from untaught.pipeline.tasks.jpeg_coefficients import levels_of

QUICK = PlugAndPlay(steps=3)
PICTURE = levels(clean(48, 64))


def compressed(folder: Path, quality: int, picture: np.ndarray = PICTURE, **how: object) -> Path:
    """Write a JPEG and return its path."""
    path = folder / "in.jpg"
    Pillow.fromarray(picture).save(path, quality=quality, **how)
    return path


@pytest.mark.parametrize("factor", [1, 2])
def test_the_numbers_of_a_file_are_found(tmp_path: Path, factor: int) -> None:
    """They are whole, give the picture that is shown, and are those of the picture before, rounded."""
    path = compressed(tmp_path, 30, subsampling=2 * (factor == 2))
    y, operator = levels_of(path)
    assert (operator.factors, operator.size) == ((1, factor, factor), (48, 64))
    stored = [(48 // f, 64 // f) for f in operator.factors]
    numbers = y[0].clone()
    numbers[: 48 * 64 : 64] -= 1024 / operator.tables[0][0]  # the shift by 128 grey levels
    assert float((numbers - numbers.round()).abs().max()) < 1e-3
    x = torch.from_numpy(PICTURE.astype(np.float32) / 255).permute(2, 0, 1)[None]
    step = torch.cat(
        [q.flatten().repeat(h * w // 64) for q, (h, w) in zip(operator.steps(y), stored, strict=True)]
    )
    assert float(((operator.A(x) - y).abs() * step - step / 2).max()) < 1.5  # grey levels
    assert psnr(operator.initial(y)[0, 0].numpy() * 255, pixels(path)[..., 0], 255) > (38 if factor == 1 else 24)


def test_values_that_the_decoder_has_cut_off_are_found(tmp_path: Path) -> None:
    grey = np.full((16, 16), 255, np.uint8)
    grey[:, 5:7] = 0
    path = compressed(tmp_path, 10, grey)
    y, operator = levels_of(path)
    unclipped = operator.initial(y)[0, 0].numpy() * 255
    assert unclipped.max() > 260
    assert np.abs(np.clip(np.rint(unclipped), 0, 255) - pixels(path)).max() <= 1


def test_the_nearest_picture_is_one_that_the_file_could_be_of(tmp_path: Path) -> None:
    y, operator = levels_of(compressed(tmp_path, 20))
    x = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    for deviation in (0.01, 10.0):
        near = operator.nearest(x, y, deviation)
        slack = 0.5 + 0.5 / min(map(min, operator.tables)) + 1e-3
        assert float((operator.A(near) - y).abs().max()) < slack
    assert torch.allclose(operator.A(operator.nearest(x, y, 1e4)), y, atol=1e-2)  # what is not trusted at all


def test_the_level_is_about_what_was_lost(tmp_path: Path) -> None:
    luma = np.array([0.299, 0.587, 0.114])
    for quality in (15, 60):
        path = compressed(tmp_path, quality)
        y, operator = levels_of(path)
        true = np.std((pixels(path).astype(float) - PICTURE) @ luma) / 255
        assert 0.6 < operator.level(y) / true < 1.4


@pytest.mark.parametrize("colour", [True, False])
def test_a_picture_is_better_than_what_is_shown(tmp_path: Path, colour: bool) -> None:
    picture = PICTURE if colour else PICTURE[..., 1]
    path = compressed(tmp_path, 20, picture)
    result = dejpeg(path, method=QUICK)
    assert result.image.shape == picture.shape
    assert psnr(result.image, picture, 255) > psnr(pixels(path), picture, 255) + 0.5
    assert result.noise.kind == "jpeg"
    assert "rounded away" in result.noise.describe()
    assert result.psnr is None
    again = rerun(result.recipe, path)
    assert np.array_equal(again.image, result.image)


def test_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    compressed(tmp_path, 20)
    assert main(["dejpeg", "in.jpg", "-o", "out.png", "--time-limit", "0.1", "--report", "r.html"]) == 0
    assert pixels(tmp_path / "out.png").shape == PICTURE.shape
    assert "JPEG has rounded away" in capsys.readouterr().out
    Pillow.fromarray(PICTURE).save("in.png")
    Pillow.fromarray(PICTURE).save("uneven.jpg", subsampling=1)
    np.save("in.npy", PICTURE)
    for argv, words in (
        (("in.png",), "is no JPEG file"),
        (("in.npy",), "is no JPEG file"),
        (("uneven.jpg",), "another resolution"),
        (("in.jpg", "--noise", "gaussian:25"), "takes no noise"),
        (("in.jpg", "--guide", "in.png"), "no guide"),
        (("in.jpg", "--method", "fill"), "cannot dejpeg"),
    ):
        assert main(["dejpeg", *argv, "-o", "no.png"]) == 2
        assert says(capsys.readouterr().err, words)
    assert not (tmp_path / "no.png").exists()


@pytest.mark.parametrize("factor", [1, 2])
def test_the_first_of_several_pictures_in_a_file_is_as_good_as_one(tmp_path: Path, factor: int) -> None:
    how = {"quality": 20, "subsampling": 2 * (factor == 2)}
    y, operator = levels_of(compressed(tmp_path, **how))
    preview = Pillow.fromarray(PICTURE[::2, ::2])
    Pillow.fromarray(PICTURE).save(tmp_path / "in.mpo", "MPO", save_all=True, append_images=[preview], **how)
    (tmp_path / "in.mpo").rename(tmp_path / "several.jpg")
    with Pillow.open(tmp_path / "several.jpg") as opened:
        assert opened.format == "MPO"
    found, same = levels_of(tmp_path / "several.jpg")
    assert same == operator
    assert torch.equal(found, y)
    assert dejpeg(tmp_path / "several.jpg", method=QUICK).image.shape == PICTURE.shape


def test_what_is_no_file_any_more_is_refused(tmp_path: Path) -> None:
    picture = read(compressed(tmp_path, 20))
    with pytest.raises(InputError, match="an array says nothing"):
        dejpeg(replace(picture, source=None))
    with pytest.raises(InputError, match="not as it was read"):
        dejpeg(replace(picture, array=picture.array // 2))
    with pytest.raises(InputError, match="64 steps"):
        Jpeg(((1, 2),), (1,), (8, 8))


def test_others_say_what_to_do_with_a_coarse_file(tmp_path: Path) -> None:
    for quality, told in ((20, True), (90, False)):
        path = compressed(tmp_path, quality)
        notes = (denoise(path, noise="gaussian:5", method="wavelet").notes, inspect(path).notes)
        assert [any("untaught dejpeg" in note for note in found) for found in notes] == [told, told]


def test_a_coarse_file_without_noise_is_not_left_as_it_is(tmp_path: Path) -> None:
    drawn = np.full((64, 64), 230, np.uint8)
    drawn[20:50, 13:38] = 60
    Pillow.fromarray(drawn).save(tmp_path / "drawn.jpg", quality=30)
    assert "untaught dejpeg" in inspect(tmp_path / "drawn.jpg").advice
