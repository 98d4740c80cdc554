"""Padding: areas of one value beside noise, and what looks like them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import clean, noisy
from untaught import denoise, inspect
from untaught.image.padding import padding_of

SIDE = 96


def found(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    values = values if values.ndim == 3 else values[..., None]
    return padding_of(values, np.zeros(values.shape[:2], bool))


def face(channels: int = 1) -> NDArray[np.float64]:
    return 40 + 150 * noisy(clean(SIDE, SIDE, channels), 0.1).astype(np.float64)


def outside() -> NDArray[np.bool_]:
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    return np.hypot(rows, columns) > SIDE / 2 - 1


def scan() -> NDArray[np.int16]:
    """Return a round field with the corners at -2000, far below all else."""
    return np.where(outside(), -2000, np.rint(face()[..., 0])).astype(np.int16)


def test_the_corners_of_a_round_field_are_padding() -> None:
    assert np.array_equal(found(scan()), outside())


@pytest.mark.parametrize("value", [0.0, 39.0, -1e4])
def test_a_frame_is_padding_also_just_below_the_picture(value: float) -> None:
    framed = np.clip(np.rint(face(3)), 40, None)
    framed[:8] = framed[:, -5:] = value
    expected = np.zeros((SIDE, SIDE), bool)
    expected[:8] = expected[:, -5:] = True
    assert np.array_equal(found(framed), expected)


def drawing() -> NDArray[np.uint8]:
    blocks = np.random.default_rng(0).integers(20, 236, (6, 6), np.uint8)
    blocks[2, 2] = blocks[4, 1] = 0
    return np.kron(blocks, np.ones((16, 16), np.uint8))


def page() -> NDArray[np.uint8]:
    from skimage import data

    return data.page()


def overexposed() -> NDArray[np.float64]:
    """Return noise below a sky that is white everywhere."""
    picture = face()
    picture[:30] = 255
    return picture


def cut_noise(below: float) -> NDArray[np.float64]:
    """Return a dark third, so many standard deviations below black, whose noise was cut off."""
    noise = np.random.default_rng(0).normal(size=(3 * SIDE, 3 * SIDE))
    noise[:, :SIDE] -= below
    noise[:, SIDE:] += 6
    return np.rint(np.clip(20 * noise, 0, 255))


@pytest.mark.parametrize(
    "picture",
    [face(), drawing(), page(), overexposed(), *map(cut_noise, (0.5, 1.3, 2, 2.5, 3)), np.full((SIDE, SIDE), 3.0)],
    ids=["noise", "drawing", "page", "white sky", "cut .5", "cut 1.3", "cut 2", "cut 2.5", "cut 3", "constant"],
)
def test_what_repeats_for_another_reason_is_none(picture: NDArray[np.generic]) -> None:
    assert not found(picture).any()


def test_most_of_a_plane_is_no_padding() -> None:
    picture = face()[..., 0]
    picture[: SIDE // 2 + 4] = -5
    assert not found(picture).any()


def test_it_comes_back_as_it_was_and_does_not_touch_the_rest() -> None:
    picture = scan()
    result = denoise(picture, method="nonlocal")
    gaps = np.where(outside(), np.nan, picture)
    without = denoise(gaps, method="nonlocal")
    assert (result.image[outside()] == -2000).all()
    assert np.abs(result.image - without.image)[~outside()].max() <= 0.5 + 1e-6
    share = f"{100 * outside().mean():.1f} %"
    assert any(note.startswith(share) and "padding of one value" in note for note in result.notes)
    assert any("padding of one value" in note for note in inspect(picture).notes)
    low, high = result.picture.value_range
    assert result.noise.level * (high - low) == pytest.approx(15, rel=0.2)
