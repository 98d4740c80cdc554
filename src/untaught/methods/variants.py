"""Methods that are written with a colon: on every n-th pixel, or with another network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from untaught.errors import InputError
from untaught.method import Method
from untaught.methods.registry import set_up
from untaught.methods.self_supervised.subsampled import Subsampled


@runtime_checkable
class ManyNetworks(Protocol):
    """A method that can draw with more than one network."""

    def with_network(self, name: str) -> Method:
        """Return the same with another network, by its name; an `InputError` where there is none."""
        ...


def variant(method: Method, rest: str, settings: Mapping[str, Any] | None = None) -> Method:
    """Return what 'n2v:2' (every second row and column), 'n2v:dncnn' or 'dip:resnet' (a network) stands for.

    Raises
    ------
    InputError
        If the method has no such variant, or there is no such network.
    """
    if rest.isdecimal():
        found: Any = Subsampled.of(method.name, rest)
    elif isinstance(method, ManyNetworks):
        found = method.with_network(rest)
    else:
        raise InputError(f"{method.name} has one network only; dip:resnet and n2v:dncnn are written so")
    made: Method = set_up(f"{method.name}:{rest}", lambda **changes: replace(found, **changes), settings)
    return made
