"""Drawings are not taken for noise, and noisy pictures with empty parts not for drawings."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from tests.conftest import clean
from untaught.noise import measure
from untaught.noise.estimation.drawings import drawn
from untaught.noise.estimation.measure import PATTERN
from untaught.noise.estimation.pattern import pattern_of
from untaught.noise.estimation.repeats import repeats_of, shrunk


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


def noisy(x: np.ndarray, level: float) -> np.ndarray:
    """Return a picture with noise of a level (of 255), cut off and rounded to 8 bits."""
    y = x + np.random.default_rng(0).normal(0, level / 255, x.shape)
    return np.asarray(np.round(np.clip(y, 0, 1) * 255) / 255, np.float32)


def letters(size: int, paper: float = 1.0) -> np.ndarray:
    """Return lines of smooth letters of a size, grey."""
    image = Image.new("L", (192, 192), round(255 * paper))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for line, y in enumerate(range(2, 192, round(1.25 * size))):
        pen.text((3, y), 6 * "Sphinx of black quartz, judge my vow! "[line:], fill=10, font=font)
    return np.asarray(image, np.float32)[..., None] / 255


def pixels_of_a_game(times: int) -> np.ndarray:
    """Return blobs of 12 colours, every pixel copied to a square."""
    rng = np.random.default_rng(1)
    blobs = gaussian_filter(rng.normal(size=(160 // times,) * 2), 1.5)
    index = np.digitize(blobs, np.quantile(blobs, np.linspace(0, 1, 13)[1:-1]))
    small = rng.integers(10, 246, (12, 3))[index].astype(np.float32) / 255
    return small.repeat(times, 0).repeat(times, 1)


def strokes() -> np.ndarray:
    """Return black lines on white, without any grey."""
    rng, image = np.random.default_rng(0), Image.new("L", (192, 192), 255)
    pen = ImageDraw.Draw(image)
    for width in range(30):
        way = np.cumsum(rng.normal(0, 9, (14, 2)), 0) + 192 * rng.random(2)
        pen.line([(float(a), float(b)) for a, b in way], fill=0, width=1 + width % 3)
    return np.asarray(image, np.float32)[..., None] / 255


def gradient(kind: int) -> np.ndarray:
    """Return a smooth gradient, rounded to 8 bits."""
    y, x = np.mgrid[:192, :192] / 192
    plane = (x, np.hypot(x - 0.5, y - 0.5), 0.5 + 0.3 * np.sin(3 * x + 2 * y))[kind]
    return np.asarray(np.round(plane * 255) / 255, np.float32)[..., None]


def screen(period: float, degrees: float) -> np.ndarray:
    """Return a picture as it is printed in dots."""
    y, x = np.mgrid[:192, :192]
    a = np.deg2rad(degrees)
    waves = (2 * np.pi / period * (c * x + s * y) for c, s in ((np.cos(a), np.sin(a)), (-np.sin(a), np.cos(a))))
    dots = sum(np.cos(wave) for wave in waves) / 2
    grey = clean(192, 192).mean(2)
    return np.asarray(1 / (1 + np.exp(-6 * (dots + 2 * grey - 1))), np.float32)[..., None]


DRAWINGS = {
    "letters 10": letters(10),
    "letters 24": letters(24),
    "letters on grey": letters(10, 0.8),
    "game": pixels_of_a_game(1),
    "game x2": pixels_of_a_game(2),
    "game x4": pixels_of_a_game(4),
    "strokes": strokes(),
    "gradient across": gradient(0),
    "gradient around": gradient(1),
    "gradient of a wave": gradient(2),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_have_no_noise(name: str) -> None:
    report = measure(DRAWINGS[name])
    assert report.model.negligible
    assert any("No noise was found" in note for note in report.notes)


# Where every pixel of a game has a colour of its own, noise cannot be told from that.
@pytest.mark.parametrize("level", [3, 8, 25])
@pytest.mark.parametrize("name", [name for name in DRAWINGS if name not in ("game", "letters on grey")])
def test_noise_in_drawings_is_measured(name: str, level: float) -> None:
    if name == "game x2" and level == 25:
        pytest.skip("blobs of 3 pixels hide it")
    assert measure(noisy(DRAWINGS[name], level)).sigma * 255 == pytest.approx(level, rel=0.2)


@pytest.mark.parametrize(("period", "degrees"), [(4, 45), (5, 15), (8, 75)])
def test_a_printed_screen_is_a_pattern_and_no_noise(period: float, degrees: float) -> None:
    report, pattern = measure(screen(period, degrees)), pattern_of(screen(period, degrees))
    assert pattern is not None
    assert pattern.period == pytest.approx(period, rel=0.03)
    assert report.model.negligible
    assert pattern.printed
    assert PATTERN in report.notes


def test_noise_in_columns_is_no_pattern() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.08, (1, 192, 1)) + rng.normal(0, 0.02, (192, 192, 1))
    y = np.asarray(0.2 + 0.6 * clean(192, 192)[:, :, :1] + noise, np.float32)
    assert pattern_of(y) is None
    assert measure(y).model.shared
    assert measure(y).model.endless


def test_repeats_along_columns_alone_are_no_drawing() -> None:
    columns = np.random.default_rng(0).normal(0.5, 0.02, (1, 128, 1)).repeat(128, 0)
    repeats = repeats_of(np.asarray(np.round(255 * columns) / 255, np.float32))
    assert repeats.exact[0] > 1000
    assert not repeats.drawn


def test_a_picture_in_whole_pixels_and_its_copy_enlarged_are_alike() -> None:
    small = noisy(pixels_of_a_game(1), 10)
    there = np.ones(small.shape[:2], bool)
    for rows, columns in ((2, 2), (3, 1), (1, 4)):
        large = small.repeat(rows, 0).repeat(columns, 1)[1:]
        back, _ = shrunk(large, np.ones(large.shape[:2], bool))
        assert np.array_equal(back[-100:], small[-100:])
    assert shrunk(small, there)[0].shape == small.shape
