"""The benchmark of the theory instruments: its cases, one part that takes no time, and the table of the README."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.helpers.benchmark_pages import pages

NAMES = ("lib.harness", "tables.markdown", "lib.instruments", "theory", "tables.theory")
MADE = {"date": "2025-01-02", "machine": {"cpu": "Some CPU", "cores": 3}, "cpu_seconds": 1.0}


@pytest.fixture(scope="module")
def loaded() -> Iterator[dict[str, ModuleType]]:
    """Import the benchmark's pages, which are scripts and not in the package."""
    with pages(*NAMES) as found:
        yield found


def row(part: str, case: dict[str, Any], **found: Any) -> dict[str, Any]:
    return {"benchmark": "theory", "case": {"part": part, **case}, **found, **MADE}


def fit(task: str, case: dict[str, Any], **found: Any) -> dict[str, Any]:
    return {"benchmark": "deep_decoder", "case": {"task": task, "side": 0, **case}, **found, **MADE}


def impedance(noise: dict[str, list[float]]) -> list[dict[str, Any]]:
    return [
        row(
            "impedance",
            {"architecture": name, "steps": 9, "seeds": 2},
            left={"noise": left, "picture": [0.01, 0.03]},
            noise_over_picture=[2.0, 4.0],
        )
        for name, left in noise.items()
    ]


LEFT = {"upsampling": [0.8, 0.9], "fixed": [0.5, 0.6], "deconvolution": [0.3, 0.4], "convolution": [0.1, 0.2]}


def line(text: str, start: str) -> list[str]:
    """Return the cells of the only table row that begins with `start`."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_every_part_has_cases_and_a_case_is_text(loaded) -> None:
    for quick in (False, True):
        args = argparse.Namespace(
            data="x", quick=quick, networks=0, only=",".join(loaded["lib.instruments"].PARTS)
        )
        made = list(loaded["theory"].cases(args))
        assert {case["part"] for case in made} == set(loaded["lib.instruments"].PARTS)
        keys = [json.dumps(case, sort_keys=True) for case in made]
        assert len(set(keys)) == len(keys)
    only = argparse.Namespace(data="x", quick=False, networks=0, only="jacobian")
    counts: dict[tuple[str, str], list[range]] = {}
    for c in loaded["theory"].cases(only):
        drawn = range(c["first"], c["first"] + c["networks"])
        counts.setdefault((c["network"], c["start"]), []).append(drawn)
    for network in ("deep-decoder", "dip"):
        assert [seed for drawn in counts.pop((network, "2019")) for seed in drawn] == list(range(200))
        assert counts.pop((network, "now")) == [range(10)]
    assert not counts


def test_a_published_kernel_to_every_digit(loaded) -> None:
    found = loaded["theory"].run({"part": "kernels", "kernel": "triangle:10"})
    assert found["relative_error"] < 1e-2
    assert found["relative_error_with_guard"] < 1e-9


def test_bars_are_held_against_what_was_measured(loaded) -> None:
    wide = loaded["tables.theory"].LINEAR[0]
    one = {"network": "deep-decoder", "start": "2019", "networks": 50}
    found = {"published": 15, "standard_error": 0.4}
    rows = [
        row("jacobian", one | {"first": 0}, phantom=[120.0, 1], noise=[10.0, 1], **found),
        row("jacobian", one | {"first": 50}, phantom=[140.0, 1], noise=[10.0, 1], **found),
        row("jacobian", one | {"start": "now"}, phantom=[300.0, 1], noise=[10.0, 1], **found),
        row("svd", {"architecture": "fixed"}, relative_error=2e-5),
        row("svd", {"architecture": "upsampling"}, relative_error=2e-4),
        row("linear", {"generator": wide}, relative_error=0.01, fitted_energy=0.99),
        row("linear", {"generator": "narrow"}, relative_error=0.3, fitted_energy=0.99),
        *impedance(LEFT),
        fit("denoise", {"width": 128}, psnr=29.4, stopped={"rule": "recorrupted", "step": 7}),
        fit("denoise", {"width": 512}, psnr=29.9, stopped={"rule": "recorrupted", "step": 7}),
    ]
    text = loaded["tables.theory"].theory(rows)
    assert line(text, "J^T phantom over J^T noise, deep decoder, 100 networks started as in 2019")[1:] == [
        "15 within 20 %", "13.0 ± 0.3", "yes"
    ]  # fmt: skip
    assert line(text, "J^T phantom over J^T noise, deep decoder, 50 networks started as today")[2:] == [
        "30.0 ± 0.4",
        "-",
    ]
    assert line(text, "Randomised SVD")[2:] == ["2e-04", "no"]
    assert line(text, "Predicted fit curve against measured, worst step; two")[3] == "yes"
    assert line(text, "Predicted fit curve against measured, worst step; narrow")[3] == "-"
    assert line(text, "Who fits noise fastest")[3] == "yes"
    assert line(text, "Astronaut, sigma 30, k = 128")[3] == "no"
    assert line(text, "Astronaut, sigma 30, k = 512")[3] == "yes"
    assert line(text, "learned kernels, none")[3:] == ["0.020 ± 0.010", "0.150 ± 0.050", "3.0 ± 1.0"]


def test_the_order_has_to_hold_for_every_seed(loaded) -> None:
    mixed = LEFT | {"fixed": [0.5, 0.95]}
    assert line(loaded["tables.theory"].theory(impedance(mixed)), "Who fits noise fastest")[3] == "no"


def test_few_numbers_and_gaps(loaded) -> None:
    coders = [{"numbers": n, "factor": 12.0, "psnr": p} for n, p in ((100, 30.0), (100, 29.0), (120, 28.0))]
    rows = [
        fit("compress", {"picture": "astronaut", "factor": "8", "side": 256}, coders=coders),
        fit("inpaint", {"picture": "cat", "missing": 0.5}, psnr=33.0, psnr_missing=30.0, stopped={"step": 9}),
    ]
    text = loaded["tables.theory"].theory(rows)
    cells = ["astronaut, central 256 x 256", "12.0", "100", "30.00", "29.00", "28.00 (120 numbers)", "1"]
    assert line(text, "astronaut") == cells
    assert line(text, "cat") == ["cat", "50 %", "33.00", "30.00", "9", "1"]


def test_nothing_measured_is_said(loaded) -> None:
    assert loaded["tables.theory"].theory([{"benchmark": "denoise"}]) == loaded["tables.markdown"].NOTHING
