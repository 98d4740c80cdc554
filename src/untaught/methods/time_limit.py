"""How much of a method's work fits into the time that is left, by a run of it on a small part of the picture."""

from __future__ import annotations

import time
from collections.abc import Callable

from torch import Tensor

PROBE = 64  # pixels a side of the part
RUNS = 2  # of a formula for an answer: the second for its error
MARGIN = 0.8  # of the time that is planned for: the machine may have other work later


def seconds_a_pixel(run: Callable[[Tensor], object], picture: Tensor, probe: int = PROBE) -> float:
    """Return how long `run` takes on the corner of a picture (1, C, H, W), divided by its pixels."""
    part = picture[..., :probe, :probe].detach()
    started = time.monotonic()
    run(part)
    return (time.monotonic() - started) / part[0, 0].numel()


def affordable(run: Callable[[Tensor], object], picture: Tensor, seconds: float, probe: int = PROBE) -> float:
    """Return how many answers, each with its error, so many seconds are enough for, planned with some to spare."""
    whole = RUNS * seconds_a_pixel(run, picture, probe) * picture[0, 0].numel()
    return MARGIN * max(seconds, 0.0) / max(whole, 1e-9)
