"""The experiments of an explanation: what the Jacobian says before the first step, and the fits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.fitting.stopping import Recorrupted
from untaught.method import Iterative
from untaught.methods.networks.decoder import DecoderShape
from untaught.methods.untrained.deep_decoder import DeepDecoder
from untaught.noise import Gaussian, Unknown
from untaught.problem import Problem
from untaught.theory.dynamics import Measure, PredictedStop, expected_stop
from untaught.theory.explain.subject import Subject
from untaught.theory.impedance import NOISY, Impedance, impedance, targets
from untaught.theory.jacobian import Jacobian, drawn_by
from untaught.theory.lanczos import reach, spectral_density, spectral_measure
from untaught.theory.spectrum import Spectrum, coarse_share, leading, trigonometric_share

FITS = 5  # four of the impedance, one for the rule
ATOMS = 10
WAVE = 8.0  # pixels; longer ones are coarse
STEPS = np.unique(np.geomspace(1, 1e6, 400).astype(np.int64))  # of plain descent, for the predicted stop
BLOCKS = 8  # of vectors that the randomised method takes, about
JACOBIAN_SHARE = 0.45  # of a time limit; the rest goes to the fits
LEAST_PRODUCTS, LEAST_VECTORS = 30, 4


@dataclass(frozen=True)
class Experiment:
    """The numbers of an explanation; one thread takes about half a minute for them.

    Attributes
    ----------
    side : int
        Pixels of the picture's side, at most.
    method : Iterative
        What is fitted; it must draw its picture from a code. The default has 12,736 weights for 4096 pixels, so
        that it can hold the noise and has to be stopped.
    every : int
        Steps between two points of the curves.
    vectors : int
        Singular vectors that are shown.
    products : int
        With J J^T, for each of three measures.
    """

    side: int = 64
    method: Iterative = field(
        default_factory=lambda: DeepDecoder(
            steps=600, rate=0.01, decay=0.9, shape=DecoderShape(width=64), coarse=(), bfloat16=False
        )
    )
    every: int = 2
    vectors: int = 24
    products: int = 120


@dataclass(frozen=True)
class Stop:
    """A step of the fit to the noisy picture, None where it was not reached, and the PSNR in dB it had there."""

    step: int | None
    psnr: float | None


@dataclass(frozen=True)
class Start:
    """What the Jacobian of the network says before the first step.

    Attributes
    ----------
    spectrum : Spectrum
        Its leading singular values and vectors.
    trigonometric : ndarray
        Share of each vector's energy in its ten largest cosine waves, (vectors,); `chance` is that of white noise.
    coarse : ndarray
        Share of each vector's energy in waves of more than 8 pixels, (vectors,).
    energies : dict of str to ndarray
        Shares of the energy of 'picture' and 'noise' along the vectors, (vectors,); the picture as it is seen from
        the network's first output.
    picture, noisy, density : Measure
        How the energy of picture and noisy picture, and the directions themselves, spread over singular values.
    predicted : PredictedStop
        Where plain descent should end.
    notes : tuple of str
        What the instruments did, in sentences.
    """

    spectrum: Spectrum
    trigonometric: NDArray[np.float64]
    chance: float
    coarse: NDArray[np.float64]
    energies: dict[str, NDArray[np.float64]]
    picture: Measure
    noisy: Measure
    density: Measure
    predicted: PredictedStop
    notes: tuple[str, ...]


class Work:
    """An explanation in the making.

    Parameters
    ----------
    experiment, subject : Experiment, Subject
        What to do with what.
    seed : int
        All draws follow from it.
    limit : float or None
        Seconds.
    on_progress : callable or None
        Called with a `fitting.Progress`; what it raises ends everything.
    """

    def __init__(
        self,
        experiment: Experiment,
        subject: Subject,
        seed: int,
        limit: float | None,
        on_progress: Callable[[Progress], None] | None,
    ):
        self.started = time.monotonic()
        self.experiment, self.subject, self.seed = experiment, subject, seed
        self.limit, self.on_progress = limit, on_progress
        self.weights = 0
        self.noisy = targets(subject.picture, subject.sigma, seed)[NOISY]

    @property
    def left(self) -> float | None:
        """Seconds that are left."""
        return None if self.limit is None else max(self.limit - (time.monotonic() - self.started), 0.0)

    def before(self) -> Start:
        """Look at the network before its first step."""
        picture, sigma = self.subject.picture, self.subject.sigma
        jacobian = Jacobian(*drawn_by(self.experiment.method, _problem(picture))(self.seed))
        start, self.weights = jacobian.output, jacobian.parameters
        products, count = self._affordable(jacobian)
        clean = spectral_measure(jacobian, picture.double() - start, products, self._tell)
        noisy = spectral_measure(jacobian, self.noisy.double() - start, products, self._tell)
        density = spectral_density(jacobian, products, self.seed, self._tell)
        spectrum = leading(jacobian, count, "auto", self.seed)
        white = np.random.default_rng(self.seed).standard_normal(spectrum.vectors.shape)
        eta = 1 / max(noisy.values[0], density.values[0]) ** 2
        predicted = expected_stop(noisy, density, sigma, eta, STEPS[reach(products) >= STEPS])
        return Start(
            spectrum,
            trigonometric_share(spectrum.vectors, ATOMS),
            float(trigonometric_share(white, ATOMS).mean()),
            coarse_share(spectrum.vectors, WAVE),
            {
                "picture": _shares(spectrum, picture.double() - start),
                "noise": _shares(spectrum, (self.noisy - picture).double()),
            },
            clean,
            noisy,
            density,
            predicted,
            spectrum.notes + _cut(predicted, products),
        )

    def fits(self, predicted: PredictedStop) -> tuple[Impedance, dict[str, Stop]]:
        """Run the five fits, and find the stops on that to the noisy picture."""
        left, method = self.left, self.experiment.method
        options = Options(
            seconds=None if left is None else left * (FITS - 1) / FITS, on_progress=_numbered(self.on_progress)
        )
        found = impedance(
            method, self.subject.picture, self.subject.sigma, self.seed, self.experiment.every, options
        )
        rule = replace(options, rule=Recorrupted(), seconds=self.left, phase="fitting: stopping rule")
        ruled = fit(method, _problem(self.noisy, self.subject.sigma), self.seed, rule)
        if ruled.interrupted:
            raise KeyboardInterrupt
        return found, _stops(found, predicted.misfit, ruled.stopped.step)

    def _affordable(self, jacobian: Jacobian) -> tuple[int, int]:
        """Return how many products and vectors there is time for."""
        products, count = self.experiment.products, min(self.experiment.vectors, jacobian.pixels)
        if self.left is None:
            return products, count
        began = time.monotonic()
        jacobian.gram(jacobian.output)
        cost = (time.monotonic() - began) * (3 * products + BLOCKS * (count + 10))
        part = min(1.0, JACOBIAN_SHARE * self.left / cost)
        return max(int(part * products), LEAST_PRODUCTS), max(int(part * count), min(LEAST_VECTORS, count))

    def _tell(self) -> None:
        """Let the person see that something goes on."""
        if self.on_progress is not None:
            nan, seconds = math.nan, time.monotonic() - self.started
            preview = self.subject.picture.clone
            self.on_progress(Progress("reading the network", 0, 1, nan, nan, "", seconds, 0.0, preview, 0, FITS))


def _cut(predicted: PredictedStop, products: int) -> tuple[str, ...]:
    """Return what to say where the stop is the last step that could be told."""
    if predicted.step < predicted.steps[-1]:
        return ()
    return (
        f"{products} products with the Jacobian tell {predicted.step} steps of plain descent, and the predicted "
        "stop is the last of them: the best may lie later",
    )


def _problem(y: Tensor, sigma: float | None = None) -> Problem:
    return Problem(y, torch.ones_like(y), Unknown(0.0) if sigma is None else Gaussian(sigma))


def _numbered(on_progress: Callable[[Progress], None] | None) -> Callable[[Progress], None] | None:
    """Count the fits by their phases, so that a bar goes through all of them once."""
    if on_progress is None:
        return None
    phases: list[str] = []

    def told(progress: Progress) -> None:
        if progress.phase not in phases:
            phases.append(progress.phase)
        on_progress(replace(progress, plane=len(phases) - 1, planes=FITS))

    return told


def _shares(spectrum: Spectrum, picture: Tensor) -> NDArray[np.float64]:
    """Return the share of a picture's energy along each of the vectors."""
    return np.asarray(spectrum.coefficients(picture) ** 2 / float(picture.square().sum()), dtype=np.float64)


def _stops(found: Impedance, misfit: float, ruled: int) -> dict[str, Stop]:
    """Return the steps of interest on the fit to the noisy picture."""
    curve = found.curves[NOISY]
    variance = float(np.var(curve.target, dtype=np.float64))

    def stop(step: int) -> Stop:
        return Stop(step, -10 * math.log10(max(float(curve.clean_error[curve.at(step)]), 1e-12)))

    reached = curve.steps_to(misfit / variance)
    return {
        "predicted": Stop(None, None) if reached is None else stop(reached),
        "rule": stop(ruled),
        "best": stop(found.best_stop),
        "end": stop(int(curve.steps[-1])),
    }
