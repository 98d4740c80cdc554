"""The benchmark of trainings: what a case gives, and that a method and its supervised twin see the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.helpers.benchmark_pages import pages
from tests.helpers.command import levels
from tests.helpers.training import scene


@pytest.fixture(scope="module")
def dataset():
    """Import benchmarks/dataset.py, which is a script and not in the package."""
    with pages("dataset") as found:
        yield found["dataset"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, count in (("train400", 4), ("bsd68", 2)):
        (tmp_path / name).mkdir()
        for i in range(count):
            Pillow.fromarray(levels(scene(i))).save(tmp_path / name / f"{i}.png")
    return tmp_path


def case(data: Path, method: str) -> dict[str, object]:
    settings = {"network": "dncnn:3,6", "steps": 60, "side": 24, "batch": 4, "every": 1}
    return {"method": method, "level": 50, "seed": 0, **settings, "data": str(data)}


def test_a_case_and_its_twin(dataset, data: Path) -> None:
    rows = [{"case": case(data, name), **dataset.run(case(data, name))} for name in ("gr2r", "supervised")]
    assert all(row["pictures"] == 2 and row["psnr"] > 14.5 for row in rows)
    assert rows[0]["parameters"] == rows[1]["parameters"]
    table = dataset.trained([{"benchmark": "dataset", **row} for row in rows])
    gap = rows[0]["psnr"] - rows[1]["psnr"]
    assert f"| `gr2r` | dncnn:3,6, 60 steps | 50 | {rows[0]['psnr']:.2f} | {gap:+.2f} |" in table


def test_the_truth_is_that_of_the_patch(dataset, data: Path, tmp_path: Path) -> None:
    """What the twin is shown lies under the noisy patch, and both are on the range of the noisy page."""
    from untaught.noise import Gaussian
    from untaught.training.dataset import scan

    for name in ("noisy", "clean"):
        (tmp_path / name).mkdir()
    x = dataset.grey(data / "train400" / "0.png")
    y = dataset.with_noise(x, 200, 0)
    np.save(tmp_path / "clean" / "0.npy", x)
    np.save(tmp_path / "noisy" / "0.npy", y)
    reader = dataset.WithTruth(Gaussian(200 / 255), dataset.OnUnitRange(), clean=tmp_path / "clean")
    seen = reader.square(scan(tmp_path / "noisy", 24).pages[0], 3, 5, 24)
    noise = (y - x)[3:27, 5:29]
    factor = (seen.y - seen.second)[0, 0].numpy().std() / noise.std()
    assert factor < 0.5  # noise of 200 goes far beyond [0, 1]
    assert np.allclose((seen.y - seen.second)[0, 0], factor * noise, atol=1e-4)
    shift = seen.y[0, 0].numpy() - factor * y[3:27, 5:29]
    assert np.ptp(shift) < 1e-4


def test_cases_are_those_asked_for(dataset) -> None:
    from argparse import Namespace

    args = Namespace(quick=True, levels="", methods="gr2r,n2v", seed=0, data=Path("d"))
    assert [c["method"] for c in dataset.cases(args)] == ["gr2r", "n2v"]
    args.quick, args.methods = False, "gr2r"
    assert [(c["level"], c["network"]) for c in dataset.cases(args)] == [(s, "dncnn") for s in (15, 25, 50)]
