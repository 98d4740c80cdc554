"""Planes made ready for the eye: one stretch for before and after, 1:1 crops, an amplified residual."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.results import text as words
from untaught.results.restoration import Restoration, representative

Bytes = NDArray[np.uint8]
Box = tuple[int, int, int, int]

FULL_SIDE = 600  # a picture up to this side is shown whole, at 1:1
FULL_SAMPLES = 1_200_000  # ... unless all planes together would make the page heavy
CROP = 256
LARGE = 2048  # pixels: of a longer side the middle
STRETCH = (0.1, 99.9)  # percentiles; the far tails would cost the rest its contrast
GAINS = (0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 80, 100, 200, 500, 1000)
MISSING = (214, 108, 0)  # no grey is this orange, so a hole cannot be taken for a value


@dataclass(frozen=True)
class Pair:
    """One plane before and after, float32 (H, W, C), C 1 or 3, in units of the value range."""

    name: str
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    missing: NDArray[np.bool_]
    index: int = 0
    left: NDArray[np.bool_] | None = None  # (H, W): what was left as it is, such as padding
    window: tuple[slice, slice] = (slice(None), slice(None))  # of the plane, which is of the `shape`
    shape: tuple[int, int] | None = None

    @property
    def told(self) -> NDArray[np.bool_]:
        """Where the residual tells of the noise, (H, W)."""
        return ~self.missing if self.left is None else ~(self.missing | self.left)

    @property
    def residual(self) -> NDArray[np.float32] | None:
        """Before minus after, zero where nothing was measured; None when the sizes differ."""
        if self.before.shape != self.after.shape:
            return None
        difference = self.before - self.after
        return np.where(self.missing[..., None], np.float32(0), difference)


@dataclass(frozen=True)
class Stretch:
    """The values (in units of the value range) that are drawn black and white."""

    low: float
    high: float
    applied: bool

    def __call__(self, values: NDArray[np.floating[Any]]) -> Bytes:
        """Return `values` as 8-bit levels."""
        scaled = (np.nan_to_num(values) - self.low) / (self.high - self.low)
        levels: Bytes = np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
        return levels


def pairs(result: Restoration) -> list[Pair]:
    """Return the planes to show: the one that stands for the picture first, then the middle and the last."""
    count = min(result.input.n_planes, result.picture.n_planes)
    plane = representative(result.planes)
    first = 0 if plane is None else plane.index
    found = [_pair(result, index, count) for index in sorted({first, count // 2, count - 1})]
    return sorted(found, key=lambda pair: pair.index != first)


def _pair(result: Restoration, index: int, count: int) -> Pair:
    """Return a plane before and after; of a large one the middle, for no page shows more of it in detail."""
    sizes = [(picture.height, picture.width) for picture in (result.input, result.picture)]
    window = (middle(sizes[0][0]), middle(sizes[0][1])) if sizes[0] == sizes[1] else (slice(None), slice(None))
    b, a = (picture.plane(index, window) for picture in (result.input, result.picture))
    label = words.plane_name(b.index, count, b.label)
    return Pair(label, b.values, a.values, b.missing, index, b.working.left, window, sizes[0])


def middle(length: int) -> slice:
    """Return what a page shows of a side: of one that is longer than `LARGE`, its middle."""
    side = min(length, LARGE)
    return slice((length - side) // 2, (length - side) // 2 + side)


def stretch_of(result: Restoration, shown: Sequence[Pair]) -> Stretch:
    """Return one stretch for all planes, before and after: none for 8 bits, else percentiles of `after`."""
    if result.input.array.dtype == np.uint8:
        return Stretch(0.0, 1.0, False)
    told = [pair.after if pair.residual is None else pair.after[pair.told] for pair in shown]
    values = np.concatenate([after.ravel() for after in told])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return Stretch(0.0, 1.0, False)
    low, high = (float(v) for v in np.percentile(values, STRETCH))
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    return Stretch(low, high, True)


def gain_of(shown: Sequence[Pair], stretch: Stretch) -> float:
    """Return the largest round gain that keeps three standard deviations of the residual inside the greys."""
    parts = [pair.residual[pair.told] for pair in shown if pair.residual is not None]
    spread = float(np.concatenate([p.ravel() for p in parts]).std()) if parts else 0.0
    spread /= stretch.high - stretch.low
    if spread == 0 or not np.isfinite(spread):
        return 1.0
    fitting = [gain for gain in GAINS if 3 * spread * gain <= 0.5]
    return float(fitting[-1]) if fitting else GAINS[0]


def before_after(pair: Pair, stretch: Stretch) -> tuple[Bytes, Bytes]:
    """Return both pictures as 8-bit levels, the pixels that were missing in orange in the first."""
    before = stretch(pair.before)
    if pair.missing.any():
        before = np.repeat(before, 3, axis=-1) if before.shape[-1] == 1 else before.copy()
        before[pair.missing] = MISSING
    return before, stretch(pair.after)


def residual_levels(pair: Pair, stretch: Stretch, gain: float) -> Bytes | None:
    """Return mid grey plus `gain` times the residual, in the contrast of the pictures beside it."""
    if pair.residual is None:
        return None
    half = (stretch.high - stretch.low) / (2 * gain)
    return Stretch(-half, half, True)(pair.residual)


def crops(pair: Pair) -> list[tuple[str, Box]]:
    """Return the centre, the most textured and the flattest place as (name, (top, left, height, width))."""
    height, width = pair.after.shape[:2]
    h, w = min(CROP, height), min(CROP, width)
    centre = ((height - h) // 2, (width - w) // 2, h, w)
    found = [("centre", centre)]
    texture, usable = _crop_scores(pair, h, w)
    for name, score in (("most textured place", -texture), ("flattest place", texture)):
        box = _best(score + np.where(usable > 0.5, 0, np.inf), h, w, [b for _, b in found])
        if box is not None:
            found.append((name, box))
    return found


def _crop_scores(pair: Pair, h: int, w: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean gradient magnitude and the share of measured, unclipped pixels, on a grid of crops."""
    grey = pair.after.mean(axis=-1)
    rows, columns = np.gradient(np.nan_to_num(grey))
    usable = np.ones(grey.shape, dtype=float)
    if pair.before.shape == pair.after.shape:
        inside = (pair.before > 0).any(axis=-1) & (pair.before < 1).any(axis=-1)
        usable = (inside & ~pair.missing).astype(float)
    return _window_mean(np.hypot(rows, columns), h, w), _window_mean(usable, h, w)


STRIDE = 16


def _window_mean(values: NDArray[Any], h: int, w: int) -> NDArray[Any]:
    total = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    corners = total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]
    means: NDArray[Any] = corners[::STRIDE, ::STRIDE] / (h * w)
    return means


def _best(score: NDArray[Any], h: int, w: int, taken: list[Box]) -> Box | None:
    """Return the crop of lowest finite score that overlaps no crop already taken by more than a quarter."""
    for flat in np.argsort(score, axis=None):
        row, column = np.unravel_index(flat, score.shape)
        if not np.isfinite(score[row, column]):
            return None
        box = (int(row) * STRIDE, int(column) * STRIDE, h, w)
        if all(_overlap(box, other) <= 0.25 * h * w for other in taken):
            return box
    return None


def _overlap(a: Box, b: Box) -> int:
    high = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    wide = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(high, 0) * max(wide, 0)


def overview(levels: Bytes, boxes: Sequence[Box], side: int = FULL_SIDE) -> Bytes:
    """Return the picture reduced to at most `side` by averaging, with the crops drawn in and lettered."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    height, width = levels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = _pillow(levels).convert("RGB").resize(size, Pillow.Resampling.BOX)
    draw = ImageDraw.Draw(small)
    for letter, (top, left, h, w) in zip("ABC", boxes, strict=False):
        corner = (left * scale, top * scale)
        draw.rectangle((*corner, (left + w) * scale - 1, (top + h) * scale - 1), outline=MISSING, width=2)
        draw.rectangle((*corner, corner[0] + 15, corner[1] + 15), fill=MISSING)
        draw.text((corner[0] + 5, corner[1] + 2), letter, fill=(255, 255, 255))
    return np.asarray(small)


def data_uri(levels: Bytes) -> str:
    """Return a PNG of 8-bit levels, shape (H, W, 1) or (H, W, 3), as a data URI."""
    return png_uri(png_of(levels))


def png_of(levels: Bytes) -> bytes:
    """Return 8-bit levels, shape (H, W, 1) or (H, W, 3), as the bytes of a PNG."""
    buffer = io.BytesIO()
    _pillow(levels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def jpeg_of(levels: Bytes, quality: int, subsampling: int = -1) -> bytes:
    """Return the same as the bytes of a JPEG; `subsampling` as Pillow has it, 0 for none."""
    buffer = io.BytesIO()
    _pillow(levels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def png_uri(png: bytes) -> str:
    """Return the bytes of a PNG as a data URI."""
    return _uri(png, "png")


def jpeg_uri(jpeg: bytes) -> str:
    """Return the bytes of a JPEG as a data URI."""
    return _uri(jpeg, "jpeg")


def _uri(encoded: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def _pillow(levels: Bytes) -> Any:
    from PIL import Image as Pillow

    return Pillow.fromarray(np.ascontiguousarray(levels[..., 0] if levels.shape[-1] == 1 else levels))
