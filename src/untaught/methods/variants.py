"""Methods that are written with a colon: on every n-th pixel, or with another network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from untaught.errors import InputError
from untaught.methods.networks.denoisers import restorer
from untaught.methods.networks.generators import generator
from untaught.methods.registry import METHODS, built
from untaught.methods.self_supervised.self2self import Self2Self
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.methods.self_supervised.subsampled import Subsampled
from untaught.methods.untrained.dip import DIP


def variant(name: str, settings: Mapping[str, Any] | None = None) -> DIP | OnePicture:
    """Return what 'n2v:2' (every second row and column), 'n2v:dncnn' or 'dip:resnet' (a network) stands for.

    Raises
    ------
    InputError
        If the method has no such variant, or there is no such network.
    """
    method, _, rest = name.partition(":")
    if rest.isdecimal():
        return replace(Subsampled.of(method, rest), **(settings or {}))
    found = built(method, (METHODS[method].module, METHODS[method].attribute), settings)
    if isinstance(found, DIP):
        generator(rest, 1, 1, (64, 64))  # refuses what it does not know
    elif isinstance(found, OnePicture) and not isinstance(found, Self2Self):
        restorer(rest, 1, 1)
    else:
        raise InputError(f"{method} has one network only; dip:resnet and n2v:dncnn are written so")
    other: DIP | OnePicture = replace(found, shape=rest)
    return other
