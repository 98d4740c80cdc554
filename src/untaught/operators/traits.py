"""What an operator does to noise and to texture, as far as a choice depends on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """What an operator does to noise and to texture, which the choice of a method depends on.

    Attributes
    ----------
    selects : bool
        A* A is a mask: what was measured is a picture of which some values are missing.
    smooths : bool
        It leaves no texture that could be taken for noise.
    aliases : bool
        What it does not measure comes back as faint copies of the picture, which similar patches take for it.
    """

    selects: bool = False
    smooths: bool = False
    aliases: bool = False
