"""White noise whose level differs from pixel to pixel, as a map says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.censored import BEYOND
from untaught.noise.models.moments import T
from untaught.noise.models.piecewise import namespace
from untaught.noise.models.words import Words

HALVINGS = 30  # of the range of values, in which x is looked for: far below the spacing of float32


@dataclass(frozen=True, eq=False)
class NoiseMap(NoiseModel):
    """White noise of a level of its own at every pixel: y_i = x_i + field_i s(x_i) n_i, s that of the law `base`.

    Arrays (H, W), (H, W, C) and tensors (1, C, H, W) of the size of the field are pictures; for arrays of fewer
    axes, values without a place, the root mean square of the field stands for it. n is taken for normal.

    Attributes
    ----------
    base : NoiseModel
        The law of white noise that is added, before clipping; its `clip` is handed on to the map.
    field : ndarray
        (H, W), not negative: how many times that of `base` the standard deviation is.
    source : str
        The file that it was read from; empty where it was not.
    """

    kind: ClassVar[str] = "map"
    form: ClassVar[str] = "map:FILE"
    base: NoiseModel
    field: NDArray[np.float64]
    source: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        clip = tuple(a or b for a, b in zip(self.clip, self.base.clip, strict=True))
        bare = replace(self.base, clip=(False, False))
        if not bare.white or bare.replaces or bare.shifted or bare.pixel_levels is not None:
            raise InputError(
                f"A map of noise takes white noise that is added, such as Gaussian noise, and this is {bare.kind}."
            )
        field = np.asarray(self.field, np.float64)
        if field.ndim != 2 or not field.size or not (np.isfinite(field).all() and (field >= 0).all()):
            raise InputError("A map of noise is an array (H, W) of finite numbers that are not negative.")
        for name, value in (("clip", clip), ("base", bare), ("field", field)):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same law; the file does not matter."""
        if not isinstance(other, NoiseMap):
            return NotImplemented
        same = (self.base, self.clip, self.relative_error) == (other.base, other.clip, other.relative_error)
        return same and np.array_equal(self.field, other.field)

    def __hash__(self) -> int:
        """Return a hash that equal laws share."""
        return hash((self.base, self.clip, self.relative_error, self.field.shape))

    @property
    def pixel_levels(self) -> NDArray[np.float64]:
        """See `NoiseModel`."""
        return self.field

    def with_pixel_levels(self, levels: NDArray[Any]) -> Self:
        """See `NoiseModel`."""
        return replace(self, field=levels, source="")

    def part(self, window: Sequence[slice], shape: tuple[int, int] | None = None) -> Self:
        """See `NoiseModel`; between the places of a smaller field the level is linear."""
        if shape is None or self.field.shape == shape:
            return super().part(window)
        return self.with_pixel_levels(_between(self.field, tuple(window[-2:]), shape))

    def std(self, x: T) -> T:
        """Return the standard deviation before clipping, given clean `x`; shape of `x`.

        Raises
        ------
        InputError
            If `x` is a picture of another size.
        """
        value: Any = x
        deviation: T = self.base.std(value) * self._laid(value)
        return deviation

    def unclip(self, m: T) -> T:
        """Return the x with `mean(x) == m`, held to [0, 1] at the ends that are clipped."""
        return self._with_mean(m, 0.0) if self.shifted else m

    def variance_at_mean(self, m: T) -> T:
        """See `Moments` and `censored.at_mean`: where values were cut, x is looked for beyond the range too."""
        return self.variance(self._with_mean(m, BEYOND) if self.shifted else m)

    def scaled(self, factor: float, relative_error: float) -> Self:
        """See `NoiseModel`."""
        base = self.base.scaled(factor, 0.0)
        return replace(self, base=base, source="", relative_error=relative_error)

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Refuse: the file is a picture, of which laws of noise know nothing.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"{words.text!r} names a file, which is only read where a picture is restored; give this text as "
            "noise there, or make NoiseMap(Gaussian(1.0), field)."
        )

    def written(self, digits: int) -> str:
        """See `NoiseModel`; an array that is in no file has no other name."""
        return self.source or "FILE"

    def spellings(self) -> Iterator[str]:
        """See `NoiseModel`."""
        yield from [self.source] if self.source else []

    def _laid(self, x: Any) -> Any:
        """Return the field as it is laid over `x`."""
        xp = namespace(x)
        if np.ndim(x) < 2:
            return float(np.sqrt(np.mean(np.square(self.field))))
        rows, columns = x.shape[:2] if xp is np else x.shape[-2:]
        if (rows, columns) != self.field.shape:
            height, width = self.field.shape
            raise InputError(
                f"The map of noise is {width} x {height} pixels and the picture {columns} x {rows}; give a map of "
                "the size of the picture."
            )
        if xp is not np:
            return xp.as_tensor(self.field, device=x.device).to(x.dtype)
        field = self.field.astype(x.dtype if np.issubdtype(x.dtype, np.floating) else np.float64)
        return field.reshape(field.shape + (1,) * (x.ndim - 2))

    def _with_mean(self, m: Any, beyond: float) -> Any:
        """Return x with mean(x) = m by halving, up to so many deviations beyond the ends that are clipped.

        Clipping at 0 alone makes E[y | x] larger than x, at 1 alone smaller.
        """
        xp, (low, high) = namespace(m), self.clip
        least = xp.zeros_like(m) - beyond * self.std(xp.zeros_like(m)) if low else xp.clip(m, None, 1.0)
        most = xp.ones_like(m) + beyond * self.std(xp.ones_like(m)) if high else xp.clip(m, 0.0, None)
        return halved(self.mean, m, least, most)

    def _moved(self, factor: float, shift: float) -> dict[str, Any]:
        return {"base": self.base.moved(factor, shift), "source": ""}

    def _parameters(self) -> dict[str, Any]:
        return {"base": self.base.kind, "shape": list(self.field.shape)}

    def _what(self) -> str:
        least, most = (255 * self.base.level * level for level in (self.field.min(), self.field.max()))
        return (
            f"White noise of a level that a map tells for every pixel, from {least:.1f} to {most:.1f}, "
            f"{255 * self.level:.1f} on the whole (of 255)"
        )


def halved(function: Callable[[Any], Any], value: Any, least: Any, most: Any) -> Any:
    """Return where a rising function has a value, between two bounds: arrays or tensors of one shape."""
    xp = namespace(value)
    for _ in range(HALVINGS):
        middle = (least + most) / 2
        above = function(middle) > value
        least, most = xp.where(above, least, middle), xp.where(above, middle, most)
    return (least + most) / 2


def _between(
    levels: NDArray[np.float64], window: tuple[slice, ...], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Return a part of a map that is laid over a larger picture, linear between its places."""
    for axis, (part, length) in enumerate(zip(window, shape, strict=True)):
        at = np.linspace(0, levels.shape[axis] - 1, length)[part]
        before = np.minimum(at.astype(np.intp), max(levels.shape[axis] - 2, 0))
        after = np.minimum(before + 1, levels.shape[axis] - 1)
        share = np.expand_dims(at - before, 1 - axis)
        levels = (1 - share) * levels.take(before, axis) + share * levels.take(after, axis)
    return levels
