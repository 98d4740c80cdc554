"""Half-transparent marks taken off a picture: how opaque they are and of which colour is measured at their rim."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.pipeline.options import ImageLike
from untaught.pipeline.tasks.masks import mask_of

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]

RIM = 1  # pixels on both sides of a mark's border, where letters are smoothed: no opacity holds there
REACH = 4.0  # pixels between the two of a pair
FEWEST = 50  # pairs
TRIMS, TRIM = 3, 0.9  # how often, and which share of the pairs is kept that fit best
ALIKE = 0.15  # least correlation of a pair's two for the one to show through the other
SHOWN = 0.5  # share of pairs at least that a mark must not have pushed to black or white
OPAQUE = 0.9  # beyond this a step of 8-bit grey levels becomes ten
FAINT = 0.02  # below this nothing is seen of a mark
TINY = 1e-12
BEYOND = 0.05  # of the value range: what is undone to farther beyond its ends was no mixture


@dataclass(frozen=True)
class Unmarked:
    """A picture with its mark taken off.

    Attributes
    ----------
    picture : Image
        Of the same type and range.
    kept : ndarray
        (H, W), False where nothing can be known any more: the rim of the mark, and values it pushed to black or
        white; everything under a mark that nothing shows through.
    opacity, colour : float, tuple of float
        a and c of every plane's mean; the colour as shares of the value range.
    """

    picture: Image
    kept: Flags
    opacity: float
    colour: tuple[float, ...]

    @property
    def told(self) -> str:
        """What was found, in a clause."""
        if self.opacity >= 1:
            return "nothing shows through the mark: what is under it was filled in"
        levels = ", ".join(f"{255 * value:.0f}" for value in self.colour)
        return f"the mark's opacity is {self.opacity:.0%} and its colour {levels} (of 255); it was taken off"


def unmark(picture: Image, mask: ImageLike, marks: str | None = None) -> Unmarked:
    """Take a half-transparent mark off: its opacity and its colour are the same everywhere, and not known.

        y = (1 - a) x + a c  where the mark is;   x = (y - a c) / (1 - a)

    Pixels in pairs, one just outside of the mark and the nearest one inside, show the same scene, so they have the
    same mean and variance but for what the mark does to them:

        (1 - a)^2 = sum over channels of var(y_in) / sum over channels of var(y_out)
        a c = mean(y_in) - (1 - a) mean(y_out)

    Ratios of variances, not regression: the two of a pair differ as neighbours do, which makes slopes too small.
    Pairs that fit least, at edges and in what is smoothed, are left out, a tenth at a time.

    Parameters
    ----------
    picture : Image
        One picture, or a stack with the same mark in every plane.
    mask : path, Image or ndarray
        Zero where the mark is.
    marks : {None, "kept", "missing"}
        What nonzero marks.

    Raises
    ------
    InputError
        If the mask does not fit, or no mark can be seen there.

    Notes
    -----
    A mark that nothing shows through (a > 0.9, or pairs that are not correlated) is a hole. What a JPEG did to the
    mark's surroundings is multiplied by 1 / (1 - a) with everything else.
    """
    mark = mask_of(mask, picture, marks or "kept")[0].amin(0).numpy() == 0
    pairs, rim = _pairs(mark), _beside(mark) | (mark & _beside(~mark))
    planes, found, kept = [], [], ~rim
    for plane in picture.planes():
        values = plane.values.astype(np.float64)
        through, colour = _mixture(values, pairs, ~plane.missing)
        found.append((through, colour))
        if through == 0:
            kept &= ~mark
            planes.append(plane.values)
            continue
        undone = np.where(mark[..., None], (values - (1 - through) * colour) / through, values)
        cut = ((values <= 0) | (values >= 1) | (undone < -BEYOND) | (undone > 1 + BEYOND)).any(-1)
        kept &= ~(cut & mark)
        planes.append(undone.astype(np.float32))
    opacity = 1 - float(np.mean([through for through, _ in found]))
    colours = np.mean([colour for _, colour in found], 0)
    return Unmarked(picture.with_planes(planes), kept, opacity, tuple(float(value) for value in colours))


def _beside(mark: Flags) -> Flags:
    """Return True at most `RIM` pixels from what is marked."""
    return np.asarray(binary_dilation(mark, np.ones((3, 3)), RIM) & ~mark)


def _pairs(mark: Flags) -> Pairs:
    """Return the pixels, counted along the rows, in the mark and out of it that lie nearest to each other."""
    outside = ~(mark | _beside(mark))
    if not outside.any():
        raise InputError("the mark covers the whole picture: nothing tells how opaque it is")
    distance, (rows, columns) = distance_transform_edt(~outside, return_indices=True)
    near = mark & ~_beside(~mark) & (distance <= REACH)
    return np.flatnonzero(near), rows[near] * mark.shape[1] + columns[near]


def _mixture(values: Values, pairs: Pairs, known: Flags) -> tuple[float, Values]:
    """Return 1 - a and c; 0 and the mark's own colour where nothing shows through."""
    flat = values.reshape(-1, values.shape[-1])
    usable = known.ravel() & ((flat > 0) & (flat < 1)).all(-1)
    both = usable[pairs[0]] & usable[pairs[1]]
    y, x = flat[pairs[0]], flat[pairs[1]]
    if both.sum() < max(FEWEST, SHOWN * usable[pairs[1]].sum()):
        return 0.0, y.mean(0) if len(y) else np.zeros(flat.shape[1])
    y, x = y[both], x[both]
    spread_y, spread_x = (float(v.var(0).sum()) for v in (y, x))
    together = float(((y - y.mean(0)) * (x - x.mean(0))).mean(0).sum())
    if together <= ALIKE * math.sqrt(spread_y * spread_x):
        return 0.0, y.mean(0)
    through = math.sqrt(spread_y / spread_x)
    for _ in range(TRIMS):
        left = np.square(y - y.mean(0) - through * (x - x.mean(0))).sum(1)
        fit = left <= np.quantile(left, TRIM)
        y, x = y[fit], x[fit]
        through = math.sqrt(y.var(0).sum() / max(x.var(0).sum(), TINY))
    if through > 1 - FAINT:
        raise InputError(
            "no half-transparent mark is seen where the mask is zero: the picture varies there as beside it"
        )
    if through < 1 - OPAQUE:
        return 0.0, y.mean(0)
    return through, np.clip((y.mean(0) - through * x.mean(0)) / (1 - through), 0.0, 1.0)
