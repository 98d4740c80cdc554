"""Kernels without care for aliasing, against PyTorch, which makes pictures small in these ways."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import untaught
from tests.conftest import clean, psnr, tensor
from untaught.operators import Downsample


@pytest.mark.parametrize(
    ("kernel", "mode"), [("nearest", "nearest"), ("linear", "bilinear"), ("cubic", "bicubic")]
)
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_they_are_those_of_pytorch(kernel: str, mode: str, factor: int) -> None:
    x = torch.rand(1, 2, 24, 36, dtype=torch.float64)
    corners = {} if mode == "nearest" else {"align_corners": False}
    wanted = F.interpolate(x, scale_factor=1 / factor, mode=mode, **corners)
    assert torch.allclose(Downsample(factor, kernel).A(x), wanted, atol=1e-12)


def test_a_picture_that_was_made_small_so_is_enlarged_better_by_its_own_kernel() -> None:
    x = clean(64, 64)
    small = Downsample(2, "nearest").A(tensor(x))[0].permute(1, 2, 0).numpy()
    own, other = (
        untaught.upscale(small, 2, kernel=kernel, noise="gaussian:0", method="pnp").image
        for kernel in ("nearest", "bicubic")
    )
    assert psnr(own, x) > psnr(other, x) + 1


def test_the_edge_of_a_cut_out_is_enlarged_without_stairs() -> None:
    at = np.arange(16) + 0.5
    cut = np.uint8(255 * (np.hypot(at[:, None] - 8, at - 8) < 6))
    picture = np.dstack([np.uint8(255 * clean(16, 16)), cut])
    found = untaught.upscale(untaught.Image.of(picture, "YXS", alpha=True), 4, method="pixels").image[..., 3]
    stairs = np.kron(cut, np.ones((4, 4), np.uint8))
    fine = (np.arange(64) + 0.5) / 4
    disk = np.hypot(fine[:, None] - 8, fine - 8) < 6
    assert ((found > 127) != disk).sum() < 0.8 * ((stairs > 127) != disk).sum()
    assert len(np.unique(found)) > 20
