"""One stage of `NonLocal` on a processor: its tiles, shared out among threads, in compiled code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.non_local.block_matching import COARSE, Grid, Tile, added, tiles
from untaught.methods.non_local.cubes import Cubes
from untaught.methods.non_local.kernels.combination import combination
from untaught.methods.non_local.kernels.compiling import quickly
from untaught.methods.non_local.kernels.prediction import prediction
from untaught.methods.non_local.kernels.search import BLOCK
from untaught.methods.non_local.kernels.vectors import LANES
from untaught.methods.non_local.kernels.wiener import wiener
from untaught.methods.non_local.noise_covariance import Covariance

SIDE = 24  # references on a side of one tile: what three channels of it take stays in the second cache


class Part(NamedTuple):
    """A tile as compiled code takes it: the sizes of the part of the picture and of the grid, and its references.

    Of a picture: a plane, patches of one layer. Patches with depth, or of planes in time, lie in `planes` planes;
    references `pace` planes apart are compared with patches up to `depth` planes away. `reach` is the number of
    distances that a search may write, rows of whole vectors.
    """

    planes: int
    height: int
    width: int
    layers: int
    patch: int
    pace: int
    step: int
    depth: int
    radius: int
    group: int
    front: int
    top: int
    left: int
    deep: int
    down: int
    across: int
    reach: int

    @classmethod
    def of(cls, tile: Tile, grid: Grid | Cubes) -> Part:
        """Return that of a tile of a grid."""
        planes, height, width = [1, *(span.stop - span.start for span in tile.window[1:])][-3:]
        (front, top, left), (deep, down, across) = (0, *tile.corner)[-3:], (1, *tile.shape)[-3:]
        layers, pace, depth = (grid.layers, grid.pace, grid.depth) if isinstance(grid, Cubes) else (1, 1, 0)
        side = 2 * grid.radius + 1
        return cls(
            planes=planes,
            height=height,
            width=width,
            layers=layers,
            patch=grid.patch,
            pace=pace,
            step=grid.step,
            depth=depth,
            radius=grid.radius,
            group=grid.group,
            front=front,
            top=top,
            left=left,
            deep=deep,
            down=down,
            across=across,
            reach=(2 * depth + 1) * side * -(-side // LANES) * LANES,
        )


@dataclass(frozen=True)
class Pictures:
    """What one stage works on, padded, (C, H, W) or (C, D, H, W), in units in which the mean variance is 1.

    Attributes
    ----------
    y, pilot : Tensor
        What is filtered, and what by, if there is something.
    variance : Tensor
        Of `y`; one value a channel where it is the same everywhere.
    guide : Tensor
        What is compared.
    covariance : Covariance or None
        What neighbours share of the noise.
    """

    y: Tensor
    pilot: Tensor | None
    variance: Tensor
    guide: Tensor
    covariance: Covariance | None = None

    def shared(self, kind: str, grid: Grid | Cubes) -> NDArray[np.float32] | None:
        """Return the correlation that the kernel for a kind of stage takes, nothing for white noise."""
        if self.covariance is None or self.covariance.white:
            return None
        if kind != "wiener":
            return self.covariance.around(2 * grid.radius).flatten(1).numpy()
        layers = torch.eye(grid.layers if isinstance(grid, Cubes) else 1)  # planes share no noise
        within = torch.stack([torch.kron(layers, part) for part in self.covariance.within(grid.patch)[:, 0]])
        spare = -within.shape[1] % LANES
        return F.pad(within, (0, spare, 0, spare)).flatten(1).numpy()


def filtered(kind: Literal["sure", "ridge", "wiener"], grid: Grid | Cubes, pictures: Pictures) -> Tensor:
    """Return the weighted mean of what overlapping patches say of a padded picture, (C, H, W) or (C, D, H, W).

    Parameters
    ----------
    kind : {"sure", "ridge", "wiener"}
        Which map.
    grid : Grid or Cubes
        Where the references lie: of `Cubes` in planes.
    pictures : Pictures
        What is filtered, and by what.
    """
    y = pictures.y
    kernel = wiener if kind == "wiener" else combination
    shared, numbers = pictures.shared(kind, grid), compared(pictures.guide, grid)
    uniform = pictures.variance[0].numel() == 1
    places = list(grid.tiles(y.shape) if isinstance(grid, Cubes) else tiles(grid, y.shape, SIDE))

    def work(tile: Tile) -> tuple[Tensor, Tensor]:
        part = Part.of(tile, grid)
        slack = BLOCK * part.width + 2 * LANES
        pilot = np.empty((0, 1), np.float32) if pictures.pilot is None else flat(pictures.pilot[tile.window])
        given = pictures.variance.flatten(1).numpy() if uniform else flat(pictures.variance[tile.window])
        values = flat(numbers[tile.window], slack).ravel(), flat(y[tile.window]), pilot, given
        sums, weights = empty_sums(part, len(y))
        kernel(part, values, shared, offsets_of(part, len(y), slack), sums, weights)
        return shaped(sums, y[tile.window]), shaped(weights, y[tile.window])

    with quickly():
        return added(work, places, y)


def predicted(grid: Grid, picture: Tensor, missing: Tensor, law: tuple[float, float, int]) -> Tensor:
    """Return what overlapping patches say of the missing values of a padded picture; NaN where nothing is missing.

    Parameters
    ----------
    grid : Grid
        Where the references lie.
    picture, missing : Tensor
        (C, H, W), float32: values, and 1 where they are to be told anew, 0 elsewhere.
    law : tuple
        Ridge and sweeps; see `kernels.prediction`.
    """
    numbers = compared(picture, grid)

    def work(tile: Tile) -> tuple[Tensor, Tensor]:
        part, values = Part.of(tile, grid), picture[tile.window]
        sums, weights = empty_sums(part, len(values))
        if bool(missing[tile.window].any()):
            slack = BLOCK * part.width + 2 * LANES
            pictures = flat(numbers[tile.window], slack).ravel(), flat(values), flat(missing[tile.window])
            prediction(part, pictures, law, offsets_of(part, len(values), slack), sums, weights)
        return shaped(sums, values), shaped(weights, values)

    with quickly():
        return added(work, list(tiles(grid, picture.shape, SIDE)), picture)


def empty_sums(part: Part, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return room for what is added up in a tile, a row a channel with a vector behind it: answers and trust."""
    size = part.planes * part.height * part.width + LANES
    return np.zeros((channels, size), np.float32), np.zeros((channels, size), np.float32)


def shaped(sums: NDArray[np.float32], like: Tensor) -> Tensor:
    """Return such sums as a picture."""
    return torch.from_numpy(sums[:, : like[0].numel()].reshape(like.shape))


def compared(guide: Tensor, grid: Grid | Cubes) -> Tensor:
    """Return the picture whose values patches are compared by: of large patches the means of 2 x 2 pixels."""
    if grid.patch < COARSE:
        return guide
    return F.pad(F.avg_pool2d(guide, 2, stride=1), (0, 1, 0, 1))  # what is added there, no patch reaches


def offsets_of(part: Part, channels: int, slack: int) -> NDArray[np.int64]:
    """Return where the numbers of a patch lie, counted from its corner."""
    steps = np.arange(0, part.patch - 1, 2) if part.patch >= COARSE else np.arange(part.patch)
    size = part.height * part.width
    starts = np.arange(channels)[:, None] * (part.planes * size + slack) + np.arange(part.layers) * size
    found: NDArray[np.int64] = (starts[:, :, None, None] + steps[:, None] * part.width + steps).ravel()
    return found


def flat(picture: Tensor, slack: int = 2 * LANES) -> NDArray[np.float32]:
    """Return a (C, ...) picture as one row a channel, and so many zeros behind each."""
    values = picture.numpy().reshape(len(picture), -1)
    found = np.zeros((len(values), values.shape[1] + slack), np.float32)
    found[:, : values.shape[1]] = values
    return found
