"""What Tweedie's formula is off by, and how far the stated error goes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from untaught.method import Runs, runs_of
from untaught.methods.registry import make
from untaught.risk.estimate import Risk, estimate_risk, to_interval
from untaught.risk.sure import Terms
from untaught.risk.tweedie import FAR, Shrinkage

ONES = torch.ones(1, 3, 40, 40)
CURVE = Shrinkage(0.1, 0.4, 0.02)


@pytest.mark.parametrize(
    ("divergence", "ratio"), [(1e-4, 0.4), (0.01, 1 - 0.6 / 1.25), (0.02, 0.7), (0.04, 1 - 0.6 / 5), (1.0, 1.0)]
)
def test_the_divergence_counts_less_where_there_is_no_signal(divergence: float, ratio: float) -> None:
    found = CURVE.corrected(divergence * 0.3 * ONES, 0.3 * ONES)
    assert torch.allclose(found, ratio * divergence * 0.3 * ONES, rtol=1e-3)


def test_a_posterior_mean_is_left_alone() -> None:
    cross = torch.rand(1, 3, 40, 40) - 0.5
    assert torch.equal(Shrinkage(0.1).corrected(cross, ONES), cross)


def test_the_divergence_is_averaged_over_a_window_and_the_colours() -> None:
    """The probe makes that of a pixel swing by far more than its size: scattered values count as their mean."""
    cross = torch.zeros(1, 3, 65, 65)
    cross[:, 1, 2::5, 2::5] = 0.02 * 75  # 1 of 25 pixels, 1 of 3 colours
    found = CURVE.corrected(cross, torch.ones_like(cross))
    inner = (slice(None), slice(None), slice(12, -12), slice(12, -12))
    assert float(found[inner].sum() / cross[inner].sum()) == pytest.approx(0.7, abs=0.01)


def test_the_curve_reaches_the_risk() -> None:
    terms = Terms(0.985 * ONES, 0.01 * ONES, ONES, ONES[:, :1])
    plain = estimate_risk(terms, ONES, 0.5, 0.1)
    corrected = estimate_risk(terms, ONES, 0.5, CURVE)
    assert plain.value == pytest.approx(0.01, rel=0.01)
    assert corrected.value == pytest.approx(0.01 * (1 - 0.6 / 1.25), rel=0.01)
    assert corrected.error < plain.error


def test_methods_say_what_they_know_and_others_are_far_off() -> None:
    assert Shrinkage(*runs_of(make("nonlocal")).tweedie).flat < 1
    assert runs_of(make("nonlocal-thorough")).tweedie == runs_of(make("nonlocal")).tweedie
    assert runs_of(SimpleNamespace(runs=Runs(tweedie=(0.1, 1.0)))).tweedie == (0.1, 1.0)
    assert Shrinkage(*runs_of(object()).tweedie) == Shrinkage(FAR)


def test_a_gain_of_twenty_decibels_can_be_stated() -> None:
    interval = to_interval(Risk(1e-4, 1e-5), 1e-2, "white noise")
    assert interval.value == pytest.approx(40.0)
    assert to_interval(Risk(0.0, 1e-5), 1e-2, "white noise").high == pytest.approx(20 + 25.2, abs=0.1)


def test_a_divergence_below_nothing_counts_as_none() -> None:
    """It is chance there, and no sign of signal: the whole ratio of a flat part is taken."""
    found = CURVE.corrected(-0.2 * ONES, ONES)
    assert torch.allclose(found, -0.2 * 0.4 * ONES, rtol=1e-4)
