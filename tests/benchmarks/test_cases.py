"""Files of scientists: what is asked for with and without the obstacle, and what a case writes down."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.helpers.benchmark_pages import pages

SIDE = 48


@pytest.fixture(scope="module")
def loaded():
    with pages("cases", "lib.scientists", "tables.instruments") as found:
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with small cases of the names of the real ones."""
    folder = tmp_path / "cases"
    folder.mkdir()
    rng = np.random.default_rng(0)
    i, j = np.mgrid[:SIDE, :SIDE]
    x = 200.0 + 800 * ((i - 20) ** 2 + (j - 28) ** 2 < 120) + 2 * i
    hot = x + 20 * rng.standard_normal(x.shape)
    hot[10, 12] = 20000
    electrons = x / 40
    camera = 100 + 2.17 * (rng.poisson(electrons) + 1.6 * rng.standard_normal(x.shape))
    padded = x + 60 * rng.standard_normal(x.shape)
    padded[:, :6] = -2000
    magnitude = np.hypot(x + 40 * rng.standard_normal(x.shape), 40 * rng.standard_normal(x.shape))
    photons = x / 100
    kept = {
        "one_hot_pixel_uint16": (np.rint(hot).astype(np.uint16), "one_hot_pixel_truth", x),
        "scmos20e_pedestal100_uint16": (
            np.rint(camera).astype(np.uint16),
            "scmos20e_truth",
            100 + 2.17 * electrons,
        ),
        "ct_sigma60HU_int16": (np.rint(padded).astype(np.int16), "ct_truth", np.where(padded == -2000, -2000, x)),
        "rician_s40_int16": (np.rint(magnitude).astype(np.int16), "rician_truth", x),
        "counts_peak10_uint16": (rng.poisson(photons).astype(np.uint16), "counts_peak10_truth", photons),
    }
    for name, (values, truth, of) in kept.items():
        np.save(folder / f"{name}.npy", values)
        np.save(folder / f"{truth}.npy", of.astype(np.float32))
    np.save(folder / "counts_peak10_float32.npy", kept["counts_peak10_uint16"][0].astype(np.float32))
    return tmp_path


def test_a_hot_pixel_is_filled_in_and_not_counted(loaded, data: Path) -> None:
    found = loaded["lib.scientists"].obstacle(data, "one_hot_pixel_uint16")
    assert (found.file.image.array[10, 12], found.file.image.array.dtype) == (20000, np.uint16)
    assert 150 < found.without.image.array[10, 12] < 300
    assert not found.counted[10, 12]
    assert found.counted.sum() == SIDE**2 - 1
    assert found.without.noise == "auto"


def test_an_offset_is_taken_off_and_the_law_is_that_of_the_camera(loaded, data: Path) -> None:
    found = loaded["lib.scientists"].obstacle(data, "scmos20e_pedestal100_uint16")
    low, high = found.without.image.value_range
    assert low == 0.0
    assert found.without.offset == 100.0
    x, span = (found.truth - 100) / (high - low), high - low
    spread = np.std((found.without.image.array - (found.truth - 100)) / (span * found.without.noise.std(x)))
    assert spread == pytest.approx(1, abs=0.05)
    assert found.file.offset == 0.0


@pytest.mark.parametrize("name", ["ct_sigma60HU_int16", "rician_s40_int16", "counts_peak10_float32"])
def test_the_level_that_is_given_is_that_of_the_data(loaded, data: Path, name: str) -> None:
    found = loaded["lib.scientists"].obstacle(data, name)
    low, high = found.without.image.value_range
    x = ((found.truth - low) / (high - low)).astype(np.float64)
    noise = found.without.noise
    y = (found.without.image.array - low) / (high - low)
    error = (y - noise.mean(x)) / noise.std(x) if hasattr(noise, "mean") else (y - x) / noise.std(x)
    assert np.std(error[found.counted]) == pytest.approx(1, abs=0.06)
    if name.startswith("ct"):
        assert not found.counted[:, :6].any()
        assert found.without.image.array[:, :6].mean() == pytest.approx(-1000, abs=20)


def test_a_case_tells_what_the_obstacle_costs(loaded, data: Path) -> None:
    args = argparse.Namespace(names="", quick=True, methods="nonlocal", seed=0, data=data)
    case, counts = loaded["cases"].cases(args)
    row = loaded["cases"].run(case | {"side": 0})
    assert json.loads(json.dumps(row)) == row
    assert row["psnr"] > row["psnr_input"] + 2
    assert row["lost"] == pytest.approx(row["psnr_without"] - row["psnr_float32"], abs=2e-3)
    assert abs(row["lost"]) < 1
    other = loaded["cases"].run(counts | {"side": 0})
    assert other["lost_same"] > other["lost"]  # whole numbers cost something
    rows = [{"benchmark": "cases", "case": {**case, "side": 0}, **row}]
    assert "| one_hot_pixel_uint16 | `nonlocal` |" in loaded["tables.instruments"].scientists(rows)


def test_the_planes_of_a_stack_are_held_against_themselves_alone(loaded, data: Path) -> None:
    rng = np.random.default_rng(0)
    ramp = np.linspace(100, 400, 32)[:, None] + np.zeros((1, 32))
    channels = np.stack([ramp, 10 * ramp])[None, None] + 20 * rng.standard_normal((1, 1, 2, 32, 32))
    path = data / "cases" / "c3_tzcyx.ome.tif"
    tifffile.imwrite(path, np.rint(channels).astype(np.uint16), ome=True, metadata={"axes": "TZCYX"})
    args = argparse.Namespace(names="c3_tzcyx.ome.tif", quick=False, methods="nonlocal", seed=0, data=data)
    (case,) = loaded["cases"].cases(args)
    row = loaded["cases"].run(case)
    assert (row["planes"], row["told"]) == (2, 2)
    assert row["lost"] == pytest.approx(0, abs=0.3)
    assert row["apart"] < 0.2
    text = loaded["tables.instruments"].scientists([{"benchmark": "cases", "case": case, **row}])
    assert "| c3_tzcyx.ome.tif, `nonlocal` | 2 | 2 |" in text
