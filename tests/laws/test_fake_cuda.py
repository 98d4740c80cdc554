"""The path of CUDA on a device that is only pretended: every tensor on the right side, and the same answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import clean, psnr
from tests.helpers import fake_cuda as pretended
from tests.helpers.quick import DIP_FAST
from tests.laws.test_methods import FORMULAS, NOISE, QUICK, noisy_crop
from untaught import Result, deblur, demosaic, denoise, inpaint, upscale
from untaught.methods.fusion import Fusion
from untaught.methods.plug_and_play import PlugAndPlay

SHORT = 4  # steps
# What the answer of a fit depends on there that it does not here: draws of the device's own generator.
DRAWN_THERE = ("dip", "fusion", "self2self")
PNP = PlugAndPlay(steps=3)
DIP = replace(DIP_FAST, bfloat16=False)
SHORT_DIP = replace(DIP, steps=SHORT)


def short(name: str) -> Any:
    """Return a method in full precision, its fit of a few steps."""
    method = QUICK[name]
    if name == "fusion":
        return Fusion(("nonlocal", SHORT_DIP))
    if isinstance(method, str) or name in FORMULAS:
        return method
    full = {"bfloat16": False} if hasattr(method, "bfloat16") else {}
    return replace(method, steps=SHORT, **full)  # type: ignore[arg-type]


def both(run: Callable[[str], Result]) -> tuple[Result, Result]:
    """Return what is made on the processor, and on the device."""
    here = run("cpu")
    with pretended.device():
        return here, run("cuda")


def same(here: Result, there: Result) -> None:
    assert here.method == there.method
    assert np.square(there.image - here.image).mean() < 1e-5
    assert (here.psnr is None) == (there.psnr is None)
    if here.psnr is not None and there.psnr is not None:
        assert abs(here.psnr.value - there.psnr.value) < 0.05


@pytest.mark.parametrize(
    "mixed",
    [
        lambda a: a + torch.ones(3),
        lambda a: torch.ones(3)[a.long()],
        lambda a: torch.cat([a, torch.ones(3)]),
        lambda a: torch.rand(3, device=a.device, generator=torch.Generator()),
        lambda a: torch.rand(3, generator=torch.Generator("cuda")),
        lambda a: a.numpy(),
        np.asarray,
    ],
)
def test_what_cuda_refuses_is_refused(mixed: Callable[[Any], object]) -> None:
    with pretended.device():
        a = torch.ones(3).to("cuda:0")
        with pytest.raises((RuntimeError, TypeError)):
            mixed(a)


def test_what_cuda_computes_is_computed() -> None:
    with pretended.device():
        a = torch.arange(6.0, device="cuda:0").view(2, 3)
        a[:, 1] = 7 * a[torch.tensor([1, 0]), 2] + torch.tensor(1.0)
        weight = torch.ones(3, 2, device="cuda:0", requires_grad=True)
        (a @ weight).square().sum().backward()
        assert weight.grad is not None
        assert weight.grad.is_cuda
        found = a.cpu(), weight.grad.cpu()
    expected = torch.tensor([[0.0, 36, 2], [3, 15, 5]])
    assert torch.equal(found[0], expected)
    slope = 2 * expected.T @ (expected @ torch.ones(3, 2))
    assert torch.equal(found[1], slope)


@pytest.mark.parametrize("name", sorted(QUICK))
def test_every_method_gives_the_answer_of_the_processor(name: str) -> None:
    method = short(name)
    stop = None if name == "auto" or name in FORMULAS else "steps"
    here, there = both(
        lambda device: denoise(noisy_crop(32, 36), method=method, noise=NOISE, stop=stop, device=device)
    )
    if name in DRAWN_THERE:
        assert psnr(there.image, clean(32, 36)) > psnr(here.image, clean(32, 36)) - 3
    else:
        same(here, there)


@pytest.mark.parametrize("noise", ["auto", "poisson:5,2", "speckle:0.3", "correlated:25,1", "impulse:0.1"])
def test_every_noise_is_met_there(noise: str) -> None:
    same(*both(lambda device: denoise(noisy_crop(40, 36), noise=noise, device=device)))


@pytest.mark.parametrize("rule", ["recorrupted", "held-out", "wmv", "emv", "discrepancy"])
def test_every_rule_watches_there(rule: str) -> None:
    with pretended.device():
        result = denoise(noisy_crop(), method=replace(DIP, steps=12), noise=NOISE, stop=rule, device="cuda")
    assert np.isfinite(result.image).all()


TASKS: dict[str, Callable[[Any], Result]] = {
    "inpaint": lambda device: inpaint(noisy_crop(24, 26), some(24, 26), method="fill", device=device),
    "inpaint, fit": lambda device: inpaint(noisy_crop(24, 26), some(24, 26), method=SHORT_DIP, device=device),
    "upscale": lambda device: upscale(noisy_crop(16, 18), 2, method=PNP, device=device),
    "upscale, fit": lambda device: upscale(noisy_crop(16, 18), 2, method=SHORT_DIP, device=device),
    "deblur": lambda device: deblur(noisy_crop(32, 36), "gaussian:1", method=PNP, device=device),
    "demosaic": lambda device: demosaic(noisy_crop(32, 36)[..., 0], "RGGB", device=device),
}


def some(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width)) > 0.3


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_is_done_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.pipeline.plane.state_error.MOST_DRAWS", 2)  # of the error of what is filled in
    here, there = both(TASKS[name])
    if "fit" in name:
        assert psnr(there.image, here.image) > 15
    else:
        same(here, there)
