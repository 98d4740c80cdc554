"""The first picture is made a second time only where the time allows for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import torch

from tests.conftest import clean
from untaught.methods.registry import make
from untaught.noise import Gaussian
from untaught.pipeline.plane import pilot
from untaught.pipeline.plane.judge import identity
from untaught.pipeline.plane.run_method import Runner
from untaught.problem import Problem


@dataclass
class Clock:
    """A runner of which only the time that is left is asked, look after look."""

    looks: list[float | None]

    @property
    def left(self) -> float | None:
        return self.looks.pop(0)


@pytest.mark.parametrize(
    ("looks", "runs"), [([None, None], 2), ([100.0, 60.0], 2), ([100.0, 40.0], 1), ([10.0, 0.0], 1)]
)
def test_it_is_not_made_again_where_as_much_time_is_not_left(
    monkeypatch: pytest.MonkeyPatch, looks: list[float | None], runs: int
) -> None:
    y = torch.from_numpy(clean(16, 16).transpose(2, 0, 1).copy())[None]
    problem = Problem(y, torch.ones_like(y), Gaussian(0.2, relative_error=0.1))
    made = []

    def guided(method: Any, problem: Problem, runner: Any) -> Any:
        made.append(problem.noise.level)
        weaker = replace(problem, noise=Gaussian(0.1, relative_error=0.1))
        return weaker, replace(identity(problem), terms=cast(Any, "there"))

    monkeypatch.setattr(pilot, "_guided", guided)
    pilot.with_pilot(make("wavelet"), problem, cast(Runner, Clock(looks)))
    assert made == pytest.approx([0.2, 0.1][:runs])
