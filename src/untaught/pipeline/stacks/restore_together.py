"""All planes of a picture that help each other: series along time and depth, and channels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from untaught.method import OnGrid
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.make_problem import NoGreyError
from untaught.pipeline.plane.strength import weakened
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.asked import Asked
from untaught.pipeline.stacks.choose_together import helping_method, shared_method
from untaught.pipeline.stacks.find_series import Found, Series
from untaught.pipeline.stacks.restore_channels import restore_channels
from untaught.pipeline.stacks.restore_series import restore_alike
from untaught.pipeline.stacks.restore_shared import restore_shared


def restore_together(asked: Asked, found: Found, answers: dict[int, Answer]) -> None:
    """Restore planes for which a method was asked that takes them together.

    `answers` are put in by the numbers of their planes, and are there after Ctrl-C as well.
    """
    for series in (one for whole in found.series for one in _taken(asked, whole)):
        request = _asked_of_all(asked, series.planes)
        if request is None:
            continue
        method, network = helping_method(request, series.along), shared_method(request, series)
        with suppress(NoGreyError):
            if method is not None:
                restore_alike(asked, series, method, answers)
            elif network is not None and not asked.in_parts:
                restore_shared(asked, series, network, answers)
    for channels in found.channels:
        request = _asked_of_all(asked, channels)
        method = None if request is None else helping_method(request, None)
        if method is not None:
            before = set(answers)
            try:
                with suppress(NoGreyError):
                    restore_channels(asked, channels, method, answers)
            finally:
                for index in set(answers) - before:
                    plane, strength = asked.picture.plane(index), asked.request(index).strength
                    answers[index] = weakened(answers[index], plane.values, plane.missing, strength)


def _taken(asked: Asked, series: Series) -> Sequence[Series]:
    """Return a series as what was asked for takes it: volumes over time, or each line of these."""
    request = _asked_of_all(asked, series.planes)
    if series.lines == 1 or request is None or isinstance(helping_method(request, series.along), OnGrid):
        return [series]
    starts = range(0, len(series.planes), series.length)
    return [_line(series, range(start, start + series.length)) for start in starts]


def _line(series: Series, places: Sequence[int]) -> Series:
    gains = series.gains
    if gains is not None:
        gains = replace(gains, gains=tuple(gains.gains[place] for place in places))
    return Series(tuple(series.planes[place] for place in places), "T", "time", gains)


def _asked_of_all(asked: Asked, planes: Sequence[int]) -> Request | None:
    """Return what is asked of some planes, None where not the same is asked of all."""
    requests = [asked.requests[plane] for plane in planes]
    first = requests[0]
    same = first is not None and all(one is not None and one.method == first.method for one in requests)
    return first if same else None
