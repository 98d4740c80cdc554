"""The error of what is filled in, from measured pixels that are withheld: exact where the answer is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from untaught.noise import Gaussian
from untaught.problem import Problem
from untaught.risk.cross_validation import ENOUGH, MOST_DRAWS, MOST_ERROR, SHARE, SPARSE, risk_at, risk_of_filling
from untaught.risk.sure import Terms

SIDE = 64


def scattered(missing: float, side: int = SIDE, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return (torch.rand(1, 1, side, side, generator=random) >= missing).float()


def problem(mask: Tensor, channels: int = 1, seed: int = 1) -> Problem:
    random = torch.Generator().manual_seed(seed)
    y = torch.rand(1, channels, *mask.shape[-2:], generator=random)
    return Problem(y * mask, mask, Gaussian(0.0))


class Fill:
    """Fills in one shade, and remembers what it was given."""

    def __init__(self, shade: float = 0.0) -> None:
        self.shade = shade
        self.seen: list[Problem] = []

    def __call__(self, asked: Problem) -> Tensor:
        self.seen.append(asked)
        return torch.full_like(asked.y, self.shade)


def test_an_error_that_is_everywhere_the_same_is_found_and_has_no_doubt() -> None:
    mask = scattered(0.4)
    flat = Problem(0.5 * mask, mask, Gaussian(0.0))
    risk = risk_of_filling(Fill(0.2), flat, 0)
    assert risk is not None
    assert risk.value == pytest.approx(0.09 * float(1 - mask.mean()), rel=1e-5)
    assert risk.error == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_error_is_near_the_truth_by_what_it_says(channels: int) -> None:
    """What is missing is as what is withheld: uniform values against 0, whose mean square is 1/3."""
    apart = []
    for seed in range(20):
        mask = scattered(0.4, seed=seed)
        risk = risk_of_filling(Fill(), problem(mask, channels, seed + 100), seed)
        assert risk is not None
        missing = float(1 - mask.mean())
        truth = missing * torch.rand(int((1 - mask).sum()) * channels).square().mean()
        apart.append((risk.value - float(truth)) / risk.error)
        few = float((1 - mask).sum()) * channels  # missing; as many values are as good as withheld, at most
        spread = missing * math.sqrt(4 / 45 / few)
        assert spread < risk.error < 4 * spread
    assert 0.3 < float(torch.tensor(apart).square().mean().sqrt()) < 2


@pytest.mark.parametrize("missing", [SPARSE / 2, 0.5])
def test_only_measured_pixels_are_withheld_and_nothing_else_is_changed(missing: float) -> None:
    given, fill = problem(scattered(missing)), Fill()
    assert risk_of_filling(fill, given, 0) is not None
    for asked in fill.seen:
        held = (given.mask - asked.mask) > 0
        assert bool(held.any())
        assert bool((asked.mask <= given.mask).all())
        kept = asked.mask > 0
        assert torch.equal(asked.y[kept], given.y[kept])
        assert not torch.equal(asked.y[held], given.y[held])  # filled from its neighbours, as what is missing is
        assert asked.noise == given.noise
        share = float(held.sum() / given.mask.sum())
        assert share == pytest.approx(SHARE if missing > SPARSE else missing, rel=0.4)


def test_few_missing_pixels_are_withheld_in_their_own_shape() -> None:
    mask = torch.ones(1, 1, SIDE, SIDE)
    mask[..., 10:14, 8:40] = 0
    fill = Fill()
    risk_of_filling(fill, problem(mask), 0)
    held = (mask - fill.seen[0].mask)[0, 0] > 0
    rows, columns = held.any(1).sum(), held.any(0).sum()
    assert (int(rows), int(columns)) == (4, 32)
    assert len({tuple((mask - asked.mask).flatten().tolist()) for asked in fill.seen}) == len(fill.seen)


def test_it_is_run_until_enough_is_withheld_and_not_more_often_than_it_may() -> None:
    small, large = problem(scattered(0.5)), problem(scattered(0.5, 2 * SIDE))
    for given, draws, runs in ((small, MOST_DRAWS, MOST_DRAWS), (small, 3, 3), (large, MOST_DRAWS, 4)):
        fill = Fill()
        risk_of_filling(fill, given, 0, draws)
        assert len(fill.seen) == runs
    assert 3 * SHARE * float(large.mask.sum()) < 1.02 * ENOUGH < 4 * SHARE * float(large.mask.sum())


def test_the_same_seed_withholds_the_same() -> None:
    given = problem(scattered(0.5))
    told = []
    for seed in (0, 0, 1):
        fill = Fill()
        risk_of_filling(fill, given, seed)
        told.append(torch.stack([asked.mask for asked in fill.seen]))
    assert torch.equal(told[0], told[1])
    assert not torch.equal(told[0], told[2])
    assert not torch.equal(told[0][0], told[0][1])  # nor twice the same


@pytest.mark.parametrize("hole", [(4, 56), (0, 64)], ids=["a wide hole", "nothing measured"])
def test_what_nothing_is_like_is_not_judged(hole: tuple[int, int]) -> None:
    mask = torch.ones(1, 1, SIDE, SIDE)
    mask[..., slice(*hole), slice(*hole)] = 0
    assert risk_of_filling(Fill(), problem(mask), 0) is None
    assert risk_of_filling(Fill(), problem(torch.ones_like(mask)), 0) is None


def test_an_error_of_next_to_one_place_is_at_most_half_as_sure_as_large() -> None:
    mask = scattered(0.5)
    few = torch.arange(SIDE * SIDE).view(1, 1, SIDE, SIDE) % 397 == 0
    risk = risk_of_filling(Fill(), Problem(30 * few * mask, mask, Gaussian(0.0)), 0)
    assert risk is not None
    assert risk.error == pytest.approx(MOST_ERROR * risk.value)
    assert risk.value > 0


def test_what_a_rule_kept_back_tells_the_same() -> None:
    mask = scattered(0.4)
    valid = mask * scattered(0.9, seed=5)
    wrong = torch.where(valid > 0, 0.04, 9.0)
    terms = Terms(wrong, torch.full_like(mask, 0.01), torch.full_like(mask, 0.03), valid)
    risk = risk_at(terms, mask)
    assert risk is not None
    assert risk.value == pytest.approx(0.03 * float(1 - mask.mean()), rel=1e-4)  # .04 + 2 * .01 - .03
    assert risk_at(None, mask) is None
    hole = torch.ones_like(mask)
    hole[..., 8:56, 8:56] = 0
    assert risk_at(Terms(wrong, wrong, wrong, hole * scattered(0.95, seed=5)), hole) is None


def test_a_risk_that_came_out_below_nothing_is_nothing() -> None:
    mask = scattered(0.4)
    terms = Terms(
        torch.zeros_like(mask), torch.zeros_like(mask), torch.ones_like(mask), mask * scattered(0.9, seed=5)
    )
    risk = risk_at(terms, mask)
    assert risk is not None
    assert (risk.value, risk.error) == (0.0, 0.0)
