"""Arrays of a file that does not say what every axis is, and what the picture itself shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.axes import asked, checked_axes
from untaught.image.image import Image, image_of_array
from untaught.image.lazy import SMALL
from untaught.image.values import correlation

UNKNOWN = "QI"  # how tifffile calls an axis of which the file says nothing: other, sequence
FEW = 6  # channels at most, where nothing says that they are
ALIKE = 0.5  # least correlation of neighbouring planes of a film or a volume, noise averaged away
BLOCK = 8  # pixels on a side that are averaged for that
MOST_PAIRS = 8


@dataclass(frozen=True, eq=False)
class Unnamed:
    """What was read of a file that does not say what every axis is.

    Attributes
    ----------
    array : ndarray
        In memory or mapped.
    axes : str or None
        The file's letters, in which `UNKNOWN` ones may stand twice; None where it has none at all.
    source : Path
        The file, absolute.
    metadata, alpha, file_notes
        As in `Image`.
    """

    array: NDArray[Any]
    axes: str | None
    source: Path
    metadata: dict[str, Any] = field(default_factory=dict)
    alpha: bool = False
    file_notes: tuple[str, ...] = ()

    def named(self, axes: str | None = None) -> Image:
        """Return the image: with the axes that are given, else with those that the picture shows.

        Raises
        ------
        InputError
            For axes that do not fit; for a shape that may be two things, where the file has no letters at all.
        """
        if self.axes is None:
            image = image_of_array(self.array, self.source, axes)
            array = np.array(image.array) if image.array.nbytes <= SMALL else image.array
            return replace(image, array=array, metadata=self.metadata, file_notes=self.file_notes)
        if axes is not None:
            letters = checked_axes(axes, self.array.shape, self.source)
            alpha = self.alpha and letters.find("S") == self.axes.find("S")
            notes: tuple[str, ...] = ()
        else:
            letters, alpha = settled(self.axes, self.array), self.alpha
            notes = _notes(self.axes, letters, self.array.shape)
        image = Image.of(self.array, letters, alpha=alpha, metadata=self.metadata, source=self.source)
        return replace(image, axes_given=axes is not None, file_notes=self.file_notes, axes_notes=notes)


def is_unnamed(axes: str) -> bool:
    """Tell whether a file leaves open what one of its axes is."""
    return any(letter in UNKNOWN for letter in axes) or len(set(axes)) < len(axes)


def settled(axes: str, array: NDArray[Any]) -> str:
    """Return a file's axes with a letter for each that it leaves open.

    Few planes that are not alike are channels, C; all others are slices, Z, and the times before them, T.
    """
    places = [at for at, letter in enumerate(axes) if letter in UNKNOWN or letter in axes[:at]]
    letters = list(axes)
    free = [letter for letter in "TZPRUVWABD" if letter not in axes]
    channels = [
        at for at in places if "C" not in axes and 1 < array.shape[at] <= FEW and not _alike(axes, array, at)
    ]
    for at in channels[-1:]:
        letters[at] = "C"
    rest = [at for at in places if at not in channels[-1:]]
    if len(rest) == 1 and "Z" in free:
        free = ["Z"]
    for at, letter in zip(rest, free, strict=False):
        letters[at] = letter
    return "".join(letters)


def _alike(axes: str, array: NDArray[Any], at: int) -> bool:
    """Tell whether planes that follow each other along an axis show the same, as in a film or a volume."""
    sides = axes.index("Y"), axes.index("X")
    middle = tuple(slice(None) if k in (*sides, at) else size // 2 for k, size in enumerate(array.shape))
    planes = np.moveaxis(array[middle], sum(k < at for k in sides), 0)
    count = min(len(planes) - 1, MOST_PAIRS)
    starts = np.linspace(0, len(planes) - 2, count).astype(int)
    # an empty plane is like any other
    found = [correlation(_blocks(planes[k]), _blocks(planes[k + 1]), of_constant=1.0) for k in starts]
    return float(np.median(found)) >= ALIKE


def _blocks(plane: NDArray[Any]) -> NDArray[np.float64]:
    values = plane.astype(np.float64)
    values = np.where(np.isfinite(values), values, 0.0)
    side = max(1, min(BLOCK, min(values.shape) // BLOCK))
    rows, columns = (size // side * side for size in values.shape)
    return np.asarray(values[:rows, :columns].reshape(rows // side, side, columns // side, side).mean((1, 3)))


def _notes(axes: str, letters: str, shape: Sequence[int]) -> tuple[str, ...]:
    """Say what was taken for what; axes of one plane make no difference."""
    open_ = [at for at, (old, new) in enumerate(zip(axes, letters, strict=True)) if old != new and shape[at] > 1]
    if not open_:
        return ()
    sizes = " and ".join(str(shape[at]) for at in open_)
    what = f"axis of {sizes} is" if len(open_) == 1 else f"axes of {sizes} are"
    last = open_[-1]
    other = next(letter for letter in "CTZP" if letter not in letters)
    return (
        f"the file does not say what its {what}; by how alike its planes are the axes were taken for {letters}, "
        f"and where that is wrong, name all of them, as in {asked(letters[:last] + other + letters[last + 1 :])}",
    )
