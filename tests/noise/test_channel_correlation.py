"""Noise that channels share: measured, drawn, written, filtered and judged."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data

import untaught
from untaught.errors import InputError
from untaught.noise import Correlated, Gaussian, PoissonGaussian, gaussian_kernel, measure, parse_noise
from untaught.noise.models.registry import format_noise
from untaught.pipeline.recipes import law_of, law_text

CLEAN = data.astronaut()[60:188, 170:298] / 255.0


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


@pytest.mark.parametrize("law", [Gaussian(0.1), PoissonGaussian(0.01, 0.02), Correlated(0.1, gaussian_kernel(1))])
@pytest.mark.parametrize("shared", [0.0, 0.4, 1.0])
def test_drawn_and_sampled_noise_has_the_correlation_and_the_level_of_a_channel(law, shared: float) -> None:
    law = type(law)(**{**vars(law), "channel_correlation": shared})
    sampled = law.sample(np.full((160, 160, 3), 0.5), np.random.default_rng(0)) - 0.5
    drawn = law.draw((1, 3, 160, 160), torch.Generator().manual_seed(0), torch.device("cpu"))[0]
    drawn = drawn.permute(1, 2, 0).numpy()
    for noise, level in ((sampled, float(law.std(np.array(0.5)))), (drawn, 1.0)):
        found = np.cov(noise.reshape(-1, 3).T) / level**2
        assert np.diag(found) == pytest.approx(1, abs=0.1)
        assert found[[0, 0, 1], [1, 2, 2]] == pytest.approx(shared, abs=0.1)


@pytest.mark.parametrize(("shared", "least", "most"), [(0.0, 0.0, 0.0), (0.6, 0.45, 0.75), (1.0, 0.9, 1.0)])
def test_what_channels_share_is_measured_with_the_level_of_one(shared: float, least: float, most: float) -> None:
    y = Gaussian(0.06, channel_correlation=shared).sample(CLEAN, np.random.default_rng(1))
    model = measure(np.float32(y)).model
    assert least <= model.channel_correlation <= most
    assert model.level == pytest.approx(0.06, rel=0.08)


def test_noise_of_luminance_alone_goes_and_the_colours_stay() -> None:
    y = np.float32(Gaussian(0.06, channel_correlation=1.0).sample(CLEAN, np.random.default_rng(2)))
    found = untaught.denoise(y, method="nonlocal")
    apart = untaught.denoise(y, method="nonlocal", noise="gaussian:15.3")
    assert psnr(found.image, CLEAN) > psnr(apart.image, CLEAN) + 2
    assert found.psnr is not None
    assert found.psnr.low - 0.5 < psnr(found.image, CLEAN) < found.psnr.high + 0.5


def test_grey_that_is_stored_as_colours_is_restored_as_grey() -> None:
    grey = np.uint8(np.clip(255 * CLEAN[..., 1] + np.random.default_rng(3).normal(0, 20, CLEAN.shape[:2]), 0, 255))
    alone = untaught.denoise(grey, method="nonlocal")
    stored = untaught.denoise(np.repeat(grey[..., None], 3, 2), method="nonlocal", axes="YXC")
    assert np.array_equal(stored.image, np.repeat(alone.image[..., None], 3, 2))
    assert [plane.psnr for plane in stored.planes] == [alone.psnr] * len(stored.planes)


def test_a_law_with_channels_is_written_and_read() -> None:
    law = parse_noise("gaussian:20,channels=0.9,clipped")
    assert law == Gaussian(20 / 255, channel_correlation=0.9, clip=(True, True))
    assert parse_noise(format_noise(law)) == law
    odd = Gaussian(0.1, channel_correlation=1 / 3)
    assert law_of(law_text(odd)) == odd
    for wrong in ("gaussian:20,channels=2", "gaussian:20,channels=", "gaussian:20,channels=much"):
        with pytest.raises(InputError, match=r"channels=0\.9"):
            parse_noise(wrong)


def test_a_jpeg_file_whose_colours_are_gone_has_no_stated_psnr(tmp_path) -> None:
    from PIL import Image

    y = np.uint8(np.clip(255 * CLEAN + np.random.default_rng(4).normal(0, 12, CLEAN.shape), 0, 255))
    Image.fromarray(y).save(tmp_path / "photo.jpg", quality=85)
    found = untaught.denoise(tmp_path / "photo.jpg", method="nonlocal")
    assert found.noise.channel_correlation > 0.8
    assert found.psnr is None
    assert any("processed" in note for note in found.notes)
    assert psnr(found.image / 255, CLEAN) > psnr(y / 255, CLEAN) + 3
