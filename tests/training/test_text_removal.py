"""Text removal: two copies of each picture with other words on them, no clean one; the L1 norm learns medians."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from tests.conftest import psnr
from tests.helpers.training import scene
from untaught import apply
from untaught.methods.self_supervised.noise2noise import Noise2Noise
from untaught.training.train import train


def written_on(x: NDArray[np.float32], seed: int, words: int = 5) -> NDArray[np.float32]:
    """Put random black words on a picture."""
    rng = np.random.default_rng(seed)
    page = Pillow.new("L", x.shape[::-1], 0)
    for _ in range(words):
        word = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 4))
        place = tuple(int(rng.integers(-8, length - 8)) for length in page.size)
        ImageDraw.Draw(page).text(place, word, fill=255)
    return np.where(np.asarray(page) > 127, np.float32(0), x)


@pytest.mark.slow
def test_text_is_removed_by_medians(tmp_path: Path) -> None:
    """Least squares leave a grey shadow of all the words there might be; the median of the colours does not."""
    folder = tmp_path / "written"
    folder.mkdir()
    for i in range(12):
        np.save(folder / f"{i}.npy", np.stack([written_on(scene(i), 2 * i + k) for k in range(2)]))
    x = scene(500, 96, 96)
    y = written_on(x, 1000, words=20)
    found = {}
    for norm in ("l1", "l2"):
        train(
            folder,
            tmp_path / f"{norm}.safetensors",
            method=Noise2Noise(norm=norm),
            network="dncnn:5,16",
            noise="unknown:1",
            patch=32,
            batch=8,
            epochs=40,
            bfloat16=False,
        )
        result = apply(tmp_path / f"{norm}.safetensors", y, noise="unknown:1")
        found[norm] = psnr(result.image, x)
    assert found["l1"] > psnr(y, x) + 5
    assert found["l1"] > found["l2"]
