"""Planes as thumbnails: means over blocks of two halves of the pixels, so that their noise does not count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.lazy import PIECE, release
from untaught.image.values import correlation

BLOCK = 8  # pixels on a side that are averaged
FEWEST = 6  # blocks on a side, at least: of smaller planes they are smaller
# Of how alike two halves of the pixels of one plane are: where noise leaves less, it cannot be told whether planes
# share something, and those that do not cost time alone.
TELLING = 0.2

Thumbnail = NDArray[np.float64]


@dataclass(frozen=True)
class Halves:
    """Means over blocks of a plane, by one half of the pixels and by the other."""

    first: Thumbnail
    second: Thumbnail

    @property
    def means(self) -> NDArray[np.float32]:
        """Means of all pixels, in a row."""
        return ((self.first + self.second) / 2).astype(np.float32).ravel()

    @property
    def contrast(self) -> float:
        """Standard deviation of what it shows, noise left out."""
        shared = (self.first - self.first.mean()) * (self.second - self.second.mean())
        return float(np.sqrt(max(shared.mean(), 0.0)))

    @property
    def telling(self) -> float:
        """How alike the two are."""
        return correlation(self.first, self.second, of_constant=0.0)


def side_of(picture: Image) -> int:
    """Return the side of the blocks, pixels."""
    return max(1, min(BLOCK, min(picture.height, picture.width) // FEWEST))


def thumbnail(picture: Image, index: int) -> Halves | None:
    """Return the means over blocks of a plane; None where it shows nothing."""
    side = side_of(picture)
    rows = max(1, PIECE // max(picture.width * side, 1)) * side
    parts, ends = [], list[float]()
    for top in range(0, picture.height, rows):
        values = picture.plane(index, (slice(top, top + rows), slice(None))).values
        release(picture.array)
        if not values.size:
            return None
        ends += [float(values.min()), float(values.max())]
        parts.append(_halves(values.mean(-1, dtype=np.float64), side))
    if not ends or max(ends) == min(ends):
        return None
    return Halves(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _halves(values: NDArray[np.float64], side: int) -> tuple[Thumbnail, Thumbnail]:
    """Return the means over blocks of some rows, by one half of the pixels and by the other."""
    rows, columns = (size // side * side for size in values.shape)
    tiles = values[:rows, :columns].reshape(rows // side, side, columns // side, side)
    if side == 1:
        return tiles[:, 0, :, 0], tiles[:, 0, :, 0]
    half = np.indices((side, side)).sum(0) % 2 == 0
    first, second = (tiles.swapaxes(1, 2)[..., part].mean(-1) for part in (half, ~half))
    return first, second


def alike(first: Halves, second: Halves) -> float | None:
    """Return the correlation of what two planes show, noise left out; None where noise hides it."""
    own = first.telling, second.telling
    if min(own) < TELLING:
        return None
    across = (
        correlation(first.first, second.second, of_constant=0.0)
        + correlation(first.second, second.first, of_constant=0.0)
    ) / 2
    return float(across / np.sqrt(own[0] * own[1]))
