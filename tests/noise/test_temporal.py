"""The noise of a stack: from the differences of its planes, whatever stands still, and although a little moves."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.training import scene
from untaught import inspect
from untaught.cli import main
from untaught.noise import PoissonGaussian
from untaught.noise.estimation.temporal import temporal


def stack(count: int = 4, gain: float = 0.01) -> np.ndarray:
    x = scene(3, 64, 64)
    model = PoissonGaussian(gain, 0.02)
    return np.stack([model.sample(x, np.random.default_rng(k)) for k in range(count)])


def test_the_variance_between_planes_is_that_of_the_noise() -> None:
    y = stack(6)[..., None]
    y[3:, 20:24] = 0.9  # something moves
    found = temporal((a, b, np.zeros(a.shape[:2], bool)) for a, b in itertools.pairwise(y))
    assert found is not None
    enough = found.count > 3000
    assert found.variance[enough] == pytest.approx(0.01 * found.mean[enough] + 0.02**2, rel=0.15)
    assert temporal([]) is None


def test_inspect_says_it_and_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "stack.npy", stack())
    assert main(["inspect", str(tmp_path / "stack.npy"), "--plot", str(tmp_path / "curve.png"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["temporal"]
    assert said["pairs"] == 3
    assert said["sigma"] == pytest.approx(255 * (0.01 * scene(3, 64, 64).mean() + 0.02**2) ** 0.5, rel=0.1)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert main(["inspect", str(tmp_path / "stack.npy"), "--plot", str(tmp_path / "curve.jpg")]) == 2
    assert "has to end in .png" in capsys.readouterr().err
    assert inspect(stack()[0]).temporal is None
    assert "From plane to plane" in inspect(stack()).describe()
