"""The answers of a series as they come, of whole planes or of tiles, on the disk where they are large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from untaught.image.image import Image
from untaught.image.lazy import in_words
from untaught.image.tiling import Tile
from untaught.pipeline.answer import Answer
from untaught.pipeline.hold_answers import Held
from untaught.pipeline.stacks.blocks import Block
from untaught.pipeline.tiles.join_tiles import NOWHERE, Canvas, Laid, joined


class SeriesCanvas:
    """Where the answers of a series are laid; what others have laid down elsewhere is not held here."""

    def __init__(self, picture: Image, planes: Sequence[int], shape: tuple[int, int, int], memory: int) -> None:
        self.planes = {index: place for place, index in enumerate(planes)}
        self.shape, self.memory = shape, memory
        self.exact = picture.array.itemsize > 2  # as exact as the numbers that they become
        self.held = Held(len(planes), np.float64 if self.exact else np.float32)
        self.begun: dict[int, tuple[Canvas, list[Laid]]] = {}

    def laid(self, block: Block, answers: Mapping[int, Answer]) -> dict[int, Answer]:
        """Lay the answers for a block, and return those of whole planes, whose values lie here."""
        if block.tile is None:
            return {index: self.held.laid(self.planes[index], answer) for index, answer in answers.items()}
        found = {}
        for index, answer in answers.items():
            canvas, tiles = self.begun.setdefault(index, (Canvas(self.shape, self.exact), []))
            canvas.lay(block.tile, answer)
            tiles.append(Laid(block.tile, replace(answer, values=NOWHERE, std=None, kept=None)))
            if len(tiles) == block.tiles:
                del self.begun[index]
                whole = joined(canvas, tiles, (self._said(block.tile, len(tiles)),))
                found[index] = self.held.laid(self.planes[index], whole)
        return found

    def _said(self, tile: Tile, count: int) -> str:
        rows, columns = tile.window
        size = f"{columns.stop - columns.start} x {rows.stop - rows.start}"
        return (
            f"it was restored in {count} parts of {size} pixels, which overlap, each with the same part of the "
            f"planes around it, to need no more than {in_words(self.memory)} of memory"
        )
