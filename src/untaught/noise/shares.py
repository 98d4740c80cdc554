"""A share in words: never "0.0 %" of what is there, nor a digit that a share is too small for."""

from __future__ import annotations

from collections.abc import Sequence

LEAST = 0.001  # share below which a digit behind the point says nothing
GAPS = "held no measurement, for which {are} put those beside"
COUNTED = 9  # as many are told by their number where their share is smaller


def percent(share: float) -> str:
    """Return a share: 'none', 'less than 0.1 %', '0.4 %'."""
    if share <= 0:
        return "none"
    return f"{100 * share:.1f} %" if share >= LEAST else "less than 0.1 %"


class Counted(str):
    """A sentence that counts, as `part` makes it, which knows what it counted."""

    counted: int
    total: int
    noun: str
    rest: str


def added(sentences: Sequence[Counted], whole: float) -> str:
    """Return one sentence for the parts of a plane, of which those that counted nothing said nothing.

    `whole` is how many times the parts that have one make up the plane.
    """
    first = sentences[0]
    count, total = (sum(getattr(each, name) for each in sentences) for name in ("counted", "total"))
    return part(count, round(whole * total), first.noun, first.rest)


def part(count: int, total: int, noun: str, rest: str) -> Counted:
    """Return a sentence about `count` of `total` of a noun, '{were}' and '{are}' in the rest in their number.

    'one value was missing', '3 values were missing', 'less than 0.1 % of the values were missing'.
    """
    share = count / max(total, 1)
    many = noun + "s"
    if share >= LEAST:
        who = f"{100 * share:.1f} % of the {many}"
    elif count > COUNTED:
        who = f"less than 0.1 % of the {many}"
    else:
        who = f"one {noun}" if count == 1 else f"{count} {many}"
    single = count == 1 and share < LEAST
    said = Counted(f"{who} {rest.format(were='was' if single else 'were', are='is' if single else 'are')}")
    said.counted, said.total, said.noun, said.rest = count, total, noun, rest
    return said
