"""What the planes of a series share: one scale, one law of noise, whose level may drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.lazy import release
from untaught.image.plane import Plane
from untaught.image.working import Scale
from untaught.noise import Gaussian, NoiseModel, NoiseReport, clipping
from untaught.noise.belief import DOUBTFUL
from untaught.noise.estimation.over_time import noise_over_time
from untaught.pipeline.plane.working_scale import WorkingScale, measured
from untaught.pipeline.stack.find_series import Series

SCALED = 16  # planes, evenly spread, that the common range is found on
MEASURED = 5  # planes that the noise is measured on
# Relative difference of the level from one end of a series to the other, from which on it drifts, beside what
# chance makes of it in so many planes.
DRIFTS = 0.1
CHANCE = 3.0
# Share of a plane in which nothing moves, from which on planes tell by how they differ: of six films with noise of
# three kinds, with so much of them, the level was within 3 % of the true one, as it was on planes alone.
STILL = 0.6
OVER_TIME = "the noise was measured by how planes that follow each other differ where nothing moves"

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Survey:
    """What the planes of a series share.

    Attributes
    ----------
    picture : Image
        Of which the planes are.
    series : Series
        Which they are.
    scale : Scale
        On which all are worked on.
    noise : NoiseModel
        On the picture's range, of the plane of medium noise.
    drift : tuple of (float, float)
        Places in the series, rising, and the variance there over that of `noise`; empty where it is one.
    notes : tuple of str
        What was found.
    """

    picture: Image
    series: Series
    scale: Scale
    noise: NoiseModel
    drift: Curve = ()
    notes: tuple[str, ...] = ()

    def plane(self, place: int) -> Plane:
        """Return a plane of the series, by its place in it, on the common scale."""
        return replace(self.picture.plane(self.series.planes[place]), scale=self.scale)

    def law(self, place: int) -> NoiseModel:
        """Return the law of a plane, on the picture's range."""
        if not self.drift:
            return self.noise
        places, factors = zip(*self.drift, strict=True)
        factor = float(np.interp(place, places, factors))
        return self.noise.scaled(factor, self.noise.relative_error)


def survey_series(picture: Image, series: Series, given: NoiseModel | None) -> Survey:
    """Find what the planes of a series share; noise that was `given` is taken as it is."""
    count = len(series.planes)
    scale = _common_scale(picture, [series.planes[at] for at in _spread(count, SCALED)])
    places = _spread(count, MEASURED)
    planes = [replace(picture.plane(series.planes[at]), scale=scale) for at in places]
    if given is not None:
        own = planes[len(planes) // 2].working
        return Survey(picture, series, replace(scale, clip=clipping(own.values, own.gone).clip), given)
    return _measured(Survey(picture, series, scale, Gaussian(0.0)), places, planes)


def _spread(count: int, most: int) -> list[int]:
    places: list[int] = np.unique(np.linspace(0, count - 1, most).round().astype(int)).tolist()
    return places


def _common_scale(picture: Image, planes: Sequence[int]) -> Scale:
    """Return the range that holds those of all planes, on which each of them would be alone."""
    ends, steps, padding = [], [], None
    for index in planes:
        plane = picture.plane(index)
        own = plane.working
        ends.append(own.ends(picture.value_range))
        steps.append(own.step / own.factor)
        if padding is None and own.padding.any() and plane.raw is not None:
            padding = plane.raw[own.padding][0].copy()
        release(picture.array)
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    span = picture.value_range[1] - picture.value_range[0]
    return Scale(low, high, float(np.median(steps)) * span / (high - low), padding)


def _measured(survey: Survey, places: Sequence[int], planes: Sequence[Plane]) -> Survey:
    """Return the survey with the law of most planes, at the median of their levels, and how it drifts."""
    reports = [_report(survey, place, plane) for place, plane in zip(places, planes, strict=True)]
    laws = [WorkingScale.of(own).noise_back(found.model) for own, found in zip(planes, reports, strict=True)]
    kinds = [law.kind for law in laws]
    kind = max(kinds, key=kinds.count)
    alike = [at for at, law in enumerate(laws) if law.kind == kind]
    levels = np.array([laws[at].level for at in alike])
    middle = alike[int(np.argsort(levels, kind="stable")[len(levels) // 2])]
    law = laws[middle]
    found = replace(
        survey,
        scale=replace(survey.scale, clip=reports[middle].model.clip),
        noise=law,
        notes=tuple(reports[middle].notes),
    )
    if law.replaces or law.level <= 0:
        return found
    drift = _drift([places[at] for at in alike], (levels / law.level) ** 2, law)
    return replace(found, drift=drift, notes=(*found.notes, *_drift_notes(drift, law)))


def _report(survey: Survey, place: int, plane: Plane) -> NoiseReport:
    """Return the noise of a plane: in a film by how it differs from its neighbours, where it stands still enough.

    The flattest places of a plane alone may be its darkest, and its texture may look like noise.
    """
    alone, own = measured(plane), plane.working
    count = len(survey.series.planes)
    if survey.series.along != "time" or count < 3 or alone.model.replaces:
        return alone
    middle = min(max(place, 1), count - 2)
    three = [survey.plane(at).working for at in (middle - 1, middle, middle + 1)]
    ends = [(one.values <= 0).any(-1) | (one.values >= 1).any(-1) for one in three]
    gone = np.logical_or.reduce([*(one.gone for one in three), *ends])
    found = noise_over_time((three[0].values, three[1].values, three[2].values), gone, own.zero)
    if found is None or found.still < STILL or found.report.model.replaces:
        return alone
    law = replace(found.report.model, clip=alone.model.clip)
    return replace(found.report, model=law, clipping=alone.clipping, notes=(*_cut_off(alone), OVER_TIME))


def _cut_off(report: NoiseReport) -> tuple[str, ...]:
    return tuple(note for note in report.notes if note.startswith("Values were cut off"))


def _drift_notes(drift: Curve, law: NoiseModel) -> tuple[str, ...]:
    if not drift:
        return ()
    first, last = (255 * law.level * drift[at][1] ** 0.5 for at in (0, -1))
    return (f"the noise drifts, from level {first:.1f} (of 255) in the first plane to {last:.1f} in the last",)


def _drift(places: Sequence[int], variances: NDArray[np.float64], law: NoiseModel) -> Curve:
    """Return how the variance changes along the series; nothing where it may as well be one."""
    if len(places) < 3 or variances.min() <= 0:
        return ()
    at, logs = np.array(places, float), np.log(variances)
    slope, height = np.polyfit(at, logs, 1)
    ends = height + slope * at
    noise = float(np.std(logs - ends) * np.sqrt(12 / len(places)))  # of the difference of both ends of the line
    change = abs(float(ends[-1] - ends[0]))
    if change < max(2 * DRIFTS, CHANCE * max(noise, law.relative_error)):
        return ()
    return tuple(zip(at.tolist(), np.exp(ends).tolist(), strict=True))
