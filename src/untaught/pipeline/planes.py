"""Plane by plane, sharing what is left of the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.fitting.checkpoint import refuse_foreign
from untaught.fitting.progress import Progress
from untaught.image.image import Image, Plane
from untaught.method import Stopped
from untaught.noise import Unknown
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.denoise_plane import restore_plane
from untaught.pipeline.plane.make_problem import NO_GREY, black_and_white
from untaught.pipeline.request import Request
from untaught.problem import Learnt

BETWEEN_PLANES = 1000  # seeds; a plane draws from a few after its own


def check_checkpoint(path: Path, picture: Image) -> None:
    """Refuse a checkpoint of a stack, and a file that is none."""
    if picture.n_planes > 1:
        raise InputError(f"a checkpoint holds one plane, but {picture.name} has {picture.n_planes}")
    refuse_foreign(path)


def restore_planes(
    picture: Image,
    requests: Sequence[Request | None],
    started: float,
    solve: Callable[[Plane, Request], Answer] = restore_plane,
) -> tuple[list[Answer | None], bool]:
    """Restore plane by plane, sharing what is left of the time; None for planes that were not reached.

    A plane without a request is left as it is. What the answer for a plane was learnt by, the fit to the next one
    begins with. It has seen what was drawn for that plane, so another seed draws for this one.
    """
    answers: list[Answer | None] = []
    before: Learnt | None = None
    count = picture.n_planes
    try:
        for plane, request in zip(picture.planes(), requests, strict=True):
            if request is None or _flat(plane.values):
                answers.append(_copied(plane))
                continue
            if solve is restore_plane and count > 1 and black_and_white(plane.values):
                answers.append(replace(_copied(plane), notes=(f"{NO_GREY}, so it was left as it is",)))
                continue
            seconds = request.seconds
            if seconds is not None:
                seconds = max(seconds - (time.monotonic() - started), 0.0) / (count - plane.index)
            seed = request.seed if before is None else request.seed + plane.index * BETWEEN_PLANES
            progress = _numbered(request.on_progress, plane.index, count)
            answer = solve(
                plane, replace(request, seed=seed, seconds=seconds, on_progress=progress, before=before)
            )
            before = answer.learnt or before
            answers.append(answer)
            if answer.interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        return answers + [None] * (count - len(answers)), True
    return answers, False


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
    why, whole = "there is nothing to restore in it", bool(plane.missing.any())
    return Answer(plane.values, Unknown(0.0), "none", why, stopped, whole=whole)
