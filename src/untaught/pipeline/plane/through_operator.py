"""One plane, or a window of one, that was measured through an operator."""

from __future__ import annotations

from dataclasses import replace

from untaught.operators.structure import guide_for
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.make_problem import Measured, measured_problem
from untaught.pipeline.plane.restore_plane import restore_plane
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task


def restore_measured(measured: Measured, task: Task, request: Request) -> Answer:
    """Restore the picture behind a measurement, or the window of it behind one of the measurement."""
    operator, guide = task.folded[0], measured.guide_image
    if operator is not None and guide is not None:
        guide = guide_for(guide, operator, operator.picture_shape(measured.y.shape))
        measured = replace(measured, guide_image=guide)
    return restore_plane(lambda: measured_problem(measured, task, request), task, request)
