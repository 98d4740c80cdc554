"""The errors a person can cause, each carrying one sentence that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 60  # letters of a value that was given, in a sentence about it


class UntaughtError(Exception):
    """Base of every error that is shown to a person as one sentence (exit status 2)."""


class InputError(UntaughtError, ValueError):
    """The picture, the mask or an option cannot be used as given."""


class OutputError(UntaughtError, OSError):
    """The result cannot be written where it was asked for."""


def quoted(value: object) -> str:
    """Return how a value that was given stands in a sentence: on one line, and short."""
    shape = getattr(value, "shape", None)
    if shape:
        return f"an array of the shape {tuple(shape)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def one_of(value: object, choices: Iterable[str]) -> bool:
    """Tell whether a value is one of some names; what is no text is none of them, whatever it is."""
    return isinstance(value, str) and value in choices


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return the question whether the nearest of `choices` was meant, with a space behind it; or nothing."""
    import difflib

    close = difflib.get_close_matches(name, choices, n=1)
    return f"did you mean {close[0]!r}? " if close else ""
