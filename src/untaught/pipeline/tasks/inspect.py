"""What noise a picture has, what to do about it, and what that will cost."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.image.formats.jpeg import compression_notes
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.methods.registry import METHODS, make, seconds_for
from untaught.noise import NoiseModel, NoiseReport
from untaught.noise.estimation.temporal import Temporal, temporal
from untaught.noise.shares import part
from untaught.pipeline.combine_planes import named_by_plane
from untaught.pipeline.plane.choose_methods import advise, objection
from untaught.pipeline.plane.working_scale import WorkingScale, left_out, measured

MOST_PLANES = 16
"""Planes of a stack that are measured, evenly spread over it."""


@dataclass(frozen=True)
class PlaneNoise:
    """What was measured on one plane."""

    index: int
    label: str
    report: NoiseReport


@dataclass(frozen=True)
class Option:
    """A method: whether it fits the noise (`objection` is None), and about how long the picture takes it."""

    method: str
    summary: str
    objection: str | None
    seconds: float | None


@dataclass(frozen=True)
class Inspection:
    """What a look at a picture found.

    Attributes
    ----------
    name : str
        The file, or "the picture".
    shape, axes, dtype, value_range
        Of the array; `value_range` is what stands for black and white.
    n_planes : int
        Planes that would be restored one by one; `planes` holds those that were measured.
    planes : tuple of PlaneNoise
        The noise of at most 16 planes, evenly spread over a stack.
    advice : str
        What to do, in a sentence.
    plan : tuple of str
        The methods that 'auto' would try, in order.
    options : tuple of Option
        Every method, with the objection to it where there is one.
    notes : tuple of str
        Sentences worth reading: missing values, clipping ...
    temporal : Temporal or None
        Of a stack, how much consecutive planes differ.
    """

    name: str
    shape: tuple[int, ...]
    axes: str
    dtype: str
    value_range: tuple[float, float]
    n_planes: int
    planes: tuple[PlaneNoise, ...]
    advice: str
    plan: tuple[str, ...]
    options: tuple[Option, ...]
    notes: tuple[str, ...]
    temporal: Temporal | None = None

    def describe(self) -> str:
        """Return the findings as lines for a person."""
        size = " x ".join(str(n) for n in self.shape)
        low, high = self.value_range
        lines = [
            f"picture  {self.name}: {size} ({self.axes}), {self.dtype}, value range {low:g} to {high:g}",
            *(f"noise    {self._prefix(p)}{p.report.model.describe()}" for p in self.planes),
            *([] if self.temporal is None else [f"stack    {self.temporal.describe()}"]),
            *(f"note     {note}" for note in self.notes),
            f"advice   {self.advice}",
            "cost     at most, roughly, on one core of a server (of this machine: 'untaught doctor'):",
            *(f"  {option.method:<19}{_option_words(option)}" for option in self.options),
        ]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the findings for JSON; levels are on the 0..255 scale."""
        return {
            "input": self.name,
            "shape": list(self.shape),
            "axes": self.axes,
            "dtype": self.dtype,
            "value_range": list(self.value_range),
            "n_planes": self.n_planes,
            "noise": self.planes[0].report.as_dict() if self.planes else None,
            "planes": [{"index": p.index, "label": p.label, "noise": p.report.as_dict()} for p in self.planes],
            "advice": self.advice,
            "plan": list(self.plan),
            "methods": [
                {"method": o.method, "fits": o.objection is None, "objection": o.objection, "seconds": o.seconds}
                for o in self.options
            ],
            "notes": list(self.notes),
            "temporal": None if self.temporal is None else self.temporal.as_dict(),
        }

    def _prefix(self, plane: PlaneNoise) -> str:
        return f"plane {plane.index + 1}/{self.n_planes} ({plane.label}): " if self.n_planes > 1 else ""


def inspect(image: str | Path | Image | NDArray[Any], *, axes: str | None = None) -> Inspection:
    """Measure the noise of a picture, and say what fits it.

    Parameters
    ----------
    image : path, Image or ndarray
        As in `untaught.denoise`.
    axes : str, optional
        What its axes are, as there.

    Returns
    -------
    Inspection
        `describe()` is for people, `as_dict()` for programs.

    Raises
    ------
    InputError
        If the picture cannot be used; one sentence that says what to do.
    """
    picture = as_image(image, axes)
    chosen = _chosen(picture)
    reports = [measured(plane) for plane in chosen]
    found = tuple(
        PlaneNoise(p.index, p.label, WorkingScale(p.working.factor, p.working.shift).report(report))
        for p, report in zip(chosen, reports, strict=True)
    )
    noises = [report.model for report in reports]
    planned, advice = _advice(noises, chosen[0].values.size, picture)
    return Inspection(
        name=picture.name,
        shape=picture.array.shape,
        axes=picture.axes,
        dtype=str(picture.array.dtype),
        value_range=picture.value_range,
        n_planes=picture.n_planes,
        planes=found,
        advice=advice,
        plan=planned,
        options=_options(picture, noises),
        notes=_notes(picture, chosen, found),
        temporal=_temporal(picture, [plane.index for plane in chosen]),
    )


def _chosen(picture: Image) -> list[Plane]:
    """Return the planes to measure: those that are not of one value, thinned evenly where they are many.

    Many are looked at twice, for all at once need not fit in memory.
    """
    varied = (plane for plane in picture.planes() if plane.values.max() > plane.values.min())
    if picture.n_planes <= MOST_PLANES:
        chosen = list(varied)
    else:
        indices = [plane.index for plane in varied]
        wanted = set(indices[:: math.ceil(len(indices) / MOST_PLANES) or 1])
        chosen = [plane for plane in picture.planes() if plane.index in wanted]
    if not chosen:
        raise InputError(f"every plane of {picture.name} is of one value: there is no noise to measure")
    return chosen


def _temporal(picture: Image, chosen: Sequence[int]) -> Temporal | None:
    """Return how much the chosen planes differ from the next ones along the stack."""
    groups = picture.n_planes // math.prod(picture.lead_shape)  # of channels, which are no exposures

    def pairs() -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]]:
        before: dict[int, Plane] = {}
        for plane in picture.planes():
            earlier = before.pop(plane.index - groups, None)
            if earlier is not None and earlier.values.shape == plane.values.shape:
                yield earlier.values, plane.values, earlier.missing | plane.missing
            if plane.index in chosen:
                before[plane.index] = plane

    return temporal(pairs()) if math.prod(picture.lead_shape) > 1 else None


def _advice(noises: Sequence[NoiseModel], values: int, picture: Image) -> tuple[tuple[str, ...], str]:
    """Return what `auto` would try on the noisiest plane, and the advice that follows."""
    worst = max(noises, key=lambda noise: (noise.replaces, noise.level))
    advice = advise(worst, values)
    where = "IN" if picture.source is None else shlex.quote(_nearest_name(picture.source))
    if not advice.methods and compression_notes(picture):
        return (), f"run `untaught dejpeg {where} -o OUT`: no noise was found but what the compression left"
    if not advice.methods:
        return (), f"leave it as it is: {advice.why}"
    return advice.methods, f"run `untaught denoise {where}{_named(picture)} -o OUT`: {advice.why}"


def _named(picture: Image) -> str:
    """Return the option that names the axes, where they were named."""
    return f" --axes {picture.axes}" if picture.axes_given else ""


def _nearest_name(path: Path) -> str:
    """Return the path from the working folder where it lies in that, else the whole of it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _options(picture: Image, noises: Sequence[NoiseModel]) -> tuple[Option, ...]:
    options, side = [], min(picture.height, picture.width)
    for name, entry in METHODS.items():
        needs = make(name).needs
        objections = [reason for reason in (objection(needs, noise, side) for noise in noises) if reason]
        options.append(
            Option(name, entry.summary, objections[0] if objections else None, seconds_of(name, picture))
        )
    return tuple(options)


def seconds_of(method: str, picture: Image) -> float | None:
    """Return about how many seconds a method takes for a picture; None where that was never measured."""
    seconds = seconds_for(method, picture.height * picture.width / 1e6)
    return None if seconds is None else float(f"{picture.n_planes * seconds:.2g}")


def _notes(picture: Image, planes: Sequence[Plane], found: Sequence[PlaneNoise]) -> tuple[str, ...]:
    said = [(plane.label, (*of.report.notes, *left_out(plane))) for plane, of in zip(planes, found, strict=True)]
    notes = named_by_plane(said, len(found))
    gone = sum(int(plane.missing.sum()) for plane in planes)
    if gone:
        words = "{were} not measured (NaN) and would be filled in"
        notes.append(part(gone, sum(plane.missing.size for plane in planes), "pixel", words))
    if picture.n_planes > MOST_PLANES:
        notes.append(f"{len(found)} of {picture.n_planes} planes were measured")
    return picture.notes + tuple(notes) + compression_notes(picture)


def _option_words(option: Option) -> str:
    seconds = "unknown" if option.seconds is None else f"{option.seconds:g} s"
    verdict = "fits" if option.objection is None else f"not for this picture: {option.objection}"
    return f"{seconds:<10}{verdict} ({option.summary})"
