"""Which planes of a stack help each other: those that follow each other along an axis and show the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.method import Along
from untaught.noise.estimation.plane_gains import Gains, gains_of
from untaught.pipeline.stacks.thumbnails import Halves, alike, side_of, thumbnail

AXES: dict[str, Along] = {"T": "time", "Z": "depth"}
RELATED = 0.1  # correlation of the means of blocks, noise left out, below which two planes share nothing
BRIGHTER = 3.0  # times the contrast of the plane before, from which on a plane has a scale and a noise of its own
ISOTROPIC = 2.0  # times the distance of pixels, up to which planes are as alike as rows are

MANY = 5  # channels, from which on they are restored together
SHARED = 0.3  # correlation of a channel with another, noise left out, from which on it is taken with it


@dataclass(frozen=True)
class Series:
    """Planes that are restored together.

    Attributes
    ----------
    planes : tuple of int
        Their numbers in the picture, in their order.
    axis : str
        Along which they follow each other: T or Z.
    along : {"time", "depth"}
        Whether what they show may move from one to the next, or they are as alike as rows are.
    gains : Gains or None
        How bright they are, on the picture's range, where they are not equally bright.
    lines : int
        How many lines of planes that follow each other in time there are, one behind the other: those of a volume.
    """

    planes: tuple[int, ...]
    axis: str
    along: Along
    gains: Gains | None = None
    lines: int = 1

    @property
    def length(self) -> int:
        """Planes of a line."""
        return len(self.planes) // self.lines

    def places(self, some: range) -> list[int]:
        """Return the places of some planes of every line."""
        return [line * self.length + at for line in range(self.lines) for at in some]


@dataclass(frozen=True)
class Found:
    """The series of a picture, channels of one scene, by the numbers of their planes, and what to say of them."""

    series: tuple[Series, ...] = ()
    channels: tuple[tuple[int, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is anything to be restored together."""
        return bool(self.series or self.channels)


NONE = Found()


def find_series(picture: Image, together: str) -> Found:
    """Return which planes help each other.

    Planes of one channel that follow each other along T, or else along Z, are a series; it ends where a plane
    shares nothing with the next,

        r(a, b) / sqrt(r(a, a') r(b, b')) < .1,

    r the correlation of the means over blocks, a and a' two halves of the pixels of one plane, so that noise does
    not count (Spearman's correction for attenuation), and where one has three times the contrast of the other.
    Empty planes are in none.

    Parameters
    ----------
    picture : Image
        With its axes.
    together : str
        One of `request.TOGETHER`: by the axes, not at all, or along one of them; 'TZ': whichever is more alike.

    Raises
    ------
    InputError
        For an axis that the picture does not have.
    """
    axes = axes_asked(picture, together)
    if together == "none":
        return Found()
    if not axes:
        return Found(channels=_channels(picture))
    thumbnails = [thumbnail(picture, index) for index in range(picture.n_planes)]
    grids = _volumes_over_time(picture, thumbnails) if len(together) > 1 and set(together) == set("TZ") else None
    if grids is not None:
        return grids
    axis = max(axes, key=lambda each: (_likeness(picture, thumbnails, each), each)) if len(axes) > 1 else axes[0]
    return _along(picture, thumbnails, axis)


def axes_asked(picture: Image, together: str) -> list[str]:
    """Return the axes along which planes may be taken together, whatever they show; see `find_series`."""
    there = [axis for axis in AXES if picture.size(axis) > 1]
    if together in ("auto", "none"):
        return there
    missing = [axis for axis in together if axis not in there]
    if missing:
        raise InputError(
            f"{picture.name} has no planes along {missing[0]} that could be taken together; its axes are "
            f"{picture.axes}, and others can be named with --axes"
        )
    return list(together)


def _along(picture: Image, thumbnails: Sequence[Halves | None], axis: str) -> Found:
    along = AXES[axis] if axis == "T" or _isotropic(picture, thumbnails) else "time"
    series: list[Series] = []
    cuts: list[str] = []
    for line in _lines(picture, axis):
        begun: list[int] = []
        for index in line:
            small = thumbnails[index]
            apart = begun and small is not None and not _related(thumbnails[begun[-1]], small)
            if begun and (small is None or apart):
                series.append(Series(tuple(begun), axis, along))
                cuts += [picture.labels[index]] if apart else []
                begun = []
            if small is not None:
                begun.append(index)
        series.append(Series(tuple(begun), axis, along))
    found = (_with_gains(picture, thumbnails, one) for one in series if len(one.planes) > 1)
    return Found(tuple(found), notes=_cut_notes(cuts))


def _volumes_over_time(picture: Image, thumbnails: Sequence[Halves | None]) -> Found | None:
    """Return volumes that follow each other, each a series; None where they are none, or not all of one scene.

    Where slices are further apart than rows are, both axes together were not better than time alone.
    """
    if not _isotropic(picture, thumbnails):
        return None
    for axis in AXES:
        for line in _lines(picture, axis):
            for a, b in pairwise(line):
                second = thumbnails[b]
                if second is None or thumbnails[a] is None or not _related(thumbnails[a], second):
                    return None
    groups, shape = len(picture.groups), picture.lead_shape
    at = [picture.lead_axes.index(axis) for axis in "ZT"]
    numbers = np.moveaxis(np.arange(picture.n_planes).reshape(*shape, groups), at, (-2, -1))
    found = []
    for volume in numbers.reshape(-1, *numbers.shape[-2:]):
        middle = Series(tuple(volume[len(volume) // 2].tolist()), "T", "time")
        gains = _with_gains(picture, thumbnails, middle).gains
        if gains is not None:
            gains = replace(gains, gains=gains.gains * len(volume))
        found.append(Series(tuple(volume.ravel().tolist()), "TZ", "time", gains, len(volume)))
    return Found(tuple(found))


def _with_gains(picture: Image, thumbnails: Sequence[Halves | None], series: Series) -> Series:
    """Return the series with how bright its planes are, where not all are alike.

    Slices of a volume that are steadily brighter may show more that is bright: of them, flicker alone is told.
    """
    low, high = picture.value_range
    there = [one for at in series.planes if (one := thumbnails[at]) is not None]
    means, shape = np.stack([one.means for one in there]), there[0].first.shape
    found = gains_of(means, -low / (high - low), series.axis == "T", (shape[0], shape[1]))
    return series if found.one else replace(series, gains=found)


def _channels(picture: Image) -> tuple[tuple[int, ...], ...]:
    """Return the channels of a place that show the same as another, where there are many."""
    lines = list(_lines(picture, "C")) if picture.size("C") > 1 else _samples(picture)
    found = []
    for line in lines:
        if len(line) < MANY:
            continue
        there = [(number, one) for number in line if (one := thumbnail(picture, number)) is not None]
        like = [
            number
            for number, one in there
            if any(abs(alike(one, other) or 0.0) >= SHARED for at, other in there if at != number)
        ]
        if len(like) >= MANY:
            found.append(tuple(like))
    return tuple(found)


def _samples(picture: Image) -> list[list[int]]:
    """Return the samples of a pixel, which are planes of their own where they are no colours."""
    count = len(picture.groups)
    if len({len(group) for group in picture.groups}) > 1:
        return []
    return [list(range(first, first + count)) for first in range(0, picture.n_planes, count)]


def _cut_notes(cuts: Sequence[str]) -> tuple[str, ...]:
    if not cuts:
        return ()
    where = ", ".join(cuts[:3]) + (f" and {len(cuts) - 3} more" if len(cuts) > 3 else "")
    return (f"the plane at {where} shows nothing of what the one before it shows; they were not taken together",)


def _related(first: Halves | None, second: Halves) -> bool:
    told = None if first is None else alike(first, second)
    if first is None or told is None:
        return True
    times = second.contrast / max(first.contrast, 1e-30)
    return told >= RELATED and 1 / BRIGHTER < times < BRIGHTER


def _lines(picture: Image, axis: str) -> Iterator[list[int]]:
    """Yield the numbers of the planes along an axis, for every place on the others."""
    groups, shape = len(picture.groups), picture.lead_shape
    numbers = np.arange(picture.n_planes).reshape(*shape, groups)
    moved = np.moveaxis(numbers, picture.lead_axes.index(axis), -1)
    yield from (line.tolist() for line in moved.reshape(-1, picture.size(axis)))


def _likeness(picture: Image, thumbnails: Sequence[Halves | None], axis: str) -> float:
    """Return the median correlation of neighbours along an axis."""
    pairs = [(thumbnails[a], thumbnails[b]) for line in _lines(picture, axis) for a, b in pairwise(line)]
    found = [alike(a, b) for a, b in pairs if a is not None and b is not None]
    told = [one for one in found if one is not None]
    return float(np.median(told)) if told else 0.0


def _isotropic(picture: Image, thumbnails: Sequence[Halves | None]) -> bool:
    """Say whether slices are as alike as rows are: by the distances that the file states, or by what is shown.

        E (x_z - x_{z+1})^2 <= 4 E (x_i - x_{i+1})^2

    with the means over blocks of one half of the pixels times those of the other, so that noise does not count.
    """
    spacing = picture.metadata.get("spacing", {})
    if "Z" in spacing and "Y" in spacing:
        return bool(spacing["Z"][0] <= ISOTROPIC * spacing["Y"][0])
    return _steps(picture, thumbnails) <= ISOTROPIC**2


def _steps(picture: Image, thumbnails: Sequence[Halves | None]) -> float:
    """Return the mean squared step from slice to slice over that from row to row, a pixel each."""
    deep, flat = [], []
    for line in _lines(picture, "Z"):
        for a, b in pairwise(line):
            first, second = thumbnails[a], thumbnails[b]
            if first is None or second is None:
                continue
            deep.append(np.mean((first.first - second.first) * (first.second - second.second)))
    for one in thumbnails:
        if one is not None:
            flat.append(np.mean(np.diff(one.first, axis=0) * np.diff(one.second, axis=0)))
    side = side_of(picture)
    # What is smooth over blocks changes with the square of the distance.
    return float(np.mean(deep) / max(np.mean(flat) / side**2, 1e-20)) if deep and flat else 1.0
