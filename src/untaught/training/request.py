"""What was asked of a training, checked before anything is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

from untaught.errors import InputError, quoted
from untaught.fitting.checkpoint import refuse_foreign
from untaught.image.atomic import check_target
from untaught.methods.networks.denoisers import Shape
from untaught.methods.registry import TRAINED
from untaught.methods.self_supervised.learner import Learner
from untaught.noise import NoiseModel


@dataclass(frozen=True)
class Asked:
    """What was asked for, checked."""

    learner: Learner
    shape: Shape
    noise: NoiseModel | None
    epochs: float | None
    side: int
    batch: int
    seed: int
    seconds: float | None
    device: str
    bfloat16: bool
    neighbours: int = 0


def positive(name: str, value: Any) -> float:
    """Return a number that has to be positive."""
    if not (isinstance(value, Real) and math.isfinite(value) and float(value) > 0):
        raise InputError(f"{name} is {quoted(value)}; give a positive number")
    return float(value)


def whole(name: str, value: Any, least: int) -> int:
    """Return a whole number that has to be of a size."""
    if not (isinstance(value, int) and value >= least):
        raise InputError(f"{name} is {quoted(value)}; give a whole number of at least {least}")
    return int(value)


def checkpoint_of(output: Path) -> Path:
    """Return where the state of a training stands until it is done."""
    return output.with_name(output.name + ".checkpoint")


def places(output: Path, resume: bool) -> Path:
    """Refuse places that cannot be written to; return that of the checkpoint."""
    if output.suffix != TRAINED.suffix:
        raise InputError(f"{output} has to end in {TRAINED.suffix}; name the model so")
    check_target(output, ())
    checkpoint = checkpoint_of(output)
    refuse_foreign(checkpoint)
    if checkpoint.exists() and not resume:
        raise InputError(
            f"{checkpoint} is there from a training that was not done; go on from it with --resume, or remove it"
        )
    return checkpoint
