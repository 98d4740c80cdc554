"""Salt and pepper on pages and drawings, where strokes are as black as pepper."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import untaught
from tests.conftest import psnr
from untaught.noise import Impulse, measure


def page() -> np.ndarray:
    """Return lines of blocks and strokes of several greys on white, as floats."""
    rng = np.random.default_rng(0)
    drawn = np.ones((160, 160), np.float32)
    for top in range(12, 150, 14):
        at = 10
        while at < 145:
            wide = int(rng.integers(2, 9))
            drawn[top : top + int(rng.integers(2, 9)), at : at + wide] = rng.choice([0.0, 0.2, 0.5])
            at += wide + int(rng.integers(2, 6))
    return drawn


PICTURES = {"page": page(), "logo": np.float32(data.logo()[120:216, 120:216, :3] / 255)}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("share", [0.01, 0.06])
def test_they_are_found_with_their_share_and_taken_out(name: str, share: float) -> None:
    clean = PICTURES[name]
    y = Impulse(share).sample(clean, np.random.default_rng(1))
    model = measure(y).model
    assert isinstance(model, Impulse)
    assert 0.3 * share < model.fraction < 1.5 * share  # salt on white is none
    found = untaught.denoise(y)
    assert psnr(found.image, clean) > psnr(y, clean) + 8


@pytest.mark.parametrize("name", PICTURES)
def test_without_any_none_are_found(name: str) -> None:
    assert not isinstance(measure(PICTURES[name]).model, Impulse)
    noisy = PICTURES[name] + np.random.default_rng(2).normal(0, 0.05, PICTURES[name].shape)
    assert not isinstance(measure(np.float32(np.clip(noisy, 0, 1))).model, Impulse)


@pytest.mark.parametrize("picture", ["camera", "coins", "astronaut", "page", "text", "clock", "checkerboard"])
def test_none_are_found_in_clean_pictures(picture: str) -> None:
    values = getattr(data, picture)()[:256, :256] / np.float32(255)
    assert not isinstance(measure(np.float32(values)).model, Impulse)
