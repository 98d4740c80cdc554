"""Crops of a picture to learn from, flipped and turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from untaught.methods.self_supervised.learner import Batch


@dataclass(frozen=True)
class Cut:
    """Where a square of a picture is, and how it is turned; `upright`: by 180 degrees, or not at all."""

    top: int
    left: int
    size: int
    quarters: int
    flip: bool
    upright: bool

    @classmethod
    def draw(cls, shape: tuple[int, int], size: int, generator: torch.Generator, upright: bool = False) -> Cut:
        """Draw one from a picture of so many rows and columns; it is smaller where the picture is."""
        size = min(size, *shape)
        ends = (shape[0] - size + 1, shape[1] - size + 1, 4, 2)
        top, left, quarters, flip = (int(torch.randint(n, (1,), generator=generator)) for n in ends)
        return cls(top, left, size, quarters, bool(flip), upright)

    def of(self, layers: Tensor) -> Tensor:
        """Return the square of (1, L, H, W)."""
        rows, columns = (slice(first, first + self.size) for first in (self.top, self.left))
        cropped = layers[..., rows, columns]
        if self.upright:
            return cropped.flip(2, 3) if self.flip else cropped
        return turned(cropped, self.quarters, self.flip)


def turned_crop(layers: Tensor, size: int, generator: torch.Generator, upright: bool = False) -> Tensor:
    """Return a random square crop of (1, L, H, W), flipped and turned, or if `upright` turned by 180 degrees."""
    height, width = layers.shape[-2:]
    return Cut.draw((height, width), size, generator, upright).of(layers)


def turned(x: Tensor, quarters: int, flip: bool) -> Tensor:
    """Return (B, L, H, W) turned by so many quarters, and flipped."""
    x = torch.rot90(x, quarters, (2, 3))
    return x.flip(3) if flip else x


def cropped(whole: Batch, cut: Cut) -> Batch:
    """Return the square of one picture and of all that belongs to it."""
    noise, levels = whole.noises[0], whole.noises[0].pixel_levels
    if levels is not None:
        noise = noise.with_pixel_levels(cut.of(torch.from_numpy(levels).float()[None, None])[0, 0].numpy())
    return replace(whole.each(cut.of), noises=(noise,))


def joined(batches: Sequence[Batch]) -> Batch:
    """Return several batches of one size as one; what one of them lacks, all do."""

    def all_of(parts: Sequence[Tensor | None]) -> Tensor | None:
        there = [part for part in parts if part is not None]
        return torch.cat(there) if len(there) == len(parts) else None

    return Batch(
        torch.cat([batch.y for batch in batches]),
        tuple(noise for batch in batches for noise in batch.noises),
        torch.cat([batch.mask for batch in batches]),
        all_of([batch.second for batch in batches]),
        all_of([batch.context for batch in batches]),
    )
