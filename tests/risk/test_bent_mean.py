"""The error of a signal whose magnitudes were estimated, by Monte Carlo."""

from __future__ import annotations

import pytest
import torch

from untaught.noise import Gaussian, Rician
from untaught.risk.background import background
from untaught.risk.bent_mean import through_bend
from untaught.risk.clipping_weight import undone
from untaught.risk.estimate import Risk
from untaught.risk.sure import Terms

SIGMA = 0.05
LAW = Rician(SIGMA)


def case(signal: torch.Tensor, error: float) -> tuple[torch.Tensor, Terms, Risk, float]:
    """Return answers that err by so much about the mean, their terms and risks, and the truth."""
    x = SIGMA * signal
    m = LAW.mean(x)
    e = error * SIGMA * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    risk = Risk((error * SIGMA) ** 2, 0.1 * (error * SIGMA) ** 2)
    cross = torch.full_like(x, risk.value)
    terms = Terms(cross, cross, torch.full_like(x, SIGMA**2), torch.ones_like(x[:, :1]))
    return m + e, terms, risk, float((LAW.unclip(m + e) - x).square().mean())


def told(
    image: torch.Tensor, terms: Terms, risk: Risk, local: torch.Tensor | None = None
) -> tuple[Risk, torch.Tensor]:
    """Return the risk of the answer, and the answer."""
    answer = background(LAW, image, terms.valid)
    return through_bend(answer, terms, risk, terms.cross if local is None else local), answer.signal


@pytest.mark.parametrize("error", [0.05, 0.2])
@pytest.mark.parametrize("signal", [1.0, 3.0, 10.0])
def test_the_error_of_a_signal_is_told_where_its_mean_bends(signal: float, error: float) -> None:
    """The squared slope has no mean where there is no signal: errors were up to five times too large."""
    image, terms, risk, truth = case(torch.full((1, 1, 128, 128), signal), error)
    found, _ = told(image, terms, risk)
    assert 0.5 < found.value / truth < 1.25
    assert abs(found.value - truth) < 5 * found.error


@pytest.mark.parametrize("error", [0.05, 0.2])
def test_errors_of_what_has_no_signal_are_told_by_what_lies_below_it(error: float) -> None:
    """Whatever Tweedie's formula says of them."""
    signal = torch.zeros(1, 1, 128, 128)
    signal[..., 64:] = torch.linspace(3, 12, 64)
    image, terms, risk, before = case(signal, error)
    off = terms.cross.clone()
    off[..., :64] *= 5
    for local in (terms.cross, off):
        found, answer = told(image, terms, risk, local)
        truth = float((answer - SIGMA * signal).square().mean())
        assert truth < 0.8 * before
        assert found.value == pytest.approx(truth, rel=0.15)
        assert abs(found.value - truth) < 2 * found.error


def test_nobody_knows_where_the_error_is() -> None:
    image, terms, risk, _ = case(torch.linspace(2, 6, 64).expand(1, 1, 64, 64).clone(), 0.1)
    known, unknown = (told(image, terms, risk, local)[0] for local in (terms.cross, torch.zeros_like(terms.cross)))
    assert unknown.value == pytest.approx(known.value, rel=1e-4)


def test_what_is_left_out_does_not_count() -> None:
    image, terms, risk, _ = case(torch.linspace(0, 6, 64).expand(1, 1, 64, 64).clone(), 0.1)
    hidden = torch.ones_like(terms.valid)
    hidden[..., :8] = 0
    part = Terms(terms.misfit, terms.cross, terms.variance, hidden)
    spoilt = image.clone()
    spoilt[..., :8] = -3.0
    values = [told(x, part, risk)[0].value for x in (image, spoilt)]
    assert values[0] == values[1] < told(image, terms, risk)[0].value


def test_slopes_are_taken_where_they_tell() -> None:
    image = torch.rand(1, 1, 8, 8)
    assert LAW.least_mean == pytest.approx(SIGMA * 1.2533, rel=1e-4)
    assert Gaussian(0.1, clip=(True, True)).least_mean is None
    assert torch.equal(undone(LAW, image, image).value, torch.ones_like(image))
