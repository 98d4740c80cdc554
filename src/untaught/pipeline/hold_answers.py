"""The values of many planes' answers, on the disk where they are large together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from untaught.image.lazy import empty, release
from untaught.pipeline.answer import Answer


class Held:
    """Where the answers of a picture's planes lie until they are put together.

    One array for all: planes that are small each may be too many for the memory. It is of a type that is given, to
    which values are turned, or of that of the first.
    """

    def __init__(self, count: int, dtype: DTypeLike | None = None) -> None:
        self.count, self.dtype = count, dtype
        self.values: NDArray[Any] | None = None

    def laid(self, index: int, answer: Answer) -> Answer:
        """Return an answer whose values lie here; of another shape or type than the first it stays where it is."""
        values = answer.values
        if self.count < 2 or answer.numbers is not None or not values.size:
            return answer
        if self.values is None:
            self.values = empty((self.count, *values.shape), np.dtype(self.dtype or values.dtype))
        other = self.dtype is None and self.values.dtype != values.dtype
        if self.values.shape[1:] != values.shape or other:
            return answer
        self.values[index] = values
        release(self.values)
        return replace(answer, values=self.values[index])
