"""A picture that is read plane by plane from where it is stored: nothing of it is held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import WHOLE_PLANE, Image
from untaught.image.plane import Window

Fetch = Callable[[tuple[Any, ...]], NDArray[Any]]
"""Returns a part of the stored array, by an index of whole numbers and slices, one for each of its axes."""


@dataclass(frozen=True, eq=False)
class Stored(Image):
    """A picture whose planes are fetched when they are asked for.

    Its `array` has the shape and the type of the picture, and zeros in place of its values. All else is as it was
    found on the whole: nothing here looks at all of it.

    Attributes
    ----------
    fetch : callable or None
        See `Fetch`; None where no plane is asked for.
    limits : tuple of float
        `Image.bounds` of the picture.
    """

    fetch: Fetch | None = None
    limits: tuple[float, float] = (-np.inf, np.inf)

    @classmethod
    def shell(cls, image: Image) -> Stored:
        """Return all of a picture but its values."""
        return cls(
            image.hollow(),
            image.axes,
            image.value_range,
            image.metadata,
            image.source,
            image.alpha,
            image.file_notes,
            image.axes_notes,
            image.reading,
            image.axes_given,
            limits=image.bounds,
        )

    def filled(self, fetch: Fetch) -> Stored:
        """Return it with a way to its values."""
        return replace(self, fetch=fetch)

    def raw(self, index: int, window: Window = WHOLE_PLANE) -> NDArray[Any]:
        """See `Image.raw`."""
        assert self.fetch is not None, "a shell has no values"
        where = dict(zip(self.lead_axes, self.place(index), strict=True))
        rows, columns = window
        wanted = {axis: at if (at := where.get(axis)) is not None else slice(None) for axis in self.axes}
        wanted |= {"Y": rows, "X": columns}
        part = np.asarray(self.fetch(tuple(wanted[axis] for axis in self.axes)))
        left = "".join(axis for axis in self.axes if axis in "YXS")
        view = part.transpose([left.index(axis) for axis in "YXS" if axis in left])
        view = view if "S" in left else view[..., None]
        return np.asarray(view[..., list(self.group(index))])

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process without the zeros, and without the way to the values that was here."""
        state = {name: value for name, value in self.__dict__.items() if name not in ("array", "fetch")}
        return _made_again, (state, self.array.shape, self.array.dtype.str)

    @property
    def _bounds(self) -> tuple[float, float]:
        return self.limits


def _made_again(state: dict[str, Any], shape: tuple[int, ...], dtype: str) -> Stored:
    fields = {name: value for name, value in state.items() if name in Stored.__dataclass_fields__}
    return Stored(np.broadcast_to(np.zeros((), np.dtype(dtype)), shape), **fields)
