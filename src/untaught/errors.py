"""The errors a person can cause, each carrying one sentence that says what is wrong and what to do."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

FAULT = "set UNTAUGHT_DEBUG=1 to see the traceback, and please report it"
OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "bad_alloc", "can't start new thread")
LONGEST = 60  # letters of a value that was given, in a sentence about it


class UntaughtError(Exception):
    """Base of every error that is shown to a person as one sentence on one line (exit status 2)."""

    def __init__(self, *said: object) -> None:
        super().__init__(*(legible(one) if isinstance(one, str) else one for one in said))


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
    if text.startswith("<"):  # Python's own way: a place in memory tells nobody anything
        return f"of the type {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def kind_of(value: object) -> str:
    """Return what something is, where it is not what it should be: 'None', or the name of its type."""
    return "None" if value is None else type(value).__name__


def first_fault(error: Exception) -> str:
    """Return the first thing that pydantic found wrong, in a few words, with where it stands: 'fit.steps: ...'."""
    found: Any = getattr(error, "errors", list)()
    if not found:
        return " ".join(str(error).split())[:150]
    place, said = ".".join(map(str, found[0]["loc"])), str(found[0]["msg"]).removeprefix("Value error, ")
    said = " ".join(said.split())[:150]
    return f"{place}: {said}" if place else said


@contextmanager
def refused_as(sentence: Callable[[Exception], InputError]) -> Iterator[None]:
    """Say of whatever goes wrong inside what `sentence` makes of it; what is a sentence already stays.

    Raises
    ------
    InputError
        For anything that goes wrong inside.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise sentence(error) from error


def one_of(value: object, choices: Iterable[str]) -> bool:
    """Tell whether a value is one of some names; what is no text is none of them, whatever it is."""
    return isinstance(value, str) and value in choices


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return the question whether the nearest of `choices` was meant, with a space behind it; or nothing."""
    import difflib

    close = difflib.get_close_matches(name, choices, n=1)
    return f"did you mean {close[0]!r}? " if close else ""


def legible(name: object) -> str:
    """Return a file name, or a text with one in it, on one line: what cannot be printed as escapes."""
    text = str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def explained(error: Exception) -> tuple[int, str]:
    """Return the exit status for an error, 2 for what a person can help, and the sentence about it."""
    if isinstance(error, UntaughtError):
        return 2, legible(error)  # a file's name in it may have line breaks
    if isinstance(error, MemoryError) or _out_of_memory(error):
        return 2, "there is not enough memory for this picture; cut it into pieces, or close other programs"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return 2, legible(f"the system refused: {where}{error.strerror or error}")
    what = " ".join(str(error).split())[:300]
    return 1, f"internal error: {type(error).__name__}: {what}; {FAULT}"


def _out_of_memory(error: Exception) -> bool:
    """Tell whether a library ran out of memory: torch says so on the CPU in the words of a RuntimeError."""
    if type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)
