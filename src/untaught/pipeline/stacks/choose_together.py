"""Whether planes are restored together, and by what."""

from __future__ import annotations

from typing import Protocol, cast

from untaught.method import Along, ClosedForm, Together, runs_of
from untaught.methods.fusion import Fusion
from untaught.methods.registry import make
from untaught.pipeline.plane.choose_methods import made
from untaught.pipeline.request import Request

USUAL = "nonlocal"


class Helping(ClosedForm, Together, Protocol):
    """A formula that takes planes together."""


def helping_method(request: Request, along: Along | None) -> Helping | None:
    """Return the method that takes planes together along something; None where what was asked for does not.

    Parameters
    ----------
    request : Request
        With the method by name, as an object, or left to us.
    along : {"time", "depth"} or None
        What the planes follow each other in; None for channels.
    """
    if request.parts or request.effort == "quick":  # a pass over each plane is several times as quick
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
