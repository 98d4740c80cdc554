"""One network fitted to a picture, to a noisy one, to shuffled pixels and to noise."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.theory.test_instruments import camera
from untaught.errors import InputError
from untaught.methods.networks.decoder import DecoderShape
from untaught.methods.networks.unet import UNet, UNetShape
from untaught.methods.untrained.deep_decoder import DeepDecoder
from untaught.theory import (
    Descent,
    impedance,
)
from untaught.theory.impedance import NOISE, NOISY, PICTURE, SHUFFLED, octaves, targets


def test_impedance_is_higher_for_what_has_no_structure() -> None:
    method = DeepDecoder(steps=60, shape=DecoderShape(width=16, scales=2), bfloat16=False)
    found = impedance(method, camera(32), 0.1, every=5)
    last = {name: curve.error[-1] for name, curve in found.curves.items()}
    assert last[PICTURE] < last[NOISY] < min(last[SHUFFLED], last[NOISE])
    steps = found.steps_to(0.5)
    assert steps[PICTURE] is not None
    assert steps[NOISE] is None or steps[NOISE] > steps[PICTURE]
    assert found.curves[PICTURE].steps_to(0.0) is None
    assert found.curves[PICTURE].error * camera(32).var(correction=0).item() == pytest.approx(
        found.curves[PICTURE].clean_error, rel=1e-4
    )
    noisy = found.curves[NOISY]
    assert noisy.clean_error.min() == noisy.clean_error[list(noisy.steps).index(found.best_stop)]


def test_low_frequencies_are_fitted_first() -> None:
    method = DeepDecoder(steps=40, decay=0.0, shape=DecoderShape(width=16, scales=2), bfloat16=False)
    bands = impedance(method, camera(32), 0.1, every=20).curves[NOISE].bands[-1]
    assert bands[0] < 0.5 < bands[-1]


def test_any_architecture_has_an_impedance() -> None:
    found = impedance(Descent(lambda seed: unet_grey(seed), 1e-4, 3), camera(), 0.1, every=1)
    assert all(list(curve.steps) == [1, 2, 3] for curve in found.curves.values())
    assert found.method == "gradient descent"


def test_an_interrupted_fit_makes_no_curve() -> None:
    class Interrupted(Descent):
        def loss(self, problem, state, step):
            if step == 2:
                raise KeyboardInterrupt
            return super().loss(problem, state, step)

    with pytest.raises(KeyboardInterrupt):
        impedance(Interrupted(unet_grey, 1e-4, 5), camera(), 0.1, every=1)


def unet_grey(seed: int) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(seed)
    return UNet(1, 1, UNetShape(6, 2)), torch.rand(1, 1, 16, 16)


def test_targets_share_mean_variance_and_values() -> None:
    x = torch.rand(1, 3, 20, 21)
    made = targets(x, 0.1, 0)
    assert torch.equal(made[SHUFFLED].flatten().sort().values, x.flatten().sort().values)
    # Whole pixels change places, with all their channels.
    assert set(map(tuple, made[SHUFFLED][0].flatten(1).T.tolist())) == set(map(tuple, x[0].flatten(1).T.tolist()))
    assert made[NOISE].mean() == pytest.approx(float(x.mean()), abs=1e-5)
    assert made[NOISE].var() == pytest.approx(float(x.var()), rel=1e-4)
    assert float((made[NOISY] - x).std()) == pytest.approx(0.1, rel=0.1)


def test_a_constant_picture_has_no_impedance() -> None:
    with pytest.raises(InputError, match="constant"):
        impedance(replace(DeepDecoder(), steps=1), torch.full((1, 1, 16, 16), 0.3), 0.1)


def test_octaves_hold_all_energy_each_where_it_belongs() -> None:
    x = torch.randn(1, 3, 16, 32)
    assert octaves(x).sum() == pytest.approx(float(x.square().sum()), rel=1e-5)
    assert len(octaves(x)) == 4
    constant, finest = torch.ones(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    finest[..., ::2] = -1
    assert octaves(constant)[0] == pytest.approx(256)
    assert octaves(finest)[-1] > 0.9 * 256
