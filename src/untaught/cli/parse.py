"""From the arguments to the job to run: every command is a module of `commands` that adds itself to `app`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer

from untaught.cli.app import Job, app
from untaught.errors import InputError

COMMANDS = (
    "inspect",
    "denoise",
    "compare",
    "demo",
    "doctor",
    "formats",
    "compress",
    "explain",
    "tasks",
    "watch",
    "train",
    "serve",
)
"""Modules of `untaught.cli.commands`, in the order in which --help lists what they add."""


def parse(argv: list[str]) -> Job | int:
    """Turn the arguments into the job to run, or into an exit status where there is none (--help).

    Raises
    ------
    InputError
        For a call that is wrong, in one sentence.
    """
    for name in COMMANDS:
        import_module(f"untaught.cli.commands.{name}")

    usage_error = typer.BadParameter.__bases__[0]  # typer has its own click, or another's, by version
    click_exception: Any = usage_error.__bases__[0]
    try:
        made: Job | int | None = typer.main.get_command(app).main(argv, "untaught", standalone_mode=False)
    except click_exception as error:
        raise InputError(_sentence(error)) from None
    except SystemExit:  # typer's answer to a reader that has gone
        raise BrokenPipeError from None
    return 0 if made is None else made


def _sentence(error: Any) -> str:
    text = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "untaught"
    return f"{text[:1].lower()}{text[1:]}; see '{command} --help'"
