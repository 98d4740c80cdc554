"""Planes of a series at one brightness: the scale that each is worked on, and what is said of them.

    z = (y - b - g (low - b)) / (g (high - low)),   y = b + g (x - b)

is the same for x whatever the gain g. An answer on that scale goes back to the plane's own brightness by itself,
and a law of noise to that of its values, as with any other scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from untaught.image.image import Image
from untaught.image.working import Scale
from untaught.noise.estimation.plane_gains import Gains
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.working_scale import WorkingScale
from untaught.pipeline.stacks.find_series import Series

SAME = 1e-6  # relative: so near to where it was, a value was cut off in the same place


def at_gain(scale: Scale, picture: Image, black: float, gain: float) -> Scale:
    """Return the scale of values that are `gain` times as bright, `black` being on the picture's range."""
    if gain == 1:
        return scale
    low, high = picture.value_range
    zero = low + black * (high - low)
    ends = zero + gain * (scale.low - zero), zero + gain * (scale.high - zero)
    span = scale.high - scale.low
    clip = [
        cut and abs(a - b) < SAME * span
        for cut, a, b in zip(scale.clip, ends, (scale.low, scale.high), strict=True)
    ]
    return replace(scale, low=ends[0], high=ends[1], step=scale.step / gain, clip=(clip[0], clip[1]))


@dataclass(frozen=True)
class Brightness:
    """What a plane differs by in brightness from the first one, which its answer is to have no more.

    Attributes
    ----------
    gain, black : float
        Of the plane, on the picture's range.
    """

    gain: float
    black: float

    def counted(self, answer: Answer) -> Answer:
        """Return the answer at the brightness of the first plane; its error grows with it."""
        scale = WorkingScale(self.gain, self.black * (1 - self.gain))
        return replace(scale.answer(answer), completed=answer.completed or answer.method == "none")


def at_one_brightness(picture: Image, series: Sequence[Series]) -> tuple[Brightness, ...]:
    """Return what every plane of a picture differs by from the first of its series."""
    found = [Brightness(1.0, 0.0)] * picture.n_planes
    for one in series:
        if one.gains is not None:
            for index, gain in zip(one.planes, one.gains.gains, strict=True):
                found[index] = Brightness(gain, one.gains.black)
    return tuple(found)


def brightness_notes(series: Sequence[Series], flicker: str, helps: bool) -> tuple[str, ...]:
    """Return what there is to say of planes that are not equally bright.

    Their flicker is kept or removed, and they are compared at one brightness where one `helps` another.
    """
    uneven = [one for one in series if one.gains is not None]
    if not uneven:
        return (
            ("the planes are equally bright, as far as can be told; none was changed",)
            if flicker == "remove"
            else ()
        )
    worst = max(uneven, key=lambda one: _uneven(one.gains))
    gains = worst.gains
    assert gains is not None
    said = []
    if gains.fading != 1:
        falls, why = ("falls", " (bleaching)") if gains.fading < 1 else ("rises", "")
        said.append(
            f"{falls} along {worst.axis}, in the last plane to {gains.fading:.0%} of that in the first{why}"
        )
    if gains.flicker:
        said.append(f"jumps from plane to plane by {gains.flicker:.1%} (flicker)")
    more = f", in {len(uneven)} series of planes at most" if len(uneven) > 1 else ""
    compared = "planes are compared at one brightness, and " if helps else ""
    then = (
        "all planes were given that of the first"
        if flicker == "remove"
        else f"{compared}each keeps its own; --flicker remove gives all planes that of the first"
    )
    return (f"the brightness {' and '.join(said)}{more}; {then}",)


def _uneven(gains: Gains | None) -> float:
    return 0.0 if gains is None else max(gains.flicker, abs(gains.fading - 1))
