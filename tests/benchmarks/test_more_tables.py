"""The tables of what was measured on a GPU, on stacks and on published outputs, from rows that are made up."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.benchmark_pages import pages

COMMON = {"gpu_gib": 1.5, "device": "Some GPU", "torch": "2.9", "date": "2026-01-02", "benchmark": "gpu"}


@pytest.fixture(scope="module")
def loaded():
    with pages("gpu", "tables.gpu", "published", "table", "tables.tasks") as found:
        yield found


def row(kind: str, side: int, **more: object) -> dict[str, object]:
    return {"case": {"kind": kind, "method": "dip", "side": side}, **COMMON, **more}


def test_a_row_a_run_and_seconds_a_picture(loaded) -> None:
    rows = [
        row("nine", 0, psnr=[30.0, 32.0], seconds=[2.0, 4.0]),
        row("stack", 512, psnr=[30.0, 32.0, 34.0], seconds=6.0),
    ]
    found = loaded["tables.gpu"].gpu(rows)
    assert "Some GPU, torch 2.9, 2026-01-02:" in found
    assert "| `dip` | 2, whole | 31.00 | 3.00 [2.00 to 4.00] | 1.50 |" in found
    assert "| `dip` | a stack of 3, 512 x 512 | 32.00 | 2.00 | 1.50 |" in found
    assert "peak" not in found


def test_steps_say_how_much_of_the_peak_they_are(loaded) -> None:
    way = {"ms": 2.0, "ms_of": [1.5, 2.0, 3.0], "gflop": 40.2, "share_of_peak": 0.025}
    found = loaded["tables.gpu"].gpu([row("step", 256, steps={"dip, no graph": way}, peak_tflops=800.0)])
    assert "| dip, no graph | 256 | 2.00 [1.50 to 3.00] | 40 | 2.5 % |" in found
    assert "800 TFLOP/s" in found


def test_the_cases_are_few_and_each_is_named_once(loaded, tmp_path: Path) -> None:
    args = argparse.Namespace(
        kinds="step,nine,stack", methods="nonlocal,dip", cropped="dip,dip-paper", quick=True, data=Path("d")
    )
    found = [(case["kind"], case.get("method"), case["side"]) for case in loaded["gpu"].cases(args)]
    assert len(found) == len(set(found)) == 8
    assert ("nine", "dip-paper", 256) in found
    path = tmp_path / "gpu.jsonl"
    path.write_text("".join(json.dumps({"case": case}) + "\n" for case in loaded["gpu"].cases(args)))
    assert len(loaded["table"].load([path])) == 8
    assert ("stack", "dip", 512) in found


def test_a_stack_counts_the_planes_after_the_first(loaded) -> None:
    own = {
        "psnr": [20.0, 30.0, 32.0],
        "psnr_alone": [20.0, 29.0, 30.0],
        "steps": [400, 100, 200],
        "estimate": [21.0, 30.0, 32.5],
    }
    row = {
        "benchmark": "warm_starts",
        "case": {"picture": "kodim05", "method": "dip"},
        "steps_alone": [400, 300, 301],
        "estimate_alone": [21.0, 29.0, 29.5],
        **{
            **own,
            "seconds": 61.2,
            "seconds_alone": 99.9,
            "date": "2026-01-02",
            "machine": {"cpu": "x", "cores": 2},
        },
    }
    found = loaded["tables.tasks"].warm_starts([row])
    assert "| kodim05, `dip` | 31.00 | 29.50 | 150 | 300 | +0.25 | -0.25 | 61 | 100 |" in found
    assert found.endswith("on x, 2 cores. Made by `python benchmarks/warm_starts.py --data DIR`.")


def test_an_output_of_another_draw_holds_no_noise_of_the_file(loaded, tmp_path: Path) -> None:
    folder = tmp_path / "set9_awgn" / "25"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    clean = rng.integers(100, 150, (64, 64, 3)).astype(float)
    noise, other = 20 * rng.standard_normal((2, 64, 64, 3))
    drawn = {"GT": 0 * noise, "noisy": noise, "bm3d": 0.3 * noise, "nlm": 0.3 * other}
    for name, error in drawn.items():
        Image.fromarray(np.rint(clean + error).astype(np.uint8)).save(folder / f"F16_{name}.png")
    asked = {"pictures": "F16", "quick": False, "levels": "25", "methods": "bm3d,nlm", "side": 0}
    args = argparse.Namespace(**asked, seed=0, time_limit=None, data=tmp_path)
    rows = [loaded["published"].run(case) for case in loaded["published"].cases(args)]
    assert [row["noise_left"] for row in rows] == [pytest.approx(0.3, abs=0.01), pytest.approx(0.0, abs=0.01)]
    # a mean with itself changes nothing; two draws of one strength halve the error: 3 dB
    assert [row["psnr_of_mean"] - row["psnr"] for row in rows] == [0.0, pytest.approx(3.0, abs=0.1)]


def test_published_outputs_are_told_from_what_was_run_here(loaded) -> None:
    own = {"benchmark": "published", "psnr": 31.0, "psnr_of_mean": 32.0}
    where = {"date": "2026-01-02", "machine": {"cpu": "x", "cores": 2}}
    rows = [
        {"case": {"level": 25, "side": 0, "method": name}, "noise_left": left, "ran": ran, **own, **where}
        for name, left, ran in (("nlm", 0.004, False), ("nlm", -0.002, False), ("dip", 0.1, True))
    ]
    found = loaded["tables.tasks"].published(rows)
    assert "| `nlm`, published | 2 | 31.00 | -0.2 to 0.4 % | 32.00 |" in found
    assert "| `dip`, run here, level given | 1 | 31.00 | 10.0 to 10.0 % | 32.00 |" in found
    assert "--levels 25 --side 0 --methods dip,nlm`" in found
