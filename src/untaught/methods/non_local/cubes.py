"""Where patches with depth lie in a volume: a grid of references, and its tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from untaught.methods.non_local.block_matching import Tile, mirrored, shares_of

SIDE = 12  # references on a side of one tile


@dataclass(frozen=True)
class Cubes:
    """Where the reference patches of a padded volume, (C, D, H, W), lie.

    Attributes
    ----------
    layers, patch : int
        Planes of a patch, and its side, in pixels.
    pace, step : int
        Distance of neighbouring references in planes, and in rows and columns.
    depth, radius : int
        Similar patches are looked for at offsets up to these, in planes, and in rows and columns.
    group : int
        Patches in a group, the reference itself included.
    shift : tuple of int
        Planes, and rows and columns, by which the grid starts before the volume.
    """

    layers: int
    patch: int
    pace: int
    step: int
    depth: int
    radius: int
    group: int
    shift: tuple[int, int] = (0, 0)

    def fitted(self, planes: int, height: int, width: int) -> Cubes:
        """Return the grid with patches and groups no larger than a (planes, height, width) volume holds."""
        layers = min(self.layers, max(1, planes // 2))
        patch = min(self.patch, max(1, min(height, width) // 2))
        counts = (
            min(size - side, reach) + 1
            for size, side, reach in (
                (planes, layers, self.depth),
                (height, patch, self.radius),
                (width, patch, self.radius),
            )
        )
        room = 1
        for count in counts:
            room *= count
        return replace(
            self,
            layers=layers,
            patch=patch,
            pace=min(self.pace, layers),
            step=min(self.step, patch),
            group=min(self.group, room),
            shift=(min(self.shift[0], layers - 1), min(self.shift[1], patch - 1)),
        )

    def pad(self, volume: Tensor) -> Tensor:
        """Mirror a (C, D, H, W) volume, edges repeated, so that the grid covers it; any size."""
        for axis, (side, step, shift) in enumerate(self._axes(), 1):
            size = volume.shape[axis]
            index = mirrored(size, shift, (side - size - shift) % step, volume.device)
            volume = volume.index_select(axis, index)
        return volume

    def crop(self, padded: Tensor, size: Sequence[int]) -> Tensor:
        """Undo `pad`."""
        planes, rows, columns = (
            slice(shift, shift + count) for (_, _, shift), count in zip(self._axes(), size, strict=True)
        )
        return padded[:, planes, rows, columns]

    def tiles(self, size: Sequence[int], most: int = SIDE) -> Iterator[Tile]:
        """Yield the tiles that cover the grid of a padded volume (C, D, H, W)."""
        axes = [
            [(share, *self._span(axis, *share, count)) for share in shares_of(self._count(axis, count), most)]
            for axis, count in enumerate(size[1:])
        ]
        for plane in axes[0]:
            for row in axes[1]:
                for column in axes[2]:
                    place = plane, row, column
                    window = slice(None), *(span for _, span, _ in place)
                    yield Tile(window, tuple(c for _, _, c in place), tuple(share[1] for share, _, _ in place))

    def _axes(self) -> tuple[tuple[int, int, int], ...]:
        """Return side, step and shift of every axis."""
        plane = self.patch, self.step, self.shift[1]
        return (self.layers, self.pace, self.shift[0]), plane, plane

    def _count(self, axis: int, size: int) -> int:
        side, step, _ = self._axes()[axis]
        return (size - side) // step + 1

    def _span(self, axis: int, first: int, count: int, size: int) -> tuple[slice, int]:
        """Return what a share of the references and their groups touch, and where the first of them is in it."""
        side, step, _ = self._axes()[axis]
        reach = self.depth if axis == 0 else self.radius
        start = max(0, first * step - reach)
        last = (first + count - 1) * step + side
        return slice(start, min(size, last + reach)), first * step - start
