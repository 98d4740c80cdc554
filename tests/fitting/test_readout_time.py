"""The time that a readout will take is told by a small part, before the first step."""

from __future__ import annotations

import pytest
import torch

from tests.laws.test_methods import QUICK
from untaught.fitting.readout_time import told_readout
from untaught.method import Iterative
from untaught.noise import Gaussian
from untaught.problem import Problem


@pytest.mark.parametrize("name", ["dip", "deep-decoder", "n2v", "pixel-tv"])
def test_every_kind_of_fit_can_be_asked(name: str) -> None:
    method = QUICK[name]
    assert isinstance(method, Iterative)
    large = Problem(torch.rand(1, 3, 300, 300), torch.ones(1, 1, 300, 300), Gaussian(0.1))
    assert told_readout(method, large, 0) > 0
    small = Problem(torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64), Gaussian(0.1))
    assert told_readout(method, small, 0) == 0
