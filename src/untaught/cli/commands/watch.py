"""`untaught watch`: restores what an instrument writes into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from untaught.cli.app import Job, Noise, app
from untaught.cli.commands.denoise import denoise
from untaught.cli.commands.tasks import SEVERAL, call_of, parameters_of, signed
from untaught.cli.several import Several, watch_several
from untaught.cli.signals import Interrupts

Settle = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="A file is whole when its size and time did not change for so long."),
]
IdleExit = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="End when nothing has come for so long."),
]
Once = Annotated[bool, typer.Option("--once", help="End when all that is there is done.")]
Folders = Annotated[list[Path], typer.Argument(metavar="DIR", help="The folders to watch.", show_default=False)]
LEFT_OUT = ("reference", "checkpoint", "shard", "volume")  # of `denoise`: about one picture, or all of them


def watch(settle: Settle = 2.0, idle_exit: IdleExit = None, once: Once = False) -> None:
    """Restore the pictures that come into a folder, each once it is completely written, until Ctrl-C."""


def _command(**given: Any) -> Job:
    waits = {name: given.pop(name) for name in ("settle", "idle_exit", "once")}
    pictures, output = tuple(given.pop("pictures")), given.pop("output")
    about_many = {name: given.pop(name) for name in SEVERAL if name in given}
    several = Several(pictures, output, **about_many)
    missing = {"picture": pictures[0], "output": Path(output), "reference": None, "checkpoint": None}
    call = call_of("denoise", {}, given | missing)

    def job(interrupts: Interrupts) -> int:
        with interrupts.held():
            from untaught.jobs.watch import Watching
        interrupts.check()
        return watch_several(call, several, Watching(**waits), interrupts)

    return job


_shared = parameters_of(denoise, pictures=Folders, noise=Noise)
_own = [each for each in _shared if each.name not in LEFT_OUT]
app.command(short_help="Restore what an instrument writes into a folder.")(
    signed(_command, watch, [*_own[:2], *parameters_of(watch), *_own[2:]])
)
