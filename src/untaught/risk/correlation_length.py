"""What the risk would be if neighbours shared their noise a little less or more widely than was measured."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from untaught.noise import NoiseModel
from untaught.problem import Response
from untaught.risk.sure import Terms

# One standard error of a length that was measured, relative: on crops of Kodak at level 25, of noise of a width
# of .9 to 1.4 pixels, it was .79 to 1.07 of the true one, at level 10 .79 to 1.25.
LENGTH_ERROR = 0.15
MOST = 4.0  # times the power of any wave, for the estimate not to drown in it


def ends_of_length(terms: Terms, noise: NoiseModel) -> tuple[Terms, ...]:
    """Return the terms for noise of the same variance that is shared less widely, and more.

        tr(S' J) = E < S' S^-1 z, J z >,   z ~ N(0, S),   S' = S exp(-+ (2 pi f)^2 l^2 e)

    so the answer's response to the noise that was drawn tells the divergence for another correlation as well, and
    nothing is computed anew. l^2 is the second moment of the correlation and e = `LENGTH_ERROR`: of a Gaussian
    kernel, l becomes l (1 +- e).

    Parameters
    ----------
    terms : Terms
        With the responses that they were measured from.
    noise : NoiseModel
        The law, which was measured; nothing is returned for one that was given, or whose noise is white.
    """
    length = _squared_length(noise)
    if length <= 0 or not terms.responses or noise.relative_error <= 0:
        return ()
    return tuple(_of_length(terms, noise, sign * length * LENGTH_ERROR) for sign in (-1, 1))


def _squared_length(noise: NoiseModel) -> float:
    """Return the second moment of the correlation, in squared pixels along one axis; 0 of white noise."""
    if not noise.shared:
        return 0.0
    down, across = noise.reach
    lags = [(i, j) for i in range(-down, down + 1) for j in range(-across, across + 1)]
    shared = [noise.correlation(lag) for lag in lags]
    total = sum(shared)
    return (
        sum(r * (i * i + j * j) for r, (i, j) in zip(shared, lags, strict=True)) / (2 * total)
        if total > 0
        else 0.0
    )


def _of_length(terms: Terms, noise: NoiseModel, wider: float) -> Terms:
    level = terms.variance.clamp_min(1e-12).sqrt()
    responses = tuple(Response(level * _filtered(r.probe / level, noise, wider), r.moved) for r in terms.responses)
    cross = sum((r.probe * r.moved for r in responses), torch.zeros_like(terms.cross))
    return replace(terms, cross=cross, responses=responses)


def _filtered(probe: Tensor, noise: NoiseModel, wider: float) -> Tensor:
    """Return S' S^-1 z for z of every channel, a stationary field that goes around the edges."""
    height, width = probe.shape[-2:]
    taps = torch.as_tensor(noise.kernels(1)[0][1], dtype=torch.float32)[:height, :width]
    power = torch.fft.fft2(taps, s=(height, width)).abs().square()
    down, across = torch.fft.fftfreq(height), torch.fft.fftfreq(width)
    times = torch.exp(-wider * (2 * torch.pi) ** 2 * (down[:, None].square() + across.square())).clamp(max=MOST)
    times *= power.mean() / (times * power).mean()  # the variance stays
    filtered: Tensor = torch.fft.ifft2(torch.fft.fft2(probe) * times.to(probe.device)).real
    return filtered
