"""`untaught explain`: why an untrained network restores a picture, and where to stop it, on the person's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from untaught.cli.app import AsJson, Axes, Folder, Job, Page, Picture, Quiet, Seed, Series, app
from untaught.cli.signals import Interrupts
from untaught.image.reading import Reading

Strength = Annotated[
    str,
    typer.Option(
        "--noise",
        metavar="MODEL",
        help="How strong the noise is that is added: auto, as strong as the picture's own; or gaussian:25 ...",
    ),
]

Limit = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="About so long; with fewer than it needs there are fewer steps and patterns."
    ),
]


@app.command(short_help="Show on a picture why this works, and when to stop.")
def explain(
    picture: Picture,
    output: Folder,
    axes: Axes = None,
    noise: Strength = "auto",
    seed: Seed = 0,
    time_limit: Limit = None,
    series: Series = None,
    page: Page = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Job:
    """Show on a picture why an untaught network restores it, and when to stop it; takes about half a minute."""

    def job(interrupts: Interrupts) -> int:
        options = {"noise": noise, "seed": seed, "time_limit": time_limit}
        return run_explain((picture, axes, Reading(series, page)), output, options, (as_json, quiet), interrupts)

    return job


def run_explain(
    source: tuple[Path, str | None, Reading],
    folder: Path,
    options: Mapping[str, Any],
    looks: tuple[bool, bool],
    interrupts: Interrupts,
) -> int:
    """Explain a picture into a folder; `source` says which picture, `looks` are as_json and quiet."""
    with interrupts.held():
        from untaught.cli.console import no_empty_folder, told
        from untaught.cli.progress import Show
        from untaught.image.files import as_image
        from untaught.theory.explain import check_folder, explain
    interrupts.check()
    as_json, quiet = looks
    picture = as_image(*source)
    with no_empty_folder(folder):
        check_folder(folder, picture.source)
        with Show(interrupts, quiet) as show:
            found = explain(picture, **options, on_progress=show)
        interrupts.check()
        with interrupts.final():
            page = found.save(folder)
    record = found.as_dict(curves=False) | {"output": str(folder), "page": str(page)}
    told(record, f"{found.describe()}\n\nlook at {page}", as_json, quiet)
    return interrupts.ended(f"{folder} holds the explanation")
