"""Operators as JSON and back, and what tells two of them apart."""

from __future__ import annotations

import json

import pytest
import torch

from untaught.errors import InputError
from untaught.operators import (
    Blur,
    Downsample,
    Fourier,
    Function,
    Identity,
    Jpeg,
    Mask,
    Mosaic,
    Operator,
    Radon,
    random_mask,
)
from untaught.operators.serialize import fingerprint, operator_of, written

SHAPE = (1, 3, 16, 16)
BOX = torch.ones(3, 4) / 12
HOLES = torch.eye(16)
OPERATORS: dict[str, Operator] = {
    "identity": Identity(),
    "mask": Mask(HOLES),
    "mosaic": Mosaic("GRBG"),
    "rows": Mosaic(((0, 1, 2), (2, 1, 0))),
    "downsample": Downsample(5, "box", (16, 16)),
    "blur": Blur(BOX, "circular"),
    "jpeg": Jpeg((tuple(range(1, 65)),) * 3, (1, 2, 2), (16, 16)),
    "radon": Radon((0.0, 30.0, 71.5), circle=False, size=(16, 16)),
    "fourier": Fourier(random_mask(16, 16)),
    "composed": Downsample(2) @ Blur(BOX, "reflect") @ Mask(HOLES),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_comes_back_from_json(name: str) -> None:
    operator = OPERATORS[name]
    again = operator_of(json.loads(json.dumps(written(operator))))
    x = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(operator.A(x), again.A(x))
    assert fingerprint(operator, SHAPE) == fingerprint(again, SHAPE)


def test_no_two_have_the_same_fingerprint() -> None:
    other = Mask(1 - HOLES), Blur(BOX.T, "circular"), Function(torch.tanh), Function(torch.sin)
    found = [fingerprint(operator, SHAPE) for operator in (*OPERATORS.values(), *other)]
    assert len(set(found)) == len(found)


def test_a_function_cannot_be_written_down() -> None:
    assert written(Function(torch.tanh)) is None
    assert written(Identity() @ Function(torch.tanh)) is None


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="operator 'Prism'"):
        operator_of({"kind": "Prism"})


def test_an_operator_of_another_that_bears_the_name_of_ours_is_not_written_as_ours() -> None:
    class Blur(Identity):
        """No blur at all."""

    assert written(Blur()) is None
