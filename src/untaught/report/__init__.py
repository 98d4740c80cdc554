"""Reports: one self-contained HTML page a result, and a fragment for notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from untaught.results.restoration import Result

__all__ = ["fragment", "write_report"]


def write_report(result: Result, path: str | Path) -> Path:
    """Write one HTML page that needs no other file and no network.

    Parameters
    ----------
    result : Result
        What a restoration answered.
    path : str or Path
        Where to write; an earlier report there is replaced, whole or not at all.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        The folder does not exist or cannot be written to, or `path` is a folder.
    InputError
        `path` is the picture that was restored.
    """
    from untaught.image.atomic import write_text
    from untaught.results.page import page

    target = Path(path)
    write_text(target, page(result), (result.input.source,))
    return target


def fragment(result: Result) -> str:
    """Return a small piece of HTML with before, after and the verdict, for notebooks."""
    from untaught.results.page import fragment as made

    return made(result)
