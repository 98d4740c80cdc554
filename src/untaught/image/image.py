"""Image: array, axes, value range, metadata, and its planes, the pieces that are restored one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from untaught.errors import InputError, quoted
from untaught.image.atomic import path_of
from untaught.image.axes import checked_axes, guessed
from untaught.image.lazy import bands, copied, release
from untaught.image.plane import Plane, Window
from untaught.image.reading import WHOLE, Reading, address
from untaught.image.values import bounds_of, filled, native, not_measured, scaled, survey, unscaled, value_range_of

WHOLE_PLANE: Window = (slice(None), slice(None))


@dataclass(frozen=True, eq=False)
class Image:
    """A picture as it was read.

    Attributes
    ----------
    array : ndarray
        bool, any integer type, or float16/32/64, in native byte order; one dimension for each axis. Of a large
        file it is a map, see `lazy`.
    axes : str
        One letter a dimension, as in tifffile: ``Y``, ``X``, ``S`` colour samples, ``C`` channels,
        ``Z``, ``T``, ``Q`` pages ...
    value_range : tuple of float
        What maps to 0 and 1 in `planes`; see `value_range_of`.
    metadata : dict
        What the writers need: ``icc``, ``exif``, ``xmp`` (bytes), ``resolution`` (x, y, unit),
        ``orientation`` (EXIF 1..8), ``spacing`` (letter of an axis to its step and unit, "um", "mm", "s" ...; no
        unit is ""), ``channels`` (their names), and what belongs to one format only under that format's name.
    source : Path or None
        The file it came from, absolute.
    alpha : bool
        True when the last sample along ``S`` is opacity: never restored, written back unchanged.
    file_notes : tuple of str
        What reading the file left out, as sentences to print.
    axes_notes : tuple of str
        What its axes were taken for, and what to say where that is wrong; a person who names them settles it.
    reading : Reading
        Which picture of the file it is, as it was asked for.
    axes_given : bool
        True when a person named the axes, so that whoever reads the picture again has to name them too.
    """

    array: NDArray[Any]
    axes: str
    value_range: tuple[float, float]
    metadata: dict[str, Any] = field(default_factory=dict)
    source: Path | None = None
    alpha: bool = False
    file_notes: tuple[str, ...] = ()
    axes_notes: tuple[str, ...] = ()
    reading: Reading = WHOLE
    axes_given: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", checked_axes(self.axes, self.array.shape, self.name))
        if self.alpha and self.size("S") < 2:
            raise InputError(f"axes {self.axes!r} have no sample to spare for alpha")

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say of how it was read: sentences to print."""
        return self.file_notes + self.axes_notes

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
        if not isinstance(metadata, dict | None):
            raise InputError(f"the metadata are {quoted(metadata)}; give a dict, or nothing")
        if not isinstance(alpha, bool):
            raise InputError(f"alpha is {quoted(alpha)}; give True or False")
        source = None if source is None else path_of(source, "the source")
        image = cls(array, axes, (0.0, 1.0), {} if metadata is None else metadata, source, alpha)
        return replace(image, value_range=value_range_of(image._colours()))

    @property
    def name(self) -> str:
        """What to call the picture in a sentence: its path, from the working folder where it lies in that."""
        if self.source is None:
            return "the picture"
        try:
            return address(self.source.relative_to(Path.cwd()), self.reading)
        except (ValueError, OSError):  # elsewhere, or there is no working folder any more
            return self.address

    @property
    def address(self) -> str:
        """How to give the picture again: its whole path, and where in the file it is."""
        return "" if self.source is None else address(self.source, self.reading)

    @property
    def is_bare(self) -> bool:
        """True for an array, also one from a .npy file: a program's numbers, not a picture to look at."""
        return self.source is None or self.source.suffix.lower() == ".npy"

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
        return prod(self.lead_shape) * len(self._groups())

    @property
    def used_range(self) -> tuple[float, float]:
        """Least and greatest measured value, alpha left out; (nan, nan) where nothing was measured."""
        low, high, _ = survey(self._colours())
        return low, high

    def __len__(self) -> int:
        """Return the number of planes."""
        return self.n_planes

    @property
    def labels(self) -> list[str]:
        """Where each plane lies, as in `Plane.label`."""
        return [self._label(where, group) for where, group in self._slots()]

    def planes(self) -> Iterator[Plane]:
        """Yield the planes: values = (array - low) / (high - low), with (low, high) the value range.

        Every position along T, Z, C, pages ... is a plane of its own. Three colour samples are one
        plane of three channels; the channels of a stack and the samples of a picture that is not
        RGB are planes of one channel, for each has its own noise. Alpha is in no plane. The samples
        that an RGB TIFF has beyond its three colours are planes of their own.
        """
        return map(self.plane, range(self.n_planes))

    def plane(self, index: int, window: Window = WHOLE_PLANE) -> Plane:
        """Return one plane as `planes` yields it, or a part of it: `window` says of which rows and columns."""
        raw = self.raw(index, window)
        missing = np.asarray(not_measured(raw, self._bounds).any(axis=-1))
        values = filled(scaled(raw, self.value_range, missing), missing)
        return Plane(values, missing, index, self._label(*self._slot(index)), raw, self.value_range)

    def raw(self, index: int, window: Window = WHOLE_PLANE) -> NDArray[Any]:
        """Return the values of a plane, or of a part of it, as they are in the array: a copy, (H, W, C)."""
        where, group = self._slot(index)
        part = self.samples_last(self.array)[where][window]
        return np.asarray(part[..., list(group)])

    def place(self, index: int) -> tuple[int, ...]:
        """Return where a plane lies along `lead_axes`."""
        return self._slot(index)[0]

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which values something was measured; see `bounds_of`."""
        return self._bounds

    @property
    def groups(self) -> list[tuple[int, ...]]:
        """The samples of a pixel that are restored together, of every plane at a place."""
        return self._groups()

    def group(self, index: int) -> tuple[int, ...]:
        """Return the samples of a plane."""
        return self._slot(index)[1]

    def _slot(self, index: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        groups = self._groups()
        lead, group = divmod(index, len(groups))
        where = np.unravel_index(lead, self.lead_shape) if self.lead_shape else ()
        return tuple(map(int, where)), groups[group]

    @cached_property
    def _bounds(self) -> tuple[float, float]:
        return bounds_of(self._colours(), self.value_range)

    def with_planes(
        self,
        planes: Sequence[NDArray[Any] | None],
        kept: Sequence[NDArray[np.bool_] | None] | None = None,
        numbers: Mapping[int, NDArray[Any]] | None = None,
    ) -> Image:
        """Return this image with its planes replaced: array = low + values (high - low).

        Integers are rounded and clipped to their type; floats are not clipped (float16 to what it can
        hold). Exact for the unchanged values of 8- and 16-bit integers; otherwise within float32
        rounding, 1e-6 of the range. Type, axes, alpha, value range and metadata stay.

        Parameters
        ----------
        planes : sequence of ndarray or None
            As `planes` yields their values: (H, W, C), or (H, W) for one channel; None leaves that
            plane as it is.
        kept : sequence of ndarray or None, optional
            bool, (H, W), for every plane: True where its pixels stay as they are, whatever `planes` hold.
        numbers : mapping, optional
            Planes, by their number, that are numbers of the array's type already, as `numbers` returns them.

        Raises
        ------
        InputError
            When their number or a shape is wrong, or a value is not finite.
        """
        if len(planes) != self.n_planes:
            raise InputError(f"{self.name} has {self.n_planes} planes, but {len(planes)} were given")
        out = copied(self.array)
        view = self.samples_last(out)
        stay = kept or [None] * len(planes)
        ready = numbers or {}
        for index, (where, group) in enumerate(self._slots()):
            plane = planes[index]
            if index in ready:
                view[where][..., list(group)] = ready[index]
                release(ready[index])
                release(out)
            elif plane is not None:
                self._lay(plane, view[where], list(group), stay[index])
        return replace(self, array=out)

    def numbers(self, index: int, plane: NDArray[Any], kept: NDArray[np.bool_] | None = None) -> NDArray[Any]:
        """Return a plane as `with_planes` puts it into the array: (H, W, C), of the array's type."""
        target = self.raw(index).astype(self.array.dtype)
        self._lay(plane, target, list(range(target.shape[-1])), kept)
        return target

    def hollow(self, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """Return zeros of the array's shape that take no memory, of another type if one is given."""
        return np.broadcast_to(np.zeros((), self.array.dtype if dtype is None else dtype), self.array.shape)

    def _lay(
        self, plane: NDArray[Any], target: NDArray[Any], group: list[int], same: NDArray[np.bool_] | None
    ) -> None:
        """Write a plane into its place, some rows at a time."""
        values, top = self._checked(plane, len(group)), 0
        for band in bands(values):
            rows = slice(top, top + len(band))
            if not np.isfinite(band).all():
                raise InputError(f"a restored plane of {self.name} holds values that are not finite")
            new = unscaled(band, self.value_range, self.array.dtype)
            if same is not None:
                new = np.where(same[rows][..., None], target[rows][..., group], new)
            target[rows, :, group] = new
            top = rows.stop
            release(target)

    def _checked(self, plane: NDArray[Any], channels: int) -> NDArray[Any]:
        shape = (self.height, self.width, channels)
        if plane.shape != shape and not (channels == 1 and plane.shape == shape[:2]):
            raise InputError(f"a plane of {self.name} has the shape {shape}, not {plane.shape}")
        return plane.reshape(shape)

    def size(self, axis: str) -> int:
        """Length along an axis, 1 for one that the picture does not have."""
        return self.array.shape[self.axes.index(axis)] if axis in self.axes else 1

    def matches(self, other: Image) -> bool:
        """Tell whether every value has its partner in `other`; leading axes may have another letter."""
        letters = all(self.axes.find(axis) == other.axes.find(axis) for axis in "YXS")
        return letters and self.array.shape == other.array.shape

    @property
    def lead_axes(self) -> str:
        """The axes other than Y, X and S, in their order."""
        return "".join(axis for axis in self.axes if axis not in "YXS")

    @property
    def lead_shape(self) -> tuple[int, ...]:
        """Lengths of those axes."""
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
        for where in np.ndindex(*self.lead_shape):
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
        sizes = zip(self.lead_axes, where, self.lead_shape, strict=True)
        parts = [f"{axis} {at + 1}/{size}" for axis, at, size in sizes if size > 1]
        groups = self._groups()
        if len(groups) > 1:
            parts.append(f"S {groups.index(group) + 1}/{len(groups)}")
        return ", ".join(parts)


BARE = Image(np.zeros((1, 1), np.uint8), "YX", (0.0, 255.0))
"""What stands for a picture where only what was found on it is meant."""


def image_of_array(array: NDArray[Any], source: Path | None = None, axes: str | None = None) -> Image:
    """Make an image of a bare array, with the axes that are stated, or else those that `guessed` finds likely.

    Raises
    ------
    InputError
        For axes that do not fit it, or cannot be guessed, and for arrays that are not numbers.
    """
    array = native(array)
    name = source or "the array"
    if axes is not None:
        return replace(Image.of(array, checked_axes(axes, array.shape, name), source=source), axes_given=True)
    guess = guessed(array.shape, name)
    return replace(Image.of(array, guess.axes, source=source), axes_notes=(guess.note,) if guess.note else ())


def with_axes(image: Image, axes: str) -> Image:
    """Return an image whose axes a person names, whatever its file says; opacity stays along `S` only.

    Raises
    ------
    InputError
        For axes that do not fit.
    """
    axes = checked_axes(axes, image.array.shape, image.name)
    if axes == image.axes:
        return image if image.axes_given else replace(image, axes_given=True, axes_notes=())
    alpha = image.alpha and axes.find("S") == image.axes.find("S")
    stated = Image.of(image.array, axes, alpha=alpha, metadata=image.metadata, source=image.source)
    if image.value_range != Image.of(image.array, image.axes, alpha=image.alpha).value_range:  # set by hand
        stated = replace(stated, value_range=image.value_range)
    return replace(stated, axes_given=True, file_notes=image.file_notes, reading=image.reading)
