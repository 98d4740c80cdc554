"""What noise a picture has, what to do about it, and what that will cost."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.atomic import write_text
from untaught.image.files import as_image
from untaught.image.formats.jpeg import compression_notes
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.image.reading import Reading, memory_of
from untaught.methods.registry import METHODS, make, seconds_for
from untaught.noise import NoiseModel, NoiseReport
from untaught.noise.estimation.photon_transfer import Transfer
from untaught.noise.estimation.temporal import Temporal, temporal
from untaught.noise.shares import part
from untaught.pipeline.combine_planes import named_by_plane
from untaught.pipeline.options import Frames, Region, frames_of, region_of
from untaught.pipeline.plane.choose_methods import objection
from untaught.pipeline.plane.say_pattern import Seen, middle_of, pattern_in
from untaught.pipeline.plane.take_stripes import stripes_in
from untaught.pipeline.plane.working_scale import WorkingScale, left_out, measured
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.find_series import find_series
from untaught.pipeline.tasks.despeckle import specks_in
from untaught.pipeline.tasks.effort_cost import efforts_of
from untaught.pipeline.tasks.expected_gain import together_notes
from untaught.pipeline.tasks.given_noise import law_from, region_laws
from untaught.pipeline.tasks.noise_advice import advice_of
from untaught.pipeline.tasks.noise_pilot import pilot_of
from untaught.pipeline.tasks.what_to_do import Looks, Options
from untaught.pipeline.tiles.memory_need import needed, tiling_for
from untaught.pipeline.tiles.stripes_in_parts import stripes_in_parts
from untaught.pipeline.tiles.survey import sample_of
from untaught.results.inspection import Inspected, Needed, Option, PlaneNoise
from untaught.results.noise_curve import curve_table
from untaught.results.noise_page import noise_page
from untaught.results.noise_spectrum import spectrum_of
from untaught.results.text import all_with_units

MOST_PLANES = 16
"""Planes of a stack that are measured, evenly spread over it."""


@dataclass(frozen=True)
class Inspection(Inspected):
    """What a look at a picture found, which can be written down; see `Inspected` for what is there.

    `memory` is how many bytes may be used for that; half of what is free by default.
    """

    memory: int | None = None

    def report(self, path: str | Path) -> Path:
        """Write one HTML page: advice, curve, spectrum, and patches of what quick denoising would take out.

        Raises
        ------
        OutputError, InputError
            When it cannot be written, or is the picture.
        """
        plane = _looked_at(self.picture, self.planes[0].index, self.memory)
        page = noise_page(self, pilot_of(plane, self.planes[0].report.model))
        write_text(Path(path), page, (self.picture.source,))
        return Path(path)

    def curve(self, path: str | Path) -> Path:
        """Write the law of the first plane as CSV, brightness and variance in the data's units.

        It goes over the value range, or up to the brightest of the frames that were given.

        Raises
        ------
        OutputError, InputError
            When it cannot be written, or is the picture.
        """
        low, high = self.value_range
        if self.transfer is not None:
            low, high = self.transfer.offset, float(self.transfer.points.mean.max())
        table = curve_table(self.planes[0].report.model, self.value_range, (low, high))
        write_text(Path(path), table, (self.picture.source,))
        return Path(path)


def inspect(
    image: str | Path | Image | NDArray[Any],
    *,
    axes: str | None = None,
    value_range: tuple[float, float] | None = None,
    noise_region: Region | None = None,
    noise_from: Frames | None = None,
    memory: str | int | None = None,
) -> Inspection:
    """Measure the noise of a picture, and say what fits it.

    Parameters
    ----------
    image : path, Image or ndarray
        As in `untaught.denoise`.
    axes : str, optional
        What its axes are, as there.
    value_range : tuple of float, optional
        What levels are relative to, as there.
    noise_region : tuple of int, optional
        Where the law of the noise is to be found, as there; what the picture itself shows stands beside it.
    noise_from : path or paths, optional
        The same, by frames of the camera.
    memory : str or int, optional
        What may be used, as there; of planes that need more, squares that are spread over them are measured.

    Returns
    -------
    Inspection
        `describe()` is for people, `as_dict()` for programs; `report(path)` writes a page, `curve(path)` the law
        as a table.

    Raises
    ------
    InputError
        If the picture cannot be used; one sentence that says what to do.
    """
    bound = memory_of(memory)
    picture = as_image(image, axes, Reading(memory=bound, value_range=value_range))
    chosen = _chosen(picture, bound)
    started = time.perf_counter()
    reports = [PlaneNoise(p.index, p.label, _report(p)) for p in chosen]
    measuring = (time.perf_counter() - started) / len(chosen)
    found, transfer, told = _told(picture, reports, region_of(noise_region), frames_of(noise_from))
    noises = [p.report.model for p in found]
    worst = max(noises, key=lambda noise: (noise.replaces, noise.level))
    tiling = tiling_for(picture, Request(memory=bound))
    series = together_notes(picture, find_series(picture, "auto"), worst) if tiling is None else ()
    planned, advice = advice_of(noises, chosen[0].values.size, picture, told, _looks(picture, chosen))
    return Inspection(
        picture=picture,
        name=picture.name,
        shape=picture.array.shape,
        axes=picture.axes,
        dtype=str(picture.array.dtype),
        value_range=picture.value_range,
        n_planes=picture.n_planes,
        planes=found,
        advice=advice,
        plan=planned,
        efforts=efforts_of(noises, chosen[0], picture, measuring),
        options=_options(picture, noises),
        notes=all_with_units((*_notes(picture, chosen, found), *series), picture.value_range),
        temporal=None if chosen[0].scale else _temporal(picture, [plane.index for plane in chosen]),
        spectrum=spectrum_of(found[0].report, chosen[0].values.shape[-1]),
        transfer=transfer,
        needed=Needed(needed(picture), None if tiling is None else tiling.side),
        memory=bound,
    )


def _report(plane: Plane) -> NoiseReport:
    """Return what was measured on a plane, on the picture's range."""
    return WorkingScale.of(plane).report(measured(plane))


def _told(
    picture: Image, measured: Sequence[PlaneNoise], region: Region | None, frames: tuple[Path, ...] | None
) -> tuple[tuple[PlaneNoise, ...], Transfer | None, Options]:
    """Return the planes with the law that a rectangle or frames tell, the frames' curve, and the options for both.

    Raises
    ------
    InputError
        For a rectangle or frames that cannot be used, or both at once.
    """
    if region is not None and frames is not None:
        raise InputError("the noise is told in two ways at once; give one of noise_region and noise_from")
    if frames is not None:
        law, notes, transfer = law_from(frames, picture)
        options = tuple(("noise-from", str(path)) for path in frames)
        return tuple(_with_law(plane, law, notes) for plane in measured), transfer, options
    if region is None:
        return tuple(measured), None, ()
    laws = list(region_laws(picture, region))
    options = (("noise-region", ",".join(map(str, region))),)
    return tuple(_with_law(plane, *laws[plane.index]) for plane in measured), None, options


def _with_law(plane: PlaneNoise, law: NoiseModel, notes: Sequence[str]) -> PlaneNoise:
    """Return what was measured on a plane with another law, found elsewhere, and what there is to say of that."""
    report = replace(plane.report, model=law, sigma=law.level, white=law.white, notes=tuple(notes))
    return replace(plane, report=replace(report, relative_error=law.relative_error))


def _looked_at(picture: Image, index: int, memory: int | None) -> Plane:
    """Return a plane, or what stands for one that is too large for the memory."""
    if tiling_for(picture, Request(memory=memory)) is None:
        return picture.plane(index)
    return sample_of(picture, index)


def _chosen(picture: Image, memory: int | None) -> list[Plane]:
    """Return the planes to measure: those that are not of one value, thinned evenly where they are many.

    Many are looked at twice, for all at once need not fit in memory.
    """
    planes = (_looked_at(picture, index, memory) for index in range(picture.n_planes))
    varied = (plane for plane in planes if plane.values.max() > plane.values.min())
    if picture.n_planes <= MOST_PLANES:
        chosen = list(varied)
    else:
        indices = [plane.index for plane in varied]
        wanted = set(indices[:: math.ceil(len(indices) / MOST_PLANES) or 1])
        chosen = [_looked_at(picture, index, memory) for index in sorted(wanted)]
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


def _stripes(picture: Image, plane: Plane) -> tuple[str, ...]:
    """Return what is said of the stripes of a plane; of one that is not held, all of it is looked at."""
    return (stripes_in_parts(picture, plane.index) if plane.scale else stripes_in(plane)).notes


def _looks(picture: Image, chosen: Sequence[Plane]) -> Looks:
    """Return what there is to be seen beside noise; specks where all are pages, of the one that has most."""
    pages = [None if plane.scale else specks_in(plane) for plane in chosen]
    specks = None if None in pages else max((one for one in pages if one), key=lambda one: sum(one.counts))
    patterns = (_seen(picture, plane).pattern for plane in chosen)
    gaps = any(bool(plane.missing.any()) for plane in chosen)
    return Looks(specks, next((pattern for pattern in patterns if pattern), None), gaps)


def _seen(picture: Image, plane: Plane) -> Seen:
    return pattern_in(middle_of(picture, plane.index) if plane.scale else plane)


def _pattern(picture: Image, plane: Plane) -> tuple[str, ...]:
    return _seen(picture, plane).notes


def _notes(picture: Image, planes: Sequence[Plane], found: Sequence[PlaneNoise]) -> tuple[str, ...]:
    said = [
        (plane.label, (*of.report.notes, *_stripes(picture, plane), *_pattern(picture, plane), *left_out(plane)))
        for plane, of in zip(planes, found, strict=True)
    ]
    notes = named_by_plane(said, len(found))
    gone = sum(int(plane.missing.sum()) for plane in planes)
    if gone:
        words = "{were} not measured (NaN) and would be filled in"
        notes.append(part(gone, sum(plane.missing.size for plane in planes), "pixel", words))
    if planes[0].scale:
        notes.append("the noise was measured on squares that are spread over the planes, which are large")
    if picture.n_planes > MOST_PLANES:
        notes.append(f"{len(found)} of {picture.n_planes} planes were measured")
    return picture.notes + tuple(notes) + compression_notes(picture)
