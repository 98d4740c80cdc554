"""Drawings are not taken for noise, and noisy pictures with empty parts not for drawings."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.conftest import clean
from untaught.noise import measure
from untaught.noise.estimation.drawings import drawn


def page(mode: str, size: int, box: bool) -> np.ndarray:
    """Return letters on white, and a filled box among them."""
    image = Image.new(mode, (size, size), "white")
    pen = ImageDraw.Draw(image)
    for line in range(0, size, 14):
        pen.text((4, line), f"Some text here {line} File Edit View", fill="black")
    if box:
        pen.rectangle((size // 2, size // 2, size - 10, size - 30), fill="lightblue", outline="black")
    return np.asarray(image, np.float32) / 255


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [128, 160, 256])
@pytest.mark.parametrize("box", [False, True])
def test_letters_on_a_page_are_not_noise(mode: str, size: int, box: bool) -> None:
    report = measure(page(mode, size, box))
    assert report.sigma < 1e-6
    assert any("No noise was found" in note for note in report.notes)


@pytest.mark.parametrize("level", [10, 25, 60])
def test_a_noisy_picture_with_an_empty_frame_is_not_a_drawing(level: float) -> None:
    picture = np.zeros((160, 160, 3), np.float32)
    x = 0.2 + 0.6 * clean(80, 80)
    noisy = x + np.random.default_rng(0).normal(0, level / 255, x.shape)
    picture[20:100, 20:100] = np.round(np.clip(noisy, 0, 1) * 255) / 255
    assert not drawn(picture, None, min(level, 39) / 255)
    assert measure(np.where(picture == 0, np.float32(np.nan), picture)).sigma * 255 == pytest.approx(
        level, rel=0.2
    )


def test_what_is_missing_does_not_count_as_repeating() -> None:
    picture = np.full((64, 64, 1), 0.5, np.float32)
    picture[:, :20, 0] = np.random.default_rng(0).normal(0.5, 0.05, (64, 20))
    missing = np.zeros((64, 64), bool)
    missing[:, 20:] = True
    assert drawn(picture, None, 0.05)
    assert not drawn(picture, missing, 0.05)
