"""A task with an operator in parts: each tile through the part of the operator that is its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.image.lazy import in_words
from untaught.image.plane import Plane, Window
from untaught.image.tiling import Tile, Tiling
from untaught.noise import NoiseModel
from untaught.operators.cut import Cut
from untaught.operators.structure import windowed
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.make_problem import Measured, noise_of
from untaught.pipeline.plane.through_operator import restore_measured
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.pipeline.tiles import survey
from untaught.pipeline.tiles.holes import Filled, holes_first
from untaught.pipeline.tiles.memory_need import memory_for, tiling_for
from untaught.pipeline.tiles.parts import Settled, Whole, left
from untaught.pipeline.tiles.survey import Survey, put_together, squares
from untaught.problem import array, tensor
from untaught.risk.estimate import Risk

# Pixels: windows begin at multiples of it, so that patches, one every 4 pixels, are those of the whole. Without,
# enlargements by 2 and blurs were .1 dB off. The patches of missing pixels are 7 x 7.
GRID, GRID_OF_HOLES = 8, 28


@dataclass(frozen=True)
class ThroughOperator:
    """A picture is restored that was measured through a local operator; see `Parts`.

    Every tile decides for itself what fits it, for that depends on what is missing there and on nothing else but
    the operator; a recipe of `auto` decides again.

    Attributes
    ----------
    task : Task
        What is asked of the whole.
    tiling : Tiling
        How the measurement is cut.
    guide : Image or None
        Another picture of the same scene, of the size of the answer.
    """

    task: Task
    tiling: Tiling
    guide: Image | None = None

    @property
    def scale(self) -> int:
        """See `Parts`."""
        return self._cut.scale

    def channels(self, picture: Image, index: int) -> int:
        """See `Parts`."""
        return self.task.measures.picture_shape((1, len(picture.group(index)), picture.height, picture.width))[1]

    def settled(self, whole: Whole, request: Request) -> Settled:
        """See `Parts`: the noise of the whole, and what is in holes that no tile sees all of."""
        if (request.asked or {}).get("method") == "auto":
            request = replace(request, method="auto", rule=None, pilot=None)
        noise, notes = self._noise(whole.picture, whole.index, request)
        seen = Survey(whole.picture, whole.index, None, noise, notes)
        found = Settled(seen, request, self._solved)
        filled = holes_first(found, whole, self.missing) if self.task.folded[0] is None else None
        return found if filled is None else replace(found, solve=partial(self._solved, filled=filled))

    def untouched(self, plane: Plane, tile: Tile) -> Answer:
        """See `Parts`: what the operator makes of it at once."""
        return replace(left(plane), values=self.first(plane, tile))

    def first(self, plane: Plane, tile: Tile) -> NDArray[np.float32]:
        """Return (H, W, C): what the operator makes of a tile at once."""
        measures = self.task.part(tile.window).measures
        return array(measures.visible(measures.initial(tensor(plane.values))))

    def missing(self, plane: Plane, window: Window) -> NDArray[np.bool_]:
        """Return where nothing was measured in a window, (H, W)."""
        mask = Measured.of(plane).mask(self.task.part(window))
        return np.asarray((mask[0] == 0).all(0).numpy(), np.bool_)

    @property
    def _cut(self) -> Cut:
        cut = self.task.cut
        assert cut is not None, "a task that cannot be cut is not done in parts"
        return cut

    def _solved(self, plane: Plane, tile: Tile, request: Request, filled: Filled | None = None) -> Answer | None:
        if plane.values.max() == plane.values.min():
            return None
        known = None if filled is None else filled.known(tile.window)
        measured = replace(
            Measured.of(plane, self._guide(tile)), own=plane.core, seen=_seen(tile, self._cut), known=known
        )
        values = plane.values
        if known is not None and filled is not None:
            values = filled.laid(values, tile.window)
            measured = replace(measured, y=tensor(values))
        task = self.task.part(tile.window)
        if _whole(measured, task, request.noise):
            found = replace(left(plane, Risk(0.0, 0.0)), values=values)
        else:
            found = restore_measured(measured, task, request)
        return found if filled is None else filled.told(found, tile)

    def _guide(self, tile: Tile) -> Tensor | None:
        return None if self.guide is None else tensor(self.guide.plane(0, tile.scaled(self.scale).window).values)

    def _noise(self, picture: Image, index: int, request: Request) -> tuple[NoiseModel, tuple[str, ...]]:
        """Return the law of the noise of a plane, and what there is to say of it."""
        grid = squares(picture, survey.SAMPLED // len(picture.group(index)), self._cut.step)
        values, missing, _ = put_together(picture, index, grid)
        y, mask = tensor(values), torch.from_numpy(~missing).float()[None, None]
        last = self.task.folded[1]
        if last is not None:
            mask = mask * torch.cat([torch.cat([last[..., r, c] for r, c in row], dim=-1) for row in grid], dim=-2)
        height, width = values.shape[:2]
        operator = windowed(self.task.folded[0], (slice(0, height), slice(0, width)))
        return noise_of(y, mask, operator, request.noise)


def parts_for(picture: Image, task: Task, request: Request) -> ThroughOperator | None:
    """Return how the planes of a measurement are taken in parts; None where they are taken whole.

    Raises
    ------
    InputError
        Where a picture does not fit the operator; where the memory that was given is too little for the whole and
        the operator cannot be cut, or for one part.
    """
    channels = len(picture.groups[0])
    shape = task.measures.picture_shape((1, channels, picture.height, picture.width))
    cut = task.cut
    if cut is None and request.memory is None:
        return None
    grid = GRID_OF_HOLES if task.folded[0] is None else GRID
    tiling = tiling_for(picture, request, (cut or Cut()).aligned(grid), shape[1])
    if tiling is None:
        return None
    if cut is None:
        raise InputError(
            f"what is measured through {task.measures.name} may depend on all of the picture, so {task.name} "
            f"works on whole planes, and those of {picture.name} take more than the "
            f"{in_words(memory_for(request))} of memory that may be used; allow more, or give a smaller picture"
        )
    return ThroughOperator(task, tiling)


def _whole(measured: Measured, task: Task, noise: NoiseModel | None) -> bool:
    """Say whether a tile of a picture that is free of noise misses nothing."""
    if task.folded[0] is not None or noise is None or noise.replaces or not noise.leaves_clean:
        return False
    return bool((measured.completed(measured.mask(task)) > 0).all())


def _seen(tile: Tile, cut: Cut) -> Tensor | None:
    """Return 0, (1, 1, H, W), where what was measured in a tile depends on what lies beyond it."""
    if not cut.lost:
        return None
    sides = [torch.ones(span.stop - span.start) for span in (tile.rows, tile.columns)]
    for side, span in zip(sides, (tile.rows, tile.columns), strict=True):
        if span.start > 0:
            side[: cut.lost] = 0
        if span.stop < span.length:
            side[-cut.lost :] = 0
    return (sides[0][:, None] * sides[1])[None, None]
