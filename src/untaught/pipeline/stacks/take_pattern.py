"""The fixed pattern of a sensor in the planes of a stack: said, or taken out before anything else is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.lazy import release
from untaught.image.output_type import typed
from untaught.noise import Gaussian, estimate_sigma
from untaught.noise.belief import CAMERA, TEXTURE, believed
from untaught.noise.estimation.fixed_pattern import FixedPattern, fixed_pattern
from untaught.noise.estimation.hot_pixels import hot_pixels
from untaught.noise.estimation.stripes import moved_by, piled_ends, stripes_of
from untaught.pipeline.plane.take_stripes import DIRECTIONS, Taken
from untaught.pipeline.stacks.find_series import Series

MOST_PLANES = 256  # of a series that are looked at, evenly spread
MOSTLY = 0.5  # of the plane: where less of it stands still, what does is not looked at
DONE, WOULD = ("was", "were"), ("would be", "would be")  # of one thing, and of several

Offsets = NDArray[np.floating]


@dataclass(frozen=True)
class Pattern:
    """The fixed pattern of a series.

    Attributes
    ----------
    told : FixedPattern
        What stays while the picture moves.
    excess : float
        By what level the mean of all planes is noisier than their noise makes it, where the picture stands still;
        0 where that may be next to nothing.
    still : ndarray
        (H, W, C): what stays where the picture does too, and stands out as only a sensor, or a point of the
        picture, does; zero where there is nothing of that kind.
    points : int
        How many such pixels there are.
    lines : tuple of str
        Whether 'columns' or 'rows' have such offsets.
    """

    told: FixedPattern
    excess: float
    still: Offsets
    points: int
    lines: tuple[str, ...]

    def out(self, asked: str) -> Offsets:
        """Return what is to be taken off."""
        none = np.zeros_like(self.told.offsets)
        return none if asked == "keep" else self.told.offsets + (self.still if asked == "remove" else 0)

    def taken(self, asked: str) -> Taken:
        """Return what is taken out of a plane, and what is known to be left in."""
        out = self.out(asked)
        kept = self.told.offsets * (asked == "keep") + self.still * (asked != "remove")
        left = float(np.square(kept).mean()) + (self.told.leftover if self.told.found else 0.0)
        still = 1 - float((self.told.moved | self.told.gone).mean())
        return Taken((), None, float(np.square(out).mean()) + left, left, self.excess**2 * still, bool(out.any()))

    @property
    def found(self) -> bool:
        """Whether there is anything to say."""
        return self.told.found or bool(self.points or self.lines or self.excess)

    def notes(self, asked: str, done: tuple[str, str]) -> Iterator[str]:
        """Yield what there is to say; `done` is a verb, DONE or WOULD."""
        told = self.told
        levels = ("columns", told.columns), ("rows", told.rows), ("pixels", told.pixels)
        parts = [f"offsets of {name} of level {255 * level:.2g} (of 255)" for name, level in levels if level]
        parts += [_counted(told.points, "hot or dead pixel")] if told.points else []
        if parts:
            then = (
                "it is left in, and counts in the stated error"
                if asked == "keep"
                else f"it {done[0]} taken out there, and what is left of it counts in the stated error"
            )
            parts = [f"{', '.join(parts[:-1])} and {parts[-1]}"] if parts[1:] else parts
            yield (
                f"the sensor adds a fixed pattern, {parts[0]}, which stays in place while the picture "
                f"moves past it, in {told.moved.mean():.0%} of the plane; {then}"
            )
        yield from self._still_notes(asked, done[1])
        if self.excess:
            yield (
                "where the picture stands still, the mean of all planes is noisier than their noise makes it, by "
                f"level {255 * self.excess:.2g} (of 255): a fixed pattern of the sensor or fine texture, which "
                "only a picture that moves can tell apart; it is left in, and the interval of the stated error "
                "covers that it is an error"
            )

    def _still_notes(self, asked: str, verb: str) -> Iterator[str]:
        points = _counted(self.points, "point")
        stand = "stands" if self.points == 1 else "stand"
        parts = [f"{points} {stand} alone at the same place in all planes"] if self.points else []
        parts += [f"the {name} have offsets that are the same in all planes" for name in self.lines]
        if parts:
            then = (
                f"they {verb} taken out"
                if asked == "remove"
                else "they are left in and count in the stated error; --fixed-pattern remove takes them out"
            )
            yield (
                f"{' and '.join(parts)}, where the picture stands still too: they may be a fixed pattern of the "
                f"sensor or the picture's own; {then}"
            )


def _counted(count: int, what: str) -> str:
    return f"one {what}" if count == 1 else f"{count} {what}s"


def patterns_of(picture: Image, series: Sequence[Series]) -> list[Pattern | None]:
    """Return the fixed pattern of each series; None where none can be told."""
    return [_of_series(picture, one) for one in series]


def _of_series(picture: Image, series: Series) -> Pattern | None:
    count = min(len(series.planes), MOST_PLANES)
    places = np.linspace(0, len(series.planes) - 1, count).round().astype(int)

    def planes() -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
        for place in places:
            plane = picture.plane(series.planes[place])
            yield plane.values, plane.missing
            release(picture.array)

    told = fixed_pattern(planes(), count)
    if told is None or not believed(told.noise, CAMERA):
        return None
    still, points, lines = _standing(told)
    found = Pattern(told, _excess(told), still, points, lines)
    return found if found.found else None


def _standing(told: FixedPattern) -> tuple[Offsets, int, tuple[str, ...]]:
    """Return what looks like a fixed pattern in the mean of all planes where the picture does not move."""
    from scipy.ndimage import median_filter

    mean, level = told.mean - told.offsets, told.noise / told.count**0.5
    offsets, away = np.zeros(mean.shape), told.moved | told.gone
    stuck = hot_pixels(mean.astype(np.float32), away, Gaussian(level))
    around = median_filter(mean, (5, 5, 1))
    offsets[stuck] = (mean - around)[stuck]
    lines = []
    for along, known in zip(DIRECTIONS, (told.columns, told.rows), strict=True):
        if known or away.mean() > MOSTLY:
            continue
        found = stripes_of(mean, away if away.any() else None, along)
        if found.found:
            lines.append(along)
            offsets += found.offsets[None] if along == "columns" else found.offsets[:, None]
    return offsets, int(stuck.sum()), tuple(lines)


def _excess(told: FixedPattern) -> float:
    """Return the level of what looks like noise in the mean of all planes, beyond what theirs leaves there."""
    away = told.moved | told.gone
    if away.mean() > MOSTLY:
        return 0.0
    found = estimate_sigma(told.mean.astype(np.float32), away if away.any() else None)
    squares = found.level**2 - told.noise**2 / told.count
    level = max(squares, 0.0) ** 0.5
    return (
        level if level > told.noise / told.count**0.5 and believed(level, TEXTURE, found.relative_error) else 0.0
    )


def without_pattern(
    picture: Image, series: Sequence[Series], asked: str
) -> tuple[Image, tuple[Taken, ...], tuple[str, ...]]:
    """Return the picture without the pattern that is to be taken out, what that means for each plane, and notes.

    Parameters
    ----------
    picture : Image
        What was measured.
    series : sequence of Series
        Planes that one sensor has made of one scene.
    asked : str
        One of `request.FIXED_PATTERN`.
    """
    found = patterns_of(picture, series)
    notes = tuple(dict.fromkeys(note for one in found if one is not None for note in one.notes(asked, DONE)))
    if asked == "remove" and not any(found):
        notes = ("no fixed pattern of a sensor was found, and none was taken out",)
    of_plane = {index: one for line, one in zip(series, found, strict=True) for index in line.planes if one}
    each = [of_plane.get(index) for index in range(picture.n_planes)]
    taken = tuple(Taken() if one is None else one.taken(asked) for one in each)
    if not any(one.out for one in taken):
        return picture, taken, notes
    frame = typed(picture, "float64" if picture.array.dtype.itemsize > 2 else "float32")

    def values(index: int) -> Offsets:
        plane, pattern = picture.plane(index), each[index]
        release(picture.array)
        if pattern is None:
            return plane.values
        gone = plane.missing if plane.missing.any() else None
        return plane.values - pattern.out(asked) * moved_by(plane.values, gone, piled_ends(plane.values, gone))

    count = picture.n_planes
    left = Made(count, lambda index: picture.plane(index).working.gone)  # markers have to stay as they are
    return frame.with_planes(Made(count, values), left), taken, notes


@dataclass(frozen=True)
class Made(Sequence[Any]):
    """Arrays, one for each plane, of which each is made when it is asked for and not held."""

    planes: int
    make: Callable[[int], NDArray[Any]]

    def __len__(self) -> int:
        return self.planes

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self.planes:
            raise IndexError(index)
        return self.make(index)
