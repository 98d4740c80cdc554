"""One plane, or a window of one, that was measured through an operator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from untaught.operators.structure import guide_for
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.make_problem import Measured, measured_problem
from untaught.pipeline.plane.measure_in_time import in_time, noted
from untaught.pipeline.plane.restore_plane import restore_plane
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import array


def restore_measured(measured: Measured, task: Task, request: Request) -> Answer:
    """Restore the picture behind a measurement, or the window of it behind one of the measurement."""
    operator, guide = task.folded[0], measured.guide_image
    if operator is not None and guide is not None:
        guide = guide_for(guide, operator, operator.picture_shape(measured.y.shape))
        measured = replace(measured, guide_image=guide)
    asked = request
    if measured.y.ndim == 4:
        y, gone = array(measured.y), array(1 - measured.mask(task).amin(1, keepdim=True)).any(-1)
        asked = in_time(y, np.broadcast_to(gone, y.shape[:2]), request)
    return noted(restore_plane(lambda: measured_problem(measured, task, asked), task, request), asked)
