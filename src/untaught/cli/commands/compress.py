"""`untaught compress`: a picture as few numbers, beside wavelets and JPEG of as many."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from untaught.cli.app import AsJson, Axes, Folder, Job, Limit, Page, Picture, Quiet, Seed, Series, app
from untaught.cli.signals import Interrupts
from untaught.image.reading import Reading

Factor = Annotated[float, typer.Option(metavar="F", help="Values of the picture for each number that is kept.")]


@app.command(short_help="Draw a picture from few numbers, beside wavelets and JPEG.")
def compress(
    picture: Picture,
    output: Folder,
    axes: Axes = None,
    factor: Factor = 31.0,
    seed: Seed = 0,
    time_limit: Limit = None,
    series: Series = None,
    page: Page = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Job:
    """Draw a picture from few numbers, the weights of a deep decoder, beside wavelets and JPEG of as many."""

    def job(interrupts: Interrupts) -> int:
        options = {"factor": factor, "seed": seed, "time_limit": time_limit}
        return run_compress((picture, axes, Reading(series, page)), output, options, (as_json, quiet), interrupts)

    return job


def run_compress(
    source: tuple[Path, str | None, Reading],
    folder: Path,
    options: Mapping[str, Any],
    looks: tuple[bool, bool],
    interrupts: Interrupts,
) -> int:
    """Compress a picture into a folder; `source` says which picture, `looks` are as_json and quiet."""
    with interrupts.held():
        from untaught.cli.console import no_empty_folder, told
        from untaught.cli.progress import Show
        from untaught.image.files import as_image
        from untaught.theory.compress import check_folder, code
    interrupts.check()
    as_json, quiet = looks
    picture = as_image(*source)
    with no_empty_folder(folder):
        check_folder(folder, picture.source)
        with Show(interrupts, quiet) as show:
            coded = code(picture, **options, on_progress=show)
        with interrupts.final():
            page = coded.save(folder)
    record = coded.as_dict() | {"output": str(folder), "interrupted": bool(interrupts.count)}
    told(record, f"{coded.describe()}\n\nlook at {page}", as_json, quiet)
    return interrupts.ended(f"{folder} holds what was done until then")
