"""What stands for an array: of xarray, Dask, Pillow, torch, and whatever else says how it becomes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.lazy import SMALL, empty, release

# Names of dimensions, in small letters, and the axes that they are.
NAMES = {
    "T": ("t", "time", "frame", "frames"),
    "Z": ("z", "depth", "slice", "level", "altitude"),
    "C": ("c", "ch", "channel", "channels", "band", "bands", "wavelength", "frequency"),
    "Y": ("y", "row", "rows", "lat", "latitude", "northing", "height"),
    "X": ("x", "col", "column", "columns", "lon", "longitude", "easting", "width"),
    "S": ("s", "rgb", "sample", "samples", "color", "colour"),
}
FREE = "PRUVWABD"  # letters for dimensions of other names


@dataclass(frozen=True)
class Labels:
    """What an array of xarray says beside its numbers.

    Attributes
    ----------
    dims : tuple of str
        Names of the dimensions.
    coords : dict
        As `xarray.DataArray` takes them.
    attrs : dict
        Of the array.
    name : str or None
        Of the array.
    """

    dims: tuple[str, ...]
    coords: dict[Any, Any]
    attrs: dict[Any, Any]
    name: Any


@dataclass(frozen=True)
class ArrayLike:
    """An array, what its axes are where it says so, and its labels where it has some."""

    array: NDArray[Any]
    axes: str | None = None
    labels: Labels | None = None


def array_like(obj: object) -> ArrayLike | None:
    """Return the array that something stands for; None where it stands for none.

    Arrays of xarray say by the names of their dimensions what their axes are. Those of Dask are computed block by
    block, and held in a file where they are large. Pillow's palettes become colours. Tensors come from any device.

    Raises
    ------
    InputError
        Where it says that it is an array and is none.
    """
    if isinstance(obj, np.ndarray):
        return ArrayLike(obj)
    try:
        return _found(obj)
    except InputError:
        raise
    except Exception as error:  # whatever the other library raises
        raise InputError(f"this {type(obj).__name__} gives no array: {' '.join(str(error).split())}") from error


def _found(obj: Any) -> ArrayLike | None:
    if hasattr(obj, "dims") and hasattr(obj, "coords") and hasattr(obj, "data"):
        inner = array_like(obj.data)
        array = np.asarray(obj) if inner is None else inner.array
        labels = Labels(tuple(map(str, obj.dims)), dict(obj.coords), dict(obj.attrs), obj.name)
        return ArrayLike(array, axes_of(labels.dims), labels)
    if hasattr(obj, "dask") and hasattr(obj, "chunks"):
        return ArrayLike(_by_blocks(obj))
    if type(obj).__module__.startswith("PIL."):
        plain = obj.convert("RGB") if obj.mode == "P" else obj.convert("L") if obj.mode == "1" else obj
        return ArrayLike(np.asarray(plain))
    if hasattr(obj, "detach") and hasattr(obj, "cpu"):
        tensor = obj.detach().cpu()
        return ArrayLike(
            np.asarray((tensor.float() if str(tensor.dtype).endswith("bfloat16") else tensor).numpy())
        )
    if hasattr(obj, "__array__"):
        return ArrayLike(np.asarray(obj))
    if hasattr(obj, "__dlpack__"):
        return ArrayLike(np.from_dlpack(obj))
    return None


def axes_of(dims: tuple[str, ...]) -> str | None:
    """Return the axes of dimensions by their names; None where rows and columns are not among these."""
    letters: list[str] = []
    for dim in dims:
        known = next((letter for letter, names in NAMES.items() if dim.lower() in names), None)
        free = next((letter for letter in FREE if letter not in letters), "")
        letters.append(free if known is None or known in letters else known)
    return "".join(letters) if {"Y", "X"} <= set(letters) and all(letters) else None


def _by_blocks(lazy: Any) -> NDArray[Any]:
    """Return what a Dask array comes to, one block at a time where it is large."""
    if lazy.nbytes <= SMALL:
        return np.asarray(lazy.compute())
    out = empty(lazy.shape, lazy.dtype)
    starts = [np.cumsum((0, *sizes)) for sizes in lazy.chunks]
    for place in np.ndindex(*lazy.numblocks):
        where = tuple(slice(edges[at], edges[at + 1]) for edges, at in zip(starts, place, strict=True))
        out[where] = lazy.blocks[place].compute()
        release(out)
    return out
