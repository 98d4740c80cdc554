"""The error of a signal whose magnitudes were estimated, by Monte Carlo."""

from __future__ import annotations

import pytest
import torch

from untaught.noise import Gaussian, Rician
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


@pytest.mark.parametrize("error", [0.05, 0.2])
@pytest.mark.parametrize("signal", [0.0, 0.5, 1.0, 3.0, 10.0])
def test_the_error_of_a_signal_is_told_where_its_mean_bends(signal: float, error: float) -> None:
    """The squared slope has no mean where there is no signal: errors were up to five times too large."""
    image, terms, risk, truth = case(torch.full((1, 1, 128, 128), signal), error)
    found = through_bend(LAW, image, terms, risk, terms.cross)
    assert 0.5 < found.value / truth < 1.25
    assert abs(found.value - truth) < 5 * found.error


def test_most_errors_of_a_mixture_are_where_there_is_no_signal() -> None:
    signal = torch.zeros(1, 1, 128, 128)
    signal[..., 64:] = torch.linspace(0, 12, 64)
    image, terms, risk, truth = case(signal, 0.1)
    found = through_bend(LAW, image, terms, risk, terms.cross)
    assert truth > 3 * risk.value
    assert found.value == pytest.approx(truth, rel=0.45)
    unknown = through_bend(LAW, image, terms, risk, torch.zeros_like(terms.cross))
    assert unknown.value == pytest.approx(found.value, rel=0.02)


def test_what_is_left_out_does_not_count() -> None:
    image, terms, risk, _ = case(torch.linspace(0, 6, 64).expand(1, 1, 64, 64).clone(), 0.1)
    hidden = torch.ones_like(terms.valid)
    hidden[..., 32:] = 0
    part = Terms(terms.misfit, terms.cross, terms.variance, hidden)
    spoilt = image.clone()
    spoilt[..., 32:] = 7.0
    told = [through_bend(LAW, x, part, risk, terms.cross).value for x in (image, spoilt)]
    assert told[0] == told[1] > 2 * through_bend(LAW, image, terms, risk, terms.cross).value - risk.value * 3


def test_slopes_are_taken_where_they_tell() -> None:
    image = torch.rand(1, 1, 8, 8)
    assert LAW.bends
    assert not Gaussian(0.1, clip=(True, True)).bends
    assert torch.equal(undone(LAW, image, image).value, torch.ones_like(image))
