"""What a method needs, held against what was measured on the picture; and what `auto` tries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from untaught.method import Needs
from untaught.noise import Correlated, NoiseModel
from untaught.noise.coloured_noise import shared

if TYPE_CHECKING:
    pass

FEW = 3 * 64 * 64  # values; on fewer a network's gain cannot be told from chance


@dataclass(frozen=True)
class Plan:
    """The methods `auto` tries, in order, and the reason."""

    methods: tuple[str, ...]
    why: str


def plan(noise: NoiseModel, values: int) -> Plan:
    """Choose what to try on a plane of so many values, from its noise."""
    if noise.replaces:
        return Plan(
            ("impulse-fill",),
            "the values that were hit are known; they are predicted from the others of their pixel, of its "
            "neighbours and of similar patches",
        )
    if noise.negligible:
        return Plan((), "no noise was found, so there is nothing to remove")
    if noise.white and values < FEW:
        return Plan(
            ("nonlocal",),
            "the noise is independent between pixels, which the combination of similar patches is made for; the "
            "picture is too small to tell whether a network would do better",
        )
    if noise.white:
        return Plan(
            ("nonlocal", "nonlocal-thorough", "dip"),
            "the noise is independent between pixels, which the combination of similar patches is made for, and "
            "whether a network adds to it can be measured",
        )
    return Plan(
        ("nonlocal",),
        "the noise is shared between neighbouring pixels, which rules out whatever assumes independent "
        "pixels; combining distant similar patches stays right",
    )


def objection(needs: Needs, noise: NoiseModel) -> str | None:
    """Say in a clause why a method is not right for this noise, or None."""
    if needs.white and noise.kind == "correlated":
        apart = max(shared(noise)) + 1 if isinstance(noise, Correlated) else 2
        return (
            "it needs noise that is independent between pixels, and here neighbours share theirs; struct-n2v "
            f"hides them together, n2v:{apart} learns from pixels {apart} apart, gr2r draws noise of that "
            "correlation, and nonlocal combines distant patches"
        )
    if needs.kinds and noise.kind not in needs.kinds:
        return f"it is made for {' or '.join(needs.kinds)} noise, and this is {noise.kind}"
    if needs.level and noise.level <= 0:
        return "it needs a noise level, and none was found"
    return None
