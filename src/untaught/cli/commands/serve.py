"""`untaught serve`: a page on this machine on which pictures are restored and looked at."""

from __future__ import annotations

from typing import Annotated

import typer

from untaught.cli.app import Job, app
from untaught.cli.signals import Interrupts
from untaught.errors import InputError
from untaught.image.reading import memory_of


@app.command(short_help="Open a page on which pictures are restored and looked at.")
def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen. The default lets in programs of this machine alone; 0.0.0.0 lets in whoever "
            "reaches it over the network and has the token, unencrypted.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="The port; 0 takes any that is free.")] = 8000,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    most: Annotated[str, typer.Option(metavar="AMOUNT", help="The largest file that is taken.")] = "2GiB",
) -> Job:
    """Open a page: drop a picture, see its noise, restore it, watch that, compare. Ctrl-C ends it.

    The page is at an address with a secret token, for this machine alone. What is dropped on it is kept in a
    private folder until the end.
    """
    if not 0 <= port < 65536:
        raise InputError(f"--port is {port}; give a number from 0, which takes any that is free, to 65535")

    def job(interrupts: Interrupts) -> int:
        from untaught.serve.run import Asked, run

        bound = memory_of(most)
        assert bound is not None, "the option has a default"
        run(Asked(host, port, open_page, bound))
        return 0

    return job
