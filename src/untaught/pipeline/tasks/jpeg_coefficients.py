"""The whole numbers that a JPEG file stores, from what a decoder shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.image.formats.base import decoding, pillow
from untaught.image.formats.jpeg import MAGIC
from untaught.image.lazy import copied
from untaught.operators.cut import Window
from untaught.operators.jpeg import BLOCK, Jpeg

SHIFT = 128.0  # grey levels that JPEG takes off before it transforms
ASK = "'untaught inspect' says what to do with it"
SWEEPS = 60  # most rounds in which cut-off values are found
EXACT = 1.0  # grey levels by which a decoder's arithmetic may be off


@dataclass(frozen=True)
class Stored:
    """What a JPEG file stores, as a decoder shows it before colours are mixed.

    Attributes
    ----------
    operator : Jpeg
        What was rounded, and by how much.
    planes : tuple of ndarray
        uint8, (h, w) of every component, at the resolution at which it is stored.
    """

    operator: Jpeg
    planes: tuple[NDArray[np.uint8], ...]

    def levels(self, window: Window | None = None) -> tuple[Tensor, Jpeg]:
        """Return y, (1, M), and the operator with y = round(A x); of a window that begins where blocks do.

        The transform of what is shown, in steps of the tables, is whole up to the decoder's rounding. Where it has
        cut values off at 0 and 255, whole numbers that give these are looked for.
        """
        operator = self.operator
        if window is not None:
            operator = operator.part(window)
        parts = (
            plane if window is None else plane[tuple(self._stored(side, factor) for side in window)]
            for plane, factor in zip(self.planes, operator.factors, strict=True)
        )
        return _whole(operator, [part.astype(np.float32) for part in parts]), operator

    def _stored(self, side: slice, factor: int) -> slice:
        """Return the rows, or columns, of a component behind those of a picture."""
        return slice(side.start // factor, -(-side.stop // factor))


def levels_of(path: Path) -> tuple[Tensor, Jpeg]:
    """Return what a file stores, and the operator, see `Stored.levels`; raises what `stored_in` does."""
    return stored_in(path).levels()


def stored_in(path: Path) -> Stored:
    """Return what a file stores.

    A decoder gives brightness and colours before they are mixed, and colours at the resolution at which they are
    stored where it is asked for half the size.

    Raises
    ------
    InputError
        If the file is none of JPEG, or its colours are stored in another way than at full or half resolution.
    """
    with decoding(path, "JPEG"):
        data = path.read_bytes()
        if not data.startswith(MAGIC):
            raise InputError(f"{path} is no JPEG file, so it holds no tables of steps; {ASK}")
        with pillow(data, path) as opened:
            if opened.mode not in ("L", "RGB"):
                raise InputError(f"{path} is a {opened.mode} JPEG, neither grey nor RGB; convert it to RGB first")
            operator = _operator(opened, path)
        planes: dict[int, NDArray[np.uint8]] = {}
        for factor in set(operator.factors):
            shown = _planes(data, path, factor)
            numbers = [number for number, own in enumerate(operator.factors) if own == factor]
            planes |= {number: copied(shown[..., number]) for number in numbers}
    return Stored(operator, tuple(planes[number] for number in range(len(planes))))


def _operator(opened: Any, path: Path) -> Jpeg:
    layers, tables = opened.layer, opened.quantization
    factors = [(layers[0][1] / layer[1], layers[0][2] / layer[2]) for layer in layers]
    if opened.mode == "RGB" and opened.info.get("adobe_transform") == 0:
        raise InputError(f"{path} stores red, green and blue, not brightness and colours; {ASK}")
    if any(across != down or across not in (1, 2) for across, down in factors):
        raise InputError(
            f"{path} stores its colours at another resolution than the whole or half of the picture's; {ASK}"
        )
    return Jpeg(
        tuple(tuple(int(step) for step in tables[layer[3]]) for layer in layers),
        tuple(int(across) for across, _ in factors),
        (opened.height, opened.width),
    )


def _planes(data: bytes, path: Path, factor: int) -> NDArray[np.uint8]:
    """Return (h, w, components) at the whole size or, for factor 2, at half."""
    with pillow(data, path) as opened:
        if factor > 1 or opened.mode == "RGB":
            size = opened.width // factor, opened.height // factor
            opened.draft("YCbCr" if opened.mode == "RGB" else "L", size)
        values = np.asarray(opened, np.uint8)
    return values if values.ndim == 3 else values[..., None]


def _whole(operator: Jpeg, shown: list[np.ndarray[Any, Any]]) -> Tensor:
    """Return the numbers, whole ones in all blocks that do not reach over the edge."""
    found = []
    for number, plane in enumerate(shown):
        one = Jpeg((operator.tables[number],), (1,), (plane.shape[0], plane.shape[1]))
        found.append(_rounded(one, torch.from_numpy(np.ascontiguousarray(plane)).double() - SHIFT))
        first = found[-1].view(-1, BLOCK * BLOCK)[:, 0]
        if number == 0:
            first += SHIFT * BLOCK / operator.tables[0][0]  # which the operator does not take off
    return torch.cat([part.flatten() for part in found])[None].float()


def _rounded(one: Jpeg, shown: Tensor) -> Tensor:
    """Return the whole numbers behind one plane of grey levels around 0, (1, M)."""
    low, high = -SHIFT + EXACT / 2, 255 - SHIFT - EXACT / 2
    plane = shown
    for _ in range(SWEEPS):
        numbers = one.measured([plane / 255]).round()
        back = one.inverse(numbers)[0, 0] * 255
        cut = ((shown <= low) & (back < shown)) | ((shown >= high) & (back > shown))
        moved = torch.where(cut, back, shown)
        if torch.equal(moved, plane):
            break
        plane = moved
    exact = one.measured([plane / 255])
    return torch.where(_inside(one), numbers, exact)


def _inside(one: Jpeg) -> Tensor:
    """Return (1, M), True in blocks that lie within the picture."""
    rows, columns = (torch.arange(-(-side // BLOCK)) < side // BLOCK for side in one.size)
    inside = (rows[:, None] & columns)[..., None].expand(-1, -1, BLOCK * BLOCK)
    return inside.reshape(1, -1)
