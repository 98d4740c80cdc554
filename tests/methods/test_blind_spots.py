"""What the network does not see: blind spots, J-invariance, dropped values, and the pairs made of one picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tests.methods.test_identities import BOX, SIGMA, draw, observed
from untaught.methods.networks.partial_unet import PartialConv
from untaught.methods.self_supervised.centred import Centred
from untaught.methods.self_supervised.learner import Batch
from untaught.methods.self_supervised.neighbor2neighbor import drawn_neighbours, sub_pictures
from untaught.methods.self_supervised.noise2self import Noise2Self, interpolated, invariant
from untaught.methods.self_supervised.noise2void import Noise2Void, StructuredNoise2Void
from untaught.methods.self_supervised.self2self import Self2Self
from untaught.methods.self_supervised.zs_noise2noise import halves
from untaught.noise import Correlated, Gaussian


class Mixing(nn.Module):
    """A random network that carries every value everywhere within three pixels."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.layers = nn.Sequential(
                nn.Conv2d(channels, 8, 5, padding=2), nn.Tanh(), nn.Conv2d(8, channels, 3, padding=1)
            )

    def forward(self, y: Tensor) -> Tensor:
        return self.layers(y)


class Nothing(nn.Module):
    """A network that takes a mask and adds nothing."""

    takes_mask = True

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return 0 * x


@pytest.mark.parametrize(
    "method",
    [Noise2Void(), StructuredNoise2Void(rows=0, columns=4), StructuredNoise2Void()],
    ids=["n2v", "lines", "kernel"],
)
def test_a_hidden_pixel_is_not_in_what_the_network_sees(method: Noise2Void) -> None:
    """Everything that is hidden is changed, and no prediction that is asked for moves; nor do those of others."""
    _, seen = observed(Correlated(SIGMA, BOX), side=48)
    shown, asked = method.hidden(seen, draw())
    rows, columns = method.reach(seen)
    covered = torch.nn.functional.max_pool2d(asked, (2 * rows + 1, 2 * columns + 1), 1, (rows, columns))
    other = Batch(
        torch.where(covered > 0, seen.y + torch.rand(seen.y.shape, generator=draw(5)), seen.y),
        seen.noises,
        seen.mask,
    )
    again, _ = method.hidden(other, draw())
    assert torch.equal(shown, again)
    assert 0 < float(asked.mean()) <= 1 / 20
    assert float((shown != seen.y).float().mean()) == pytest.approx(float(covered.mean()), rel=0.02)
    assert (rows, columns) == {"n2v": (0, 0)}.get(
        method.name, (method.rows, method.columns) if getattr(method, "rows", -1) >= 0 else (2, 2)
    )


def test_the_picture_of_noise2self_does_not_depend_on_a_pixel_itself() -> None:
    y = observed(Gaussian(SIGMA), side=20)[1].y
    f = Mixing()
    before = invariant(f, y)
    for row, column in ((0, 0), (7, 9), (19, 4)):
        other = y.clone()
        other[..., row, column] += 0.7
        after = invariant(f, other)
        assert torch.equal(before[..., row, column], after[..., row, column])
        assert not torch.equal(before, after)
        assert not torch.equal(f(y)[..., row, column], f(other)[..., row, column])


def test_noise2self_asks_for_the_pixels_it_hides() -> None:
    """The loss is that of the J-invariant picture: over all classes its mean is the mean of (g(y) - y)^2."""
    seen, f, method = observed(Gaussian(SIGMA), side=20)[1], Mixing(), Noise2Self()
    losses = {round(float(method.objective(f, seen, draw(k)).detach()), 9) for k in range(160)}
    assert len(losses) == 16
    assert np.mean(list(losses)) == pytest.approx(
        float((invariant(f, seen.y) - seen.y).detach().square().mean()), rel=1e-5
    )


def test_the_answer_of_noise2self_is_a_plain_pass_unless_it_is_to_be_blind() -> None:
    seen, f = observed(Gaussian(SIGMA), side=20)[1], Mixing()
    plain, blind = (Noise2Self(blind=b).answer(f, seen, draw())[0] for b in (False, True))
    assert torch.equal(plain, f(seen.y).detach())
    assert torch.equal(blind, invariant(f, seen.y, mask=seen.mask).detach())
    assert not torch.allclose(plain, blind, atol=1e-3)


def test_noise2self_is_that_of_scikit_image() -> None:
    """Its J-invariant denoiser gives the same picture, and its calibration the same losses."""
    from scipy.ndimage import gaussian_filter
    from skimage.restoration import calibrate_denoiser, denoise_invariant

    y = (
        observed(Gaussian(SIGMA), 0.3 + 0.2 * np.sin(np.arange(60) / 4)[:, None, None], side=60)[1]
        .y[0, 0]
        .double()
        .numpy()
    )

    def blurred(values: NDArray[np.float64], sigma: float = 1.0) -> NDArray[np.float64]:
        return gaussian_filter(values, sigma)

    def ours(sigma: float) -> NDArray[np.float64]:
        f = lambda batch: torch.from_numpy(blurred(batch[0, 0].numpy(), sigma))[None, None]  # noqa: E731
        return invariant(f, torch.from_numpy(y)[None, None])[0, 0].numpy()

    theirs = denoise_invariant(y, stride=4, denoise_function=blurred)
    np.testing.assert_allclose(ours(1.0), theirs, atol=1e-12)
    sigmas = [0.3, 0.8, 1.3, 2.5, 5.0]
    _, (tested, losses) = calibrate_denoiser(
        y, blurred, {"sigma": sigmas}, stride=4, approximate_loss=False, extra_output=True
    )
    assert [t["sigma"] for t in tested] == sigmas
    np.testing.assert_allclose([np.mean((ours(sigma) - y) ** 2) for sigma in sigmas], losses, rtol=1e-6)


def test_self2self_does_not_see_what_it_predicts() -> None:
    seen, method = observed(Gaussian(SIGMA), side=16)[1], Self2Self()
    kept = method.kept(seen, draw())
    assert float(kept.mean()) == pytest.approx(0.7, abs=0.05)
    other = Batch(torch.where(kept > 0, seen.y, seen.y + 3), seen.noises, seen.mask)
    net = method.build(3)
    seen_by, losses = [], []
    net.register_forward_pre_hook(lambda _, inputs: seen_by.append(inputs[0] * inputs[1]))
    for given in (seen, other):
        losses.append(float(method.objective(net, given, draw()).detach()))
    assert torch.equal(seen_by[0], seen_by[1])
    # Its dropped values are all the loss looks at: they moved by 3, and it by 9 and twice the misfit times 3.
    assert losses[1] > losses[0] + 4


def test_the_mean_self2self_draws_around_is_of_what_is_shown() -> None:
    """Seven pixels away from anything that is shown, it is the picture's."""
    y, shown = torch.rand(1, 3, 24, 24, generator=draw()), torch.zeros(1, 3, 24, 24)
    shown[..., ::3, :8] = 1
    net = Centred(Nothing(), torch.full((1, 3, 1, 1), 0.4), residual=False, mixed=False)
    answer = net(y, shown)
    assert torch.equal(answer, net(torch.where(shown > 0, y, y + 3), shown))
    known = y[..., ::3, :8]
    assert float((answer[..., :8] - known.mean((2, 3), keepdim=True)).abs().max()) < 0.25
    assert torch.all(answer[..., 16:] == 0.4)


def test_a_plain_network_is_not_shown_what_self2self_drops() -> None:
    seen, method, f = observed(Gaussian(SIGMA), side=16)[1], Self2Self(draws=1), Mixing()
    kept = method.kept(seen, draw())
    other = Batch(torch.where(kept > 0, seen.y, seen.y + 3), seen.noises, seen.mask)
    first, second = (method.answer(f, given, draw())[0] for given in (seen, other))
    assert torch.equal(first, second)


def test_a_partial_convolution_is_a_mean_over_what_is_known() -> None:
    """With equal weights: the mean of the known values, whatever stands in the others; 0 where there are none."""
    layer = PartialConv(1, 1)
    with torch.no_grad():
        layer.conv.weight.fill_(1 / 9)
    x = torch.arange(49.0).view(1, 1, 7, 7)
    mask = torch.zeros_like(x)
    mask[..., 2, 2] = mask[..., 2, 3] = 1
    out, known = layer(x + 100 * (1 - mask), mask)
    assert float(out[0, 0, 1, 2].detach()) == pytest.approx((16 + 17) / 2, rel=1e-5)
    assert float(out[0, 0, 3, 4].detach()) == pytest.approx(17, rel=1e-5)
    assert float(out[0, 0, 6, 6].detach()) == float(known[0, 0, 6, 6]) == 0
    assert float(known.sum()) == 12


def test_neighbours_touch_and_all_pairs_are_as_likely() -> None:
    index = torch.arange(120.0 * 121).view(1, 1, 120, 121)
    first, second = drawn_neighbours(index, draw())
    a, b = sub_pictures(index, first), sub_pictures(index, second)
    assert a.shape == (1, 1, 60, 60)
    apart = (a - b).abs()
    assert set(apart.unique().tolist()) == {1.0, 121.0}
    pairs, counts = torch.unique(first * 4 + second, return_counts=True)
    assert len(pairs) == 8
    assert counts.min() > 0.8 * 3600 / 8
    cell = (a // 121 // 2) * 1000 + (a % 121) // 2
    assert torch.equal(cell, (b // 121 // 2) * 1000 + (b % 121) // 2)


def test_halves_are_the_means_of_the_two_diagonals() -> None:
    y = torch.rand(1, 2, 9, 7, generator=draw())
    one, two = halves(y)
    assert one.shape == two.shape == (1, 2, 4, 3)
    assert torch.allclose(one[0, :, 1, 2], (y[0, :, 2, 5] + y[0, :, 3, 4]) / 2)
    assert torch.allclose(two[0, :, 1, 2], (y[0, :, 2, 4] + y[0, :, 3, 5]) / 2)


def test_interpolation_leaves_a_pixel_out() -> None:
    y = torch.rand(1, 1, 5, 5, generator=draw())
    assert float(interpolated(y)[0, 0, 2, 2]) == pytest.approx(float(y[0, 0, [1, 3, 2, 2], [2, 2, 1, 3]].mean()))
