"""Channels that show the same scene, restored together: in their principal components, noise of each its own.

    z = U' S^-1 (y - m),   y a pixel's channels, m their means, S^2 their noise variances,
                           U the eigenvectors of the covariance of S^-1 y

White noise stays white and of level 1 in z, and what the channels share is in few of its components; each is
restored as a plane, and taken back. It is the first step of what is done to spectral pictures with BM4D and its
like (Chen and Qian, "Denoising of hyperspectral imagery using principal component analysis and wavelet shrinkage",
IEEE TGRS 49(3), 2011).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from untaught.fitting.progress import Progress
from untaught.method import ClosedForm, runs_of
from untaught.methods.noise_variance import smoothed, variance_at
from untaught.noise import Gaussian, NoiseModel
from untaught.noise.belief import CAMERA, believed
from untaught.noise.models.noise_map import NoiseMap
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.candidate import Outcome
from untaught.pipeline.plane.judge import with_terms
from untaught.pipeline.plane.make_answer import make_answer
from untaught.pipeline.plane.make_problem import denoising_problem
from untaught.pipeline.plane.run_method import Runner, in_time, made_at_once, quickened
from untaught.pipeline.plane.working_scale import brought_back, on_own_range
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.asked import Asked
from untaught.problem import Estimate, Problem, Response, made_whole
from untaught.risk.calibration import calibrated
from untaught.risk.estimate import Risk, estimate_risk
from untaught.risk.sure import Terms
from untaught.risk.sure_let import Part, mixed, weights
from untaught.risk.tweedie import Shrinkage

WHY = "{count} channels show the same scene, and what they share is restored in their principal components"
# Of what was taken off components that hold hardly more than noise, one standard error: what structure went with
# it. On simulated cubes of 8, 16 and 24 channels that was 0 to .15 of it.
FAINT = 0.1
REACH = 6.0  # standard deviations of a component that are its range from 0 to 1, at least


@dataclass(frozen=True)
class Channel:
    """A channel: its plane, its problem on the plane's own range, and what was found."""

    number: int
    request: Request
    problem: Problem
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Shared:
    """What components are made of.

    Attributes
    ----------
    values, variance : Tensor
        The channels and the variances of their noise, (C, H, W), in units of the mean of these.
    mask : Tensor
        (H, W): 1 where all of them were measured.
    error : float
        Relative, of the variances.
    seed : int
        Of the divergence.
    """

    values: Tensor
    variance: Tensor
    mask: Tensor
    error: float
    seed: int


@dataclass(frozen=True)
class Component:
    """What was made of a component, where the noise is 1.

    Attributes
    ----------
    values : Tensor
        (H, W).
    cross : Tensor or None
        (H, W), its divergence times the variance of its noise; None where that is not known.
    less : float
        By how much more noise than structure was in what was made, the mean of that divergence is less.
    """

    values: Tensor
    cross: Tensor | None
    less: float = 0.0


def restore_channels(asked: Asked, numbers: Sequence[int], method: ClosedForm, answers: dict[int, Answer]) -> None:
    """Restore channels together, and put the answers in by the numbers of their planes.

    Channels without noise, or with noise that pixels share or that replaces them, have no answer.

    Raises
    ------
    NoGreyError
        For a plane of two values.
    KeyboardInterrupt
        After Ctrl-C.
    """
    channels = [channel for number in numbers if (channel := _channel(asked, number)) is not None]
    if len(channels) < 2:
        return
    fitting = _in_time(asked, method, channels)
    if fitting is None:
        asked.apart.update(numbers)
        return
    said = quickened(method, fitting)
    method, channels = fitting, [replace(one, notes=(*one.notes, *said)) for one in channels]
    variances = torch.cat([_variance(channel.problem) for channel in channels])
    levels = variances.mean((1, 2)).sqrt()
    y = torch.cat([made_whole(channel.problem)[0] for channel in channels])
    scaled = y / levels[:, None, None]
    means = scaled.mean((1, 2), keepdim=True)
    centred = scaled - means
    axes = _principal(centred)
    shared = Shared(
        centred,
        variances / levels.square()[:, None, None],
        torch.stack([one.problem.mask[0, 0] for one in channels]).amin(0),
        max(one.problem.noise.relative_error for one in channels),
        channels[0].request.seed,
    )
    _tell(asked, method, y)
    found = [_restored(method, axis, shared) for axis in axes]
    turned = torch.einsum("kc,khw->chw", axes, torch.stack([one.values for one in found]))
    risks = _risks(method, turned, axes, shared, found)
    images = (turned + means) * levels[:, None, None]
    for at, (channel, own) in enumerate(zip(channels, risks, strict=True)):
        risk = None if own is None else own.scaled(float(levels[at]) ** 2)
        answers[channel.number] = _answer(asked, method, channel, images[at][None, None], risk, len(channels))


def _in_time(asked: Asked, method: ClosedForm, channels: Sequence[Channel]) -> ClosedForm | None:
    """Return what there is time for in every component, the method or a quicker one; None where there is none."""
    seconds = asked.request(channels[0].number).seconds
    if seconds is None:
        return method
    each = max(seconds - asked.spent, 0.0) / len(channels)
    return cast(ClosedForm | None, in_time(method, channels[0].problem, each))


def _channel(asked: Asked, number: int) -> Channel | None:
    plane = asked.picture.plane(number)
    request = on_own_range(plane, asked.request(number))
    problem, notes = denoising_problem(plane, request)
    noise = problem.noise
    usable = noise.white and not noise.replaces and believed(noise.level, CAMERA)
    return Channel(number, request, problem, notes) if usable else None


def _variance(problem: Problem) -> Tensor:
    """Return Var[y | x], (1, H, W), where a blurred picture stands for E[y | x]."""
    return variance_at(problem, smoothed(problem.y)).clamp_min(1e-12)[0]


def _principal(scaled: Tensor) -> Tensor:
    """Return the eigenvectors of the covariance, (K, C), the greatest first."""
    flat = scaled.flatten(1).double()
    vectors = torch.linalg.eigh(flat @ flat.T / flat.shape[1]).eigenvectors
    axes: Tensor = vectors.flip(1).T.to(scaled.dtype)
    return axes


def _tell(asked: Asked, method: ClosedForm, y: Tensor) -> None:
    """Say that the work begins."""
    tell = next((one.on_progress for one in asked.requests if one is not None), None)
    if tell is not None:
        tell(replace(Progress.before(method.name, lambda: y[None, :1]), planes=asked.picture.n_planes))


def _restored(method: ClosedForm, axis: Tensor, shared: Shared) -> Component:
    """Restore one component; its noise has level 1, and is stronger where that of its channels is.

        f~ = c f,   c of least risk by Stein's formula, from 0 to 1

    A filter leaves some of the noise of a component that holds nothing else, and most may be such.
    """
    values = torch.einsum("c,chw->hw", axis, shared.values)
    variance = torch.einsum("c,chw->hw", axis.square(), shared.variance)
    low, high = float(values.min()), float(values.max())
    span = max(high - low, REACH)
    problem = Problem(
        ((values - low) / span)[None, None], shared.mask[None, None], _law(variance, span, shared.error)
    )
    made = made_at_once(method, method.solve(problem, shared.seed))
    found = with_terms(made, problem, shared.seed)
    image = found.picture * span + low
    if found.terms is None or not found.terms.responses:
        return Component(image[0, 0], None)
    responses = tuple(Response(span * r.probe, span * r.moved) for r in found.terms.responses)
    nothing, part, y = torch.zeros_like(image), Part(image, responses), values[None, None]
    (weight,) = weights(Part(nothing, ()), [part], y, problem.mask)
    kept = mixed(Part(nothing, ()), [part], [min(max(weight, 0.0), 1.0)])
    return Component(kept.image[0, 0], kept.cross[0, 0], float((part.cross - kept.cross).mean()))


def _law(variance: Tensor, span: float, error: float) -> NoiseModel:
    level = Gaussian(1 / span, relative_error=error)
    if float(variance.std()) < 0.02 * float(variance.mean()):
        return level
    return NoiseMap(Gaussian(1 / span), variance.double().sqrt().numpy(), relative_error=error)


def _risks(
    method: ClosedForm, turned: Tensor, axes: Tensor, shared: Shared, found: Sequence[Component]
) -> list[Risk | None]:
    """Return the error of every channel of `turned`, (C, H, W), where its noise has level 1.

        cross_c = sum_k axes_kc^2 cross_k,   misfit_c = (turned_c - y_c)^2

    A component follows its own noise alone. What they err by together the misfits know, and that the axes were
    turned so that the first have more of the noise than the last counts in none of the channels.
    """
    known = [one.cross for one in found if one.cross is not None]
    if len(known) < len(found):
        return [None] * len(turned)
    cross = torch.einsum("kc,khw->chw", axes.square(), torch.stack(known))
    misfit = (turned - shared.values).square()
    parts = zip(misfit, cross, shared.variance, strict=True)
    terms = [Terms(m[None, None], c[None, None], v[None, None], shared.mask[None, None]) for m, c, v in parts]
    error = runs_of(method).tweedie[0]  # what has little noise left is not flat: it has a small part in components
    shrinkage = calibrated(Shrinkage(error), terms, shared.error)
    told = [estimate_risk(one, torch.ones_like(one.misfit), shared.error, shrinkage) for one in terms]
    faint = FAINT * (axes.square().T @ torch.tensor([one.less for one in found]))
    return [replace(one, error=math.hypot(one.error, own)) for one, own in zip(told, faint.tolist(), strict=True)]


def _answer(
    asked: Asked, method: ClosedForm, channel: Channel, image: Tensor, risk: Risk | None, count: int
) -> Answer:
    found = replace(made_at_once(method, Estimate(image)), risk=risk)
    outcome = Outcome(found, WHY.format(count=count), (found.row("channels together"),))
    runner = Runner(channel.request, asked.task, asked.started)
    answer = make_answer(channel.problem, outcome, runner, channel.notes)
    plane = asked.picture.plane(channel.number)
    return replace(brought_back(answer, plane, asked.request(channel.number).noise), together=True)
