"""`untaught train` and `untaught apply`: a model from a folder of noisy pictures, and pictures from the model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from untaught._version import __version__
from untaught.cli.app import (
    AsJson,
    Axes,
    Dask,
    Device,
    Job,
    Limit,
    Noise,
    Output,
    OutputType,
    Overwrite,
    Page,
    Pictures,
    Quiet,
    RecipeFile,
    Recursive,
    Reference,
    Report,
    Seed,
    Series,
    Shard,
    Suffix,
    Workers,
    app,
)
from untaught.cli.call import Call
from untaught.cli.commands.denoise import run
from untaught.cli.console import no_empty_folder
from untaught.cli.several import Several, run_several
from untaught.cli.signals import Interrupts
from untaught.errors import UntaughtError
from untaught.image.reading import Reading

if TYPE_CHECKING:
    from untaught.image.image import Image
    from untaught.results.result import Result
    from untaught.training.result import TrainingResult

LEARNERS = "r2r, n2v, n2s, neighbor2neighbor, noisier2noise, noisy-as-clean, sure, n2n (pairs) ..."

Out = Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where to write the result.")]


@dataclass(frozen=True)
class ApplyCall(Call):
    """What was asked for; `model` is the file to restore with."""

    model: Path = field(default_factory=Path)
    task: str = "denoise"

    @property
    def inputs(self) -> tuple[Path | None, ...]:
        """See `Call`."""
        return (*super().inputs, self.model)

    @property
    def asked(self) -> dict[str, Any]:
        """See `Call`."""
        return {**self.options, "model": str(self.model)}

    def door(self, picture: Image) -> Callable[..., Result]:
        """Return what restores the picture with the model."""
        from untaught.training.apply import apply

        return partial(apply, self.model)


@app.command(short_help="Fit a network to a folder of noisy pictures.")
def train(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Noisy pictures, alike.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MODEL.safetensors", help="Where to write the model.")
    ],
    second: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="For n2n: another exposure of every picture, under the same name."),
    ] = None,
    method: Annotated[str, typer.Option(metavar="METHOD", help=f"What is learned: {LEARNERS}")] = "r2r",
    network: Annotated[
        str, typer.Option(metavar="NAME", help="dncnn, unet, with sizes dncnn:DEPTH,WIDTH, unet:WIDTH,SCALES.")
    ] = "auto",
    noise: Noise = "auto",
    epochs: Annotated[
        float | None,
        typer.Option(metavar="N", help="How often all pictures are covered by patches; 50, or for 2000 steps."),
    ] = None,
    patch: Annotated[int, typer.Option(metavar="PIXELS", help="Side of a patch.")] = 64,
    batch: Annotated[int, typer.Option(metavar="N", help="Patches in a step.")] = 16,
    neighbours: Annotated[
        int, typer.Option(metavar="N", help="Planes of a stack on each side that are seen with one.")
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="N", help="Same seed, same model.")] = 0,
    time_limit: Limit = None,
    device: Device = "auto",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from MODEL.safetensors.checkpoint, if it is there.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Job:
    """Fit a network to a folder of noisy pictures, without any clean one.

    Several processes or GPUs: torchrun --nproc-per-node N -m untaught train ...
    """
    options = {
        "second": second,
        "method": method,
        "network": network,
        "noise": noise,
        "epochs": epochs,
        "patch": patch,
        "batch": batch,
        "neighbours": neighbours,
        "seed": seed,
        "time_limit": time_limit,
        "device": device,
        "resume": resume,
    }
    return lambda interrupts: _train((folder, output), options, (as_json, quiet), interrupts)


def _train(
    files: tuple[Path, Path], options: Mapping[str, Any], looks: tuple[bool, bool], interrupts: Interrupts
) -> int:
    with interrupts.held():
        from untaught.cli.progress import Show
        from untaught.training.train import train as fitted
    interrupts.check()
    folder, output = files
    as_json, quiet = looks
    if os.environ.get("WORLD_SIZE", "1") != "1" and os.environ.get("RANK", "0") != "0":
        return _helped(partial(fitted, folder, output, **options), interrupts)
    with Show(interrupts, quiet) as show:
        result = fitted(folder, output, **options, on_progress=show)
    with interrupts.final():
        if as_json:
            _print_json(folder, result)
        elif not quiet:
            _print_summary(result)
    return interrupts.ended(f"{output} holds the best model so far; --resume goes on with it")


def _helped(work: Callable[[], object], interrupts: Interrupts) -> int:
    """Do the part of a process that torchrun started to help another, which alone speaks."""
    try:
        work()
    except UntaughtError:
        return 2
    except KeyboardInterrupt:
        pass
    return interrupts.status if interrupts.count else 0


def _print_json(folder: Path, result: TrainingResult) -> None:
    from untaught.cli.console import print_json
    from untaught.cli.output import text_of

    header = result.model.header
    print_json(
        {
            "input": text_of(folder),
            "output": text_of(result.path),
            "method": header.method,
            "network": header.network,
            "noise": header.noise,
            "channels": header.channels,
            "pictures": {"learned": header.files.learned, "judged": header.files.judged},
            "stopped": vars(result.stopped),
            "steps": header.fit.steps,
            "risk": header.fit.risk,
            "seconds": round(result.seconds, 3),
            "seed": header.fit.seed,
            "interrupted": result.interrupted,
            "notes": list(result.notes),
            "version": __version__,
        }
    )


def _print_summary(result: TrainingResult) -> None:
    from untaught.results.text import seconds, sentence

    header = result.model.header
    noise = header.noise
    origin = "As given." if noise["given"] else "Measured on the pictures."
    level = f"level {noise['median']:.1f} (of 255, on their own ranges)"
    print(f"{'noise':<9}{', '.join(noise['kinds'])}, {level}. {origin}")
    print(f"{'learned':<9}{header.files.learned} planes by {header.method}; {header.files.judged} kept back.")
    print(f"{'stopped':<9}{sentence(result.stopped.reason)}")
    for note in result.notes:
        print(f"{'note':<9}{sentence(note)}")
    print(f"{'time':<9}{seconds(result.seconds)}")
    print(f"{'output':<9}{result.path}", flush=True)


@app.command(short_help="Restore pictures with a trained model.")
def apply(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="What 'train' wrote.", show_default=False)],
    pictures: Pictures,
    output: Output,
    axes: Axes = None,
    noise: Noise = "auto",
    seed: Seed = 0,
    device: Device = "auto",
    output_type: OutputType = "same",
    report: Report = None,
    recipe: RecipeFile = None,
    reference: Reference = None,
    series: Series = None,
    page: Page = None,
    recursive: Recursive = False,
    workers: Workers = None,
    dask: Dask = None,
    shard: Shard = None,
    overwrite: Overwrite = False,
    suffix: Suffix = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Job:
    """Restore a picture, or many, with a model that 'untaught train' wrote."""
    call = ApplyCall(
        input=pictures[0],
        output=Path(output),
        options={
            "axes": axes,
            "noise": noise,
            "seed": seed,
            "device": device,
            "output_type": output_type,
        },
        report=report,
        recipe=recipe,
        reference=reference,
        as_json=as_json,
        quiet=quiet,
        reading=Reading(series, page),
        model=model,
        function="untaught.training.apply:applied",
    )
    several = Several(tuple(pictures), output, recursive, workers, shard, overwrite, suffix, dask)
    return lambda interrupts: _apply(call, several, interrupts)


def _apply(call: ApplyCall, several: Several, interrupts: Interrupts) -> int:
    with interrupts.held():
        from untaught.image.files import check_place
        from untaught.methods.trained.trained import Trained
        from untaught.training import apply as page  # noqa: F401 - brings torch, which must not be cut while it loads
    interrupts.check()
    many = several.meant(interrupts)
    Trained(str(call.model)).loaded()
    if many:
        return run_several(replace(call, task="apply"), several, interrupts)
    with no_empty_folder(call.output):
        call = replace(call, task="apply" if several.dask else call.task, output=several.place(call.output))
        check_place(call.output, call.inputs)
        return run(call, interrupts, several)
