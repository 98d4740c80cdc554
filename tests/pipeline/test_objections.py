"""What a method needs, held against what was measured: said before it runs, and what to take instead."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any, cast

import numpy as np
import pytest

from tests.conftest import clean
from untaught import denoise
from untaught.cli.progress import Show
from untaught.fitting.progress import Progress
from untaught.method import Needs
from untaught.methods.registry import METHODS, make
from untaught.noise import Correlated, Gaussian, Impulse, PoissonGaussian, Unknown
from untaught.noise.models.correlated import gaussian_kernel
from untaught.pipeline.plane.choose_methods import objection

SIGMA = 25 / 255
COLUMNS = Correlated(SIGMA, tuple((1.0,) for _ in range(7)), relative_error=0.15)
BLURRED = Correlated(SIGMA, tuple(map(tuple, gaussian_kernel(1.0))), relative_error=0.15)

# The methods, but those for any noise, that are not for a kind of noise.
BLIND = {"n2v", "n2s", "neighbor2neighbor", "zs-n2n", "self2self", "r2r", "sure", "nlm", "tv", "wavelet"}
OBJECTED: dict[str, tuple[Any, set[str]]] = {
    "white": (Gaussian(SIGMA, relative_error=0.1), set()),
    "shared": (BLURRED, BLIND),
    "columns": (COLUMNS, BLIND | {"struct-n2v", "gr2r", "p2p"}),
    "strong": (Gaussian(60 / 255), {"noisy-as-clean"}),
    "photons": (PoissonGaussian(0.02, 0.0), set()),
}


@pytest.mark.parametrize("name", OBJECTED)
def test_methods_that_are_not_for_a_noise(name: str) -> None:
    noise, expected = OBJECTED[name]
    found = {m for m in METHODS if m not in ("impulse-fill",) and objection(make(m).needs, noise, 256)}
    assert expected <= found
    assert found - expected <= {"noisy-as-clean", "noisier2noise"}


@pytest.mark.parametrize(
    "noise", [COLUMNS, BLURRED, Gaussian(60 / 255), Gaussian(0.0), Unknown(SIGMA), Impulse(0.1)]
)
def test_nonlocal_is_named_where_another_is_refused_and_is_right_itself(noise: Any) -> None:
    needs = Needs(level=True, complete=True, white=True, most=0.1)
    reason = objection(needs, noise)
    assert reason is None or "nonlocal" in reason or noise.negligible
    assert noise.negligible or objection(make("nonlocal").needs, noise) is None


def test_noise_that_was_given_ends_where_its_kernel_does() -> None:
    assert COLUMNS.endless
    assert not replace(COLUMNS, relative_error=0.0).endless
    assert not BLURRED.endless
    assert objection(make("struct-n2v").needs, replace(COLUMNS, relative_error=0.0)) is None


def test_a_picture_may_be_too_small() -> None:
    assert "32 pixels" in str(objection(make("self2self").needs, Gaussian(SIGMA), 20))
    assert objection(make("self2self").needs, Gaussian(SIGMA), 64) is None


def test_it_is_said_before_the_method_runs() -> None:
    seen: list[tuple[str, ...]] = []
    result = denoise(
        clean(32, 32), method="wavelet", noise="correlated:25,1", on_progress=lambda p: seen.append(p.notes)
    )
    assert any("look twice" in note for note in seen[0])
    assert set(seen[0]) <= set(result.notes)
    assert not any(seen[1:])


def test_the_command_line_prints_it_once_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    error = StringIO()
    monkeypatch.setattr("sys.stderr", error)

    class Calm:
        def check(self) -> None:
            """Nobody interrupts."""

    nan = float("nan")
    said = Progress("n2v", 0, 1, nan, nan, "", 0.0, 0.0, lambda: cast(Any, np.zeros(1)), notes=("look twice",))
    for quiet in (False, True):
        with Show(cast(Any, Calm()), quiet) as show:
            show(said)
            show(said)
    assert error.getvalue() == "warning: look twice\n"
