"""Small pictures with known clean versions, for all tests."""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import settings
from numpy.typing import NDArray

from untaught.noise import Gaussian
from untaught.problem import Problem

SIGMA = 25 / 255

torch.set_num_threads(1)  # pictures are small: more threads only wait for each other
settings.register_profile("same", derandomize=True, deadline=None)  # a test that fails fails for everybody
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@cache
def _astronaut() -> NDArray[np.uint8]:
    from skimage import data

    return data.astronaut()


def clean(height: int = 64, width: int = 64, channels: int = 3) -> NDArray[np.float32]:
    """Return a (H, W, C) crop of the astronaut's face in [0, 1]."""
    crop = _astronaut()[70 : 70 + height, 190 : 190 + width].astype(np.float32) / 255
    return crop[..., :channels] if channels > 1 else crop.mean(axis=2, keepdims=True)


def noisy(x: NDArray[np.float32], sigma: float = SIGMA, seed: int = 0) -> NDArray[np.float32]:
    """Add white Gaussian noise, not clipped."""
    return (x + np.random.default_rng(seed).normal(0, sigma, x.shape)).astype(np.float32)


def tensor(x: NDArray[np.float32]) -> torch.Tensor:
    """Return (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1)))[None]


def psnr(a: NDArray[np.floating], b: NDArray[np.floating], peak: float = 1.0) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    return float(10 * np.log10(peak**2 / np.mean(difference**2)))


@pytest.fixture
def problem() -> Problem:
    """Return a 64 x 64 colour problem with its noise level known."""
    y = tensor(noisy(clean()))
    return Problem(y, torch.ones(1, 1, 64, 64), Gaussian(SIGMA))
