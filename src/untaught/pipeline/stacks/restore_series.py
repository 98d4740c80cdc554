"""Planes that help each other, restored together: some at a time, with their neighbours on both sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from untaught.errors import OutputError
from untaught.fitting.progress import Progress
from untaught.image.lazy import empty, release
from untaught.method import Helping, runs_of
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.candidate import Candidate, Outcome
from untaught.pipeline.plane.judge import with_risk, with_terms
from untaught.pipeline.plane.make_answer import make_answer
from untaught.pipeline.plane.refine_noise import mean_factor, refine
from untaught.pipeline.plane.run_method import Runner, made_at_once
from untaught.pipeline.plane.working_scale import brought_back
from untaught.pipeline.recipes import sha256
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.asked import Asked
from untaught.pipeline.stacks.blocks import BYTES, Block, Posed, blocks_of, posed
from untaught.pipeline.stacks.find_series import Series
from untaught.pipeline.stacks.keep_blocks import Kept, Solved
from untaught.pipeline.stacks.survey_series import Survey, survey_series
from untaught.pipeline.tiles.memory_need import memory_for
from untaught.problem import Estimate
from untaught.risk.sure import common_kernel

WEAKER = 0.9  # of the variance that was measured first: below, the first block is restored again
SEVERAL = "{count} planes along {axis} show the same, and each was restored with the help of those around it"


@dataclass(frozen=True)
class Way:
    """How the planes of a series are restored together.

    Attributes
    ----------
    method : Helping
        What takes planes together.
    why : str
        A sentence for the answers.
    shared : Candidate or None
        What is known of the network that was fitted to all of them, where it is one: its name, how that ended.
    each : int
        Bytes that a value of a plane takes, at most, while its block is restored.
    """

    method: Helping
    why: str
    shared: Candidate | None = None
    each: int = BYTES

    @classmethod
    def by(cls, method: Helping, series: Series) -> Way:
        """Return the way of a formula."""
        return cls(method, SEVERAL.format(count=len(series.planes), axis=series.axis))

    @property
    def name(self) -> str:
        """Of the method, as it was asked for."""
        return self.method.name if self.shared is None else self.shared.name

    def judged(self, one: Posed, estimate: Estimate, seed: int) -> Candidate:
        """Return one plane's estimate as a candidate with its terms."""
        found = made_at_once(self.method, estimate) if self.shared is None else self.shared
        found = replace(found, picture=estimate.image, judged=estimate, method=self.method)
        return with_terms(found, one.problem, seed)

    def __repr__(self) -> str:
        """Return what a kept block is known by."""
        return repr(self.method) if self.shared is None else f"{self.method!r} {self.shared.stopped.step}"


def restore_alike(asked: Asked, series: Series, method: Helping, answers: dict[int, Answer]) -> None:
    """Restore a series with a formula; see `restore_series`."""
    survey = survey_series(asked.picture, series, asked.request(series.planes[0]).noise)
    if not survey.noise.leaves_clean:
        restore_series(asked, survey, Way.by(method, series), answers)


def restore_series(asked: Asked, survey: Survey, way: Way, answers: dict[int, Answer]) -> None:
    """Restore a series block by block.

    What time is not left for has no answer.

    Raises
    ------
    NoGreyError
        For a plane of two values.
    InputError
        For a checkpoint of another run.
    KeyboardInterrupt
        After Ctrl-C; `answers` has what was done.
    """
    picture, series = asked.picture, survey.series
    count, first = len(series.planes), asked.request(series.planes[0])
    shape = (picture.height, picture.width, len(picture.group(series.planes[0])))
    canvas = empty((count, *shape), np.float64 if picture.array.itemsize > 2 else np.float32)
    blocks = blocks_of(count, math.prod(shape), memory_for(first), runs_of(way.method).reach, way.each)
    work = _Work(asked, way, first, _kept(asked, series, way, first))
    for block in blocks:
        if block.first and first.seconds is not None and asked.spent > first.seconds:
            return
        made = [posed(survey, place, asked.request(series.planes[place])) for place in block.seen]
        _tell(asked, survey, way.name, made[block.first - block.start])
        done = work.solved(survey, block, made)
        if done.told is not None:
            survey = replace(survey, noise=survey.noise.scaled(*done.told))
            made = [one.under(survey.law(one.place)) for one in made]
        for one, estimate in zip(made, done.estimates, strict=True):
            if one.place in block.answered:
                answer = _answer(asked, survey, one, way.judged(one, estimate, first.seed), way.why)
                canvas[one.place] = answer.values
                answers[series.planes[one.place]] = replace(answer, values=canvas[one.place])
        release(canvas)
        release(picture.array)
    work.kept.clear(blocks)


def _kept(asked: Asked, series: Series, way: Way, request: Request) -> Kept:
    """Return where blocks are kept, if they are to be, and what they have to be of."""
    if request.checkpoint is None:
        return Kept(None, {})
    identity = {
        "picture": sha256(asked.picture),
        "method": repr(way),
        "noise": repr(request.noise),
        "seed": request.seed,
        "along": series.along,
        "planes": list(series.planes),
    }
    return Kept(request.checkpoint, identity)


@dataclass(frozen=True)
class _Work:
    """What the planes of a series go through, block by block."""

    asked: Asked
    way: Way
    request: Request
    kept: Kept

    def solved(self, survey: Survey, block: Block, made: Sequence[Posed]) -> Solved:
        """Return the estimates of a block; of the first also what they tell of the level.

        Where that is much lower than it was taken for, it is restored again.
        """
        before = self.kept.load(block, torch.device(self.request.device))
        if before is not None:
            return before
        done = Solved(self._together(survey, made))
        if not block.first and self.request.noise is None:
            pairs = zip(made, done.estimates, strict=True)
            judged = [self.way.judged(*pair, self.request.seed) for pair in pairs]
            told = _told(survey, made, judged)
            if told is not None and told[0] < WEAKER:
                again = replace(survey, noise=survey.noise.scaled(*told))
                weaker = [one.under(again.law(one.place)) for one in made]
                done = Solved(self._together(again, weaker))
            done = replace(done, told=told)
        problem = self.kept.save(block, done)
        if problem:
            raise OutputError(f"{problem}; make room, or leave --checkpoint out")
        return done

    def _together(self, survey: Survey, made: Sequence[Posed]) -> list[Estimate]:
        problems = [one.problem for one in made]
        return self.way.method.solve_together(problems, survey.series.along, self.request.seed)


def _tell(asked: Asked, survey: Survey, phase: str, first: Posed) -> None:
    """Say which plane the work has come to."""
    index, planes = survey.series.planes[first.place], asked.picture.n_planes
    tell = asked.request(index).on_progress
    if tell is None:
        return
    left = asked.spent * (planes - index) / index if index else math.nan
    told = Progress.before(phase, lambda: first.shown)
    tell(replace(told, plane=index, planes=planes, seconds=asked.spent, seconds_left=left))


def _told(survey: Survey, made: Sequence[Posed], judged: Sequence[Candidate]) -> tuple[float, float] | None:
    """Return the factor on the variance that the residuals of some planes tell, and its relative error."""
    if survey.noise.relative_error <= 0 or not survey.noise.white:
        return None
    told = []
    for one, candidate in zip(made, judged, strict=True):
        if candidate.terms is not None:
            law = refine(one.problem, candidate.picture, candidate.terms)
            told.append((law.level**2 / one.problem.noise.level**2, law.relative_error))
    if not told:
        return None
    factor, error = mean_factor(told)
    return factor, min(error, survey.noise.relative_error)


def _answer(asked: Asked, survey: Survey, one: Posed, candidate: Candidate, why: str) -> Answer:
    """Return the answer for one plane, on the picture's range."""
    series = survey.series
    request = asked.request(series.planes[one.place])
    problem = replace(one.problem, pilot=candidate.picture)
    if candidate.terms is not None:
        terms = candidate.terms.of_variance(common_kernel(problem, candidate.picture))
        runs = runs_of(candidate.method)
        candidate = with_risk(candidate, problem, terms, replace(runs, tweedie=runs.tweedie_together))
    outcome = Outcome(candidate, why, (candidate.row("planes together"),))
    runner = Runner(replace(request, noise=one.given), asked.task, asked.started)
    found = make_answer(problem, outcome, runner, (*survey.notes, *one.notes))
    return replace(brought_back(found, one.plane, request.noise), together=True)
