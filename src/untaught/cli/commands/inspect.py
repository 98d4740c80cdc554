"""`untaught inspect`: what noise a picture has, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from untaught.cli.app import AsJson, Axes, Job, Page, Picture, Series, app
from untaught.cli.signals import Interrupts
from untaught.errors import InputError
from untaught.image.reading import Reading


@app.command(short_help="Say what noise a picture has, and what to do about it.")
def inspect(
    picture: Picture,
    axes: Axes = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Draw the variance of the noise against brightness.")
    ] = None,
    series: Series = None,
    page: Page = None,
    as_json: AsJson = False,
) -> Job:
    """Say what noise a picture has, what to do about it, and what that will cost."""

    def job(interrupts: Interrupts) -> int:
        return run_inspect((picture, axes, Reading(series, page)), plot, as_json, interrupts)

    return job


def run_inspect(
    source: tuple[Path, str | None, Reading], plot: Path | None, as_json: bool, interrupts: Interrupts
) -> int:
    """Measure a picture's noise and print what was found; `source` says which picture, and what its axes are."""
    with interrupts.held():
        from untaught.cli.console import print_json
        from untaught.image.atomic import check_target, whole_file
        from untaught.image.files import as_image
        from untaught.pipeline.tasks.inspect import inspect
        from untaught.results.noise_plot import noise_plot
    interrupts.check()
    if plot is not None:
        if plot.suffix.lower() != ".png":
            raise InputError(f"{plot} has to end in .png; name the plot so")
        check_target(plot, source[:1])
    found = inspect(as_image(*source))
    if plot is not None:
        with whole_file(plot) as stream:
            stream.write(noise_plot({p.label: p.report for p in found.planes}, found.temporal))
    if as_json:
        print_json(found.as_dict())
    else:
        print(found.describe())
    return 0
