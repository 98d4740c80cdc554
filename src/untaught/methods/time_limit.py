"""How much of a method's work fits into the time that is left, by a run of it on a small part of the picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from torch import Tensor

M = TypeVar("M")

PROBE = 64  # pixels a side of the part
RUNS = 2  # of a formula for an answer: the second for its error
MARGIN = 0.8  # of the time that is planned for: the machine may have other work later
TELLING = 0.01  # of the seconds that there are: a part that takes less may have told of the way there alone
AT_ONCE = 0.5  # seconds: what takes no longer is done whatever the limit is


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


def seconds_for_all(run: Callable[[Tensor], object], picture: Tensor, seconds: float) -> float:
    """Return how long compiled code would take for all of a picture, of which `seconds` are there.

    One core does a small part, and many a large one: where a part says that the time is too short, and was quick
    itself, one of twice its side is asked, as long as that takes little of the time.
    """
    probe, pixels = PROBE, picture[0, 0].numel()
    while True:
        each = seconds_a_pixel(run, picture, probe)
        taken = each * min(probe**2, pixels)
        if each * pixels <= MARGIN * seconds or taken > TELLING * seconds or (2 * probe) ** 2 > pixels:
            return each * pixels
        probe *= 2


def make_ready(run: Callable[[Tensor], object], picture: Tensor) -> None:
    """Have compiled what `run` needs, which a machine does once: that is not what the time limit is of."""
    run(picture[..., : PROBE // 2, : PROBE // 2].detach())


def first_that_fits(rungs: Iterable[tuple[M, float]], seconds: float) -> M | None:
    """Return the first of some methods, each with the seconds it takes, that ends in time; None where none does.

    The last of them is taken too where it takes next to no time, whatever the limit.
    """
    method, need, started = None, float("inf"), time.monotonic()
    for method, need in rungs:
        if need <= MARGIN * (seconds - (time.monotonic() - started)):
            return method
    return method if need <= AT_ONCE else None
