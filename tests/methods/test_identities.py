"""The identities behind the methods that learn from noise, by Monte Carlo; each fails if a constant is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from untaught.methods.self_supervised.gr2r import GR2R, noise_like, split_binomial
from untaught.methods.self_supervised.learner import Batch
from untaught.methods.self_supervised.learners import learner
from untaught.methods.self_supervised.noisier2noise import Noisier2Noise
from untaught.methods.self_supervised.sure import SURE
from untaught.noise import Correlated, Gaussian, NoiseModel, PoissonGaussian, Speckle

SIGMA = 0.1
GAIN = 1 / 30
SIDE = 360  # 3 x 360^2 values: a moment is found to about 1 / 620 of what one value scatters
BOX = ((1.0, 1.0, 1.0),) * 3


class Bent(nn.Module):
    """A curve applied to every value on its own, so that its derivative is known."""

    def forward(self, y: Tensor) -> Tensor:
        return 0.2 + 0.5 * y + 0.1 * torch.sin(6 * y)


class Kinked(nn.Module):
    """A curve that is flat in the dark, where values are cut off."""

    def forward(self, y: Tensor) -> Tensor:
        return torch.relu(y - 0.12)


class Sharp(nn.Module):
    """A linear filter with weight 0.7 at the pixel itself."""

    def forward(self, y: Tensor) -> Tensor:
        return 0.7 * y + 0.3 * torch.roll(y, 1, 3) + 0.05


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def observed(
    noise: NoiseModel, x: NDArray[np.float64] | float = 0.4, seed: int = 1, side: int = SIDE
) -> tuple[Tensor, Batch]:
    """Return the clean picture, and what is seen of it."""
    clean = np.broadcast_to(np.asarray(x, dtype=np.float64), (side, side, 3))
    y = noise.sample(clean, np.random.default_rng(seed))
    to = lambda a: torch.from_numpy(np.array(a.transpose(2, 0, 1)))[None].float()  # noqa: E731
    return to(clean), Batch(to(y), (noise,), torch.ones(1, 1, side, side))


def ramp() -> NDArray[np.float64]:
    return np.linspace(0.2, 0.8, SIDE)[:, None, None]


def covariance(a: Tensor, b: Tensor, down: int = 0, right: int = 0) -> float:
    """Return the mean of a b, b being shifted."""
    rows, columns = a.shape[-2:]
    return float((a[..., : rows - down, : columns - right] * b[..., down:, right:]).double().mean())


@pytest.mark.parametrize("alpha", [0.5, 1.5])
@pytest.mark.parametrize(
    ("noise", "variance"),
    [
        (Gaussian(SIGMA), SIGMA**2),
        (PoissonGaussian(0.01, 0.05), 0.01 * 0.5 + 0.05**2),
        (Correlated(SIGMA, BOX), SIGMA**2),
        (PoissonGaussian(GAIN), GAIN * 0.5),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_recorruptions_are_unbiased_and_uncorrelated(noise: NoiseModel, variance: float, alpha: float) -> None:
    """Means x; variances (1 + alpha^2) v and (1 + 1 / alpha^2) v; covariance 0."""
    x, seen = observed(noise, ramp())
    yhat, ytilde = (picture - x for picture in GR2R(alpha=alpha).pair(seen, draw()))
    large, small = 1 + alpha**-2, 1 + alpha**2
    slack = 0.02 * (3 if noise.kind == "correlated" else 1)  # neighbours that share noise count for less
    assert abs(float(yhat.mean())) < slack * np.sqrt(small * variance) / 2
    assert abs(float(ytilde.mean())) < slack * np.sqrt(large * variance) / 2
    assert covariance(yhat, yhat) == pytest.approx(small * variance, rel=slack)
    assert covariance(ytilde, ytilde) == pytest.approx(large * variance, rel=slack)
    assert abs(covariance(yhat, ytilde)) < slack * variance * np.sqrt(large * small) / 2
    # Not only uncorrelated: how far one is off says nothing of how far the other is.
    spread = covariance(yhat.square() - small * variance, ytilde.square() - large * variance)
    bright = (GAIN * 0.6) ** 2 / 12 if noise.kind == "poisson-gaussian" and not noise.as_dict()["read"] else 0.0
    bright += (0.01 * 0.6) ** 2 / 12 if noise.kind == "poisson-gaussian" and noise.as_dict()["read"] else 0.0
    assert abs(spread - small * large * bright) < 2 * slack * small * large * variance**2


@pytest.mark.parametrize("noise", [Gaussian(SIGMA), PoissonGaussian(GAIN), Speckle(0.2)], ids=lambda n: n.kind)
def test_the_loss_of_r2r_is_the_error_and_a_constant(noise: NoiseModel) -> None:
    """E (f(yhat) - ytilde)^2 - E (f(yhat) - x)^2 = (1 + 1 / alpha^2) E Var[y | x], for an f that is not linear."""
    x, seen = observed(noise, ramp())
    method, f = GR2R(alpha=0.5), Bent()
    loss = float(method.objective(f, seen, draw()))
    error = float((f(method.pair(seen, draw())[0]) - x).square().mean())
    assert loss - error == pytest.approx(5 * float(noise.variance(x).mean()), rel=0.01)


def test_z_of_correlated_noise_has_its_covariance() -> None:
    """An off-centre kernel too: at every lag the autocorrelation of the kernel, and none with the other half."""
    for kernel in (BOX, ((1.0, 0.0), (-2.0, 3.0))):
        noise = Correlated(SIGMA, kernel)
        x, seen = observed(noise)
        yhat, ytilde = GR2R().pair(seen, draw())
        z = noise_like(seen, draw())
        assert z.shape == seen.y.shape
        k = np.asarray(noise.kernel)
        for down, right in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (0, 3)):
            inside = k[max(0, down) :, right:] * k[: max(k.shape[0] - down, 0), : max(k.shape[1] - right, 0)]
            expected = SIGMA**2 * inside.sum()
            assert covariance(z, z, down, right) == pytest.approx(expected, abs=0.03 * SIGMA**2)
            assert abs(covariance(yhat - x, ytilde - x, down, right)) < 0.06 * SIGMA**2


@pytest.mark.parametrize("law", ["poisson", "gamma", "binomial"])
def test_generalised_recorruptions_have_their_moments(law: str) -> None:
    """Means, variances, no covariance, and none of the squares."""
    rng, x, share, n = np.random.default_rng(0), 0.4, 0.2, 400_000
    if law == "poisson":
        pair = PoissonGaussian(GAIN).split(law, GAIN * rng.poisson(x / GAIN, n), share, rng)
        variances = GAIN * x / (1 - share), GAIN * x / share
    elif law == "gamma":
        pair = Speckle(10**-0.5).split(law, rng.gamma(10.0, x / 10, n), share, rng)
        variances = x**2 / (10 * (1 - share)), x**2 / (10 * share)
    else:
        pair = split_binomial(rng.binomial(10, x, n) / 10, 10, share, rng)
        variances = x * (1 - x) / 8, x * (1 - x) / 2
    assert pair is not None
    first, second = pair
    for part, variance in zip(pair, variances, strict=True):
        assert part.mean() == pytest.approx(x, rel=0.005)
        assert part.var() == pytest.approx(variance, rel=0.02)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.006
    assert abs(np.corrcoef((first - x) ** 2, (second - x) ** 2)[0, 1]) < 0.006


@pytest.mark.parametrize(
    ("law", "noise", "variance"),
    [("gamma", Speckle(0.3), 0.09 * 0.16), ("binomial", Gaussian(0.1), 0.024)],
)
def test_gr2r_takes_the_law_that_is_asked_for(law: str, noise: NoiseModel, variance: float) -> None:
    rng, x = np.random.default_rng(0), 0.4
    drawn = (
        rng.gamma(1 / 0.09, x * 0.09, (1, 3, SIDE, SIDE))
        if law == "gamma"
        else rng.binomial(10, x, (1, 3, SIDE, SIDE)) / 10
    )
    seen = Batch(torch.from_numpy(drawn).float(), (noise,), torch.ones(1, 1, SIDE, SIDE))
    yhat, ytilde = (picture - x for picture in GR2R(law=law, trials=10).pair(seen, draw()))
    assert abs(covariance(yhat, ytilde)) < 0.02 * variance
    assert covariance(yhat, yhat) == pytest.approx(1.25 * variance, rel=0.02)
    assert covariance(ytilde, ytilde) == pytest.approx(5 * variance, rel=0.02)


def test_recorruption_of_cut_off_values_is_unbiased_to_first_order() -> None:
    """The loss less the misfit is 2 E (y - m) f(y), for a small alpha, where a third of them was cut at 0."""
    noise = Gaussian(0.1, clip=(True, True))
    _, seen = observed(noise, 0.05)
    mean = float(noise.mean(torch.tensor(0.05)))
    f, method, generator = Kinked(), GR2R(alpha=0.2), draw()
    found = []
    for _ in range(5):
        yhat, ytilde = method.pair(seen, generator)
        found.append(float(((seen.y - ytilde) * f(yhat)).mean()))
    truth = float(((seen.y - mean) * f(seen.y)).double().mean())
    assert np.mean(found) == pytest.approx(truth, rel=0.05)


@pytest.mark.parametrize(
    ("noise", "f"),
    [
        (Gaussian(SIGMA), Bent()),
        (Gaussian(SIGMA), Sharp()),
        (PoissonGaussian(GAIN), Sharp()),
        (PoissonGaussian(0.02, 0.08), Sharp()),
        (Gaussian(SIGMA, clip=(True, True)), Kinked()),
    ],
    ids=["SURE, curved", "SURE, filter", "PURE", "PG-SURE", "SURE, cut off"],
)
def test_sure_is_the_error(noise: NoiseModel, f: nn.Module) -> None:
    x, seen = observed(noise, 0.05 if any(noise.clip) else ramp())
    mean = noise.mean(x)
    error = float((f(seen.y) - mean).square().mean())
    found = float(np.mean([float(SURE().objective(f, seen, draw(k))) for k in range(3)]))
    assert found == pytest.approx(error, abs=0.02 * float(noise.variance(x).mean()))


@pytest.mark.parametrize("a", [1.0, 0.5])
def test_noisier2noise_is_corrected_to_the_posterior_mean(a: float) -> None:
    """x ~ N(1/2, t^2), where the best f is a line: the slope that fits best is corrected to that of E[x | yy]."""
    t, method = 0.15, Noisier2Noise(a=a)
    x = 0.5 + t * np.random.default_rng(3).standard_normal((SIDE, SIDE, 3))
    _, seen = observed(Gaussian(SIGMA), x)
    noisier = seen.y + a * noise_like(seen, draw())
    centred = noisier - 0.5
    slope = covariance(centred, seen.y - 0.5) / covariance(centred, centred)  # what minimises the loss
    corrected = method.corrected(0.5 + slope * centred, noisier)
    posterior = 0.5 + t**2 / (t**2 + (1 + a**2) * SIGMA**2) * centred
    assert float((corrected - posterior).square().mean().sqrt()) < 0.01 * SIGMA
    identity = float(method.objective(nn.Identity(), seen, draw()))
    assert identity == pytest.approx(a**2 * SIGMA**2, rel=0.01)
    with torch.no_grad():
        answer, std = Noisier2Noise(a=a, draws=2).answer(nn.Identity(), seen, draw())
    assert std is not None
    assert float((answer - seen.y).square().mean().sqrt()) == pytest.approx(a * SIGMA / np.sqrt(2), rel=0.01)


def test_true_pairs_have_the_error_and_a_constant_as_their_loss() -> None:
    x, seen = observed(Gaussian(SIGMA), ramp())
    second = observed(Gaussian(2 * SIGMA), ramp(), seed=2)[1].y
    pair = Batch(seen.y, seen.noises, seen.mask, second)
    f, method = Bent(), learner("n2n")
    losses = sorted({float(method.objective(f, pair, draw(k))) for k in range(12)})
    expected = sorted(
        float((f(y) - x).square().mean()) + variance
        for y, variance in ((seen.y, 4 * SIGMA**2), (second, SIGMA**2))
    )
    assert losses == pytest.approx(expected, rel=0.02)
    answer, _ = method.answer(nn.Identity(), pair, draw())
    assert torch.allclose(answer, (seen.y + second) / 2)
