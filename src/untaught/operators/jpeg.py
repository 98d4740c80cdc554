"""What JPEG measures of a picture before it rounds: cosines of blocks, in steps of its tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.errors import InputError
from untaught.operators.base import LinearOperator, Shape, by
from untaught.operators.cut import Cut, Window

BLOCK = 8
LUMA = (0.299, 0.587, 0.114)
TO_YCC = (LUMA, (-0.168735892, -0.331264108, 0.5), (0.5, -0.418687589, -0.081312411))
WHOLE = 255.0  # JPEG counts grey levels
UNIFORM = 1 / 12  # variance of a number that is rounded, in units of the step
SLACK = 0.5  # grey levels by which an encoder's own arithmetic may be wrong: its colours are whole numbers

Table = tuple[int, ...]


@dataclass(frozen=True)
class Jpeg(LinearOperator):
    """A x = D_8 R_c C x / Q: the numbers that JPEG rounds to whole ones.

        y = round(A x),   so that   | y - A x | <= 1/2

    C takes red, green and blue to brightness and two colours, R_c is the mean over f x f pixels of a colour that
    is stored at a lower resolution, D_8 the orthonormal cosine transform of blocks of 8 x 8 pixels, and Q the
    table of steps, which every file holds. Measured in steps, the error of every number is known without any
    parameter: it is uniform on +-1/2.

    Attributes
    ----------
    tables : tuple of tuple of int
        For every component 64 steps, row by row.
    factors : tuple of int
        For every component f, 1 or 2.
    size : tuple of int
        Height and width of the picture. Blocks that reach over its edge see its border pixels repeated.
    lost : float or None
        What `level` is of the picture that this is a part of; None where it is the whole.

    References
    ----------
    ITU-T T.81; ITU-T T.871 for the colours.
    """

    name: ClassVar[str] = "jpeg"
    schedule: ClassVar[tuple[float, float]] = (3.0, 0.5)  # set on crops of Kodak pictures
    rounds: ClassVar[int] = 16  # twice as many gain hundredths of dB on Kodak crops
    untold: ClassVar[str] = "no PSNR is stated: what was rounded to nothing leaves no trace in the file"
    why: ClassVar[str] = "of all pictures that the file could be of, it takes one that similar patches agree on"
    tables: tuple[Table, ...]
    factors: tuple[int, ...]
    size: tuple[int, int]
    lost: float | None = None

    def __post_init__(self) -> None:
        if len(self.tables) not in (1, 3) or len(self.factors) != len(self.tables):
            raise InputError("a JPEG has one component or three, each with a table and a factor")
        if any(len(table) != BLOCK**2 or min(table) < 1 for table in self.tables):
            raise InputError("a table of JPEG has 64 steps, each of at least 1")

    @property
    def cut(self) -> Cut:
        """See `Composable`; windows are those of the picture, and begin where blocks of all components do."""
        return Cut(step=BLOCK * max(self.factors))

    def part(self, window: Window) -> Jpeg:
        """See `Composable`."""
        rows, columns = window
        return replace(self, size=(rows.stop - rows.start, columns.stop - columns.start))

    def shape(self, x_shape: Shape) -> Shape:
        """Return (1, M) of a picture (1, C, H, W)."""
        if tuple(x_shape[1:]) != (len(self.tables), *self.size):
            raise InputError(
                f"the file has {len(self.tables)} components of {by(*self.size)} pixels, and the picture has the "
                f"shape {tuple(x_shape)}"
            )
        return 1, sum(rows * columns for rows, columns in map(self._stored, self.factors))

    def picture_shape(self, y_shape: Shape) -> Shape:
        """Return (1, C, H, W)."""
        shape = (1, len(self.tables), *self.size)
        if tuple(y_shape) != self.shape(shape):
            raise InputError(f"the file holds {self.shape(shape)[1]} numbers, not {tuple(y_shape)}")
        return shape

    def initial(self, y: Tensor) -> Tensor:
        """Return the picture that a decoder shows."""
        return self.inverse(y)

    def inverse(self, y: Tensor) -> Tensor:
        """Return A+ y: a picture of which `A` gives `y`, where no block reaches over the edge."""
        parts = zip(self._split(y), self.factors, self.steps(y), strict=True)
        planes = [self._shown(_cosines_back(part * steps / WHOLE), factor) for part, factor, steps in parts]
        return torch.einsum("oc,chw->ohw", _colours(len(planes), y).inverse(), torch.stack(planes))[None]

    def nearest(self, x: Tensor, y: Tensor, deviation: float) -> Tensor:
        """Return the picture near `x` that the file could be of.

        a = A x;   x + A+ (clip((a / r + 12 y) / (1 / r + 12), y - 1/2, y + 1/2) - a)

        with r the variance that errors of `x` of this standard deviation have in steps: the mean of what `x` says
        and what the file does, each with its own variance, and never outside what was rounded to `y`.
        """
        a = self.A(x)
        prior = torch.cat([r.expand(part.shape).flatten() for r, part in self._priors(y, deviation)])[None]
        slack = torch.cat([(SLACK / q).expand(p.shape).flatten() for q, p in self._with_parts(y)])[None]
        weighed = (a * UNIFORM + y * prior) / (UNIFORM + prior)
        return x + self.inverse(weighed.clamp(y - 0.5 - slack, y + 0.5 + slack) - a)

    def shown(self, x: Tensor, y: Tensor, deviation: float) -> Tensor:
        """Return the picture near `x` that the file could be of."""
        return self.nearest(x, y, deviation)

    def level(self, y: Tensor) -> float:
        """Return about what was lost, as the standard deviation of brightness in units of the value range.

        The file's own picture is rounded once more, by the same table, in blocks that start half a block away.
        """
        if self.lost is not None:
            return self.lost
        plane = _cosines_back(self._split(y)[0] * self.steps(y)[0] / WHOLE)
        half = BLOCK // 2
        lost = []
        for down, across in ((half, half), (0, half), (half, 0)):
            rows, columns = (
                (side - shift) // BLOCK * BLOCK for side, shift in zip(plane.shape, (down, across), strict=True)
            )
            numbers = _cosines(plane[down : down + rows, across : across + columns]) * WHOLE / self.steps(y)[0]
            lost.append(((numbers - numbers.round()) * self.steps(y)[0] / WHOLE).square().mean())
        return math.sqrt(float(torch.stack(lost).nanmean()))

    def steps(self, like: Tensor) -> list[Tensor]:
        """Return Q of every component, (8, 8), in grey levels."""
        return [torch.tensor(t, dtype=like.dtype, device=like.device).view(BLOCK, BLOCK) for t in self.tables]

    def measured(self, planes: list[Tensor]) -> Tensor:
        """Return the numbers of planes as they are stored, (h, w) each on [0, 1]; (1, M)."""
        parts = zip(planes, self.factors, self.steps(planes[0]), strict=True)
        found = []
        for plane, factor, steps in parts:
            rows, columns = self._stored(factor)
            found.append(_cosines(_extended(plane, rows, columns)) * WHOLE / steps)
        return torch.cat([part.flatten() for part in found])[None]

    def _forward(self, x: Tensor) -> Tensor:
        planes = torch.einsum("oc,chw->ohw", _colours(x.shape[1], x), x[0])
        return self.measured([self._lowered(plane, f) for plane, f in zip(planes, self.factors, strict=True)])

    def _adjoint(self, y: Tensor) -> Tensor:
        planes = []
        for part, factor, steps in zip(self._split(y), self.factors, self.steps(y), strict=True):
            plane = _cosines_back(part * WHOLE / steps)
            whole = plane.repeat_interleave(factor, 0).repeat_interleave(factor, 1) / factor**2
            planes.append(_folded(whole, *self.size))
        return torch.einsum("oc,ohw->chw", _colours(len(planes), y), torch.stack(planes))[None]

    def _stored(self, factor: int) -> tuple[int, int]:
        """Return height and width of a component, in whole blocks."""
        rows, columns = (-(-side // (BLOCK * factor)) * BLOCK for side in self.size)
        return rows, columns

    def _lowered(self, plane: Tensor, factor: int) -> Tensor:
        rows, columns = self._stored(factor)
        return F.avg_pool2d(_extended(plane, rows * factor, columns * factor)[None, None], factor)[0, 0]

    def _shown(self, plane: Tensor, factor: int) -> Tensor:
        whole = plane.repeat_interleave(factor, 0).repeat_interleave(factor, 1)
        return whole[: self.size[0], : self.size[1]]

    def _split(self, y: Tensor) -> list[Tensor]:
        """Return the numbers of every component, (rows, columns, 8, 8) of blocks."""
        sizes = [self._stored(factor) for factor in self.factors]
        parts = torch.split(y[0], [rows * columns for rows, columns in sizes])
        return [
            part.view(rows // BLOCK, columns // BLOCK, BLOCK, BLOCK)
            for part, (rows, columns) in zip(parts, sizes, strict=True)
        ]

    def _with_parts(self, y: Tensor) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.steps(y), self._split(y), strict=True))

    def _priors(self, y: Tensor, deviation: float) -> list[tuple[Tensor, Tensor]]:
        """Return the variance in steps of errors of a picture, (8, 8), for every component."""
        pairs = zip(self._with_parts(y), self.factors, strict=True)
        return [((deviation * WHOLE / steps / factor).square(), part) for (steps, part), factor in pairs]


def _colours(count: int, like: Tensor) -> Tensor:
    """Return C, or 1 for a grey picture."""
    rows = TO_YCC if count == 3 else ((1.0,),)
    return torch.tensor(rows, dtype=like.dtype, device=like.device)


def _transform(like: Tensor) -> Tensor:
    """Return the orthonormal cosine transform of 8 values."""
    at = torch.arange(BLOCK, dtype=torch.float64)
    rows = torch.cos(math.pi * (2 * at + 1) * at[:, None] / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    rows[0] /= math.sqrt(2)
    return rows.to(like)


def _cosines(plane: Tensor) -> Tensor:
    """Return the transform of all blocks of a plane of whole ones, (rows, columns, 8, 8)."""
    height, width = plane.shape
    blocks = plane.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(1, 2)
    matrix = _transform(plane)
    return matrix @ blocks @ matrix.mT


def _cosines_back(blocks: Tensor) -> Tensor:
    """Return the plane of transformed blocks: inverse and adjoint of `_cosines`."""
    matrix = _transform(blocks)
    return (matrix.mT @ blocks @ matrix).transpose(1, 2).flatten(2).flatten(0, 1)


def _extended(plane: Tensor, rows: int, columns: int) -> Tensor:
    """Repeat the last row and column up to a size."""
    index = [
        torch.arange(n, device=plane.device).clamp(max=size - 1)
        for n, size in zip((rows, columns), plane.shape, strict=True)
    ]
    return plane[index[0]][:, index[1]]


def _folded(plane: Tensor, height: int, width: int) -> Tensor:
    """Add up what `_extended` repeats: its adjoint."""
    for axis, size in enumerate((height, width)):
        index = torch.arange(plane.shape[axis], device=plane.device).clamp(max=size - 1)
        shape = [size if a == axis else n for a, n in enumerate(plane.shape)]
        plane = plane.new_zeros(shape).index_add_(axis, index, plane)
    return plane
