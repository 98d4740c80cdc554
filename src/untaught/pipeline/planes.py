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
from untaught.image.lazy import in_words
from untaught.image.plane import Plane
from untaught.image.tiling import Tiling
from untaught.method import Stopped
from untaught.noise import Unknown
from untaught.pipeline.answer import Answer
from untaught.pipeline.combine_planes import Answers, combine
from untaught.pipeline.plane.make_problem import NoGreyError
from untaught.pipeline.plane.strength import weakened
from untaught.pipeline.plane.take_stripes import without_stripes
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.asked import Asked
from untaught.pipeline.stacks.choose_together import helping_method, lone_refusal, seen_beside, shared_method
from untaught.pipeline.stacks.find_series import NONE, Found
from untaught.pipeline.stacks.restore_together import restore_together
from untaught.pipeline.task import Task
from untaught.pipeline.tiles.memory_need import memory_for, tiling_for
from untaught.pipeline.tiles.restore_tiles import Whole, restore_tiles
from untaught.problem import Weights
from untaught.results.result import Result

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
    """

    picture: Image
    shared: Request
    planes: tuple[Request | None, ...]
    started: float
    accounts: tuple[Sequence[Account], ...] = ()
    found: Found = NONE

    @classmethod
    def of(cls, picture: Image, request: Request, started: float) -> Requests:
        """Return the same request for every plane."""
        return cls(picture, request, (request,) * picture.n_planes, started)

    def destriped(self, measured: Image) -> tuple[Image, Requests]:
        """Return what was measured without the stripes that are to be taken out, and the requests that know it.

        Raises
        ------
        InputError
            Where they are to be taken out of planes that are worked on in parts: they go through all of them.
        """
        if tiling_for(measured, self.shared) is not None:
            if self.shared.stripes is not None:
                raise InputError(
                    f"stripes can only be taken out of planes that fit in memory, and those of {measured.name} do "
                    "not; allow more memory"
                )
            return measured, self
        picture, taken = without_stripes(measured, self.shared.stripes)
        return picture, self.also(taken)

    def also(self, accounts: Sequence[Account]) -> Requests:
        """Return the requests for planes to which something more was done."""
        return replace(self, accounts=(*self.accounts, accounts))


Solve = Callable[[Plane, Request], Answer]


def restore_planes(
    requests: Requests, task: Task, solve: Solve, measured: Image | None = None, frame: Image | None = None
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

    Raises
    ------
    InputError
        For a checkpoint of a stack, a file that is none, or a plane that cannot be restored.
    """
    if requests.shared.checkpoint is not None:
        _check_checkpoint(requests.shared.checkpoint, requests)
    picture = measured or requests.picture
    tiling = _tiling(frame or picture, requests.shared, task)
    answers = _counted(_answers(picture, requests, task, solve, tiling), requests.accounts)
    shared = replace(requests.shared, memory=None if tiling is None else memory_for(requests.shared))
    return combine(requests.picture, answers, shared, task, frame)


def _tiling(picture: Image, request: Request, task: Task) -> Tiling | None:
    """Return how planes are cut; None where they are not.

    Raises
    ------
    InputError
        Where the memory that was given is too little.
    """
    if not task.fills_in:
        return tiling_for(picture, request)
    if request.memory is not None and tiling_for(picture, request) is not None:
        raise InputError(
            f"{task.name} works on whole planes, and those of {picture.name} take more than the "
            f"{in_words(request.memory)} of memory that may be used; allow more, or cut it into pieces"
        )
    return None


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


def _answers(picture: Image, requests: Requests, task: Task, solve: Solve, tiling: Tiling | None) -> Answers:
    """Solve series of planes that help each other, and all others plane by plane.

    A plane without a request is left as it is. What the answer for a plane was learnt by, the fit to the next one
    begins with. It has seen what was drawn for that plane, so another seed draws for this one.
    """
    answers: list[Answer | None] = []
    warm_start: Weights | None = None
    count, started = picture.n_planes, requests.started
    made: dict[int, Answer] = {}
    try:
        if tiling is None:
            restore_together(Asked(picture, requests.planes, task, started), requests.found, made)
        for index, request in enumerate(requests.planes):
            if index in made:
                answers.append(_weakened(picture, index, made[index], request))
                continue
            if request is not None:
                seconds = request.seconds
                if seconds is not None:
                    seconds = max(seconds - (time.monotonic() - started), 0.0) / (count - index)
                seed = request.seed if warm_start is None else request.seed + index * BETWEEN_PLANES
                progress = _numbered(request.on_progress, index, count)
                request = replace(request, seed=seed, seconds=seconds, on_progress=progress, warm_start=warm_start)
                request = _with_others(request, requests, index, picture)
            lone = None if request is None or task.fills_in else lone_refusal(request)
            try:
                answer = _answer(picture, index, None if lone else request, solve, tiling)
                answer = _left(answer, lone) if lone else answer
            except NoGreyError as error:
                if count == 1:
                    raise
                answer = _left(_answer(picture, index, None, solve, tiling), str(error))
            warm_start = answer.weights or warm_start
            answers.append(answer)
            if answer.interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        rest = [made.get(index) for index in range(len(answers), count)]
        after = enumerate(rest, len(answers))
        weak = (one and _weakened(picture, index, one, requests.planes[index]) for index, one in after)
        return Answers((*answers, *weak), started, interrupted=True)
    return Answers(tuple(answers), started)


def _weakened(picture: Image, index: int, answer: Answer, request: Request | None) -> Answer:
    """Return the answer for a plane that was restored together with others, mixed with the plane as was asked."""
    if request is None or request.strength == 1:
        return answer
    plane = picture.plane(index)
    return weakened(answer, plane.values, plane.missing, request.strength)


def _answer(picture: Image, index: int, request: Request | None, solve: Solve, tiling: Tiling | None) -> Answer:
    """Return the answer for one plane: at once, or tile by tile."""
    if tiling is not None:
        return restore_tiles(Whole(picture, index, tiling), request, solve)
    plane = picture.plane(index)
    if request is None or _flat(plane.values):
        return _copied(plane)
    return replace(solve(plane, request), together=request.context is not None)


def _with_others(request: Request, requests: Requests, index: int, picture: Image) -> Request:
    """Return what is asked of a plane with those that are seen with it, where some are.

    Then no fit begins with another: that to the plane before has seen this one, with all of its noise.
    """
    context = seen_beside(picture, requests.found, index, request)
    if context is None:
        return request
    return replace(request, context=context, warm_start=None, seed=requests.shared.seed)


def _left(answer: Answer, why: str) -> Answer:
    """Return the answer for a plane that was left as it is, saying why."""
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
    stopped = Stopped("nothing to do", 0, "the plane was left as it is")
    why, gaps = "there is nothing to restore in it", bool(plane.missing.any())
    return Answer(plane.values, Unknown(0.0), "none", why, stopped, completed=gaps)
