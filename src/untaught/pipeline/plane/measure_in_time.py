"""The noise measured on a part of a plane, where there is no time to measure it on all of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from untaught.image.spread import BLOCK, spread_windows
from untaught.noise.estimation.noise_report import NoiseReport
from untaught.pipeline.answer import Answer
from untaught.pipeline.request import Request

FOR_MEASURING = 0.25  # of the seconds
SECONDS = 1.8  # for a million values, on one core of a server; a part does not tell, it takes half of one

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


def in_time(values: Floats, missing: Flags, request: Request) -> Request:
    """Return the request with the number of pixels to measure the noise on, where there is no time for all.

    A recipe has that number, and it is not found out again. `values` (H, W, C), `missing` (H, W).
    """
    pixels = values.shape[0] * values.shape[1]
    if request.seconds is None or request.noise is not None or request.measured_on or pixels <= BLOCK**2:
        return request
    affordable = int(FOR_MEASURING * request.seconds / SECONDS / values.shape[2] * 1e6)
    return request if affordable >= pixels else replace(request, measured_on=max(affordable, BLOCK**2))


def noted(answer: Answer, request: Request) -> Answer:
    """Return an answer whose recipe says on how many pixels the noise was measured, where not on all."""
    if not request.measured_on or answer.recipe is None:
        return answer
    return replace(answer, recipe=answer.recipe.model_copy(update={"measured_on": request.measured_on}))


def some_of(values: Floats, missing: Flags, pixels: int) -> tuple[Floats, Flags]:
    """Return squares that are evenly spread over (H, W, C), put together; of all pixels where these are 0."""
    if not pixels:
        return values, missing
    grid = spread_windows((values.shape[0], values.shape[1]), pixels)
    values, missing = (
        np.concatenate([np.concatenate([each[at] for at in row], axis=1) for row in grid])
        for each in (values, missing)
    )
    return values, missing


def for_all(report: NoiseReport, shape: tuple[int, int], pixels: int) -> NoiseReport:
    """Return what was found on some of a plane of `shape` as the law of all of it, and that it was on some."""
    if not pixels:
        return report
    law = report.model.part(tuple(slice(0, n) for n in shape), shape)
    share = min(1.0, pixels / (shape[0] * shape[1]))
    note = f"to end in time, the noise was measured on {share:.0%} of the picture"
    return replace(report, model=law, notes=(*report.notes, note))
