"""Pixel2Pixel: what is in a bank, which pairs are drawn from it, and that shared noise is taken off."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import clean, psnr
from untaught import InputError, denoise
from untaught.methods.networks.unet import UNetShape
from untaught.methods.registry import make
from untaught.methods.self_supervised import pixel_bank as page
from untaught.methods.self_supervised.pixel2pixel import BANK, Pixel2Pixel, drawn_pair
from untaught.methods.self_supervised.pixel_bank import Search, pixel_bank
from untaught.noise import Correlated, Gaussian
from untaught.noise.models.correlated import gaussian_kernel
from untaught.problem import Problem

SIGMA = 25 / 255
SHARED = Correlated(SIGMA, tuple(map(tuple, gaussian_kernel(1.0))))


def picture(height: int, width: int, channels: int = 2) -> Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(1))


def by_hand(y: Tensor, known: Tensor, search: Search) -> list[list[int]]:
    """Return the banks by the definition, one pair of patches after the other."""
    _, height, width = y[0].shape
    margin = search.patch // 2
    around = np.pad(y[0].numpy(), ((0, 0), (margin, margin), (margin, margin)), "symmetric")
    pixels = list(product(range(height), range(width)))
    patches = {(r, c): around[:, r : r + search.patch, c : c + search.patch] for r, c in pixels}
    banks = []
    for r, c in pixels:
        may = [
            (float(np.square(patches[r, c] - patches[p]).sum()), p[0] * width + p[1])
            for p in pixels
            if max(abs(p[0] - r), abs(p[1] - c)) <= search.window // 2
            and known[p]
            and (p == (r, c) or abs(p[0] - r) > search.apart[0] or abs(p[1] - c) > search.apart[1])
        ]
        best = [j for _, j in sorted(may)[: search.members]] or [r * width + c]
        banks.append(best + [best[0]] * (search.members - len(best)))
    return banks


@pytest.mark.parametrize("shape", [(9, 13), (13, 8)], ids=str)
@pytest.mark.parametrize(
    "search", [Search(5, 8, 5), Search(4, 6, 3, (1, 2)), Search(3, 40, 1), Search(4, 4, 7, (2, 1))]
)
def test_the_bank_is_that_of_its_definition(
    search: Search, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "BLOCK", 5)
    y, known = picture(*shape), torch.rand(shape, generator=torch.Generator().manual_seed(2)) > 0.2
    known[:4, :4] = False
    assert pixel_bank(y, known, search).tolist() == by_hand(y, known, search)


def test_a_picture_without_a_known_pixel_has_itself_in_its_bank() -> None:
    bank = pixel_bank(picture(4, 5), torch.zeros(4, 5, dtype=torch.bool), Search(3, 8, 3))
    assert bank.tolist() == [[i] * 3 for i in range(20)]


def test_the_two_of_a_pair_are_never_the_same_member_and_all_are_drawn() -> None:
    bank = torch.arange(5).repeat(10, 1).to(torch.int32)
    one, two = drawn_pair(bank, torch.arange(10).repeat(400), torch.Generator().manual_seed(0))
    counts = torch.zeros(5, 5).index_put_((one, two), torch.ones(()), accumulate=True)
    assert (counts.diagonal() == 0).all()
    assert counts[~torch.eye(5, dtype=torch.bool)].min() > 150  # of 200


@pytest.mark.parametrize("noise", [Gaussian(SIGMA), SHARED], ids=lambda noise: noise.kind)
def test_no_pair_shares_noise_or_was_not_measured(noise: Gaussian) -> None:
    """Values are their own places, so that a crop tells where it was drawn."""
    method = Pixel2Pixel(crop=24, batch=2, shape=UNetShape(8, 1))
    y = torch.arange(30.0 * 24).view(1, 1, 30, 24)
    mask = torch.ones_like(y)
    mask[..., 5:9, 3:8] = 0
    problem = Problem(y, mask, noise)
    state = method.init(problem, 0)
    state.tensors["y"] = y
    batch = method.crops(problem, state)
    counts = batch.mask[:, 0] > 0
    assert 0.3 < float(counts.float().mean()) < 1
    one, two = (z[:, 0][counts].long() for z in (batch.y, batch.second))
    down, across = (one // 24 - two // 24).abs(), (one % 24 - two % 24).abs()
    rows, columns = noise.reach
    assert ((down > rows) | (across > columns)).all()
    assert (mask.flatten()[one] > 0).all()
    assert (mask.flatten()[two] > 0).all()


def test_a_checkpoint_does_not_hold_the_bank() -> None:
    state = Pixel2Pixel(shape=UNetShape(8, 1)).init(Problem(picture(12, 12), torch.ones(1, 1, 12, 12), SHARED), 0)
    assert state.network.get_buffer(BANK).shape == (144, 8)
    assert BANK not in state.state_dict()["network"]


def test_noise_that_neighbours_share_is_taken_off() -> None:
    x = clean(96, 96)
    y = SHARED.sample(x, np.random.default_rng(0)).astype(np.float32)
    method = Pixel2Pixel(steps=120, crop=32, batch=2, rate=0.01, decay=0.9, shape=UNetShape(16, 2))
    answer = denoise(y, method=method, noise="correlated:25,1")
    assert psnr(answer.image, x) > psnr(y, x) + 3
    assert not any("independent" in note for note in answer.notes)


def test_the_answer_is_mixed_with_draws_where_noise_is_shared() -> None:
    """With the bank of one pixel everywhere, what is drawn is not the picture."""
    y = picture(12, 14)
    for noise in (Gaussian(SIGMA), SHARED):
        problem = Problem(y, torch.ones(1, 1, 12, 14), noise)
        for draws in (0, 3):
            method = Pixel2Pixel(shape=UNetShape(8, 1), draws=draws)
            state = method.init(problem, 0)
            bank = state.network.get_buffer(BANK)
            bank.copy_(bank[:1].expand_as(bank))
            answer = method.readout(problem, state).image
            plain = state.network(y).detach()
            assert torch.allclose(answer, plain) == (draws == 0 or not noise.shared)


def test_sizes_that_make_no_sense_are_refused() -> None:
    for settings, word in (
        ({"members": 1}, "at least 2"),
        ({"window": 1}, "2 pixels"),
        ({"patch": 4}, "odd"),
        ({"draws": -1}, "0 or more"),
    ):
        with pytest.raises(InputError, match=word):
            make("p2p", settings)
