"""`untaught denoise`: everything that can be refused is refused first, then the picture is made and written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from untaught.cli.app import (
    AsJson,
    Axes,
    Dask,
    Device,
    FixedPattern,
    Flicker,
    Frames,
    Job,
    Limit,
    Memory,
    Output,
    OutputType,
    Overwrite,
    Page,
    Pictures,
    Quiet,
    RecipeFile,
    Recursive,
    Reference,
    Region,
    Report,
    Seed,
    Series,
    Shard,
    SharedNoise,
    Stripes,
    Suffix,
    Together,
    ValueRange,
    Volume,
    Workers,
    app,
)
from untaught.cli.call import Call, range_of, region_of
from untaught.cli.console import no_empty_folder
from untaught.cli.several import Several, run_several
from untaught.cli.signals import Interrupts
from untaught.errors import InputError, OutputError
from untaught.image.reading import Reading, memory_of
from untaught.methods.registry import METHODS

if TYPE_CHECKING:
    from untaught.image.image import Image
    from untaught.jobs.by_blocks import ByBlocks
    from untaught.results.result import Result


@app.command(short_help="Remove the noise from a picture.")
def denoise(
    pictures: Pictures,
    output: Output,
    axes: Axes = None,
    value_range: ValueRange = None,
    method: Annotated[
        str,
        typer.Option(metavar="METHOD", help=f"auto chooses; or {', '.join(METHODS)}."),
    ] = "auto",
    effort: Annotated[
        str, typer.Option(metavar="EFFORT", help="quick, normal or best: how much is tried.")
    ] = "normal",
    noise: SharedNoise = "auto",
    noise_region: Region = None,
    noise_from: Frames = None,
    seed: Seed = 0,
    time_limit: Limit = None,
    device: Device = "auto",
    stop: Annotated[
        str | None, typer.Option(metavar="RULE", help="Stopping rule, where the default is not wanted.")
    ] = None,
    output_type: OutputType = "same",
    stripes: Stripes = None,
    memory: Memory = None,
    together: Together = "auto",
    strength: Annotated[
        float, typer.Option(metavar="SHARE", help="From 0, the input, to 1, the answer: a mixture of both.")
    ] = 1.0,
    fixed_pattern: FixedPattern = "auto",
    flicker: Flicker = "keep",
    report: Report = None,
    recipe: RecipeFile = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the state of the fit here; the same call goes on from it."),
    ] = None,
    reference: Reference = None,
    series: Series = None,
    page: Page = None,
    volume: Volume = False,
    recursive: Recursive = False,
    workers: Workers = None,
    dask: Dask = None,
    shard: Shard = None,
    overwrite: Overwrite = False,
    suffix: Suffix = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Job:
    """Remove the noise from a picture, or many, of which nothing has to be known."""
    call = Call(
        input=pictures[0],
        output=Path(output),
        options={
            "axes": axes,
            "method": method,
            "effort": effort,
            "noise": noise,
            "noise_region": region_of(noise_region),
            "noise_from": noise_from or None,
            "seed": seed,
            "time_limit": time_limit,
            "device": device,
            "stop": stop,
            "output_type": output_type,
            "stripes": stripes,
            "memory": memory,
            "together": together,
            "strength": strength,
            "fixed_pattern": fixed_pattern,
            "flicker": flicker,
            "checkpoint": checkpoint,
        },
        report=report,
        recipe=recipe,
        reference=reference,
        as_json=as_json,
        quiet=quiet,
        reading=Reading(series, page, memory_of(memory), value_range=range_of(value_range), volume=volume),
    )
    several = Several(tuple(pictures), output, recursive, workers, shard, overwrite, suffix, dask, volume)
    return lambda interrupts: dispatched(call, several, interrupts)


def dispatched(call: Call, several: Several, interrupts: Interrupts) -> int:
    """Restore one picture, or several where the inputs stand for more."""
    if several.meant(interrupts):
        return run_several(call, several, interrupts)
    if call.options["noise"] == "shared":
        raise InputError("--noise shared is about several pictures, and one was given; leave it out")
    with no_empty_folder(call.output):
        return run(replace(call, output=several.place(call.output)), interrupts, several)


def run(call: Call, interrupts: Interrupts, several: Several | None = None) -> int:
    """Restore one picture and return the exit status."""
    started = time.monotonic()
    with interrupts.held():
        from untaught.image import image  # noqa: F401 - what `_opened` uses, so that it can be cut
    interrupts.check()
    picture, reference = _opened(call)
    with interrupts.held():  # whoever interrupts it has the picture as it was
        from untaught.fitting.checkpoint import until_written
    with until_written(), _others(call, several, interrupts) as by:
        result = restored(picture, call, interrupts, by)
        with interrupts.final():
            if result is None:
                result = _untouched(picture, call, time.monotonic() - started)
            if interrupts.count:
                result = replace(result, interrupted=True)
            _finish(call, result, reference, by)
    what = "the picture as it was" if result.method == "none" else "the best picture so far"
    return interrupts.ended(f"{call.output} holds {what}")


@contextmanager
def _others(call: Call, several: Several | None, interrupts: Interrupts) -> Iterator[ByBlocks | None]:
    """Yield who restores the picture by blocks, where a cluster is to do that."""
    if several is None or several.dask is None:
        yield None
        return
    with interrupts.held():
        from untaught.jobs.by_blocks import by_blocks
        from untaught.jobs.workers import workers_of
    interrupts.check()
    with by_blocks(call.task, (several.dask, workers_of(several.workers, several.dask)), call.output) as by:
        yield by


def _opened(call: Call) -> tuple[Image, Image | None]:
    """Read the pictures, and refuse whatever would fail at the end."""
    from untaught.image.files import as_image, beside, check_writable
    from untaught.image.metrics import check_reference
    from untaught.image.orientation import laid_as

    picture = as_image(call.input, call.options["axes"], call.reading)
    frame = _frame(call, picture)
    check_writable(call.output, frame, protect=call.reference)
    check_places(call)
    reference = None if call.reference is None else laid_as(beside(call.reference, frame), frame, alike=True)
    if reference is not None:
        check_reference(frame, reference)
    return picture, reference


def _frame(call: Call, picture: Image) -> Image:
    """Return a picture of the answer's size and of the type that was asked for.

    Raises
    ------
    InputError
        If there is no such type.
    """
    from untaught.image.output_type import output_type_of, typed

    return typed(call.frame(picture), output_type_of(call.options["output_type"]))


def check_places(call: Call) -> None:
    """Refuse a report, a recipe or a checkpoint that cannot be written, or that has the place of another file.

    A page or a recipe under the name of a picture is a slip, and would take the picture's place.

    Raises
    ------
    InputError, OutputError
        One sentence about the first that is wrong.
    """
    from untaught.image.atomic import check_target
    from untaught.image.files import check_place

    check_place(call.output, call.inputs, call.reading.volume)
    taken = {call.output.resolve(): "the output"}
    for name, path in (
        ("report", call.report),
        ("recipe", call.recipe),
        ("checkpoint", call.options.get("checkpoint")),
    ):
        if path is None:
            continue
        check_target(path, call.inputs)
        if path.resolve() in taken:
            raise InputError(f"{path} is {taken[path.resolve()]} and the {name} at once; give them two names")
        taken[path.resolve()] = f"the {name}"
    for name, path, endings in (("report", call.report, (".html", ".htm")), ("recipe", call.recipe, (".json",))):
        if path is not None and path.suffix.lower() not in endings:
            raise InputError(f"{path} has to end in {' or '.join(endings)}; name the {name} so")


def restored(picture: Image, call: Call, interrupts: Interrupts, by: ByBlocks | None = None) -> Result | None:
    """Restore a picture, showing progress; None where it was interrupted before there was a result.

    Raises
    ------
    KeyboardInterrupt
        Where the best so far is not wanted either.
    """
    from untaught.cli.progress import Show

    result = None
    try:
        with interrupts.held():
            door = call.door(picture) if by is None else by.denoise
        interrupts.check()
        with Show(interrupts, call.quiet) as show:
            result = door(picture, **call.options, on_progress=show)
    except KeyboardInterrupt:
        pass
    if interrupts.leaving:
        raise KeyboardInterrupt
    return result


def _untouched(picture: Image, call: Call, seconds: float) -> Result:
    """Return the best picture there is when nothing was made yet: the input, or what it gives at once."""
    from untaught.method import Stopped
    from untaught.noise import Unknown
    from untaught.results.recipe import Recipe
    from untaught.results.result import Result

    seed = call.options["seed"]
    return Result(
        picture=_frame(call, picture),
        input=picture,
        noise=Unknown(0.0),
        noise_found=False,
        method="none",
        why="it was interrupted before anything was restored",
        stopped=Stopped("interrupted", 0, "interrupted before the first step"),
        seconds=seconds,
        recipe=Recipe(
            task=call.task,
            noise="auto",
            seed=seed,
            device=call.options["device"],
            threads=0,
            versions={},
            input_sha256="",
            planes=(),
        ),
        notes=picture.notes,
        interrupted=True,
    )


def _finish(call: Call, result: Result, reference: Image | None, by: ByBlocks | None = None) -> None:
    """Write the picture, then what goes with it, then say so."""
    from untaught.cli.console import print_json
    from untaught.cli.output import denoise_out, dumped, print_summary
    from untaught.image.atomic import write_text
    from untaught.image.files import write
    from untaught.image.metrics import quality

    (write if by is None else by.write)(call.output, result.picture, protect=call.reference)
    try:
        if call.report is not None:
            result.report(call.report)
        if call.recipe is not None:
            write_text(call.recipe, result.recipe.model_dump_json(indent=2) + "\n", call.inputs)
    except OutputError as error:
        raise OutputError(f"{error} (the picture itself is in {call.output})") from error
    scores = None if reference is None else quality(result.picture, reference)
    files = {"input": call.input, "output": call.output, "report": call.report, "recipe": call.recipe}
    out = denoise_out(result, files, scores)
    if call.as_json:
        print_json(dumped(out, scores is not None))
    elif not call.quiet:
        print_summary(result, out)
