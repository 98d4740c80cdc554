"""Whether planes are restored together, and by what: a formula, or one network for all of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.method import Along, ClosedForm, Helping, Together, runs_of
from untaught.methods.fusion import Fusion
from untaught.methods.in_series import Shared, refusal_alone
from untaught.methods.registry import make
from untaught.methods.self_supervised.neighbours import places_around
from untaught.pipeline.plane.choose_methods import made
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.find_series import Found, Series

USUAL = "nonlocal"


def helping_method(request: Request, along: Along | None) -> Helping | None:
    """Return the method that takes planes together along something; None where what was asked for does not.

    Parameters
    ----------
    request : Request
        With the method by name, as an object, or left to us.
    along : {"time", "depth"} or None
        What the planes follow each other in; None for channels.
    """
    if request.parts:
        return None
    method = request.method
    if method == "auto":
        return _helping(made(USUAL, request.effort), along) or _helping(make(USUAL), along)
    return None if isinstance(method, Fusion) else _helping(made(method, request.effort), along)


def _helping(method: object, along: Along | None) -> Helping | None:
    known = runs_of(method).together
    fits = along in known if along else bool(known)
    return (
        cast(Helping, method) if fits and isinstance(method, ClosedForm) and isinstance(method, Together) else None
    )


def shared_method(request: Request, series: Series) -> Shared | None:
    """Return the method of which one network is fitted to a series; None where what was asked for is none.

    A method that was asked for by name takes sqrt(count) times as many steps as for one plane: each has fewer than
    alone, and gains by those of the others.
    """
    name = request.method
    if request.parts or name == "auto" or isinstance(name, Fusion):
        return None
    method: Any = made(name, request.effort)
    if not isinstance(method, Shared) or series.along not in runs_of(method).shared:
        return None
    if not isinstance(name, str):
        return method
    more: Shared = replace(cast(Any, method), steps=math.ceil(method.steps * math.sqrt(len(series.planes))))
    return more


def seen_beside(picture: Image, found: Found, index: int, request: Request) -> NDArray[np.floating] | None:
    """Return the planes that a method sees with one that it takes alone, (H, W, P C) on the picture's range.

    None where it sees none, or the plane is of no series.
    """
    series = next((one for one in found.series if index in one.planes), None)
    if series is None or request.parts or request.method == "auto" or isinstance(request.method, Fusion):
        return None
    method: Any = made(request.method, request.effort)
    if series.along not in runs_of(method).context or not method.neighbours:
        return None
    line, at = divmod(series.planes.index(index), series.length)
    planes = series.planes[line * series.length :][: series.length]
    around = places_around(at, len(planes), method.neighbours)
    return np.concatenate([picture.plane(planes[place]).values for place in around], axis=-1)


def lone_refusal(request: Request) -> str | None:
    """Say why what was asked for cannot take a plane alone, or None where it can."""
    method = request.method
    if request.parts or method == "auto" or isinstance(method, Fusion):
        return None
    return refusal_alone(made(method, request.effort))
