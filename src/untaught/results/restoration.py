"""A restored picture and why to believe it, as plain data; `result.Result` saves it and shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.method import History, Stopped
from untaught.noise import NoiseModel
from untaught.results.recipe import Recipe
from untaught.risk.estimate import Interval, Rmse, rmse_of


@dataclass(frozen=True)
class Tried:
    """One method that was tried or refused on the way to the answer: a line of `Restoration.candidates`."""

    method: str
    psnr: float | None
    seconds: float
    note: str


@dataclass(frozen=True)
class PlaneResult:
    """What was found on one plane and what became of it.

    Attributes
    ----------
    index : int
        Position among the picture's planes, from 0.
    label : str
        Where the plane lies: ``"T 1/3, C 2/4"``; empty for the only plane.
    noise, method, why, stopped, psnr, psnr_input, history, candidates
        As in `Restoration`, of this plane alone.
    """

    index: int
    label: str
    noise: NoiseModel
    method: str
    why: str
    stopped: Stopped
    psnr: Interval | None = None
    psnr_input: float | None = None
    history: History = field(default_factory=History)
    candidates: tuple[Tried, ...] = ()


def representative(planes: Sequence[PlaneResult]) -> PlaneResult | None:
    """Return the plane whose noise, reason and curves stand for the picture: the first that was restored."""
    restored = (plane for plane in planes if plane.method != "none")
    return next(restored, planes[0] if planes else None)


@dataclass
class Restoration:
    """A restored picture, and why to believe it.

    Attributes
    ----------
    picture : Image
        The restored picture with the input's axes, range and metadata.
    input : Image
        What was given.
    noise : NoiseModel
        The noise that was found or given; `noise.describe()` is a sentence.
    noise_found : bool
        True when the noise was estimated, False when it was given.
    method, why : str
        The method that made the picture (methods, where the planes of a stack differ), and why it was chosen.
    stopped : Stopped
        Which rule ended the fit, where, why (a closed formula stops at step 0).
    psnr : Interval or None
        Estimated PSNR of `image` against the unknown clean picture, in dB, over the value range; of a stack, over
        the planes that were restored.
    psnr_input : float or None
        The same estimate for the input, for comparison, in dB.
    std : ndarray or None
        Per-pixel standard deviation in the input's units, where the method has one.
    history : History
        The curves of the fit; empty for a closed formula.
    candidates : tuple of Tried
        What else was tried or refused, and the reasons.
    notes : tuple of str
        Sentences a person should read: clipping found, planes restored, pixels filled in, rolled back ...
    interrupted : bool
        True when the fit was ended by Ctrl-C; the image is the best so far.
    planes : tuple of PlaneResult
        What became of each plane that was reached. Of a stack, `noise`, `why`, `stopped`, `history` and
        `candidates` are those of one plane, the first that was restored; here they stand for all.
    command : str or None
        The command line that makes the same picture, where one does.
    """

    picture: Image
    input: Image
    noise: NoiseModel
    noise_found: bool
    method: str
    why: str
    stopped: Stopped
    seconds: float
    recipe: Recipe
    psnr: Interval | None = None
    psnr_input: float | None = None
    std: NDArray[Any] | None = None
    history: History = field(default_factory=History)
    candidates: tuple[Tried, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    planes: tuple[PlaneResult, ...] = ()
    command: str | None = None

    @property
    def scale(self) -> float:
        """Length of the value range, in the input's units."""
        low, high = self.input.value_range
        return high - low

    @property
    def rmse(self) -> Rmse | None:
        """`psnr` as a root mean squared error in the input's units."""
        return None if self.psnr is None else self.psnr.rmse(self.scale)

    @property
    def rmse_input(self) -> float | None:
        """`psnr_input` as a root mean squared error in the input's units."""
        return None if self.psnr_input is None else rmse_of(self.psnr_input, self.scale)

    @property
    def image(self) -> NDArray[Any]:
        """The restored array: shape and range of the input, and its dtype unless another was asked for."""
        return self.picture.array

    @property
    def residual(self) -> NDArray[np.float64]:
        """Input minus restored, in the input's units; it should look like noise and nothing else."""
        return self.input.array.astype(np.float64) - self.picture.array.astype(np.float64)
