"""The commands and their options; what they do is on the pages that the jobs open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from untaught._version import __version__
from untaught.cli.signals import Interrupts
from untaught.errors import InputError
from untaught.methods.registry import METHODS

Job = Callable[[Interrupts], int]

app = typer.Typer(
    name="untaught",
    help="Restore images with networks that nobody taught: a noisy file in, a file to trust out.",
    epilog="Pictures: PNG, JPEG, WebP, TIFF (stacks too), .npy. 'untaught COMMAND --help' has the options.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Picture = Annotated[Path, typer.Argument(metavar="IN", help="The picture.", show_default=False)]
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")]
Noise = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="auto measures it; or gaussian:25, poisson:GAIN,READ, impulse:0.1, speckle:0.2, correlated:25,WIDTH "
        "(levels on the 0..255 scale).",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Same seed, same picture.")]
Limit = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="At most so long; then the best so far is the answer."),
]
Device = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu or cuda.")]
Reference = Annotated[
    Path | None,
    typer.Option(metavar="CLEAN", help="The clean picture, to report the true PSNR and SSIM."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")]


def parse(argv: list[str]) -> Job | int:
    """Turn the arguments into the job to run, or into an exit status where there is none (--help).

    Raises
    ------
    InputError
        For a call that is wrong, in one sentence.
    """
    from untaught.cli.commands import compress, explain, tasks, train  # noqa: F401 - they add their commands

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


def _version(wanted: bool) -> None:
    if wanted:
        print(f"untaught {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        raise InputError("no command was given; see 'untaught --help'")


@app.command(short_help="Say what noise a picture has, and what to do about it.")
def inspect(
    picture: Picture,
    plot: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Draw the variance of the noise against brightness.")
    ] = None,
    as_json: AsJson = False,
) -> Job:
    """Say what noise a picture has, what to do about it, and what that will cost."""

    def job(interrupts: Interrupts) -> int:
        from untaught.cli.commands.rest import run_inspect

        return run_inspect(picture, plot, as_json, interrupts)

    return job


@app.command(short_help="Remove the noise from a picture.")
def denoise(
    picture: Picture,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where to write the result.")],
    method: Annotated[
        str,
        typer.Option(metavar="METHOD", help=f"auto chooses; or {', '.join(METHODS)}."),
    ] = "auto",
    noise: Noise = "auto",
    seed: Seed = 0,
    time_limit: Limit = None,
    device: Device = "auto",
    stop: Annotated[
        str | None, typer.Option(metavar="RULE", help="Stopping rule, where the default is not wanted.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Write a report, one self-contained HTML page.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="OUT.json", help="Write the recipe that makes the result again.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the state of the fit here; the same call goes on from it."),
    ] = None,
    reference: Reference = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Job:
    """Remove the noise from a picture of which nothing has to be known."""
    from untaught.cli.commands.denoise import Call, run

    call = Call(
        input=picture,
        output=output,
        options={
            "method": method,
            "noise": noise,
            "seed": seed,
            "time_limit": time_limit,
            "device": device,
            "stop": stop,
            "checkpoint": checkpoint,
        },
        report=report,
        recipe=recipe,
        reference=reference,
        as_json=as_json,
        quiet=quiet,
    )
    return lambda interrupts: run(call, interrupts)


@app.command(short_help="Run several methods and lay the results side by side.")
def compare(
    picture: Picture,
    methods: Annotated[str, typer.Option(metavar="A,B,C", help="Methods, separated by commas.")],
    output: Folder,
    reference: Reference = None,
    noise: Noise = "auto",
    seed: Seed = 0,
    time_limit: Limit = None,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Job:
    """Run several methods on a picture, and lay the results side by side; the time limit is for each."""

    def job(interrupts: Interrupts) -> int:
        from untaught.cli.commands.rest import run_compare

        options = {"noise": noise, "seed": seed, "time_limit": time_limit, "device": device}
        files = (picture, methods.split(","), output, reference)
        return run_compare(files, options, (as_json, quiet), interrupts)

    return job


@app.command(short_help="Restore a picture that ships with the package.")
def demo(output: Folder = Path("untaught-demo"), quiet: Quiet = False) -> Job:
    """Restore a picture that ships with the package, in about half a minute."""

    def job(interrupts: Interrupts) -> int:
        from untaught.cli.commands.rest import run_demo

        return run_demo(output, quiet, interrupts)

    return job


@app.command(short_help="Say what this machine has, and what is missing.")
def doctor(as_json: AsJson = False) -> Job:
    """Say what this machine has, what is missing, and how fast to expect things to be."""

    def job(interrupts: Interrupts) -> int:
        from untaught.cli.commands.rest import run_doctor

        return run_doctor(as_json, interrupts)

    return job
