"""Where values were cut off: found on a plane by itself, or told by all pictures of a class.

Whether an end is a cut shows in how values pile up there, and in a picture of which little lies there it may not
show. Undoing a cut moves what is near it by a part of a grey level, so pictures that are to be alike share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untaught.image.plane import Plane
from untaught.noise import clipping
from untaught.pipeline.request import Cut

Clip = tuple[bool, bool]
NEAR = 1e-6  # of the range: so near to a cut, the end of a plane lies at it


def cut_off(plane: Plane, cut: Cut | None) -> Clip:
    """Return whether a plane was cut off at the ends of its own range; `cut` is None where nobody told."""
    own = plane.working
    if cut is None:
        return clipping(own.values, own.gone).clip
    low, high = own.ends(plane.value_range)
    near = NEAR * (high - low)
    bottom, top = (at is not None and abs(end - at) <= near for end, at in zip((low, high), cut, strict=True))
    return bottom, top


@dataclass(frozen=True)
class Ends:
    """The least and the greatest value of a plane within reach, and whether values pile up there."""

    low: float
    high: float
    piled: Clip

    @classmethod
    def of(cls, plane: Plane) -> Ends | None:
        """Return those of a plane, in units of the array; None where it has one value."""
        own = plane.working
        if own.gone.all() or own.values.max() == own.values.min():
            return None
        return cls(*own.ends(plane.value_range), clipping(own.values, own.gone).clip)


def cut_of(planes: Sequence[Ends | None]) -> Cut:
    """Return where the values of all planes are cut off: at the outermost of their ends, if one piles up there."""
    found = [ends for ends in planes if ends is not None]
    low, high = min((e.low for e in found), default=0.0), max((e.high for e in found), default=0.0)
    bottom = any(e.piled[0] and e.low == low for e in found)
    top = any(e.piled[1] and e.high == high for e in found)
    return low if bottom else None, high if top else None
