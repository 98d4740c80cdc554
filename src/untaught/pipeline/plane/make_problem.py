"""From a measurement and an operator to a problem: what is missing, and what noise there is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.image.axes import MIN_SIDE
from untaught.image.plane import Plane, Window
from untaught.noise import Gaussian, NoiseModel, clipping, estimate_sigma, measure
from untaught.noise.belief import BLURRED_TEXTURE, ROUGH_TEXTURE, TEXTURE, believed
from untaught.noise.estimation.hot_pixels import hot_pixels
from untaught.noise.estimation.specks import dark_of
from untaught.noise.shares import part
from untaught.operators import Operator
from untaught.operators.filters import filled
from untaught.operators.structure import keeps_levels, outermost, sites, support_of, traits_of
from untaught.pipeline.plane.cut_off import cut_off
from untaught.pipeline.plane.measure_in_time import for_all, some_of
from untaught.pipeline.plane.working_scale import STUCK, left_out, measured
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import Problem, array, made_whole, tensor


@dataclass(frozen=True)
class Measured:
    """What was measured, or a window of it.

    Attributes
    ----------
    y : Tensor
        The measurement, as the operator gives it.
    gone : Tensor or None
        1 where it holds no number, of a shape that broadcasts to that of `y`.
    guide_image : Tensor or None
        Another picture of the same scene.
    own : tuple of slice or None
        Of a window, the rows and columns that no other window has; None where it is the whole. The law of the
        noise of a window is that of the whole, and is given.
    seen : Tensor or None
        0 where what was measured in a window depends on what lies beyond it.
    known : Tensor or None
        1 where what is missing was filled in before, which counts as measured.
    """

    y: Tensor
    gone: Tensor | None = None
    guide_image: Tensor | None = None
    own: Window | None = None
    seen: Tensor | None = None
    known: Tensor | None = None

    @classmethod
    def of(cls, plane: Plane, guide_image: Tensor | None = None) -> Measured:
        """Return what a plane holds."""
        gone = torch.from_numpy(plane.missing).float()[None, None] if plane.missing.any() else None
        return cls(tensor(plane.values), gone, guide_image)

    def mask(self, task: Task) -> Tensor:
        """Return 1 where there is a measurement."""
        operator, last = task.folded
        mask = support_of(operator, self.y)
        for factor in (last, None if self.gone is None else 1 - self.gone):
            mask = mask if factor is None else mask * factor.to(mask)
        return mask

    def completed(self, mask: Tensor) -> Tensor:
        """Return a mask with what was filled in before, and without what depends on what is not there."""
        mask = mask if self.known is None else torch.maximum(mask, self.known)
        return mask if self.seen is None else mask * self.seen

    def counted(self, mask: Tensor) -> tuple[str, ...]:
        """Return the sentence on how many of the pixels that are its own are missing."""
        own = mask if self.own is None else mask[..., self.own[0], self.own[1]]
        count, left = own.numel(), int(own.sum())
        if self.own is not None and count == left:
            return ()
        return (part(count - left, count, "pixel", "{are} missing and {were} filled in"),)


def measured_problem(measured: Measured, task: Task, request: Request) -> tuple[Problem, tuple[str, ...]]:
    """Measure the noise where it was not given, and make the problem; the notes say what was found."""
    y, gone, guide_image = measured.y, measured.gone, measured.guide_image
    (operator, last), mask = task.folded, measured.mask(task)
    notes: tuple[str, ...] = ()
    if measured.own is not None and request.noise is not None:
        noise = request.noise
    else:
        noise, notes = noise_of(y, mask, operator, request.noise, request.measured_on)
    if noise.replaces:
        mask = mask * ((y > 0) & (y < 1)).all(1, keepdim=True)
        notes += ("values at the ends of the range were hit by impulses and treated as missing",)
    if last is not None or gone is not None:
        notes += measured.counted(mask)
    mask = measured.completed(mask)
    if not bool(mask.any()):
        raise InputError("nothing was measured: every value is missing")
    if operator is not None and traits_of(operator).selects:  # is a mask that differs between channels
        y, mask, operator = operator.A_adjoint(y), operator.A_adjoint(mask), None
    y = filled(y, mask) if y.ndim == 4 else torch.where(mask.expand_as(y) > 0, y, 0.0)
    device = request.device
    guide_image = None if guide_image is None else guide_image.to(device)
    return Problem(y.to(device), mask.to(device), noise, operator=operator, guide_image=guide_image), notes


def noise_of(
    y: Tensor, mask: Tensor, operator: Operator | None, given: NoiseModel | None, pixels: int = 0
) -> tuple[NoiseModel, tuple[str, ...]]:
    """Return the noise that was given, or measured; none where texture could have feigned it.

    It is measured on so many `pixels`, or where these are 0 on all.
    """
    like_a_picture = keeps_levels(operator, y) and y.ndim == 4 and min(y.shape[-2:]) >= MIN_SIDE
    if not like_a_picture:
        note = "the noise of these measurements was not given and cannot be measured; none was assumed"
        return (given, ()) if given is not None else (Gaussian(0.0), (note,))
    values = sites(array(y), operator)
    missing = np.asarray(sites(array((mask == 0).any(1, keepdim=True).float()), operator).any(-1), np.bool_)
    if given is not None:
        return replace(given, clip=clipping(values, missing).clip), ()
    shape = (values.shape[0], values.shape[1])
    values, missing = some_of(values, missing, pixels)
    report = for_all(measure(values, missing), shape, pixels)
    itself = operator is None and not bool(missing.any())  # noise is all that there is to take away
    if report.model.replaces or itself:
        return report.model, tuple(report.notes)
    levels = report.model.pixel_levels
    placed = levels is None or levels.shape == y.shape[-2:]
    noise = report.model if report.white and placed else estimate_sigma(values, missing)
    last = traits_of(outermost(operator))
    thinned = last.selects  # of two neighbours that a site has, one is not there
    rough = thinned or (report.correlation is None and bool(missing.any()))
    mimic = BLURRED_TEXTURE if last.smooths else ROUGH_TEXTURE if rough else TEXTURE
    if believed(noise.level, mimic, noise.relative_error):
        return noise, report.notes
    if noise.negligible:
        return Gaussian(0.0), ()
    note = (
        f"a noise level of {255 * noise.level:.1f} (of 255) was measured, which texture alone can give; none was "
        "assumed, so give the noise if there is some"
    )
    return Gaussian(0.0), (note,)


NO_GREY = (
    "every pixel is black or white: there is no grey in between to restore from; 'untaught despeckle' takes "
    "specks and pinholes out of such a page"
)


class NoGreyError(InputError):
    """A plane of two values, the ends of its range; of a stack it is left as it is."""


def black_and_white(values: NDArray[np.float32]) -> bool:
    """Say whether a plane has two values, the ends of its range: of its noise nothing can be told."""
    return not ((values > 0) & (values < 1)).any() and dark_of(values) is not None


def denoising_problem(plane: Plane, request: Request, told: bool = False) -> tuple[Problem, tuple[str, ...]]:
    """Measure the noise where it was not given, and make the problem; the notes say what was found.

    All of it is on the plane's own range, the noise that was given too; see `working_scale`. A part of a plane of
    which the whole is `told` to have grey levels need not have any.
    """
    own = plane.working
    if not told and black_and_white(own.values):
        raise NoGreyError(NO_GREY)
    notes: tuple[str, ...] = ()
    said = request.noise or request.surveyed
    if said is None:
        report = measured(plane, request.measured_on)
        noise, notes = report.model, tuple(report.notes)
    else:
        ends = cut_off(plane, request.cut) if plane.scale is None else plane.scale.clip
        low, high = (told or found for told, found in zip(said.clip, ends, strict=True))
        noise = replace(said, clip=(low, high))
    missing = plane.own(plane.missing)
    if missing.any():
        words = "held no measurement and {were} filled in"
        notes += (part(int(missing.sum()), missing.size, "pixel", words),)
    notes += left_out(plane)
    stuck = hot_pixels(own.values, own.gone, noise)
    if plane.own(stuck).any():
        notes += (part(int(plane.own(stuck).sum()), plane.own(stuck).size, "pixel", STUCK),)
    missing = (own.gone | stuck)[..., None]
    if noise.replaces:
        hit = noise.hit(own.values)
        missing = missing | hit
        words = "{are} black or white amid others and {were} treated as missing"
        notes += (part(int(plane.own(hit).sum()), plane.own(hit).size, "value", words),)
        if missing.all():
            raise NoGreyError("every pixel is black or white: there is no measurement to restore from")
    y = torch.from_numpy(np.ascontiguousarray(own.values.transpose(2, 0, 1)))[None].to(request.device)
    mask = torch.from_numpy(~missing.transpose(2, 0, 1)).float()[None].to(request.device)
    context = None if request.context is None else tensor(request.context.astype(np.float32)).to(request.device)
    problem = Problem(y, mask, noise, context=context, warm_start=request.warm_start)
    if noise.replaces or stuck.any():  # methods that do not look at the mask must not see what stands there
        problem = problem.with_y(made_whole(problem))
    return problem, notes
