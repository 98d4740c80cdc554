"""Which axis of an array is which: what a person says, what a file says, and what the shape says by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from untaught.errors import InputError, quoted

SAMPLES = 4  # values at most that a pixel has without a word; a picture's side is longer
MIN_SIDE = 8
"""Fewest pixels on a side that can be restored: below it there is no patch to learn from."""
# Letters for the axes of an example, as many as there are from the end; without and with colours.
LEADING, OF_COLOURS = "UVWPQRTZC", "UVWPQRCZT"
MEANING = "Y rows, X columns, S colours, C channels, Z slices, T times"


@dataclass(frozen=True)
class Guess:
    """Axes that were not stated, and a note for a person where something else could have been meant."""

    axes: str
    note: str = ""


def checked_axes(axes: object, shape: Sequence[int], name: object) -> str:
    """Return axes that a person or a program named, in capitals.

    Raises
    ------
    InputError
        Unless they are one letter a dimension, none of them twice, with Y and X among them.
    """
    fault = _fault(axes, len(shape))
    if fault is not None:
        raise InputError(
            f"axes {quoted(axes)} do not fit {name}, which has the shape {tuple(shape)}: {fault}; {_advice(shape)}"
        )
    return str(axes).upper()


def _fault(axes: object, dimensions: int) -> str | None:
    if not isinstance(axes, str):
        return "they are no text"
    letters = axes.upper()
    if len(letters) != dimensions:
        named = "one dimension" if len(letters) == 1 else f"{len(letters)} dimensions"
        return f"they name {named} where there {'is' if dimensions == 1 else 'are'} {dimensions}"
    if not (letters.isascii() and letters.isalpha()):
        return "they are not all letters"
    twice = [letter for letter in letters if letters.count(letter) > 1]
    if twice:
        return f"{twice[0]} stands twice"
    lacking = [letter for letter in "YX" if letter not in letters]
    return f"they lack {' and '.join(lacking)}" if lacking else None


def guessed(shape: Sequence[int], name: str | Path) -> Guess:
    """Return what the axes of a bare array are taken for: of an array, of .npy, of whatever states none.

    ==============================================  ==========  =================================================
    shape                                           axes        because
    ==============================================  ==========  =================================================
    (H, W)                                          YX          there is nothing else
    (H, W, 1)  (H, W, 2)                            YXS         no picture is two columns wide; channels
    (H, W, 3)                                       YXS         red, green and blue, restored together
    (H, W, 4)                                       YXS, note   four channels: opacity is what a file says it is
    (H, W, 5 .. 7)                                  YXC, note   no picture is so narrow: channels
    (N, H, W) with N below H and W                  ZYX         a stack of N planes
    (3, H, W)                                       ZYX, note   the same; SYX would restore three colours together
    (N, S, S), N not S                              ZYX         planes are square more often than by chance
    (S, S, C), C from 8, not S                      refused     the same speaks for C channels, order for S planes
    (A, B, C), C from 8 and below A and B           refused     channels are last and few, planes first
    (N, H, W), other                                ZYX, note   long films, cubes: a stack of N planes
    four axes and more, or a middle one below 8     refused     any order is as likely as any other
    ==============================================  ==========  =================================================

    A wrong stack of planes is nothing but another restoration of noise, and nobody sees it: so a doubt is refused
    where the two readings are about as likely, and noted where one is far more so. Alpha is never guessed.

    Raises
    ------
    InputError
        For a doubt, in one sentence with the words that settle it, in Python and on the command line.
    """
    if len(shape) == 2:
        return Guess("YX")
    if len(shape) != 3 or (shape[2] > SAMPLES and shape[1] < MIN_SIDE <= min(shape[0], shape[2])):
        raise InputError(
            f"{name} has the shape {tuple(shape)}, and nothing says what its axes are; {_advice(shape)}"
        )
    first, middle, last = shape
    if last <= SAMPLES:
        return Guess("YXS", _FOUR if last == 4 else "")
    if last < MIN_SIDE <= min(first, middle):
        return Guess("YXC", _assumed(f"the last axis of {last} was taken for channels", "YXZ", "they are slices"))
    if first == middle != last or last < min(first, middle):
        raise InputError(
            f"{name} has the shape {tuple(shape)}, which may be {last} channels of {first} x {middle} pixels or "
            f"{first} planes of {middle} x {last}; say which, with {asked('YXC')} or {asked('ZYX')}"
        )
    if first == 3:
        return Guess("ZYX", _assumed("the first axis of 3 was taken for planes", "SYX", "they are colours"))
    if first < min(middle, last) or middle == last != first:
        return Guess("ZYX")
    return Guess("ZYX", _assumed(f"the first axis of {first} was taken for planes", "YXC", "channels come last"))


_FOUR = (
    "the four values of a pixel were taken for channels, none for opacity, which an array cannot state; where the "
    "fourth is to be left alone, give untaught.Image.of(array, 'YXS', alpha=True)"
)


def asked(axes: str) -> str:
    """Return how axes are named, in Python and on the command line."""
    return f"axes={axes!r} (--axes {axes})"


def _assumed(what: str, other: str, where: str) -> str:
    return f"{what}; where {where}, say {asked(other)}"


def _advice(shape: Sequence[int]) -> str:
    example = example_axes(shape)
    if example is None:
        return f"a picture has rows and columns of at least {MIN_SIDE} pixels"
    return f"name them, one letter each, such as {asked(example)}: {MEANING}"


def example_axes(shape: Sequence[int]) -> str | None:
    """Return axes that fit a shape, as an example; None where no two are long enough for a picture."""
    count = len(shape)
    rows = next((at for at in range(count - 2, -1, -1) if min(shape[at : at + 2]) >= MIN_SIDE), None)
    longest = sorted(sorted(range(count), key=lambda at: shape[at])[-2:])
    sides = longest if rows is None else [rows, rows + 1]
    if count < 2 or min(shape[at] for at in sides) < MIN_SIDE:
        return None
    coloured = count > 2 and sides[1] == count - 2 and shape[-1] in (3, 4)
    others = [at for at in range(count) if at not in sides and not (coloured and at == count - 1)]
    if len(others) > len(LEADING):
        return None
    ready = OF_COLOURS if coloured else LEADING
    letters = dict(zip(others, ready[len(ready) - len(others) :], strict=True))
    letters |= {sides[0]: "Y", sides[1]: "X"} | ({count - 1: "S"} if coloured else {})
    return "".join(letters[at] for at in range(count))
