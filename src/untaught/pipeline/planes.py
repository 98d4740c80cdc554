"""A picture plane by plane, sharing what is left of the time, and put together again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.fitting.checkpoint import refuse_foreign
from untaught.fitting.progress import Progress
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.methods.parallel import threads_for
from untaught.pipeline.answer import Answer
from untaught.pipeline.combine_planes import Answers, combine
from untaught.pipeline.elsewhere import Ahead, Elsewhere, Solved, sent
from untaught.pipeline.hold_answers import Held
from untaught.pipeline.plane.make_problem import NoGreyError
from untaught.pipeline.plane.take_stripes import Taken, stripes_in, without_stripes
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.asked import Asked
from untaught.pipeline.stacks.choose_together import helping_method, lone_refusal, seen_beside, shared_method
from untaught.pipeline.stacks.find_series import NONE, Found
from untaught.pipeline.stacks.restore_together import restore_together
from untaught.pipeline.task import Task
from untaught.pipeline.tiles.memory_need import memory_for
from untaught.pipeline.tiles.parts import Parts, Whole, left
from untaught.pipeline.tiles.restore_tiles import restore_tiles
from untaught.pipeline.tiles.stripes_in_parts import stripes_in_parts
from untaught.problem import Weights
from untaught.results.result import Result

APART = "to end in time, the planes were taken one by one, and not together"
LATE = "The time was over before this plane was begun"
BETWEEN_PLANES = 1000  # seeds; a plane draws from a few after its own


class Account(Protocol):
    """What was done to a plane before it is solved."""

    def counted(self, answer: Answer) -> Answer:
        """Return the answer for that plane as the answer for the one that was given."""
        ...


@dataclass(frozen=True)
class Requests:
    """What is asked of a picture.

    Attributes
    ----------
    picture : Image
        What was given.
    shared : Request
        What is asked of all planes.
    planes : tuple of Request or None
        What is asked of each; None for one that is to be left as it is.
    started : float
        When, by `time.monotonic`: the clock of the whole picture.
    accounts : tuple of sequences of Account
        What was done to the planes before they are solved, such as taking stripes out, for each of them.
    found : Found
        Planes that may be restored together.
    elsewhere : Elsewhere or None
        Who restores parts of it, where that is not this process alone.
    only : Plane or None
        The only plane of what was measured, where it was looked at and nothing was taken out of it.
    """

    picture: Image
    shared: Request
    planes: tuple[Request | None, ...]
    started: float
    accounts: tuple[Sequence[Account], ...] = ()
    found: Found = NONE
    elsewhere: Elsewhere | None = None
    only: Plane | None = None

    @classmethod
    def of(cls, picture: Image, request: Request, started: float, elsewhere: Elsewhere | None = None) -> Requests:
        """Return the same request for every plane."""
        return cls(picture, request, (request,) * picture.n_planes, started, elsewhere=elsewhere)

    def destriped(self, measured: Image, in_parts: bool) -> tuple[Image, Requests]:
        """Return what was measured without the stripes that are to be taken out, and the requests that know it.

        `in_parts` says that its planes are not to be held.
        """
        only = measured.plane(0) if measured.n_planes == 1 and not in_parts else None

        def look(index: int) -> Taken:
            if in_parts:
                return stripes_in_parts(measured, index, self.shared.stripes)
            return stripes_in(only or measured.plane(index), self.shared.stripes)

        picture, taken = without_stripes(measured, look)
        return picture, replace(self.also(taken), only=only if picture is measured else None)

    def also(self, accounts: Sequence[Account]) -> Requests:
        """Return the requests for planes to which something more was done."""
        return replace(self, accounts=(*self.accounts, accounts))


Solve = Callable[[Plane, Request], Answer]


def restore_planes(
    requests: Requests,
    task: Task,
    solve: Solve,
    measured: Image | None = None,
    frame: Image | None = None,
    parts: Parts | None = None,
) -> Result:
    """Do what is asked of every plane, and make the result of the answers.

    Parameters
    ----------
    requests : Requests
        What is asked.
    task : Task
        The verb and its operator, for the recipe.
    solve : callable
        Answers for one plane.
    measured : Image, optional
        The picture whose planes are solved, where it is not the given one as it is.
    frame : Image, optional
        The picture to put the answers into, where that is not the given one.
    parts : Parts, optional
        How planes are taken in parts, where they do not fit in memory.

    Raises
    ------
    InputError
        For a checkpoint of a stack, a file that is none, or a plane that cannot be restored.
    """
    if requests.shared.checkpoint is not None:
        _check_checkpoint(requests.shared.checkpoint, requests)
    picture = measured or requests.picture
    if requests.elsewhere is not None and picture.array is not requests.picture.array:
        raise InputError(
            f"something is taken out of the planes of {picture.name} before all else, such as a fixed pattern of "
            "the sensor, which workers that read them do not see; give --fixed-pattern keep, or leave --dask out"
        )
    answers = _counted(_answers(picture, requests, task, solve, parts), requests.accounts)
    shared = replace(requests.shared, memory=None if parts is None else memory_for(requests.shared))
    return combine(requests.picture, answers, shared, task, frame)


def _counted(answers: Answers, accounts: Sequence[Sequence[Account]]) -> Answers:
    """Return the answers with all that was done to the planes before, the last first."""
    planes = answers.planes
    for each in reversed(accounts):
        reached = each[: len(planes)]
        planes = tuple(answer and one.counted(answer) for answer, one in zip(planes, reached, strict=True))
    return replace(answers, planes=planes)


def _check_checkpoint(path: Path, requests: Requests) -> None:
    """Refuse a checkpoint of planes that are restored one by one, and a file that is none."""
    picture, series = requests.picture, requests.found.series
    request = requests.shared
    together = series and (helping_method(request, series[0].along) or shared_method(request, series[0]))
    if picture.n_planes > 1 and not together:
        raise InputError(
            f"a checkpoint holds one plane, or planes that are restored together, but the {picture.n_planes} of "
            f"{picture.name} would be restored one by one"
        )
    refuse_foreign(path)


def _answers(picture: Image, requests: Requests, task: Task, solve: Solve, parts: Parts | None) -> Answers:
    """Solve series of planes that help each other, and all others plane by plane.

    A plane without a request is left as it is. What the answer for a plane was learnt by, the fit to the next one
    begins with. It has seen what was drawn for that plane, so another seed draws for this one.
    """
    answers: list[Answer | None] = []
    warm_start: Weights | None = None
    count, started, elsewhere = picture.n_planes, requests.started, requests.elsewhere
    made: dict[int, Answer] = {}
    held = Held(count)
    try:
        asked = Asked(picture, requests.planes, task, started, parts is not None, elsewhere)
        restore_together(asked, requests.found, made)
        single = count == 1 and parts is not None  # its tiles may go elsewhere
        work = {
            index: _Part(
                index,
                count,
                request,
                solve,
                parts,
                _alone(request, task),
                elsewhere if single else None,
                requests.only,
            )
            for index, request in enumerate(requests.planes)
            if index not in made
        }
        ahead = None if elsewhere is None or single else Ahead(elsewhere, [_sent(part) for part in work.values()])
        for index, request in enumerate(requests.planes):
            if index in made:
                answers.append(made[index])
                continue
            part = work[index]
            if request is not None:
                seconds = request.seconds
                if seconds is not None:
                    seconds = max(seconds - (time.monotonic() - started), 0.0) / (count - index)
                seed = request.seed if warm_start is None else request.seed + index * BETWEEN_PLANES
                progress = _numbered(request.on_progress, index, count)
                request = replace(request, seed=seed, seconds=seconds, on_progress=progress, warm_start=warm_start)
                request = _with_others(request, requests, index, picture)
                late = LATE if seconds == 0 and index and not task.fills_in else None
                part = replace(part, request=request, lone=part.lone or late)
            after = request is not None and not (request.warm_start is None and request.context is None)
            solved = part.solved(picture) if ahead is None else ahead.solved(_sent(part), alone=after)
            answer = solved.answers[index]
            if index in asked.apart:
                answer = replace(answer, notes=(*answer.notes, APART))
            warm_start = answer.weights or warm_start
            answers.append(held.laid(index, answer))
            if answer.interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        rest = (made.get(index) for index in range(len(answers), count))
        return Answers((*answers, *rest), started, interrupted=True)
    return Answers(tuple(answers), started)


@dataclass(frozen=True)
class _Part:
    """One plane, at once or tile by tile, as a `Part` of the work."""

    index: int
    count: int
    request: Request | None
    solve: Solve
    parts: Parts | None
    lone: str | None  # why it is left as it is: it cannot be taken alone, or there is no time
    elsewhere: Elsewhere | None = None
    only: Plane | None = None
    whole: bool = True

    @property
    def looked_at(self) -> Sequence[int]:
        """See `elsewhere.Part`."""
        return [self.index]

    def solved(self, picture: Image) -> Solved:
        """Restore it; see `elsewhere.Part`."""
        try:
            answer = self._answer(picture, None if self.lone else self.request)
            answer = _left(answer, self.lone) if self.lone else answer
        except NoGreyError as error:
            if self.count == 1:
                raise
            answer = _left(self._answer(picture, None), str(error))
        return Solved({self.index: answer})

    def _answer(self, picture: Image, request: Request | None) -> Answer:
        if self.parts is not None:
            return restore_tiles(
                Whole(picture, self.index, self.parts.tiling, self.elsewhere), request, self.parts
            )
        plane = self.only or picture.plane(self.index)
        if request is None or _flat(plane.values):
            return _copied(plane)
        with threads_for(plane.values.size):
            return replace(self.solve(plane, request), together=request.context is not None)


def _alone(request: Request | None, task: Task) -> str | None:
    return None if request is None or task.fills_in else lone_refusal(request)


def _sent(part: _Part) -> _Part:
    return replace(part, request=None if part.request is None else sent(part.request), only=None)


def _with_others(request: Request, requests: Requests, index: int, picture: Image) -> Request:
    """Return what is asked of a plane with those that are seen with it, where some are.

    Then no fit begins with another: that to the plane before has seen this one, with all of its noise.
    """
    context = seen_beside(picture, requests.found, index, request)
    if context is None:
        return request
    return replace(request, context=context, warm_start=None, seed=requests.shared.seed)


def _left(answer: Answer, why: str) -> Answer:
    """Return the answer for a plane that was left as it was, saying why."""
    return replace(answer, notes=(f"{why.rstrip('.')}, so it was left as it is",))


def _numbered(
    on_progress: Callable[[Progress], None] | None, plane: int, planes: int
) -> Callable[[Progress], None] | None:
    if on_progress is None:
        return None
    return lambda progress: on_progress(replace(progress, plane=plane, planes=planes))


def _flat(values: NDArray[np.float32]) -> bool:
    return bool(values.max() == values.min())


def _copied(plane: Plane) -> Answer:
    """Return the answer for a plane to be left alone, such as an empty page in a stack: itself."""
    return replace(left(plane), completed=bool(plane.missing.any()))
