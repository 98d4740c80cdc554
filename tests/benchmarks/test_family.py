"""The table of benchmarks/family.py, on results that are made up for the test, and its stabilised counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from tests.helpers.benchmark_pages import pages
from untaught.noise import PoissonGaussian
from untaught.problem import Estimate


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    """Import pages of benchmarks, which are scripts and not in the package."""
    with pages(
        "family", "lib.variance_stabilisation", "lib.sparsification", "lib.cameras", "tables.tasks"
    ) as found:
        yield found


@pytest.fixture
def family(scripts: dict[str, ModuleType]) -> ModuleType:
    return scripts["family"]


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


def test_the_page_has_a_table_for_each_setting_and_says_how_they_were_made(scripts: dict[str, ModuleType]) -> None:
    shared = {
        "benchmark": "family",
        "date": "2025-01-02",
        "machine": {"cpu": "Some CPU", "cores": 3},
        "threads": 1,
    }
    rows = [{**row("n2v", "F16", 28.0), **shared}, {**row("self2self", "F16", 30.0), **shared}]
    rows[0]["case"] |= {"side": 128, "width": 16}
    rows[1]["case"] |= {"side": 256, "width": 32, "seconds": 400.0}
    text = scripts["tables.tasks"].learners(rows)
    assert text.index("Central 128 x 128 pixels, 20 seconds, 16 channels:") < text.index("| files, n2v | 1 |")
    assert text.index("Central 256 x 256 pixels, 400 seconds, 32 channels:") < text.index(
        "| files, self2self | 1 |"
    )
    assert "--side 256 --seconds 400 --width 32`" in text.splitlines()[-1]
    assert scripts["tables.tasks"].learners([]) == "*Not measured yet.*"


def test_the_plot_is_a_picture(family: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "family.png"
    family.plot([row("n2v", "F16", 28.0), row("gr2r", "F16", 31.0, "poisson")], path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_stabilised_noise_has_a_level_and_comes_back(scripts: dict[str, ModuleType]) -> None:
    """A noise of one level whatever the light, and the mean of the transform taken back to the light."""
    page, model = scripts["lib.variance_stabilisation"], PoissonGaussian(1 / 30)
    rng = np.random.default_rng(0)
    for light in (0.2, 0.5, 0.9):
        x = np.full((400, 400, 1), light)
        gamma = x * rng.gamma(page.LOOKS, 1 / page.LOOKS, x.shape)
        for name, y in {"anscombe": model.sample(x, rng), "logarithm": gamma}.items():
            transformed, noise = page.TRANSFORMS[name](y, model)
            assert transformed.std() == pytest.approx(noise.sigma, rel=0.03)
            back = page.BACK[name](transformed.mean(keepdims=True), noise)
            assert float(back[0, 0, 0]) == pytest.approx(light, rel=0.005)


def test_the_area_under_the_sparsification_curve(scripts: dict[str, ModuleType]) -> None:
    """One for a map that says nothing, least for the errors themselves, between them for one that knows some."""
    rng = np.random.default_rng(0)
    size = rng.uniform(0.2, 2, (1, 1, 64, 64))
    errors = size * rng.standard_normal((1, 1, 64, 64))
    found = {
        name: scripts["lib.sparsification"].sparsification(
            Estimate(torch.from_numpy(errors), torch.from_numpy(std)), np.zeros((64, 64, 1))
        )
        for name, std in {"size": size, "nothing": rng.random((1, 1, 64, 64)), "errors": np.abs(errors)}.items()
    }
    assert found["nothing"]["map"] == pytest.approx(1, abs=0.05)
    assert found["errors"]["map"] == pytest.approx(found["errors"]["least"])
    assert found["errors"]["map"] + 0.1 < found["size"]["map"] < 0.9
    assert (
        scripts["lib.sparsification"].sparsification(Estimate(torch.zeros(1, 1, 4, 4)), np.zeros((4, 4, 1)))
        is None
    )


def test_a_simulated_camera_keeps_the_picture_and_spoils_it(scripts: dict[str, ModuleType]) -> None:
    """Its clean picture is the one that was put in, where there is no detail; neighbours share its noise."""
    page = scripts["lib.cameras"]
    light = np.linspace(0, 1, 11)
    assert page.toned(page.untoned(light)) == pytest.approx(light, abs=1e-3)
    x = np.full((64, 64, 3), 0.4)
    for settings in page.CAMERAS.values():
        camera = page.Camera(0.0005, 0.0015, **settings)
        clean = camera.mean(x, np.random.default_rng(1))[8:-8, 8:-8]
        noise = camera.picture(x, np.random.default_rng(0))[8:-8, 8:-8] - clean
        expected = page.toned(camera.exposure * page.untoned(np.array(0.4)))
        assert clean.mean() == pytest.approx(float(expected), abs=0.01)
        assert 0.001 < noise.std() < 0.1
        assert (noise[:, 1:] * noise[:, :-1]).mean() > 0.1 * noise.var()
