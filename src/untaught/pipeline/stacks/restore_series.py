"""Planes that help each other, restored together: some at a time, with their neighbours on both sides."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from untaught.errors import OutputError
from untaught.fitting.progress import Progress
from untaught.image.image import Image
from untaught.image.lazy import release
from untaught.method import Helping, OnGrid, runs_of
from untaught.pipeline.answer import Answer
from untaught.pipeline.elsewhere import Solved, sent
from untaught.pipeline.plane.candidate import Candidate, Outcome
from untaught.pipeline.plane.make_answer import make_answer
from untaught.pipeline.plane.refine_noise import mean_factor, refine
from untaught.pipeline.plane.run_method import Runner
from untaught.pipeline.plane.strength import weakened
from untaught.pipeline.plane.working_scale import brought_back
from untaught.pipeline.recipes import sha256
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.asked import Asked
from untaught.pipeline.stacks.blocks import Block, Need, Posed, blocks_of, posed
from untaught.pipeline.stacks.canvas import SeriesCanvas
from untaught.pipeline.stacks.find_series import Series
from untaught.pipeline.stacks.keep_blocks import Estimated, Kept
from untaught.pipeline.stacks.series_in_time import series_in_time
from untaught.pipeline.stacks.survey_series import Survey, survey_series
from untaught.pipeline.stacks.way import Judged, Way
from untaught.pipeline.task import Task
from untaught.pipeline.tiles.memory_need import memory_for
from untaught.problem import Estimate, tensor

WEAKER = 0.9  # of the variance that was measured first: below, the first block is restored again


def restore_alike(asked: Asked, series: Series, method: Helping, answers: dict[int, Answer]) -> None:
    """Restore a series with a formula, as far as there is time for that; see `restore_series`."""
    survey = survey_series(asked.picture, series, asked.request(series.planes[0]), asked.in_parts)
    if survey.noise.leaves_clean:
        return
    fitting = series_in_time(asked, survey, method)
    if fitting is None:
        asked.apart.update(series.planes)
    else:
        restore_series(asked, fitting[0], Way.by(fitting[1], series), answers)


def restore_series(asked: Asked, survey: Survey, way: Way, answers: dict[int, Answer]) -> None:
    """Restore a series block by block; what the first tells of the level of the noise, all others know.

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
    count, first = series.length, asked.request(series.planes[0])
    shape = (picture.height, picture.width, len(picture.group(series.planes[0])))
    memory = memory_for(first)
    need = Need(runs_of(way.method).reach, way.each)
    values = (*shape[:2], shape[2] * series.lines)
    blocks = blocks_of(count, values, memory, need, whole=way.shared is not None)
    common = _Common(asked.task, way, asked.started, _kept(asked, series, way, first))
    canvas = SeriesCanvas(picture, series.planes, shape, memory)
    reached = 0
    for some in (blocks[:1], blocks[1:]):
        parts = [_Part(common, survey.bare, block, _requests(asked, series, block)) for block in some]
        done = _here(asked, parts) if asked.elsewhere is None else asked.elsewhere.each(parts)
        for block, solved in zip(some, done, strict=False):  # what there is no time for is not done
            answers.update(canvas.laid(block, solved.answers))
            if solved.told is not None:
                survey = replace(survey, noise=survey.noise.scaled(*solved.told))
            reached += 1
    if reached == len(blocks):
        common.kept.clear(blocks)


def _requests(asked: Asked, series: Series, block: Block) -> dict[int, Request]:
    """Return what is asked of the planes of a block, by their places."""
    each = {place: asked.request(series.planes[place]) for place in series.places(block.seen)}
    return each if asked.elsewhere is None else {place: sent(request) for place, request in each.items()}


def _here(asked: Asked, parts: Sequence[_Part]) -> Iterator[Solved]:
    """Do parts in this process, as long as there is time."""
    for part in parts:
        if not part.block.leads and asked.late:
            return
        _tell(asked, part)
        yield part.solved(asked.picture)
        release(asked.picture.array)


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
class _Common:
    """What all blocks of a series have in common."""

    task: Task
    way: Way
    started: float
    kept: Kept


@dataclass(frozen=True)
class _Part:
    """A block of a series, as a `Part` of the work."""

    common: _Common
    survey: Survey
    block: Block
    requests: Mapping[int, Request]

    @property
    def whole(self) -> bool:
        """See `Part`."""
        return self.block.tile is None

    @property
    def looked_at(self) -> Sequence[int]:
        """See `Part`."""
        return [self.survey.series.planes[place] for place in self._places(self.block.seen)]

    def _places(self, some: range) -> list[int]:
        return self.survey.series.places(some)

    def solved(self, picture: Image) -> Solved:
        """Restore the block; see `Part`."""
        survey = replace(self.survey, picture=picture)
        made = [
            posed(survey, place, self.requests[place], self.block.tile) for place in self._places(self.block.seen)
        ]
        done = self._estimated(survey, made)
        if done.told is not None:
            survey = replace(survey, noise=survey.noise.scaled(*done.told))
            made = [one.under(survey.law(one.place, self.block.tile)) for one in made]
        pairs = zip(made, done.estimates, strict=True)
        answered = set(self._places(self.block.answered))
        planes, estimates = zip(*(pair for pair in pairs if pair[0].place in answered), strict=True)
        judged = self.common.way.told(planes, estimates, self.request.seed)
        answers = {
            survey.series.planes[one.place]: self._answer(survey, one, found)
            for one, found in zip(planes, judged, strict=True)
        }
        return Solved(answers, done.told)

    @property
    def request(self) -> Request:
        """What is asked of the first plane."""
        return self.requests[self.block.start]

    def _estimated(self, survey: Survey, made: Sequence[Posed]) -> Estimated:
        """Return the estimates of a block; of the first also what they tell of the level.

        Where that is much lower than it was taken for, it is restored again.
        """
        kept = self.common.kept
        before = kept.load(self.block, [one.problem.y for one in made])
        if before is not None:
            return before
        done = Estimated(self._together(survey, made))
        if self.block.leads and self.request.noise is None:
            way, seed = self.common.way, self.request.seed
            judged = [way.judged(*pair, seed) for pair in zip(made, done.estimates, strict=True)]
            told = _told(survey, made, judged)
            if told is not None and told[0] < WEAKER:
                again = replace(survey, noise=survey.noise.scaled(*told))
                weaker = [one.under(again.law(one.place, self.block.tile)) for one in made]
                done = Estimated(self._together(again, weaker))
            done = replace(done, told=told)
        problem = kept.save(self.block, done)
        if problem:
            raise OutputError(f"{problem}; make room, or leave --checkpoint out")
        return done

    def _together(self, survey: Survey, made: Sequence[Posed]) -> list[Estimate]:
        problems = [one.problem for one in made]
        method, series, seed = self.common.way.method, survey.series, self.request.seed
        if series.lines > 1 and isinstance(method, OnGrid):
            return method.solve_grid(problems, len(self.block.seen), seed)
        return method.solve_together(problems, series.along, seed)

    def _answer(self, survey: Survey, one: Posed, judged: Judged) -> Answer:
        """Return the answer for one plane, on the picture's range."""
        candidate, request = judged.candidate, self.requests[one.place]
        outcome = Outcome(candidate, self.common.way.why, (candidate.row("planes together"),))
        runner = Runner(replace(request, noise=one.given), self.common.task, self.common.started)
        found = make_answer(judged.problem, outcome, runner, (*survey.notes, *one.notes))
        found = brought_back(found, one.plane, request.noise)
        digits = np.float64 if survey.picture.array.itemsize > 2 else np.float32
        found = replace(found, values=found.values.astype(digits, copy=False), together=True)
        return weakened(found, one.plane.values, one.plane.missing, request.strength)


def _tell(asked: Asked, part: _Part) -> None:
    """Say which plane the work has come to."""
    survey, planes = replace(part.survey, picture=asked.picture), asked.picture.n_planes
    index = survey.series.planes[part.block.first]
    tell = asked.request(index).on_progress
    if tell is None:
        return
    done = index + part.block.done - part.block.first
    left = asked.spent * (planes - done) / done if done else math.nan
    preview = survey.plane(part.block.first, part.block.tile)
    told = Progress.before(part.common.way.name, lambda: tensor(preview.values))
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
