"""Impedance: one network fitted to a picture, to the picture with noise, to its pixels shuffled, and to noise."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import dctn
from torch import Tensor

from untaught.errors import InputError
from untaught.fitting.progress import Options
from untaught.method import Iterative
from untaught.theory.dynamics import Array
from untaught.theory.gradient_descent import watch

PICTURE, NOISY, SHUFFLED, NOISE = "picture", "picture and noise", "shuffled pixels", "noise"
BETWEEN = 1.3  # between two steps of which the picture is kept
FLAT = 1e-12  # variance below which there is nothing to fit


@dataclass(frozen=True)
class ImpedanceCurve:
    """One fit.

    Attributes
    ----------
    target : ndarray
        What was fitted, (C, H, W).
    steps : ndarray
        (T,).
    error : ndarray
        Mean squared misfit to the target, relative to the target's variance, (T,): 1 is its mean colour.
    clean_error : ndarray
        Mean squared error to the picture, (T,), in squared units of the picture.
    bands : ndarray
        (T, bands): the misfit's share of the target's energy in each octave of frequency, lowest first; 1 is not
        fitted yet.
    shown : dict of int to ndarray
        What the network drew, (C, H, W), at a few steps, each about 1.3 times the one before.
    """

    target: NDArray[np.float32]
    steps: NDArray[np.int64]
    error: Array
    clean_error: Array
    bands: Array
    shown: dict[int, NDArray[np.float32]]

    def at(self, step: int) -> int:
        """Return where in the arrays the last look at or before a step is."""
        return max(int(np.searchsorted(self.steps, step, side="right")) - 1, 0)

    def steps_to(self, error: float) -> int | None:
        """Return the first step with a relative error below `error`, or None."""
        there = np.flatnonzero(self.error < error)
        return int(self.steps[there[0]]) if there.size else None


@dataclass(frozen=True)
class Impedance:
    """The four curves by name: 'picture', 'picture and noise', 'shuffled pixels', 'noise'."""

    curves: dict[str, ImpedanceCurve]
    method: str
    sigma: float
    seed: int

    def steps_to(self, error: float) -> dict[str, int | None]:
        """Return the steps that each fit needs to a relative error, None where it was not reached."""
        return {name: curve.steps_to(error) for name, curve in self.curves.items()}

    @property
    def best_stop(self) -> int:
        """Step at which the fit to the noisy picture is nearest to the picture."""
        noisy = self.curves[NOISY]
        return int(noisy.steps[np.argmin(noisy.clean_error)])


def targets(picture: Tensor, sigma: float, seed: int) -> dict[str, Tensor]:
    """Return the four targets, all but the noisy one of the same mean and variance.

    Parameters
    ----------
    picture : Tensor
        (1, C, H, W), in [0, 1].
    sigma : float
        Standard deviation of the noise added.

    Raises
    ------
    InputError
        If the picture is constant.
    """
    if not float(picture.double().var(correction=0)) > FLAT:
        raise InputError("the picture is constant: there is no structure to fit; give one with something on it")
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(picture.shape, generator=generator).to(picture)
    pixels = picture.flatten(2)
    order = torch.randperm(pixels.shape[2], generator=generator).to(picture.device)
    uniform = torch.rand(picture.shape, generator=generator).to(picture)
    noise = (uniform - uniform.mean()) / uniform.std() * picture.std() + picture.mean()
    return {
        PICTURE: picture,
        NOISY: picture + sigma * normal,
        SHUFFLED: pixels[..., order].view_as(picture),
        NOISE: noise,
    }


def impedance(
    method: Iterative,
    picture: Tensor,
    sigma: float,
    seed: int = 0,
    every: int = 10,
    options: Options | None = None,
) -> Impedance:
    """Fit the same network, from the same start, to four targets, and return how the misfits fall.

    A network with the bias of natural pictures has a low impedance for the picture and a high one for noise.

    Parameters
    ----------
    method : Iterative
        Any method of the project, or `theory.Descent` on any network; it takes all of its steps.
    picture : Tensor
        (1, C, H, W), in [0, 1]: as clean as there is.
    sigma : float
        Noise added to the second target, in units of the value range.
    every : int
        Steps between two points of the curves.
    options : fitting.progress.Options, optional
        Its time limit, for the four together, and `on_progress` are heeded; curves that the limit ended are
        shorter.

    Raises
    ------
    InputError
        If the picture is constant, or the time was over before the first point of a curve.

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky, "Deep Image Prior", CVPR 2018, figure 2; Heckel, Soltanolkotabi, ICLR 2020,
    figure 4.
    """
    options = options or Options()
    started = time.monotonic()
    curves: dict[str, ImpedanceCurve] = {}
    made = targets(picture, sigma, seed)
    for name, target in made.items():
        seconds = options.seconds
        if seconds is not None:
            seconds = max(seconds - (time.monotonic() - started), 0.0) / (len(made) - len(curves))
        own = replace(options, seconds=seconds, phase=f"fitting: {name}")
        curves[name] = _curve(method, target, picture, (seed, every), own)
    return Impedance(curves, method.name, sigma, seed)


def _curve(
    method: Iterative, target: Tensor, picture: Tensor, how: tuple[int, int], options: Options
) -> ImpedanceCurve:
    """Fit one target; `how` is the seed and the steps between two points."""
    variance = float(target.double().var(correction=0))
    energy = octaves(target)
    steps, errors, clean, bands = [], [], [], []
    shown: dict[int, NDArray[np.float32]] = {}

    def look(step: int, output: Tensor) -> None:
        misfit = target - output
        steps.append(step)
        errors.append(float(misfit.double().square().mean()) / variance)
        clean.append(float((picture - output).double().square().mean()))
        bands.append(octaves(misfit) / np.maximum(energy, FLAT))
        if step >= BETWEEN * max(shown, default=0):
            shown[step] = output[0].cpu().numpy()

    watch(method, target, *how, look, options)
    if not steps:
        raise InputError("the time was over before the first steps of a fit; give it more seconds")
    return ImpedanceCurve(
        target[0].cpu().numpy(), np.array(steps), np.array(errors), np.array(clean), np.array(bands), shown
    )


def octaves(picture: Tensor) -> Array:
    """Return the energy of a picture (1, C, H, W) in each octave of frequency, lowest first, by its DCT.

    Octave b of B holds the frequencies from 2^(b - B) to 2^(b + 1 - B) of the highest; the first, all below too.
    """
    values = picture[0].double().cpu().numpy()
    height, width = values.shape[1:]
    energy = (dctn(values, axes=(1, 2), norm="ortho") ** 2).sum(axis=0)
    frequency = np.maximum(np.arange(height)[:, None] / height, np.arange(width) / width)
    count = max(1, int(np.log2(min(height, width))))
    band = np.clip(np.floor(np.log2(np.maximum(frequency, 2.0**-count))) + count, 0, count - 1).astype(int)
    return np.asarray(np.bincount(band.ravel(), energy.ravel(), count), dtype=np.float64)
