"""The table of benchmarks/family.py, on results that are made up for the test, and its stabilised counts."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from untaught.noise import PoissonGaussian

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def family() -> Iterator[ModuleType]:
    """Import benchmarks/family.py, which is a script and not in the package."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("family")
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name in ("family", "common", "tabular"):
            sys.modules.pop(name, None)


def row(method: str, picture: str, psnr: float, noise: str = "files") -> dict[str, Any]:
    curve = [[4.0, psnr - 8], [9.0, psnr - 3], [19.0, psnr - 1]]
    case = {"method": method, "picture": picture, "noise": noise, "seconds": 20.0}
    return {"case": case, "psnr": psnr, "steps": 400, "curve": curve}


def test_what_was_reached_is_the_last_look_in_time(family: ModuleType) -> None:
    curve = row("n2v", "F16", 30.0)["curve"]
    assert family.reached(curve, 10) == 27
    assert family.reached(curve, 4) == 22
    assert np.isnan(family.reached(curve, 3.9))


def test_the_table_has_a_line_a_method_the_best_first(family: ModuleType) -> None:
    rows = [
        row("n2v", "F16", 28.0),
        row("n2v", "lena", 30.0),
        row("gr2r", "F16", 31.0),
        row("gr2r", "F16", 20.0, "a"),
    ]
    lines = family.lines(rows).splitlines()
    assert lines[0] == "| noise, method | pictures | 5 s | 10 s | 15 s | answer | steps |"
    assert lines[2:] == [
        "| a, gr2r | 1 | 12.00 | 17.00 | 17.00 | 20.00 | 400 |",
        "| files, gr2r | 1 | 23.00 | 28.00 | 28.00 | 31.00 | 400 |",
        "| files, n2v | 2 | 21.00 | 26.00 | 26.00 | 29.00 | 400 |",
    ]


def test_the_plot_is_a_picture(family: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "family.png"
    family.plot([row("n2v", "F16", 28.0), row("gr2r", "F16", 31.0, "poisson")], path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_stabilised_counts_have_a_level_and_come_back(family: ModuleType) -> None:
    """A noise of one level whatever the light, and the mean of the transform taken back to the light."""
    model = PoissonGaussian(1 / 30)
    for light in (0.2, 0.5, 0.9):
        y = model.sample(np.full((400, 400, 1), light), np.random.default_rng(0))
        transformed, noise = family._stabilised(y, model)
        assert transformed.std() == pytest.approx(noise.sigma, rel=0.03)
        assert float(family._back(transformed.mean(keepdims=True), noise)[0, 0, 0]) == pytest.approx(
            light, rel=0.005
        )
