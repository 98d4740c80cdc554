"""`untaught compare`: several methods on a picture, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from untaught.cli.app import (
    AsJson,
    Axes,
    Device,
    Folder,
    Job,
    Limit,
    Noise,
    OutputType,
    Page,
    Picture,
    Quiet,
    Reference,
    Seed,
    Series,
    app,
)
from untaught.cli.signals import Interrupts
from untaught.errors import InputError
from untaught.image.reading import Reading


@app.command(short_help="Run several methods and lay the results side by side.")
def compare(
    picture: Picture,
    methods: Annotated[str, typer.Option(metavar="A,B,C", help="Methods, separated by commas.")],
    output: Folder,
    axes: Axes = None,
    reference: Reference = None,
    noise: Noise = "auto",
    seed: Seed = 0,
    time_limit: Limit = None,
    device: Device = "auto",
    output_type: OutputType = "same",
    series: Series = None,
    page: Page = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Job:
    """Run several methods on a picture, and lay the results side by side; the time limit is for each."""

    def job(interrupts: Interrupts) -> int:
        options = {
            "axes": axes,
            "noise": noise,
            "seed": seed,
            "time_limit": time_limit,
            "device": device,
            "output_type": output_type,
        }
        files = (picture, methods.split(","), output, reference)
        return run_compare(files, Reading(series, page), options, (as_json, quiet), interrupts)

    return job


def run_compare(
    files: tuple[Path, list[str], Path, Path | None],
    reading: Reading,
    options: Mapping[str, Any],
    looks: tuple[bool, bool],
    interrupts: Interrupts,
) -> int:
    """Run methods on a picture; `files` are picture, methods, folder, reference; `looks` as_json, quiet."""
    with interrupts.held():
        from untaught.cli.console import no_empty_folder, told
        from untaught.cli.progress import Show
        from untaught.image.atomic import made_folder
        from untaught.image.files import as_image, check_writable
        from untaught.image.output_type import output_type_of, typed
        from untaught.pipeline.tasks.compare import checked_names, compare, places
    interrupts.check()
    path, methods, folder, reference = files
    as_json, quiet = looks
    picture = as_image(path, options["axes"], reading)
    names = checked_names(methods)
    with no_empty_folder(folder):
        made_folder(folder)
        frame = typed(picture, output_type_of(options["output_type"]))
        for target in places(folder, frame, names).values():
            check_writable(target, frame, protect=reference)
        with Show(interrupts, quiet) as show:
            found = compare(picture, names, reference=reference, **options, on_progress=show)
        if not found.results and not interrupts.count:
            reasons = "; ".join(f"{row.method}: {row.reason}" for row in found.rows)
            raise InputError(f"no method could be run on {path}: {reasons}")
        if not found.results:
            raise KeyboardInterrupt
        with interrupts.final():
            page = found.save(folder)
    record = found.as_dict() | {"output": str(folder)}
    told(record, f"{found.describe()}\n\nlook at {page}", as_json, quiet)
    return interrupts.ended(f"{folder} holds what was done until then")
