"""Blocks of a series that are done, kept on disk: after a break the same call goes on behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from untaught.fitting.checkpoint import load, remove, save, taken_up
from untaught.pipeline.stacks.blocks import Block
from untaught.problem import Estimate, Response


@dataclass(frozen=True)
class Estimated:
    """The estimates of a block, and what they told of the level: a factor on the variance, and its error."""

    estimates: list[Estimate]
    told: tuple[float, float] | None = None


@dataclass(frozen=True)
class Kept:
    """Where blocks are kept, one file each beside `path`, and of what run they are; nowhere without a path."""

    path: Path | None
    identity: dict[str, Any]

    def load(self, block: Block, like: Sequence[Tensor]) -> Estimated | None:
        """Return a block that was done before, if it was; `like` are the planes that it is of.

        Raises
        ------
        InputError
            If the file is no checkpoint, or one of another run.
        """
        if self.path is None:
            return None
        saved = load(self._file(self.path, block), self._own(block), like[0].device)
        if saved is None:
            return None
        with taken_up(self._file(self.path, block)):
            images, crosses, told = (saved[name] for name in ("images", "crosses", "told"))
            if not images.shape == crosses.shape == (len(like), *like[0].shape):
                raise ValueError("it is of other planes")
            factor = None if told is None else (float(told[0]), float(told[1]))
            return Estimated([_estimate(*pair) for pair in zip(images, crosses, strict=True)], factor)

    def save(self, block: Block, done: Estimated) -> str:
        """Write a block; return why it could not be written, or nothing."""
        if self.path is None:
            return ""
        images = torch.stack([one.image for one in done.estimates])
        crosses = torch.stack([_cross(one) for one in done.estimates])
        saved = {"identity": self._own(block), "images": images, "crosses": crosses, "told": done.told}
        return save(self._file(self.path, block), saved)

    def clear(self, blocks: Sequence[Block]) -> None:
        """Remove what was kept."""
        for file in self._files(blocks):
            remove(file)

    def _files(self, blocks: Sequence[Block]) -> Iterator[Path]:
        if self.path is not None:
            yield from (self._file(self.path, block) for block in blocks)

    def _file(self, path: Path, block: Block) -> Path:
        first = self.identity["planes"][block.first]
        tile = block.tile
        part = "" if tile is None else f".{tile.rows.start}.{tile.columns.start}"
        return path.with_name(f"{path.name}.plane{first}{part}")

    def _own(self, block: Block) -> dict[str, Any]:
        return {**self.identity, "block": list(block.name)}


def _cross(one: Estimate) -> Tensor:
    """Return what the responses come to: the sum of probe times what moved."""
    return sum((r.probe * r.moved for r in one.responses), torch.zeros_like(one.image))


def _estimate(image: Tensor, cross: Tensor) -> Estimate:
    return Estimate(image, responses=(Response(cross, torch.ones_like(cross)),))
