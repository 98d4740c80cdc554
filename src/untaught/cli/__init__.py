"""The command line: `main` is the program, `program` what it does.

Next to nothing is imported here, so that Ctrl-C is understood from the first milliseconds on.
"""

from __future__ import annotations

# `signal` brings enum, and typing half of the library: each takes longer than all the rest of this page.
import _signal  # type: ignore[import-not-found]
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; `sys.argv[1:]` by default.

    Returns
    -------
    int
        The exit status: 0 done; 1 a fault of untaught itself; 2 the call or the input is wrong; 130 interrupted.
    """
    if argv is None:  # until `program` counts the signals, there is nothing to keep
        _signal.signal(_signal.SIGINT, _leave)
    from untaught.cli.program import run

    return run(argv)


def _leave(number: int, frame: object) -> None:
    os._exit(128 + number)
