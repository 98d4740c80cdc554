"""Formulas that are given less to do, so as to end in time."""

from __future__ import annotations

import pytest

from tests.conftest import clean, noisy, tensor
from untaught import denoise, inspect
from untaught.method import Timed
from untaught.methods.classical.nlm import NLM
from untaught.methods.classical.tv import LEAST, TV
from untaught.methods.classical.wavelet import Wavelet
from untaught.methods.time_limit import affordable
from untaught.noise import Gaussian
from untaught.problem import Problem

SETTINGS = [(NLM(), "distance", 1), (TV(), "iterations", LEAST), (Wavelet(), "shifts", 1)]


@pytest.mark.parametrize(("method", "name", "least"), SETTINGS)
def test_there_is_no_less_than_the_least_and_no_more_than_was_asked_for(
    method: Timed, name: str, least: int
) -> None:
    y = tensor(noisy(clean(64, 64), 0.1))
    problem = Problem(y, y.new_ones(1, 1, 64, 64), Gaussian(0.1))
    assert getattr(method.within(problem, 0.0), name) == least < getattr(method, name)
    assert method.within(problem, 1e6) == method


def test_as_many_answers_are_planned_for_as_the_time_is_enough_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.methods.time_limit.seconds_a_pixel", lambda *_: 1e-3)
    picture = tensor(clean(100, 50))
    assert affordable(lambda part: part, picture, 20.0) == pytest.approx(1.6)  # .8 of the time, 5 seconds a run
    assert affordable(lambda part: part, picture, -1.0) == 0.0


def test_what_was_left_out_is_said() -> None:
    y = noisy(clean(64, 64), 0.1)
    hurried = denoise(y, method="nlm", noise="gaussian:25", time_limit=1e-3)
    assert any("to end in time, nlm ran with distance 1 in place of 6" in note.lower() for note in hurried.notes)
    assert not any("in time" in note for note in denoise(y, method="nlm", noise="gaussian:25").notes)


def test_inspect_says_how_much_memory_it_takes() -> None:
    y = noisy(clean(64, 64), 0.1)
    found = inspect(y)
    assert found.needed is not None
    assert found.needed.side is None
    assert "memory   up to" in found.describe()
    assert found.as_dict()["memory"] == {"bytes": found.needed.whole, "tile": None}
    parts = inspect(noisy(clean(600, 600), 0.1), memory="768MiB")
    assert parts.needed is not None
    assert parts.needed.side is not None
    assert f"in parts of {parts.needed.side} x {parts.needed.side} pixels" in parts.describe()
