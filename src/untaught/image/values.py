"""Values of a picture: which type, which range, which of them were measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, kind_of
from untaught.image.lazy import bands, copied, is_mapped, release

_NO_DATA = 1e30  # beyond it a float is a no-data marker (GIS writes -3.4e38) and overflows float32
_FAR = 1e15  # as many times beyond the rest it is one too (netCDF writes 1e20): its square nears float32's end
_REST = 0.05  # share of the values other than 0 that stands for the rest, the least; up to 95 % may be markers
_SAMPLED = 2**20  # pixels looked at for order statistics
_TAIL = 0.001  # share of the values at either end that may be hot pixels
_FEWEST = 3  # of them that may be so in a small picture


def value_range_of(values: NDArray[Any]) -> tuple[float, float]:
    """Return (low, high), the values that stand for 0 and 1.

    uint8 has (0, 255) and bool (0, 1), so that a noise level keeps its meaning between pictures. Of all others the
    ends are looked at, see `reach_of`, which a few hot pixels do not move. uint16 has (0, 65535) when these are
    a quarter of that apart; cameras of 10 or 12 bits do not, and their noise would be too small a part of that
    range to be seen. Other integers have (0, 255) when the ends lie within it (8-bit pictures in wide types).
    Floats have (0, 1) when they lie within [-0.5, 1.5] and are at least 0.05 apart. All else has the ends
    themselves; values outside the range are legal everywhere. Always high > low.
    """
    if values.dtype == np.uint8:
        return 0.0, 255.0
    if values.dtype == np.bool_:
        return 0.0, 1.0
    least, greatest, sample = survey(values)
    if not least < greatest:
        return (0.0, 1.0) if np.isnan(least) else (least, least + max(1.0, abs(least)))
    low, high = _ends(values, sample, (least, greatest))
    if not low < high:  # as where all but a few values are the same, and these on the verge of a marker
        low, high = least, greatest
    if values.dtype == np.uint16 and 4 * (high - low) >= 65535:
        return 0.0, 65535.0
    if values.dtype.kind in "iu" and low >= 0 and high <= 255:
        return 0.0, 255.0
    if values.dtype.kind == "f" and low >= -0.5 and high <= 1.5 and high - low >= 0.05:
        return 0.0, 1.0
    return low, high


def _ends(values: NDArray[Any], sample: NDArray[Any], all_of: tuple[float, float]) -> tuple[float, float]:
    """Return the least and greatest value of (..., H, W, S) within reach of a sample of them."""
    bottom, top = reach_of(sample)
    least, greatest = all_of
    if bottom <= least and greatest <= top:
        return least, greatest
    found = [ends_of(band, (bottom, top)) for band in bands(values)]
    return min(low for low, _ in found), max(high for _, high in found)


def ends_of(values: NDArray[Any], reach: tuple[float, float]) -> tuple[float, float]:
    """Return the least and greatest value within reach, (inf, -inf) where there is none."""
    bottom, top = map(np.float64, reach)  # of 64 bits, as float16 may not hold them
    near = values[(values >= bottom) & (values <= top)]
    return (float(near.min()), float(near.max())) if near.size else (np.inf, -np.inf)


def reach_of(sample: NDArray[Any]) -> tuple[float, float]:
    """Return how far down and up values belong to a picture: half of their span beyond where nearly all lie.

        q - (Q - q) / 2,   Q + (Q - q) / 2

    with q and Q the order statistics that leave out 0.1 % of the values at either end, and no fewer than three,
    the channels of one hot pixel. Where nearly all values are one, q and Q are those of the others with that one.
    """
    q, most = _order_statistics(sample)
    if q == most:
        others = sample[sample != q]
        if not others.size:
            return q, q
        least, greatest = _order_statistics(others)
        q, most = min(q, least), max(q, greatest)
    margin = (most - q) / 2
    return q - margin, most + margin


def _order_statistics(sample: NDArray[Any]) -> tuple[float, float]:
    last = sample.size - 1
    skipped = min(max(int(np.ceil(_TAIL * sample.size)), _FEWEST), last // 2)
    ordered = np.partition(sample, (skipped, last - skipped))
    return float(ordered[skipped]), float(ordered[last - skipped])


def native(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array in native byte order.

    Raises
    ------
    InputError
        When it is no array, masked, or neither boolean, integer nor a float of at most 64 bits.
    """
    if not isinstance(array, np.ndarray):
        raise InputError(f"the values of a picture are a numpy array, not {kind_of(array)}; give np.asarray(...)")
    if isinstance(array, np.ma.MaskedArray):
        raise InputError("the array is masked; fill it with NaN where values are missing")
    dtype = array.dtype
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise InputError(f"pictures of type {dtype} cannot be restored; give integers or floats")
    same = dtype.newbyteorder("=")
    if is_mapped(array) and dtype != same:
        return copied(array, same)
    return np.asarray(array, dtype=same)


def scaled(
    values: NDArray[Any], value_range: tuple[float, float], missing: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return (values - low) / (high - low), zero where `missing`, shape (H, W) of (H, W, C), is True."""
    low, high = value_range
    small = values.dtype.kind in "biu" and values.dtype.itemsize <= 2
    # float32 holds 16-bit integers exactly, and halves the memory
    working: NDArray[Any] = values.astype(np.float32) if small else doubles(values)
    if missing.any():
        working[missing] = low
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # of a range far too narrow or wide: values beyond all floats
        working -= low
        working /= high - low
        return np.ascontiguousarray(working, dtype=np.float32)


def unscaled(values: NDArray[Any], value_range: tuple[float, float], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return low + values (high - low), rounded for integers and clipped to what the type can hold."""
    low, high = value_range
    wide = values.astype(np.float64) * (high - low) + low
    if dtype.kind != "f":
        wide = np.rint(wide)
    return np.asarray(np.clip(wide, *limits(dtype)).astype(dtype))


def limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the least and greatest float64 that the type can hold."""
    if dtype.kind == "b":
        return 0.0, 1.0
    if dtype.kind == "f":
        info = np.finfo(dtype)
        return float(info.min), float(info.max)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    # 2**63 - 1 is no float64: the next one up would overflow the cast, so take the next one down
    return float(low), float(high) if dtype.itemsize < 8 else float(np.nextafter(float(high), 0))


def not_measured(raw: NDArray[Any], bounds: tuple[float, float]) -> NDArray[np.bool_]:
    """Return where `raw` is NaN, infinite or beyond `bounds`, a no-data marker; same shape."""
    if raw.dtype.kind != "f":
        return np.zeros(raw.shape, dtype=np.bool_)
    measured = np.isfinite(raw)
    if raw.dtype.itemsize > 2:  # float16 ends below the markers
        measured &= (raw >= bounds[0]) & (raw <= bounds[1])
    return np.asarray(~measured, dtype=np.bool_)


def bounds_of(values: NDArray[Any], value_range: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return the least and greatest number in (..., H, W, S) that is no marker; see `_FAR`.

    A number below 1e15 in size is one only where it lies 1e15 times the value range beyond that.
    """
    if values.dtype.kind != "f" or values.dtype.itemsize == 2:
        return -np.inf, np.inf
    sizes = np.abs(_sample(values))
    sizes = sizes[(sizes > 0) & (sizes <= _NO_DATA)]
    rest = float(np.quantile(sizes, _REST)) if sizes.size else np.inf
    most = min(_NO_DATA, _FAR * max(1.0, rest))
    if value_range is None:
        return -most, most
    low, high = value_range
    far = _FAR * (high - low)
    return max(-most, low - far), min(most, high + far)


def survey(values: NDArray[Any]) -> tuple[float, float, NDArray[Any]]:
    """Return the least and greatest measured value of (..., H, W, S), and a sample of them."""
    low, high, bounds = np.inf, -np.inf, bounds_of(values)
    for band in bands(values):
        measured = band if band.dtype.kind != "f" else band[~not_measured(band, bounds)]
        if measured.size:
            low, high = min(low, float(measured.min())), max(high, float(measured.max()))
    if low > high:
        return np.nan, np.nan, np.empty(0)
    sample = _sample(values)
    sample = sample[~not_measured(sample, bounds)]
    return low, high, sample if sample.size else np.array([low, high])


def _sample(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return evenly spread values of (..., H, W, S), all of a small picture, as a line."""
    step = max(1, int(np.sqrt(values.size / _SAMPLED)))
    if not is_mapped(values):
        return doubles(values[..., ::step, ::step, :]).ravel()
    thin = []
    for where in np.ndindex(*values.shape[:-3]):  # a few rows bring in the pages between them, too
        thin.append(doubles(values[where][::step, ::step]).ravel())
        release(values)
    return np.concatenate(thin)


def thinned(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return evenly spread values of any array, all of a small one, as a line."""
    return doubles(values.ravel()[:: max(1, values.size // _SAMPLED)])


def doubles(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return a copy in float64; of NaN that signal, as broken files have them, numpy would warn."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def filled(values: NDArray[np.float32], missing: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Repeat the nearest measured pixel in the missing ones; nothing to repeat leaves them as is."""
    if not missing.any() or missing.all():
        return values
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(missing, return_distances=False, return_indices=True)
    values[missing] = values[rows[missing], columns[missing]]
    return values


def correlation(first: NDArray[np.float64], second: NDArray[np.float64], of_constant: float) -> float:
    """Return the correlation of two pictures of one size, <a - mean a, b - mean b> over their norms.

    `of_constant` is returned where one of them has the same value everywhere, so that there is none.
    """
    a, b = first - first.mean(), second - second.mean()
    size = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum()) / size if size > 0 else of_constant
