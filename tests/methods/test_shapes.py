"""A shape of a network says how it is made, so that one line in the table is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pytest
from torch import nn

from untaught.errors import InputError
from untaught.methods.networks import denoisers
from untaught.methods.networks.denoisers import restorer, shape_of


@dataclass(frozen=True)
class Flat:
    """So many channels between two convolutions of so many pixels."""

    width: int = 4
    side: int = 3
    bounds: ClassVar[Mapping[str, tuple[int, int]]] = {"width": (1, 64), "side": (1, 9)}

    def build(self, inputs: int, outputs: int) -> nn.Module:
        first = nn.Conv2d(inputs, self.width, self.side, padding="same")
        return nn.Sequential(first, nn.ReLU(), nn.Conv2d(self.width, outputs, self.side, padding="same"))


def test_a_new_shape_is_made_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(denoisers.SHAPES, "flat", Flat)  # type: ignore[arg-type]
    assert shape_of("flat:8,5") == Flat(8, 5)
    made = restorer("flat:8x5", 2, 1)
    assert [layer.out_channels for layer in made if isinstance(layer, nn.Conv2d)] == [8, 1]
    with pytest.raises(InputError, match="side of the network is 11"):
        shape_of("flat:8,11")


def test_every_number_of_a_shape_has_bounds() -> None:
    for kind in denoisers.SHAPES.values():
        assert set(kind.bounds) == set(kind.__dataclass_fields__) - {"bounds"}
