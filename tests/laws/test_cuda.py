"""What runs on a CUDA device says what it says on the processor. Skipped where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.conftest import clean, psnr, tensor
from tests.laws.test_methods import (
    FITS,
    FORMULAS,
    NOISE,
    QUICK,
    USABLE,
    broken_off_and_resumed,
    in_type,
    noisy_crop,
)
from untaught import denoise
from untaught.methods.networks.cuda_graphs import Recorded
from untaught.methods.non_local import dct_pyramid as scales
from untaught.methods.non_local.group_estimators import inverse_of
from untaught.noise import measure

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


def small() -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 3, 1))
    return network.cuda()


def gradients(drawn: torch.Tensor, network: nn.Module) -> torch.Tensor:
    network.zero_grad()
    drawn.square().sum().backward()
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


def test_recorded_passes_are_those_of_the_network() -> None:
    network = small()
    passes = Recorded(network, narrow=False)
    for size in (16, 16, 24, 24):
        x = torch.rand(1, 3, size, size, device="cuda")
        with torch.no_grad():
            for p in network.parameters():
                p += 0.1 * torch.randn_like(p)
        found = passes(x)
        torch.testing.assert_close(found, network(x), rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(gradients(found, network), gradients(network(x), network), rtol=1e-2, atol=1e-1)


def test_what_was_drawn_is_not_written_over() -> None:
    passes = Recorded(small(), narrow=True)
    first = passes(torch.zeros(1, 3, 16, 16, device="cuda"))
    before = first.detach().clone()
    passes(torch.ones(1, 3, 16, 16, device="cuda"))
    assert torch.equal(first, before)


@pytest.mark.parametrize("condition", [10, 1e5])
def test_inverses_are_those_of_the_processor(condition: float) -> None:
    x = torch.randn(50, 64, 200, generator=torch.Generator().manual_seed(0))
    matrix = x @ x.mT * (condition / 1e4) + torch.eye(64)
    found = inverse_of(matrix.cuda(), torch.tensor(1.0, device="cuda")).cpu()
    torch.testing.assert_close(found, torch.linalg.inv(matrix.double()).float(), rtol=0, atol=1e-3)


def test_scales_are_those_of_the_processor() -> None:
    x = tensor(clean(61, 75))
    torch.testing.assert_close(scales.halved(x.cuda()).cpu(), scales.halved(x), rtol=0, atol=1e-5)
    torch.testing.assert_close(
        scales.enlarged(x.cuda(), (120, 141)).cpu(), scales.enlarged(x, (120, 141)), rtol=0, atol=1e-5
    )
    for a, b in zip(scales.bands(x.cuda(), (0.2, 0.5)), scales.bands(x, (0.2, 0.5)), strict=True):
        torch.testing.assert_close(a.cpu(), b, rtol=0, atol=1e-5)


def test_the_noise_that_is_found_does_not_depend_on_the_device() -> None:
    y = noisy_crop(64, 64)
    there, here = (denoise(y, method="nonlocal", device=device) for device in ("cuda", "cpu"))
    assert abs(there.noise.level / here.noise.level - 1) < 0.01
    assert measure(y).model.level > 0


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_give_the_picture_of_the_processor(name: str) -> None:
    y = noisy_crop(64, 70)
    there, here = (denoise(y, method=QUICK[name], noise=NOISE, device=device) for device in ("cuda", "cpu"))
    assert psnr(there.image, here.image) > 50
    if here.psnr is not None:
        assert there.psnr is not None
        assert abs(there.psnr.value - here.psnr.value) < 0.2


@pytest.mark.parametrize("name", USABLE)
def test_the_answer_is_closer_to_the_clean_picture(name: str) -> None:
    y = in_type(noisy_crop(64, 64), np.uint8)
    result = denoise(y, method=USABLE[name], noise=NOISE, device="cuda")
    assert psnr(result.image / 255, clean()) > psnr(y / 255, clean()) + (0 if name.startswith("pixel") else 2)


@pytest.mark.parametrize("name", FITS)
def test_resume_goes_on_where_a_fit_was_broken_off(name: str, tmp_path: Path) -> None:
    """Sums on a GPU differ in their last digits from run to run, so the pictures are only alike."""
    method = replace(QUICK[name], steps=130, **({"spread": 30, "draws": 5} if name == "r2r" else {}))
    options = {"method": method, "noise": NOISE, "stop": "steps", "device": "cuda"}
    whole = denoise(noisy_crop(), **options)
    resumed = broken_off_and_resumed(tmp_path / "fit.ckpt", name, options)
    assert psnr(resumed.image, whole.image) > 30
