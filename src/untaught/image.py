"""Image: array, axes, value range, metadata, and its planes, the pieces that are restored one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught._values import (
    filled,
    limits,
    native,
    not_measured,
    survey,
    value_range_of,
    working_type,
)
from untaught.errors import InputError

MIN_SIDE = 8
"""Fewest pixels on a side that can be restored: below it there is no patch to learn from."""
MAX_PLANE_PIXELS = 2**28
MAX_PIXELS = 10**9


@dataclass(frozen=True, eq=False)
class Plane:
    """One piece of a picture, to be restored on its own.

    Attributes
    ----------
    values : ndarray
        float32, shape (H, W, C), the picture's value range scaled to [0, 1] and not clipped. Finite.
    missing : ndarray
        bool, shape (H, W): True where any channel held no measurement (NaN, infinite, or a no-data
        marker beyond 1e30 in size); `values` there repeat the nearest measured pixel.
    index : int
        Position among the picture's planes, from 0.
    label : str
        Where the plane lies, to print: ``"T 1/3, C 2/4"``; empty for a single plane.
    """

    values: NDArray[np.float32]
    missing: NDArray[np.bool_]
    index: int
    label: str


@dataclass(frozen=True, eq=False)
class Image:
    """A picture as it was read.

    Attributes
    ----------
    array : ndarray
        bool, any integer type, or float16/32/64, in native byte order; one dimension for each axis.
    axes : str
        One letter a dimension, as in tifffile: ``Y``, ``X``, ``S`` colour samples, ``C`` channels,
        ``Z``, ``T``, ``Q`` pages ...
    value_range : tuple of float
        What maps to 0 and 1 in `planes`; see `value_range_of`.
    metadata : dict
        What the writers need: ``icc``, ``exif``, ``xmp`` (bytes), ``resolution`` (x, y, unit),
        ``orientation`` (EXIF 1..8), and what belongs to one format only under that format's name.
    source : Path or None
        The file it came from, absolute.
    alpha : bool
        True when the last sample along ``S`` is opacity: never restored, written back unchanged.
    """

    array: NDArray[Any]
    axes: str
    value_range: tuple[float, float]
    metadata: dict[str, Any] = field(default_factory=dict)
    source: Path | None = None
    alpha: bool = False

    def __post_init__(self) -> None:
        if len(self.axes) != self.array.ndim or len(set(self.axes)) != len(self.axes):
            raise InputError(f"axes {self.axes!r} do not name the dimensions of {self.array.shape}")
        if not {"Y", "X"} <= set(self.axes):
            raise InputError(f"axes {self.axes!r} lack Y or X, so this is no picture")
        if self.alpha and self.size("S") < 2:
            raise InputError(f"axes {self.axes!r} have no sample to spare for alpha")

    @classmethod
    def of(
        cls,
        array: NDArray[Any],
        axes: str,
        *,
        alpha: bool = False,
        metadata: dict[str, Any] | None = None,
        source: Path | None = None,
    ) -> Image:
        """Make an image and find its value range.

        Raises
        ------
        InputError
            For a complex, object, text or other non-numeric array, or axes that do not fit it.
        """
        array = native(array)
        image = cls(array, axes, (0.0, 1.0), metadata or {}, source, alpha)
        return replace(image, value_range=value_range_of(image._colours()))

    @property
    def name(self) -> str:
        """What to call the picture in a sentence."""
        return str(self.source) if self.source else "the picture"

    @property
    def height(self) -> int:
        """Rows of a plane."""
        return self.size("Y")

    @property
    def width(self) -> int:
        """Columns of a plane."""
        return self.size("X")

    @property
    def n_planes(self) -> int:
        """How many planes `planes` yields."""
        return prod(self._lead_shape()) * len(self._groups())

    @property
    def used_range(self) -> tuple[float, float]:
        """Least and greatest measured value, alpha left out; (nan, nan) where nothing was measured."""
        low, high, _ = survey(self._colours())
        return low, high

    def __len__(self) -> int:
        """Return the number of planes."""
        return self.n_planes

    def planes(self) -> Iterator[Plane]:
        """Yield the planes: values = (array - low) / (high - low), with (low, high) the value range.

        Every position along T, Z, C, pages ... is a plane of its own. Three colour samples are one
        plane of three channels; the channels of a stack and the samples of a picture that is not
        RGB are planes of one channel, for each has its own noise. Alpha is in no plane. The samples
        that an RGB TIFF has beyond its three colours are planes of their own.
        """
        view = self.samples_last(self.array)
        for index, (where, group) in enumerate(self._slots()):
            raw = view[where][..., list(group)]
            missing = np.asarray(not_measured(raw).any(axis=-1))
            values = self._scaled(raw, missing)
            yield Plane(values, missing, index, self._label(where, group))

    def with_planes(self, planes: Sequence[NDArray[Any] | None]) -> Image:
        """Return this image with its planes replaced: array = low + values (high - low).

        Integers are rounded and clipped to their type; floats are not clipped (float16 to what it can
        hold). Exact for the unchanged values of 8- and 16-bit integers; otherwise within float32
        rounding, 1e-6 of the range. Type, axes, alpha, value range and metadata stay.

        Parameters
        ----------
        planes : sequence of ndarray or None
            As `planes` yields their values: (H, W, C), or (H, W) for one channel; None leaves that
            plane as it is.

        Raises
        ------
        InputError
            When their number or a shape is wrong, or a value is not finite.
        """
        if len(planes) != self.n_planes:
            raise InputError(f"{self.name} has {self.n_planes} planes, but {len(planes)} were given")
        out = np.array(self.array)
        view = self.samples_last(out)
        for (where, group), plane in zip(self._slots(), planes, strict=True):
            if plane is not None:
                target = view[where]
                target[..., list(group)] = self._unscaled(plane, len(group))
        return replace(self, array=out)

    def size(self, axis: str) -> int:
        """Length along an axis, 1 for one that the picture does not have."""
        return self.array.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def lead_axes(self) -> str:
        """The axes other than Y, X and S, in their order."""
        return "".join(axis for axis in self.axes if axis not in "YXS")

    def _lead_shape(self) -> tuple[int, ...]:
        return tuple(self.size(axis) for axis in self.lead_axes)

    def _groups(self) -> list[tuple[int, ...]]:
        """Return the samples of a pixel that are restored together."""
        count = self.size("S") - self.alpha
        if count == 3:
            return [(0, 1, 2)]
        if count > 3 and self.metadata.get("photometric") == "rgb":
            return [(0, 1, 2), *((i,) for i in range(3, count))]
        return [(i,) for i in range(count)]

    def _slots(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        for where in np.ndindex(*self._lead_shape()):
            for group in self._groups():
                yield where, group

    def samples_last(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a view with the axes (others ..., Y, X, S)."""
        order = self.lead_axes + "YX" + ("S" if "S" in self.axes else "")
        view = array.transpose([self.axes.index(axis) for axis in order])
        return view if "S" in self.axes else view[..., None]

    def _colours(self) -> NDArray[Any]:
        return self.samples_last(self.array)[..., : self.size("S") - self.alpha]

    def _label(self, where: tuple[int, ...], group: tuple[int, ...]) -> str:
        sizes = zip(self.lead_axes, where, self._lead_shape(), strict=True)
        parts = [f"{axis} {at + 1}/{size}" for axis, at, size in sizes if size > 1]
        groups = self._groups()
        if len(groups) > 1:
            parts.append(f"S {groups.index(group) + 1}/{len(groups)}")
        return ", ".join(parts)

    def _scaled(self, raw: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[np.float32]:
        low, high = self.value_range
        values = raw.astype(working_type(raw.dtype))
        if missing.any():
            values[missing] = low
        values -= low
        values /= high - low
        scaled = np.ascontiguousarray(values, dtype=np.float32)
        return filled(scaled, missing)

    def _unscaled(self, plane: NDArray[Any], channels: int) -> NDArray[Any]:
        low, high = self.value_range
        shape = (self.height, self.width, channels)
        if plane.shape != shape and not (channels == 1 and plane.shape == shape[:2]):
            raise InputError(f"a plane of {self.name} has the shape {shape}, not {plane.shape}")
        if not np.isfinite(plane).all():
            raise InputError(f"a restored plane of {self.name} holds values that are not finite")
        dtype = self.array.dtype
        values = plane.reshape(shape).astype(np.float64) * (high - low) + low
        if dtype.kind != "f":
            values = np.rint(values)
        return np.clip(values, *limits(dtype)).astype(dtype)


def image_of_array(array: NDArray[Any], source: Path | None = None) -> Image:
    """Make an image of a bare array.

    (H, W) is grey. (H, W, C) with C at most 4 has samples last: 1 grey, 3 RGB, 4 RGB and alpha,
    2 two channels that are restored apart. (N, H, W) with W above 4 is a stack ``ZYX`` of N planes.

    Raises
    ------
    InputError
        For any other number of dimensions, and for arrays that are not numbers.
    """
    if array.ndim == 2:
        return Image.of(array, "YX", source=source)
    if array.ndim == 3 and array.shape[-1] > 4:
        return Image.of(array, "ZYX", source=source)
    if array.ndim == 3:
        return Image.of(array, "YXS", alpha=array.shape[-1] == 4, source=source)
    raise InputError(
        f"{source or 'the array'} has the shape {array.shape}, but a picture is (H, W), (H, W, C) "
        "or (N, H, W); name the dimensions with untaught.Image.of(array, axes='TZCYX')"
    )


def as_image(obj: str | Path | Image | NDArray[Any]) -> Image:
    """Return the picture that a path, an image or an array stands for, fit to be restored.

    Arrays are read as `image_of_array` says: a 3-D array whose last axis is longer than 4 is a stack.

    Raises
    ------
    InputError
        When it is none of these, cannot be read, or `check` refuses it.
    """
    if isinstance(obj, str | Path):
        from untaught.io import read

        image = read(obj)
    elif isinstance(obj, Image):
        image = obj
    elif isinstance(obj, np.ndarray):
        image = image_of_array(obj)
    else:
        raise InputError(f"a picture is a path, a numpy array or an untaught.Image, not {type(obj).__name__}")
    check(image)
    return image


def check(image: Image) -> None:
    """Refuse, in one sentence, a picture that cannot be restored.

    Raises
    ------
    InputError
        When it is empty, has fewer than 8 pixels on a side, more than 2**28 pixels in a plane or
        10**9 in all, no measured value at all, or the same value everywhere.
    """
    height, width = image.height, image.width
    if image.array.size == 0:
        raise InputError(f"{image.name} is empty: its shape is {image.array.shape}")
    if min(height, width) < MIN_SIDE:
        raise InputError(
            f"{image.name} is {width} x {height} pixels, too small to restore; "
            f"give at least {MIN_SIDE} x {MIN_SIDE}"
        )
    if height * width > MAX_PLANE_PIXELS:
        raise InputError(
            f"{image.name} has planes of {width} x {height} pixels, more than the "
            f"{MAX_PLANE_PIXELS} (2**28) that can be restored; cut it into pieces"
        )
    refuse_too_many(image.name, height * width * prod(image._lead_shape()))
    low, high = image.used_range
    if np.isnan(low):
        raise InputError(f"{image.name} holds no number at all, only NaN or infinity")
    if low == high:
        raise InputError(f"{image.name} has the value {low:g} everywhere: nothing to restore")


def refuse_too_many(name: str | Path, pixels: int) -> None:
    """Raise `InputError` above 10**9 pixels, before anything is decoded."""
    if pixels > MAX_PIXELS:
        raise InputError(
            f"{name} has {pixels} pixels, more than the {MAX_PIXELS} that can be read; cut it into pieces"
        )
