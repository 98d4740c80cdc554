"""Noise2Self: a denoiser that never sees the pixel it predicts, by construction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.method import Needs, Runs
from untaught.methods.self_supervised.learner import Batch, deviation
from untaught.methods.self_supervised.single_image import OnePicture


@dataclass(frozen=True)
class Noise2Self(OnePicture):
    """Noise2Self.

        g(y)_J = f_theta(y with J interpolated)_J,   J one class of pixels of a grid
        min over theta of E_J || g(y)_J - y_J ||^2 = E_J || g(y)_J - x_J ||^2 + noise variance;   answer: f(y)

    g is J-invariant: its pixels in J do not depend on y in J, so that nothing is gained by keeping the noise. The
    fitted f is then shown every pixel, as in Noise2Void: it makes use of the value itself, which g cannot.

    Attributes
    ----------
    stride : int
        Distance of the pixels of a class, so that there are stride^2 classes; 4 in the paper.
    blind : bool
        Whether the answer is g(y), put together from all classes, instead; on crops of four Kodak pictures at
        sigma 10 and 25 with two networks it was 0.3 to 2.1 dB worse.

    References
    ----------
    Batson, Royer, "Noise2Self: Blind Denoising by Self-Supervision", ICML 2019.
    """

    stride: int = 4
    blind: bool = False
    name: ClassVar[str] = "n2s"
    needs: ClassVar[Needs] = Needs(white=True, complete=True)
    runs: ClassVar[Runs] = OnePicture.beside

    def objective(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f - y)^2 over the measured pixels of a random class."""
        k = int(torch.randint(self.stride**2, (1,), generator=generator))
        chosen = pixel_class(batch.y, k, self.stride)
        shown = torch.where(chosen > 0, interpolated(batch.y, batch.mask), batch.y)
        return deviation(network(shown), batch.y, batch.mask * chosen)

    def answer(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return a plain pass; or if `blind` the J-invariant picture, every pixel predicted from others."""
        if not self.blind:
            return super().answer(network, batch, generator)
        return invariant(lambda y: network(y).detach(), batch.y, self.stride, batch.mask), None

    def preview(self, network: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return a plain pass, at a sixteenth of the cost of a blind one."""
        return super().answer(network, batch, generator)[0]


def invariant(f: Callable[[Tensor], Tensor], y: Tensor, stride: int = 4, mask: Tensor | None = None) -> Tensor:
    """Return the J-invariant version of any denoiser `f` at `y`, (B, C, H, W): stride^2 passes.

    g(y)_J = f(1_J interpolated(y) + (1 - 1_J) y)_J for every class J
    """
    found, filled = torch.zeros_like(y), interpolated(y, mask)
    for k in range(stride**2):
        chosen = pixel_class(y, k, stride)
        found = torch.where(chosen > 0, f(torch.where(chosen > 0, filled, y)), found)
    return found


def pixel_class(like: Tensor, k: int, stride: int) -> Tensor:
    """Return 1 on class `k` of the stride^2 classes of pixels, (1, 1, H, W)."""
    chosen = torch.zeros((1, 1, *like.shape[-2:]), device=like.device)
    chosen[..., k // stride :: stride, k % stride :: stride] = 1
    return chosen


def interpolated(y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return at every pixel the mean of its four neighbours, mirrored at the edges.

    With a mask, (B, 1, H, W), of those that were measured, if any was.
    """
    plain = _neighbours(y)
    if mask is None:
        return plain
    share = _neighbours(mask.to(y.dtype))
    return torch.where(share > 0, _neighbours(y * mask) / share.clamp_min(0.25), plain)


def _neighbours(y: Tensor) -> Tensor:
    cross = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=y.dtype, device=y.device) / 4
    channels = y.shape[1]
    return F.conv2d(F.pad(y, (1, 1, 1, 1), mode="reflect"), cross.expand(channels, 1, 3, 3), groups=channels)
