"""From a fit to a model on disk, and what a person is told of it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from torch import nn

from untaught.errors import InputError
from untaught.fitting.progress import Fitted
from untaught.method import History, Stopped
from untaught.methods.self_supervised.learner import Batch
from untaught.methods.trained.model_file import FilesHeader, FitHeader, Header, Model, settings_of, write_model
from untaught.methods.trained.network import written
from untaught.pipeline.plane.choose_methods import objection
from untaught.pipeline.recipes import versions
from untaught.training.dataset import Folder, named
from untaught.training.dataset_fit import Training
from untaught.training.request import Asked


@dataclass(frozen=True)
class TrainingResult:
    """What a training ended with.

    Attributes
    ----------
    model : Model
        The network with its header; `model.header.fit` says how it came about.
    path : Path
        Where it was written.
    stopped : Stopped
        Which rule ended the training, at what step, and why.
    history : History
        Loss on the patches and risk on the pictures kept back, at every look.
    notes : tuple of str
        Sentences a person should read: files left out, noise that does not suit the method.
    seconds : float
        What it took.
    interrupted : bool
        True when it was ended by Ctrl-C; the model is the best so far.
    """

    model: Model
    path: Path
    stopped: Stopped
    history: History
    notes: tuple[str, ...]
    seconds: float
    interrupted: bool = False


def finished(
    training: Training, fitted: Fitted, place: Path, context: tuple[Asked, Folder, float]
) -> TrainingResult:
    """Write the model and say what it is."""
    asked, found, started = context
    network, stopped, work = fitted.estimate.function, fitted.stopped, training.work
    if not isinstance(network, nn.Module):
        if work.ended and work.seconds is not None:
            raise InputError(f"the {work.seconds:.0f} seconds were over before the first step; give more")
        raise KeyboardInterrupt
    if work.ended:
        reason = f"its {work.seconds:.0f} seconds were over; the weights are those of step {stopped.step}"
        stopped = Stopped("time limit", stopped.step, reason)
    header = _header(training, fitted, stopped, (asked, found))
    model = Model(header, network, asked.learner)
    if work.processes.first:
        write_model(place, model)
    return TrainingResult(
        model=model,
        path=place,
        stopped=stopped,
        history=fitted.history,
        notes=(*_notes(asked, found, work.judged), *fitted.notes),
        seconds=time.monotonic() - started,
        interrupted=fitted.interrupted and not work.ended,
    )


def _header(training: Training, fitted: Fitted, stopped: Stopped, context: tuple[Asked, Folder]) -> Header:
    asked, found = context
    patches, judged = training.work.batches.patches, training.work.judged
    risk = fitted.watch.best_score
    return Header(
        method=asked.learner.name,
        settings=settings_of(asked.learner),
        network=written(asked.shape),
        channels=found.channels,
        neighbours=training.neighbours,
        noise=noise_found(judged) | {"given": asked.noise is not None},
        ranges=found.ranges,
        axes=found.axes,
        types=found.types,
        files=FilesHeader(learned=len(patches.pages), judged=len(judged.noises), sha256=found.sha256),
        fit=FitHeader(
            steps=training.steps,
            epochs=round(training.steps * training.batch / patches.in_an_epoch, 3),
            step=stopped.step,
            batch=training.batch,
            parts=training.work.processes.parts,
            side=training.side,
            rate=training.rate,
            least=training.least,
            decay=training.decay,
            bfloat16=training.bfloat16,
            seed=asked.seed,
            stopped=stopped.rule,
            risk=risk if math.isfinite(risk) else None,
        ),
        versions=versions(),
    )


def noise_found(judged: Batch) -> dict[str, Any]:
    """Return the kinds of noise on some pictures, and their levels (of 255) on the range of their own values."""
    levels = [255 * noise.level for noise in judged.noises]
    return {
        "kinds": sorted({noise.kind for noise in judged.noises}),
        "least": round(min(levels), 3),
        "median": round(median(levels), 3),
        "most": round(max(levels), 3),
    }


def _notes(asked: Asked, found: Folder, judged: Batch) -> tuple[str, ...]:
    notes = []
    if found.left_out:
        notes.append(named(found.left_out, f"{len(found.left_out)} files were left out"))
    if len(found.types) > 1:
        notes.append(
            f"the pictures are of different types, {', '.join(found.types)}; each was scaled by its own range"
        )
    reasons = {objection(asked.learner.needs, noise) for noise in judged.noises} - {None}
    notes += [
        f"{asked.learner.name} was asked for, but {reason}; look twice at what it makes" for reason in reasons
    ]
    return tuple(notes)
