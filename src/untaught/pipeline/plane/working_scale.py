"""The one boundary between the scale a person speaks of and the scale a plane is worked on.

    z = factor v + shift

with v on the picture's value range, which a noise level and a PSNR are about, and z on the range of the plane's
own values (`image.working`), so that the answer for k y + b is k times that for y, plus b. All that goes in is
brought to z, all that comes out to v; nothing in between knows of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from untaught.fitting.progress import Progress
from untaught.image.plane import Plane
from untaught.noise import NoiseModel, NoiseReport, measure
from untaught.noise.shares import part
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.measure_in_time import for_all, some_of
from untaught.pipeline.request import Request
from untaught.problem import array, tensor
from untaught.results.restoration import Tried

PADDED = "{are} padding of one value and {were} left alone"
STUCK = "{are} hot or dead, alone far from all around, and {were} filled in"
BEYOND = "{are} far beyond the range of all others and {were} left alone"


def solved(plane: Plane, request: Request, solve: Callable[[Plane, Request], Answer]) -> Answer:
    """Return the answer for a plane on the picture's range, where `solve` works on the plane's own.

    Parameters
    ----------
    plane : Plane
        The plane; `solve` looks at its `working`.
    request : Request
        What was asked for, on the picture's range.
    solve : callable
        Answers on the plane's own range what is asked for on it.
    """
    return brought_back(solve(plane, on_own_range(plane, request)), plane, request.noise)


def on_own_range(plane: Plane, request: Request) -> Request:
    """Return what was asked for on the range of a plane's own values."""
    scale = WorkingScale.of(plane)
    noise, surveyed = (None if law is None else scale.noise(law) for law in (request.noise, request.surveyed))
    on_progress = None if request.on_progress is None else _telling(request.on_progress, plane, scale)
    context = None if request.context is None else scale.factor * request.context + scale.shift
    return replace(request, noise=noise, surveyed=surveyed, on_progress=on_progress, context=context)


def brought_back(found: Answer, plane: Plane, given: NoiseModel | None) -> Answer:
    """Return an answer on a plane's own range on the picture's; `given` is the noise that was given there."""
    return _kept(_doubted(_said(WorkingScale.of(plane).answer(found), given)), plane)


def measured(plane: Plane, pixels: int = 0) -> NoiseReport:
    """Return what the noise of a plane is, on the plane's own range, measured on so many pixels; 0: on all."""
    own = plane.working
    values, missing = some_of(own.values, own.gone, pixels)
    found = measure(values, missing, own.step, own.zero)
    return for_all(found, (own.values.shape[0], own.values.shape[1]), pixels)


def left_out(plane: Plane) -> tuple[str, ...]:
    """Return what is left as it is of a plane, as sentences."""
    own = plane.working
    said = (own.padding, PADDED), (own.far, BEYOND), (own.stuck, STUCK)
    own_parts = [(plane.own(at), words) for at, words in said]
    return tuple(part(int(at.sum()), at.size, "pixel", words) for at, words in own_parts if at.any())


@dataclass(frozen=True)
class WorkingScale:
    """z = factor v + shift, and back."""

    factor: float
    shift: float

    @classmethod
    def of(cls, plane: Plane) -> WorkingScale:
        """Return the scale of a plane."""
        return cls(plane.working.factor, plane.working.shift)

    @property
    def same(self) -> bool:
        """Whether the two scales are one."""
        return self.factor == 1 and self.shift == 0

    @property
    def decibels(self) -> float:
        """What is to be added to a PSNR over the range of z to have that over the range of v."""
        return 20 * math.log10(self.factor)

    def noise(self, model: NoiseModel) -> NoiseModel:
        """Bring a law to z."""
        return model if self.same else model.moved(self.factor, self.shift)

    def noise_back(self, model: NoiseModel) -> NoiseModel:
        """Bring a law back to v."""
        return model if self.same else model.moved(1 / self.factor, -self.shift / self.factor)

    def values(self, z: NDArray[np.float32]) -> NDArray[np.floating]:
        """Bring a picture back to v, as float64: a dim plane is a small part of the picture's range."""
        return z if self.same else (z.astype(np.float64) - self.shift) / self.factor

    def answer(self, found: Answer) -> Answer:
        """Bring an answer back to v."""
        if self.same:
            return found
        square = self.factor**2
        risk = found.risk
        return replace(
            found,
            values=self.values(found.values),
            noise=self.noise_back(found.noise),
            std=None if found.std is None else (found.std / self.factor).astype(np.float32),
            risk=None if risk is None else risk.scaled(1 / square),
            variance=found.variance / square,
            candidates=tuple(self._row(row) for row in found.candidates),
        )

    def report(self, found: NoiseReport) -> NoiseReport:
        """Bring what was measured back to v."""
        if self.same:
            return found
        model, shared = self.noise_back(found.model), found.correlation
        return replace(
            found,
            model=model,
            sigma=model.level,
            curve=None if found.curve is None else found.curve.moved(1 / self.factor, -self.shift / self.factor),
            correlation=None if shared is None else replace(shared, sigma=shared.sigma / self.factor),
            channels=tuple(level / self.factor for level in found.channels),
        )

    def _row(self, row: Tried) -> Tried:
        return row if row.psnr is None else replace(row, psnr=row.psnr + self.decibels)


def _telling(tell: Callable[[Progress], None], plane: Plane, scale: WorkingScale) -> Callable[[Progress], None]:
    """Return what passes progress on, with previews on the picture's range and what is left alone in them."""

    def shown(preview: Callable[[], Tensor]) -> Tensor:
        values = scale.values(array(preview()))
        if values.shape == plane.values.shape:
            values = np.where(plane.working.left[..., None], plane.values, values)
        return tensor(values.astype(np.float32))

    return lambda told: tell(replace(told, preview=lambda: shown(told.preview)))


def _said(answer: Answer, given: NoiseModel | None) -> Answer:
    """Say the noise as it was given, where it was; only whether it is cut off may have been found."""
    if given is None or given.relative_error:
        return answer
    low, high = (said or found for said, found in zip(given.clip, answer.noise.clip, strict=True))
    return replace(answer, noise=replace(given, clip=(low, high)))


def _doubted(answer: Answer) -> Answer:
    """Say what is doubtful of the noise, whose levels are now those of the picture's range."""
    if answer.doubt is None:
        return answer
    return replace(answer, notes=(*answer.notes, answer.doubt.describe(answer.noise)))


def _kept(answer: Answer, plane: Plane) -> Answer:
    """Say which pixels stay exactly as they are: what is left alone, or all there is where nothing is done."""
    own = plane.working
    kept = ~own.missing if answer.completed else own.left
    if not kept.any():
        return answer
    std = None if answer.std is None else np.where(own.left[..., None], np.float32(0), answer.std)
    share = 1 - float(own.left.sum()) / max(int((~own.missing).sum()), 1)  # of the picture that can be wrong
    risk = None if answer.risk is None else answer.risk.scaled(share)
    gained = -10 * math.log10(max(share, 1e-6))
    rows = tuple(r if r.psnr is None else replace(r, psnr=r.psnr + gained) for r in answer.candidates)
    return replace(answer, kept=kept, std=std, risk=risk, variance=share * answer.variance, candidates=rows)
