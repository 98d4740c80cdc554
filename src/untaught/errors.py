"""The errors a person can cause, each carrying one sentence that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable


class UntaughtError(Exception):
    """Base of every error that is shown to a person as one sentence (exit status 2)."""


class InputError(UntaughtError, ValueError):
    """The picture, the mask or an option cannot be used as given."""


class OutputError(UntaughtError, OSError):
    """The result cannot be written where it was asked for."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return the question whether the nearest of `choices` was meant, with a space behind it; or nothing."""
    import difflib

    close = difflib.get_close_matches(name, choices, n=1)
    return f"did you mean {close[0]!r}? " if close else ""
