"""From the answers of the planes to the result of the picture."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.palette import outgrown, snapped
from untaught.image.image import Image
from untaught.image.lazy import empty
from untaught.image.output_type import rounding, typed
from untaught.method import History, Stopped
from untaught.noise import Unknown
from untaught.pipeline.answer import Answer
from untaught.pipeline.recipes import make_recipe
from untaught.pipeline.request import Request
from untaught.pipeline.rerun_command import command_line
from untaught.pipeline.task import Task
from untaught.results.restoration import PlaneResult, Tried, representative
from untaught.results.result import Result
from untaught.results.text import all_with_units
from untaught.risk.estimate import Interval, Risk, to_interval, together

MOST_LABELS = 3  # planes that a note names
# What no estimate from one picture can count.
BESIDE = "a shift of all brightness, blur, or a reference that lies elsewhere cannot be seen in one picture"


@dataclass(frozen=True)
class Answers:
    """The answers of the planes, None for those that were not reached; `started` is when, by `time.monotonic`."""

    planes: tuple[Answer | None, ...]
    started: float
    interrupted: bool = False


def combine(picture: Image, answers: Answers, request: Request, task: Task, frame: Image | None = None) -> Result:
    """Make the result of the planes' answers.

    Parameters
    ----------
    picture : Image
        What was given.
    answers : Answers
        Of its planes.
    request, task : Request, Task
        What was asked of all of them.
    frame : Image, optional
        The picture to put the answers into, where that is another than the one that was given.
    """
    try:
        return _combined(picture, answers, request, task, frame or picture)
    except KeyboardInterrupt:  # all the work is done: it has only to be put together
        return _combined(picture, replace(answers, interrupted=True), request, task, frame or picture)


def _combined(picture: Image, found: Answers, request: Request, task: Task, frame: Image) -> Result:
    answers, interrupted = found.planes, found.interrupted
    done = [answer for answer in answers if answer is not None]
    same = frame is picture
    values = [a.values if a and a.placed(same) else None for a in answers]
    frame = typed(frame, request.output_type)
    numbers = {index: a.numbers for index, a in enumerate(answers) if a is not None and a.numbers is not None}
    restored = frame.with_planes(values, [a.kept if a and same else None for a in answers], numbers)
    if same and done and all(answer.noise.replaces or answer.method == "none" for answer in done):
        restored = snapped(restored, picture)
    grown = outgrown(restored, picture) if same else None
    planes = _plane_results(picture, answers, frame)
    first = representative(planes)
    psnr, psnr_input = _psnr(done, frame)
    recipe = make_recipe(picture, [None if a is None else a.recipe for a in answers], request, task)
    return Result(
        picture=restored,
        input=picture,
        noise=first.noise if first else Unknown(0.0),
        noise_found=request.noise is None,
        method=" / ".join(dict.fromkeys(a.method for a in done if a.method != "none")) or "none",
        why=first.why if first else "it was interrupted before anything was restored",
        stopped=first.stopped if first else Stopped("interrupted", 0, "interrupted before the first plane"),
        seconds=time.monotonic() - found.started,
        recipe=recipe,
        psnr=psnr,
        psnr_input=psnr_input,
        std=_std(picture, answers),
        history=first.history if first else History(),
        candidates=first.candidates if first else (),
        notes=all_with_units(
            (*picture.notes, *task.notes, *_notes(picture, answers), *((grown,) if grown else ())),
            picture.value_range,
        ),
        interrupted=interrupted,
        planes=planes,
        command=command_line(recipe, picture, interrupted),
    )


def _plane_results(picture: Image, answers: Sequence[Answer | None], frame: Image) -> tuple[PlaneResult, ...]:
    results = []
    for index, (label, answer) in enumerate(zip(picture.labels, answers, strict=True)):
        if answer is None:
            continue
        psnr, psnr_input = _psnr([answer], frame)
        results.append(
            PlaneResult(
                index=index,
                label=label,
                noise=answer.noise,
                method=answer.method,
                why=answer.why,
                stopped=answer.stopped,
                psnr=psnr,
                psnr_input=psnr_input,
                history=answer.history,
                candidates=tuple(map(_Rounding.of(answer, frame).row, answer.candidates)),
            )
        )
    return tuple(results)


def _psnr(done: Sequence[Answer], frame: Image) -> tuple[Interval | None, float | None]:
    """Return the PSNR of answers as numbers of a picture's type, and that of the input."""
    judged = [a for a in done if a.method != "none" or a.risk is not None]  # an empty page tells nothing
    risks = [a.risk for a in judged if a.risk is not None]
    if not judged or len(risks) != len(judged):
        return None, None
    risk = together([_Rounding.of(a, frame).of_risk(a.risk, a.method) for a in judged if a.risk is not None])
    variance = float(np.mean([a.variance for a in judged]))
    noise = judged[0].noise
    level = "found" if noise.relative_error else "given"
    about = f"noise that is {noise.kind}, with the level {level}" if variance else "nothing"
    assumes = f"{about}; {BESIDE}"
    before = -10 * math.log10(variance) if variance > 0 else None
    return to_interval(risk, variance, assumes), before


@dataclass(frozen=True)
class _Rounding:
    """What rounding adds to the mean squared error of an answer, and of others that were tried; see `rounding`.

    What is left as it was is whole. Where there is so little noise that most numbers are rounded to those that
    were there before, the error is that of the input, and no more.
    """

    added: float
    most: float

    @classmethod
    def of(cls, answer: Answer, frame: Image) -> _Rounding:
        added = rounding(frame, answer.values) if answer.rounding is None else answer.rounding
        return cls(added, answer.variance if answer.variance > 0 else math.inf)

    def __call__(self, error: float, method: str) -> float:
        return error if method == "none" else min(error + self.added, max(error, self.most))

    def of_risk(self, risk: Risk, method: str) -> Risk:
        """Return the risk of the rounded answer."""
        reach = None if risk.reach is None else (self(risk.reach[0], method), self(risk.reach[1], method))
        return replace(risk, value=self(risk.value, method), reach=reach)

    def row(self, row: Tried) -> Tried:
        if row.psnr is None or not math.isfinite(row.psnr):
            return row
        return replace(row, psnr=-10 * math.log10(self(10 ** (-row.psnr / 10), row.method)))


def _std(picture: Image, answers: Sequence[Answer | None]) -> NDArray[np.float32] | None:
    if any(a is None or a.std is None for a in answers):
        return None
    low, high = picture.value_range
    blank = replace(picture, array=empty(picture.array.shape, np.float32), value_range=(0.0, high - low))
    array: NDArray[np.float32] = blank.with_planes([a.std for a in answers if a is not None]).array
    return array


def _notes(picture: Image, answers: Sequence[Answer | None]) -> tuple[str, ...]:
    """Return the notes of all planes, each once, with the planes it is of where it is not of all."""
    done = [(label, a) for label, a in zip(picture.labels, answers, strict=True) if a is not None]
    notes = named_by_plane([(label, answer.notes) for label, answer in done], len(answers))
    levels = [answer.noise.level * 255 for _, answer in done if answer.method != "none"]
    if len(answers) > 1 and levels:
        notes.insert(
            0,
            f"{len(levels)} of {len(answers)} planes were restored, {_how([answer for _, answer in done])}; their "
            f"noise levels run from {min(levels):.1f} to {max(levels):.1f} (of 255)",
        )
    left = len(answers) - len(done)
    if left:
        notes.append(f"{left} of {len(answers)} planes were not reached and are as they were")
    return tuple(notes)


def _how(done: Sequence[Answer]) -> str:
    together = sum(answer.together for answer in done)
    if not together:
        return "one by one"
    some = "" if together == len(done) else f"{together} of them "
    return f"{some}with the help of their neighbours"


def named_by_plane(said: Sequence[tuple[str, Sequence[str]]], count: int) -> list[str]:
    """Return what is said of planes, by label: each note once, with its planes where not all `count` have it."""
    notes = []
    for note in dict.fromkeys(note for _, notes_of_one in said for note in notes_of_one):
        labels = [label for label, notes_of_one in said if note in notes_of_one]
        notes.append(note if len(labels) == count else f"{_listed(labels)}: {note}")
    return notes


def _listed(labels: Sequence[str]) -> str:
    few = "; ".join(labels[:MOST_LABELS])
    more = len(labels) - MOST_LABELS
    return f"{few} and {more} more" if more > 0 else few
