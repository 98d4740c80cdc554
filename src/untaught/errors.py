"""The errors a person can cause, each carrying one sentence that says what is wrong and what to do."""

from __future__ import annotations


class UntaughtError(Exception):
    """Base of every error that is shown to a person as one sentence (exit status 2)."""


class InputError(UntaughtError, ValueError):
    """The picture, the mask or an option cannot be used as given."""


class OutputError(UntaughtError, OSError):
    """The result cannot be written where it was asked for."""
