"""Planes of a series restored by one network that is fitted to all of them and sees each with its neighbours."""

from __future__ import annotations

from dataclasses import replace

import torch

from untaught.fitting.stopping import StepBudget
from untaught.methods.in_series import Shared
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.candidate import Candidate
from untaught.pipeline.plane.choose_methods import objection
from untaught.pipeline.recipes import plane_recipe, sha256
from untaught.pipeline.stacks.asked import Asked
from untaught.pipeline.stacks.find_series import Series
from untaught.pipeline.stacks.fit_series import Network, Place, fitted
from untaught.pipeline.stacks.read_planes import SeriesPlanes
from untaught.pipeline.stacks.restore_series import restore_series
from untaught.pipeline.stacks.survey_series import survey_series
from untaught.pipeline.stacks.way import Way
from untaught.pipeline.tiles.memory_need import memory_for
from untaught.problem import Estimate

WHY = (
    "{count} planes along {axis} show the same: one network was fitted to all of them, and sees each with "
    "{neighbours} on either side"
)
BYTES = 200  # a value of a plane, while its block is restored


def restore_shared(asked: Asked, series: Series, method: Shared, answers: dict[int, Answer]) -> None:
    """Fit one network to a series, and restore its planes with it.

    What holds no noise, or noise that cannot be drawn again, has no answer.

    Raises
    ------
    NoGreyError
        For a plane of two values.
    InputError
        For a checkpoint of another run.
    KeyboardInterrupt
        After Ctrl-C; `answers` has what was done, with the network as far as it was fitted.
    """
    first = asked.request(series.planes[0])
    survey = survey_series(asked.picture, series, first)
    if survey.noise.leaves_clean or survey.noise.negligible or not survey.noise.recorruptible:
        return
    identity = {
        "picture": sha256(asked.picture) if first.checkpoint is not None else "",
        "method": repr(method),
        "noise": repr(first.noise),
        "seed": first.seed,
        "series": list(series.planes),
    }
    place = Place(first.checkpoint, identity)
    planes = SeriesPlanes(survey, first, method.neighbours, memory_for(first))
    left = None if first.seconds is None else max(first.seconds - asked.spent, 0.0)
    made = fitted(method, planes, first, place, left)
    reason = objection(method.needs, survey.noise, min(asked.picture.height, asked.picture.width))
    notes = (f"{method.name} was asked for, but {reason}; look twice at the result",) if reason else ()
    way = Way(
        method.fitted(made.network),
        WHY.format(count=len(series.planes), axis=series.axis, neighbours=method.neighbours),
        series.along,
        _candidate(method, made, notes),
        each=BYTES,
    )
    requests = [None if one is None else replace(one, seconds=None) for one in asked.requests]
    restore_series(replace(asked, requests=requests), survey, way, answers)
    place.clear()
    if made.interrupted:
        raise KeyboardInterrupt


def _candidate(method: Shared, made: Network, notes: tuple[str, ...]) -> Candidate:
    """Return what all planes share of what is known of how they were made."""
    nothing = torch.zeros(1)
    rule = StepBudget()
    return Candidate(
        name=method.name,
        picture=nothing,
        judged=Estimate(nothing),
        stopped=made.stopped,
        rule=rule,
        history=made.history,
        notes=(*notes, *made.notes),
        recipe=plane_recipe(method, rule, made.stopped.step),
    )
