"""`untaught inspect`: what noise a picture has, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from untaught.cli.app import (
    AsJson,
    Axes,
    Dask,
    Frames,
    Job,
    Memory,
    Page,
    Recursive,
    Region,
    Series,
    Shard,
    ValueRange,
    Volume,
    Workers,
    app,
)
from untaught.cli.call import range_of, region_of
from untaught.cli.several import Several, inspect_several
from untaught.cli.signals import Interrupts
from untaught.errors import InputError
from untaught.image.reading import Reading, memory_of

ENDINGS = {"plot": (".png",), "report": (".html", ".htm"), "curve": (".csv",)}


@app.command(short_help="Say what noise a picture has, and what to do about it.")
def inspect(
    pictures: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="IN",
            help="The picture; or several, folders, patterns; without any, --noise-from is looked at alone.",
        ),
    ] = None,
    axes: Axes = None,
    value_range: ValueRange = None,
    noise_region: Region = None,
    noise_from: Frames = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.png", help="Draw the variance of the noise against brightness, and its spectrum."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.html",
            help="Write a page: advice, curve, spectrum, and patches of what would be taken out.",
        ),
    ] = None,
    noise_curve: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv",
            help="Write the law as a table with the columns brightness and variance, in the data's units; "
            "--noise-from takes it in place of the frames.",
        ),
    ] = None,
    memory: Memory = None,
    series: Series = None,
    page: Page = None,
    volume: Volume = False,
    recursive: Recursive = False,
    workers: Workers = None,
    dask: Dask = None,
    shard: Shard = None,
    as_json: AsJson = False,
) -> Job:
    """Say what noise a picture has, or many, what to do about it, and what that will cost."""
    places = {"plot": plot, "report": report, "curve": noise_curve}
    told = {"noise_region": region_of(noise_region), "noise_from": noise_from or None}

    def job(interrupts: Interrupts) -> int:
        if not pictures:
            return run_frames(told, places, as_json, interrupts)
        picture, at = pictures[0], range_of(value_range)
        reading = Reading(series, page, memory_of(memory), value_range=at, volume=volume)
        several = Several(tuple(pictures), "", recursive, workers, shard, dask=dask, volume=volume)
        if several.meant(interrupts):
            _refuse_places(places)
            return inspect_several({**told, "axes": axes, "memory": memory}, reading, several, as_json, interrupts)
        return run_inspect((picture, axes, reading), {**told, "memory": memory}, places, as_json, interrupts)

    return job


def run_inspect(
    source: tuple[Path, str | None, Reading],
    told: Mapping[str, Any],
    places: Mapping[str, Path | None],
    as_json: bool,
    interrupts: Interrupts,
) -> int:
    """Measure a picture's noise and print what was found.

    Parameters
    ----------
    source : tuple
        Which picture, and what its axes are.
    told : mapping
        Where its noise is to be measured, by the names that `untaught.inspect` has for it.
    places : mapping
        Where plot, report and curve go.
    as_json, interrupts
        Whether programs read it; what Ctrl-C asks for.
    """
    with interrupts.held():
        from untaught.cli.console import told as say
        from untaught.image.atomic import whole_file
        from untaught.image.files import as_image
        from untaught.pipeline.tasks.inspect import inspect
        from untaught.results.noise_plot import noise_plot
    interrupts.check()
    _check_places(places, source[0])
    found = inspect(as_image(*source), **told)
    if places["plot"] is not None:
        reports = {p.label: p.report for p in found.planes}
        png = noise_plot(reports, found.temporal, found.spectrum, found.transfer, found.value_range)
        with whole_file(places["plot"]) as stream:
            stream.write(png)
    if places["report"] is not None:
        found.report(places["report"])
    if places["curve"] is not None:
        found.curve(places["curve"])
    say(found.as_dict(), found.describe(), as_json, quiet=False)
    return 0


def _refuse_places(places: Mapping[str, Path | None]) -> None:
    for name, path in places.items():
        if path is not None:
            raise InputError(f"the {name} is of one picture, and several were given; leave {path} out")


def run_frames(
    told: Mapping[str, Any], places: Mapping[str, Path | None], as_json: bool, interrupts: Interrupts
) -> int:
    """Measure what dark and flat frames tell of a camera, without a picture; see `run_inspect`."""
    with interrupts.held():
        from untaught.cli.console import told as say
        from untaught.image.atomic import write_text
        from untaught.pipeline.options import frames_of
        from untaught.pipeline.tasks.noise_frames import transfer_of
        from untaught.results.noise_curve import transfer_table
    interrupts.check()
    frames = frames_of(told["noise_from"])
    if frames is None:
        raise InputError("there is nothing to inspect; give a picture, or --noise-from with frames of a camera")
    if told["noise_region"] or places["plot"] or places["report"]:
        raise InputError("--noise-region, --plot and --report are about a picture; give one")
    _check_places(places, None)
    transfer = transfer_of(frames)
    if places["curve"] is not None:
        write_text(places["curve"], transfer_table(transfer))
    lines = [transfer.describe(), *(f"note: {note}" for note in transfer.notes)]
    say(transfer.as_dict(), "\n".join(lines), as_json, quiet=False)
    return 0


def _check_places(places: Mapping[str, Path | None], picture: Path | None) -> None:
    """Refuse places that cannot be written to, or whose ending is that of something else."""
    from untaught.image.atomic import check_target

    for name, path in places.items():
        if path is None:
            continue
        if path.suffix.lower() not in ENDINGS[name]:
            raise InputError(f"{path} has to end in {' or '.join(ENDINGS[name])}; name the {name} so")
        check_target(path, (picture,))
