"""Whether there is time to restore planes together, told by a small part of some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from torch import Tensor

from untaught.image.tiling import Span, Tile
from untaught.method import Along, Helping, Lighter, runs_of
from untaught.methods.time_limit import first_that_fits, make_ready, seconds_for_all
from untaught.pipeline.plane.run_method import quickened
from untaught.pipeline.stacks.asked import Asked
from untaught.pipeline.stacks.blocks import posed
from untaught.pipeline.stacks.survey_series import Survey
from untaught.problem import Problem, part_of

SIDE = 256  # pixels of the part, at most
SOONEST = 0.5  # of the time limit: after that nothing is tried any more, for to try takes time, too


def series_in_time(asked: Asked, survey: Survey, method: Helping) -> tuple[Survey, Helping] | None:
    """Return the method that there is time for, the asked one or a quicker one, and the survey that says so.

    None where there is none: then the planes are restored one by one, as long as there is time.
    """
    series = survey.series
    seconds = asked.request(series.planes[0]).seconds
    if seconds is None:
        return survey, method
    if asked.spent > SOONEST * seconds:
        return None
    problems = _some(asked, survey, method)
    pixels = survey.shape[0] * survey.shape[1] * len(series.planes)
    share = pixels / (problems[0].y[0, 0].numel() * len(problems))
    left = max(seconds - asked.spent, 0.0)
    make_ready(_run(method, problems, series.along), problems[0].y)
    methods = [method, *(method.quicker() if isinstance(method, Lighter) else ())]
    rungs = (
        (one, share * seconds_for_all(_run(one, problems, series.along), problems[0].y, left / share))
        for one in cast(list[Helping], methods)
        if asked.spent <= SOONEST * seconds
    )
    fitting = first_that_fits(rungs, left)
    if fitting is None:
        return None
    return replace(survey, notes=(*survey.notes, *quickened(method, fitting))), fitting


def _some(asked: Asked, survey: Survey, method: Helping) -> list[Problem]:
    """Return a corner of as many planes as help one."""
    height, width = (min(SIDE, side) for side in survey.shape)
    corner = Tile(Span(0, height, 0, height, height, 0), Span(0, width, 0, width, width, 0))
    count = min(survey.series.length, 2 * runs_of(method).reach + 1)
    planes = survey.series.planes
    return [posed(survey, place, asked.request(planes[place]), corner).problem for place in range(count)]


def _run(method: Helping, problems: list[Problem], along: Along) -> Callable[[Tensor], None]:
    """Return what restores a corner of planes, of the size of a part of a picture."""

    def run(part: Tensor) -> None:
        whole, (height, width) = slice(None), part.shape[2:]
        cut = [part_of(one, (whole, whole, slice(0, height), slice(0, width))) for one in problems]
        for found in method.solve_together(cut, along, 0):
            found.image.cpu()

    return run
