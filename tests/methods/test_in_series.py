"""Networks that see a plane with its neighbours: what is shown to them, what is not, and what they make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.fitting.loop import fit
from untaught.method import runs_of
from untaught.methods.in_series import Accompanied, Shared
from untaught.methods.networks.unet import UNetShape
from untaught.methods.registry import make
from untaught.methods.self_supervised.learners import LEARNERS, learner
from untaught.methods.self_supervised.neighbours import places_around, seeing
from untaught.methods.self_supervised.noise2noise import Noise2Noise, steadiness
from untaught.methods.self_supervised.noise2void import Noise2Void
from untaught.methods.self_supervised.over_planes import Given, SharedNetwork
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.noise import Gaussian
from untaught.problem import Problem

SIGMA = 0.1


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def series(count: int = 5, channels: int = 1, side: int = 24, level: float = SIGMA) -> Given:
    """Return noisy planes of a scene that stands still."""
    x = torch.nn.functional.interpolate(
        torch.rand(1, channels, 4, 4, generator=draw()), (side, side), mode="bicubic"
    )
    planes = [x + level * torch.randn(x.shape, generator=draw(k + 1)) for k in range(count)]
    return Given([Problem(y, torch.ones_like(y[:, :1]), Gaussian(level)) for y in planes], judged=(0, count - 1))


@given(st.integers(2, 12), st.integers(1, 5), st.data())
def test_a_plane_is_never_its_own_neighbour(count: int, reach: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, count - 1))
    around = places_around(place, count, reach)
    assert len(around) == 2 * reach
    assert place not in around
    assert all(0 <= at < count for at in around)
    if reach <= place < count - reach:
        assert sorted(around) == sorted({*range(place - reach, place + reach + 1)} - {place})
    else:
        assert {place - 1, place + 1} & {*range(count)} <= {*around}
    assert sorted(places_around(place, count, reach, backwards=True)) == sorted(around)


@given(st.integers(2, 9), st.integers(1, 4), st.data())
def test_what_n2n_asks_for_is_not_shown(count: int, reach: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, count - 1))
    way = data.draw(st.sampled_from([way for way in (-1, 1) if 0 <= place + way < count]))
    around = Noise2Noise(neighbours=reach).around(place, way, count)
    assert place + way not in around
    assert len(around) == 2 * reach


class Own(nn.Module):
    """A map of known derivative: .3 y + .1 the sum of the neighbours."""

    def forward(self, y: Tensor, context: Tensor) -> Tensor:
        return 0.3 * y + 0.1 * context.unflatten(1, (-1, y.shape[1])).sum(1)


@pytest.mark.parametrize("name", sorted(name for name in LEARNERS if runs_of(learner(name)).shared))
def test_every_learner_hides_the_same_with_neighbours_in_sight(name: str) -> None:
    """Its loss is finite, and has a gradient by a network that sees them."""
    planes = series(channels=3)
    method = learner(name, {"neighbours": 2, "crop": 16, "shape": UNetShape(4, 2)})
    assert isinstance(method, OnePicture)
    assert isinstance(method, Shared)
    batch = method.learned(planes, 1, draw())
    assert batch.context is not None
    assert batch.context.shape[1] == 2 * 2 * 3
    network = method.over(planes).init(_judged(planes), 0).network
    for value in network.parameters():
        value.data += 0.01
    loss = method.objective(seeing(network, batch), batch, draw())
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert any(value.grad is not None and bool(value.grad.any()) for value in network.parameters())


def _judged(planes: Given) -> Problem:
    seen = [planes.at(place) for place in planes.judged]
    return Problem(torch.cat([one.y for one in seen]), torch.cat([one.mask for one in seen]), seen[0].noise)


def test_several_observations_of_a_batch_see_each_their_own_neighbours() -> None:
    batch = replace(_batch(series(), 1), y=torch.zeros(2, 1, 24, 24))
    batch = replace(batch, context=torch.cat([torch.ones(1, 4, 24, 24), 2 * torch.ones(1, 4, 24, 24)]))
    found = seeing(Own(), batch)(torch.zeros(4, 1, 24, 24))
    assert found[:, 0, 0, 0].tolist() == pytest.approx([0.4, 0.8, 0.4, 0.8])


def _batch(planes: Given, place: int):  # type: ignore[no-untyped-def]
    return Noise2Void(neighbours=2).shown(planes, place)[0]


def test_the_divergence_is_that_of_the_plane_itself() -> None:
    planes = series(side=96)
    found = SharedNetwork(Noise2Void(neighbours=2), Own()).solve_together(planes.problems, "time", 0)
    for one in found:
        cross = sum((r.probe * r.moved for r in one.responses), torch.zeros(1))
        assert float(cross.mean()) == pytest.approx(0.3 * SIGMA**2, rel=0.1)
    again = SharedNetwork(Noise2Void(neighbours=2), Own()).solve_together(planes.problems, "time", 0)
    assert all(torch.equal(a.image, b.image) for a, b in zip(found, again, strict=True))


def test_n2n_leaves_out_what_noise_does_not_explain() -> None:
    planes = series(side=64)
    method = Noise2Noise(neighbours=1)
    still = steadiness(method.learned(planes, 2, draw()))
    assert float(still.mean()) > 0.8
    moved = [replace(one, y=one.y.clone()) for one in planes.problems]
    for k, one in enumerate(moved):
        one.y[..., 20:36, 4 * k : 4 * k + 16] += 0.5  # a bright thing that moves on
    weight = steadiness(method.learned(Given(moved), 2, draw()))[0, 0]
    edge = slice(24, 32), slice(9, 11)
    assert float(weight[edge].max()) < 0.05
    assert float(weight[24:32, 15:17].mean()) > 0.5  # inside it nothing is seen to move
    assert float(weight[45:].mean()) > 0.8


def test_a_pixel_has_no_say_in_whether_it_is_learned_from() -> None:
    """Or noise would be chosen by what it looks like."""
    batch = Noise2Noise(neighbours=1).learned(series(), 2, draw())
    assert batch.second is not None
    other = batch.second.clone()
    other[..., 12, 12] += 5.0
    before, after = steadiness(batch), steadiness(replace(batch, second=other))
    assert float(before[0, 0, 12, 12]) == pytest.approx(float(after[0, 0, 12, 12]), abs=1e-4)
    assert float(after[0, 0, 12, 14]) < float(before[0, 0, 12, 14])


def test_a_plane_alone_is_refused() -> None:
    method = make("n2n")
    assert isinstance(method, Accompanied)
    problem = series().problems[0]
    with pytest.raises(InputError, match="two observations"):
        fit(method, problem, 0)
    with pytest.raises(InputError, match="one plane"):
        SharedNetwork(Noise2Void(), Own()).solve(problem, 0)
    with pytest.raises(ValueError, match="no neighbours"):
        places_around(0, 1, 2)


def test_of_a_still_scene_the_more_is_learned_the_more_planes_are_seen() -> None:
    clean = series(level=1e-6).problems[0].y
    errors = []
    for reach in (1, 3):
        planes = series(8)
        method = Noise2Noise(
            steps=150, crop=24, batch=2, rate=0.01, decay=0.95, shape=UNetShape(8, 1), neighbours=reach
        )
        found = fit(method.over(planes), _judged(planes), 0).estimate.function
        assert isinstance(found, nn.Module)
        errors.append(_error(SharedNetwork(method, found), planes.problems, clean))
    assert errors[1] < errors[0] < 0.4 * SIGMA**2


def _error(network: SharedNetwork, problems: Sequence[Problem], clean: Tensor) -> float:
    answers = network.solve_together(problems, "time", 0)
    return float(torch.stack([(one.image - clean).square().mean() for one in answers]).mean())
