"""What a person wrote of a noise model: numbers that are read, or refused in a sentence that quotes them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from untaught.errors import InputError
from untaught.noise.models.censored import Clip

MOST_LEVEL = 1e4  # on the 0..255 scale: forty times the range, in which nothing of a picture is left


@dataclass(frozen=True)
class Words:
    """What stands behind the name of a law.

    Attributes
    ----------
    text : str
        All that was written.
    numbers : tuple of str
        What stood between the commas.
    clip : tuple of bool
        Whether it said that values were cut at 0 and at 1.
    forms : str
        What could have been written instead.
    """

    text: str
    numbers: tuple[str, ...]
    clip: Clip
    forms: str

    def number(self, place: int, top: float) -> float:
        """Return the number at a place, not negative and below `top`.

        Raises
        ------
        InputError
            If there is no such number.
        """
        word = self.numbers[place]
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            raise InputError(
                f"{word!r} in {self.text!r} is not a number that is finite and not negative; use one of: "
                f"{self.forms}."
            )
        if value >= top:
            raise InputError(f"{word!r} in {self.text!r} is too large: it has to be below {top:g}.")
        return value

    def position(self, place: int) -> float:
        """Return a number on the 0..255 scale that may be negative, in [0, 1] units; see `number`."""
        word = self.numbers[place]
        size = replace(self, numbers=(word.removeprefix("-"),)).number(0, top=MOST_LEVEL) / 255
        return -size if word.startswith("-") else size

    def level(self, place: int) -> float:
        """Return a number on the 0..255 scale in [0, 1] units; see `number`."""
        return self.number(place, top=MOST_LEVEL) / 255


def pedestal(offset: float) -> str:
    """Return where a signal begins, in words, if that is not black; `offset` in [0, 1] units."""
    return f", counted from {offset * 255:.1f}" if offset else ""
