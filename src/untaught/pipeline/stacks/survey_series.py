"""What the planes of a series share: one scale, one law of noise, whose level may drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import BARE, WHOLE_PLANE, Image
from untaught.image.lazy import release
from untaught.image.plane import Plane
from untaught.image.tiling import Tile
from untaught.image.working import Scale
from untaught.noise import Gaussian, NoiseModel
from untaught.noise.estimation.over_time import OverTime, Three, noise_over_time
from untaught.pipeline.plane.cut_off import cut_off
from untaught.pipeline.plane.working_scale import WorkingScale, measured
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.brightness import at_gain
from untaught.pipeline.stacks.find_series import Series
from untaught.pipeline.tiles.survey import SAMPLED, sampled, scale_of

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
        On which all are worked on, of planes that are as bright as the first.
    noise : NoiseModel
        On the picture's range, of the plane of medium noise.
    drift : tuple of (float, float)
        Places in the series, rising, and the variance there over that of `noise`; empty where it is one.
    in_parts : bool
        Whether planes are not to be held.
    notes : tuple of str
        What was found.
    """

    picture: Image
    series: Series
    scale: Scale
    noise: NoiseModel
    drift: Curve = ()
    in_parts: bool = False
    notes: tuple[str, ...] = ()

    @property
    def bare(self) -> Survey:
        """The same without the picture's values, to go elsewhere."""
        return replace(self, picture=BARE)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a plane."""
        return self.picture.height, self.picture.width

    def plane(self, place: int, tile: Tile | None = None) -> Plane:
        """Return a plane of the series, by its place in it, on the common scale, where all are equally bright.

        Or a tile of it, which knows what it is a part of.
        """
        window, core = (WHOLE_PLANE, None) if tile is None else (tile.window, tile.core)
        part = self.picture.plane(self.series.planes[place], window)
        return replace(part, scale=self._scale(self.gain(place)), core=core)

    def look(self, place: int, gain: float) -> Plane:
        """Return a plane at a gain, to measure it: of one that is not held, squares that are spread over it."""
        index, scale = self.series.planes[place], self._scale(gain)
        if not self.in_parts:
            return replace(self.picture.plane(index), scale=scale)
        return sampled(self.picture, index, scale, SAMPLED // len(self.picture.group(index)))

    def _scale(self, gain: float) -> Scale:
        gains = self.series.gains
        return self.scale if gains is None else at_gain(self.scale, self.picture, gains.black, gain)

    def gain(self, place: int) -> float:
        """Return how bright a plane is, where the first is 1."""
        return 1.0 if self.series.gains is None else self.series.gains.gains[place]

    def law(self, place: int, tile: Tile | None = None) -> NoiseModel:
        """Return the law of a plane, or of a tile of it, on the picture's range."""
        noise = self.noise if tile is None else self.noise.part(tile.window, self.shape)
        if not self.drift:
            return noise
        places, factors = zip(*self.drift, strict=True)
        factor = float(np.interp(place, places, factors))
        return noise.scaled(factor, noise.relative_error)


def survey_series(picture: Image, series: Series, request: Request, in_parts: bool = False) -> Survey:
    """Find what the planes of a series share; noise that was given is taken as it is.

    `in_parts` says that its planes are not to be held.
    """
    count = len(series.planes)
    places = spread(count, SCALED)
    gains = None if series.gains is None else [series.gains.gains[at] for at in places]
    black = 0.0 if series.gains is None else series.gains.black
    scale = common_scale(picture, [series.planes[at] for at in places], (gains, black), in_parts)
    bare = Survey(picture, series, scale, Gaussian(0.0), in_parts=in_parts)
    places = spread(count, MEASURED)
    if request.noise is not None:
        clip = cut_off(bare.look(places[len(places) // 2], 1.0), request.cut)
        return replace(bare, scale=replace(scale, clip=clip), noise=request.noise)
    return _measured(bare, places, [bare.look(at, 1.0) for at in places])


def spread(count: int, most: int) -> list[int]:
    """Return places in a series of so many planes, evenly spread, so many at most."""
    places: list[int] = np.unique(np.linspace(0, count - 1, most).round().astype(int)).tolist()
    return places


def common_scale(
    picture: Image,
    planes: Sequence[int],
    brightness: tuple[Sequence[float] | None, float] = (None, 0.0),
    in_parts: bool = False,
) -> Scale:
    """Return the range that holds those of all planes, on which each would be alone.

    With gains over a black level, their `brightness`, they are as bright as the first.
    """
    (gains, black), span = brightness, picture.value_range[1] - picture.value_range[0]
    ends, steps, padding = [], [], None
    for place, index in enumerate(planes):
        alone = scale_of(picture, index) if in_parts else _scale_alone(picture, index)
        padding = alone.padding if padding is None else padding
        width = alone.high - alone.low
        if gains is not None:
            alone = at_gain(alone, picture, black, 1 / gains[place])
        ends.append((alone.low, alone.high))
        steps.append(alone.step * width / span)
        release(picture.array)
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return Scale(low, high, float(np.median(steps)) * span / (high - low), padding)


def _scale_alone(picture: Image, index: int) -> Scale:
    plane = picture.plane(index)
    own = plane.working
    padded = own.padding.any() and plane.raw is not None
    padding = plane.raw[own.padding][0].copy() if padded and plane.raw is not None else None
    return Scale(*own.ends(picture.value_range), own.step, padding)


def _measured(survey: Survey, places: Sequence[int], planes: Sequence[Plane]) -> Survey:
    """Return the survey with the law of most planes, at the median of their levels, and how it drifts.

    In a film it is that by which planes differ where it stands still enough: the flattest places of a plane alone
    may be its darkest, and its texture may look like noise.
    """
    reports = [measured(plane) for plane in planes]
    kinds = [report.model.kind for report in reports]
    alike = [at for at, kind in enumerate(kinds) if kind == max(kinds, key=kinds.count)]
    levels = np.array([reports[at].model.level for at in alike])
    middle = alike[int(np.argsort(levels, kind="stable")[len(levels) // 2])]
    report, where = reports[middle], [places[at] for at in alike]
    factors = (levels / max(report.model.level, 1e-12)) ** 2
    film = None if report.model.replaces else _over_time(survey, places)
    if film is not None and film.still >= STILL and not _tells_less(film.report.model, report.model):
        where, factors = _middles(survey, places), np.array(film.factors)
        notes = (*(note for note in report.notes if note.startswith("Values were cut off")), OVER_TIME)
        law = replace(film.report.model, clip=report.model.clip)
        report = replace(film.report, model=law, notes=notes)
    law = WorkingScale.of(planes[middle]).noise_back(report.model)
    scale = replace(survey.scale, clip=report.model.clip)
    drift = () if law.replaces or law.level <= 0 else _drift(where, factors, law, len(survey.series.planes) - 1)
    return replace(survey, scale=scale, noise=law, drift=drift, notes=(*report.notes, *_drift_notes(drift, law)))


def _tells_less(film: NoiseModel, alone: NoiseModel) -> bool:
    """Say whether how planes differ tells less of the noise than a plane does.

    Neighbouring scans share a part of their speckle, and frames that a camera has processed a part of their noise.
    """
    return film.replaces or (alone.processed and film.level < alone.level)


def _middles(survey: Survey, places: Sequence[int]) -> list[int]:
    """Return those of some places that have a neighbour on both sides."""
    length = survey.series.length
    lines = [(place // length * length, place % length) for place in places]
    return sorted({first + min(max(at, 1), length - 2) for first, at in lines}) if length >= 3 else []


def _over_time(survey: Survey, places: Sequence[int]) -> OverTime | None:
    """Return what planes of a film tell by how they differ; None of a volume."""
    if survey.series.along != "time":
        return None
    threes, zero = [], 0.0
    for middle in _middles(survey, places):
        around = [survey.gain(at) / survey.gain(middle) for at in (middle - 1, middle, middle + 1)]
        own = [survey.look(middle - 1 + at, gain).working for at, gain in enumerate(around)]
        ends = [(one.values <= 0).any(-1) | (one.values >= 1).any(-1) for one in own]
        gone = np.logical_or.reduce([*(one.gone for one in own), *ends])
        first, mid, last = (one.values for one in own)
        threes.append(Three(first, mid, last, gone, (1 / around[0], 1 / around[2])))
        zero = own[1].zero
    found = noise_over_time(threes, zero)
    return found if found is not None and len(found.factors) == len(threes) else None


def _drift_notes(drift: Curve, law: NoiseModel) -> tuple[str, ...]:
    if not drift:
        return ()
    first, last = (255 * law.level * drift[at][1] ** 0.5 for at in (0, -1))
    return (f"the noise drifts, from level {first:.1f} (of 255) in the first plane to {last:.1f} in the last",)


def _drift(places: Sequence[int], variances: NDArray[np.float64], law: NoiseModel, last: int) -> Curve:
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
    whole = np.linspace(0, last, max(len(places), 2))
    return tuple(zip(whole.tolist(), np.exp(height + slope * whole).tolist(), strict=True))
