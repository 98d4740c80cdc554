"""Mixtures with weights of least estimated risk: that of the formula, and near that of the truth."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.conftest import clean, tensor
from untaught.problem import Response
from untaught.risk.sure import Terms
from untaught.risk.sure_let import Part, differences, mixed, weights

SIGMA = 0.1
SIDE = 64


def blurred(x: Tensor, side: int) -> Tensor:
    half = side // 2
    padded = F.pad(x, (half, half, half, half), mode="circular")
    return F.avg_pool2d(padded, side, stride=1)


@cache
def drawn(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return a clean picture, a noisy one, and a probe with the law of its noise."""
    x = tensor(clean(SIDE, SIDE, 1))
    random = torch.Generator().manual_seed(seed)
    return x, x + SIGMA * torch.randn(x.shape, generator=random), SIGMA * torch.randn(x.shape, generator=random)


def filtered(side: int, probe: Tensor | None = None, seed: int = 0) -> Part:
    """Return a blurred picture: it moves with the noise as a blurred probe does."""
    _, y, z = drawn(seed)
    probe = z if probe is None else probe
    return Part(blurred(y, side), (Response(probe, blurred(probe, side)),))


def bands(x: Tensor) -> list[Tensor]:
    return [x - blurred(x, 5), blurred(x, 5)]


def estimated(part: Part, y: Tensor, mask: Tensor) -> float:
    """Return Stein's risk of a picture."""
    terms = Terms((part.image - y).square(), part.cross, torch.full_like(y, SIGMA**2), mask)
    return float((terms.sure.double() * mask).sum() / mask.sum())


def test_the_weights_are_of_least_estimated_risk() -> None:
    _, y, _ = drawn(0)
    base, mask = filtered(5), torch.ones(1, 1, SIDE, SIDE)
    parts = differences(filtered(1), base, bands)
    found = weights(base, parts, y, mask)
    least = estimated(mixed(base, parts, found), y, mask)
    for k in range(len(parts)):
        for step in (-0.05, 0.05):
            other = [c + step * (k == j) for j, c in enumerate(found)]
            assert estimated(mixed(base, parts, other), y, mask) > least


@pytest.mark.parametrize("seed", range(3))
def test_what_is_mixed_is_nearly_as_good_as_if_the_truth_were_known(seed: int) -> None:
    x, y, _ = drawn(seed)
    base = filtered(5, seed=seed)
    parts = differences(filtered(1, seed=seed), base, bands)
    mixture = mixed(base, parts, weights(base, parts, y, torch.ones(1, 1, SIDE, SIDE)))
    rows = torch.stack([part.image.flatten() for part in parts], 1)
    best = torch.linalg.lstsq(rows, (x - base.image).reshape(-1, 1)).solution.flatten().tolist()
    error, least = (float((m.image - x).square().mean()) for m in (mixture, mixed(base, parts, best)))
    assert least <= error < least + 0.01 * SIGMA**2
    assert error < min(float((one.image - x).square().mean()) for one in (base, filtered(1, seed=seed)))


def test_what_is_masked_does_not_count() -> None:
    _, y, _ = drawn(0)
    mask = torch.ones(1, 1, SIDE, SIDE)
    mask[..., SIDE // 2 :] = 0
    base = filtered(5)
    parts = differences(filtered(1), base, bands)
    half = weights(base, parts, y, mask)
    spoilt = torch.where(mask.bool(), torch.tensor(0.0), torch.tensor(7.0))
    others = [
        Part(part.image + spoilt, tuple(Response(r.probe, r.moved + spoilt) for r in part.responses))
        for part in parts
    ]
    assert weights(base, others, y, mask) == pytest.approx(half, rel=1e-4)
    assert weights(base, parts, y, torch.ones_like(mask)) != pytest.approx(half, rel=1e-3)


def test_the_same_picture_twice_has_weights_and_they_share() -> None:
    """Without a ridge the system has no solution, and without rounding it is of what is left of a difference."""
    _, y, _ = drawn(0)
    base, mask = filtered(5), torch.ones(1, 1, SIDE, SIDE)
    once = differences(filtered(1), base, lambda change: [change])
    alone, twice = weights(base, once, y, mask), weights(base, [*once, *once], y, mask)
    assert twice == pytest.approx([alone[0] / 2] * 2, rel=0.02)
    assert weights(base, differences(base, base, bands), y, mask) == [0.0, 0.0]
    near = Part(base.image + 1e-6 * (y - base.image), base.responses)
    assert abs(weights(base, differences(near, base, lambda change: [change]), y, mask)[0]) < 1e4


def test_bands_add_up_and_move_with_the_noise_as_the_pictures_do() -> None:
    base, other = filtered(5), filtered(1)
    parts = differences(other, base, bands)
    assert [len(part.responses) for part in parts] == [1, 1]
    assert torch.allclose(sum(part.image for part in parts), other.image - base.image, atol=1e-6)
    (response,) = mixed(base, parts, [1.0, 1.0]).responses
    assert response.probe is drawn(0)[2]
    assert torch.allclose(response.moved, other.responses[0].moved, atol=1e-6)
    assert torch.allclose(mixed(base, parts, [0.0, 0.0]).cross, base.cross)
    half = mixed(base, parts, [0.5, 0.5])
    assert torch.allclose(half.image, (base.image + other.image) / 2, atol=1e-6)
    assert torch.allclose(half.cross, (base.cross + other.cross) / 2, atol=1e-6)


def test_pictures_that_were_measured_with_probes_of_their_own_keep_both() -> None:
    own = SIGMA * torch.randn(drawn(0)[1].shape, generator=torch.Generator().manual_seed(9))
    base, other = filtered(5), filtered(1, own)
    parts = differences(other, base, bands)
    assert [len(part.responses) for part in parts] == [2, 2]
    whole = mixed(base, parts, [1.0, 1.0])
    by_probe = {id(r.probe): r.moved for r in whole.responses}
    assert torch.allclose(by_probe[id(own)], own, atol=1e-6)
    assert float(by_probe[id(drawn(0)[2])].abs().max()) < 1e-6
