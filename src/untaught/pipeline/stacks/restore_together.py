"""All planes of a picture that help each other: series along time and depth, and channels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from untaught.method import Along
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.make_problem import NoGreyError
from untaught.pipeline.stacks.asked import Asked
from untaught.pipeline.stacks.choose_together import Helping, helping_method
from untaught.pipeline.stacks.find_series import Found
from untaught.pipeline.stacks.restore_channels import restore_channels
from untaught.pipeline.stacks.restore_series import restore_series


def restore_together(asked: Asked, found: Found, answers: dict[int, Answer]) -> None:
    """Restore planes for which a method was asked that takes them together.

    `answers` are put in by the numbers of their planes, and are there after Ctrl-C as well.
    """
    for series in found.series:
        method = _method(asked, series.planes, series.along)
        if method is not None:
            with suppress(NoGreyError):
                restore_series(asked, series, method, answers)
    for channels in found.channels:
        method = _method(asked, channels, None)
        if method is not None:
            with suppress(NoGreyError):
                restore_channels(asked, channels, method, answers)


def _method(asked: Asked, planes: Sequence[int], along: Along | None) -> Helping | None:
    """Return the method for some planes, None where not the same is asked of all, or one that takes each alone."""
    requests = [asked.requests[plane] for plane in planes]
    first = requests[0]
    if first is None or any(one is None or one.method != first.method for one in requests):
        return None
    return helping_method(first, along)
