"""The methods by name. Nothing here imports torch: a method's page is opened when it is asked for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from untaught.errors import InputError

if TYPE_CHECKING:
    from untaught.methods.base import ClosedForm, Iterative


@dataclass(frozen=True)
class Entry:
    """Where a method's page is, and what it is in a line."""

    module: str
    attribute: str
    summary: str


METHODS: Mapping[str, Entry] = {
    "fusion": Entry("fusion", "Fusion", "several of those below, mixed so that the estimated error is least"),
    "dip": Entry("dip", "DIP", "deep image prior: a network fitted to the one picture, stopped in time"),
    "deep-decoder": Entry("deep_decoder", "DeepDecoder", "deep decoder: too few weights to hold the noise"),
    "r2r": Entry("r2r", "R2R", "recorrupted-to-recorrupted: corrects the non-local picture"),
    "nonlocal": Entry("multiscale", "MultiScale", "similar patches combined at several resolutions, closed form"),
    "nlm": Entry("nlm", "NLM", "non-local means"),
    "tv": Entry("tv", "TV", "total variation"),
    "pixels": Entry("pixels", "Pixels", "the pixels themselves fitted, without any prior; for comparison"),
    "pixel-tv": Entry("pixels", "PixelTV", "the pixels fitted with total variation as the prior, any operator"),
    "wavelet": Entry("wavelet", "Wavelet", "wavelet shrinkage"),
}


def make(name: str, settings: Mapping[str, Any] | None = None) -> Iterative | ClosedForm:
    """Return the method called `name` with its defaults, or with `settings` in their place.

    Raises
    ------
    InputError
        For a name that is not in `METHODS`, or a setting the method does not have.
    """
    if name not in METHODS:
        close = difflib.get_close_matches(name, [*METHODS, "auto"], n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise InputError(f"there is no method {name!r}; {hint}choose auto, {', '.join(METHODS)}")
    entry = METHODS[name]
    cls = getattr(import_module(f"untaught.methods.{entry.module}"), entry.attribute)
    try:
        method: Iterative | ClosedForm = cls(**(settings or {}))
    except TypeError as error:
        raise InputError(f"method {name!r} cannot be set up with {dict(settings or {})}: {error}") from None
    return method
