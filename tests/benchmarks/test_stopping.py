"""The stopping benchmark: the corruptions, several rules beside each other at one fit, and its table."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import clean, psnr, tensor
from tests.helpers.benchmark_pages import pages
from tests.helpers.toys import Walk
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.fitting.stopping import Discrepancy, ExponentialVariance, StepBudget, WindowedVariance
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.untrained.dip import DIP
from untaught.noise import Gaussian, Impulse
from untaught.problem import Problem

NAMES = ("lib.corruptions", "stopping", "tables.corruptions")


@pytest.fixture(scope="module")
def loaded():
    """Import the scripts, which are not in the package."""
    with pages(*NAMES) as found:
        yield found


@pytest.fixture
def corruptions(loaded) -> ModuleType:
    return loaded["lib.corruptions"]


@pytest.fixture
def stopping(loaded) -> ModuleType:
    return loaded["stopping"]


@pytest.fixture
def tables(loaded) -> ModuleType:
    return loaded["tables.corruptions"]


@pytest.mark.parametrize("severity", [1, 2, 3])
@pytest.mark.parametrize("value", [0.3, 0.5])
def test_corruptions_have_the_variance_they_are_named_for(corruptions, severity: int, value: float) -> None:
    """Where hardly anything is clipped, against the formulas."""
    grey = np.full((300, 300, 3), round(255 * value), np.uint8)
    x, n = grey[0, 0, 0] / 255, severity - 1
    expected = {
        "gaussian": (0.12, 0.18, 0.26)[n] ** 2,
        "shot": x / (25, 12, 5)[n],
        "impulse": (c := (0.06, 0.09, 0.17)[n]) * ((1 - x) ** 2 + x**2) / 2,
        "speckle": (x * (0.2, 0.35, 0.45)[n]) ** 2,
    }
    for kind, variance in expected.items():
        noisy = corruptions.corrupted(grey, kind, severity).astype(float) / 255
        ends = (noisy == 1) if kind == "shot" else (noisy == 0) | (noisy == 1)  # no photon at all is no clipping
        clipped = ends.mean()
        error = np.mean((noisy - x) ** 2)
        if kind == "impulse":
            assert clipped == pytest.approx(c, rel=0.03)
            assert error == pytest.approx(variance, rel=0.03)
        elif clipped < 0.01:
            assert error == pytest.approx(variance, rel=0.03)
        else:
            assert error < variance


def test_cases_cover_all_and_quick_is_small(corruptions, stopping) -> None:
    parser = argparse.ArgumentParser()
    corruptions.add_arguments(parser, "out.jsonl")
    assert len(list(corruptions.corruptions(parser.parse_args([])))) == 9 * 4 * 3
    (case,) = corruptions.corruptions(parser.parse_args(["--quick", "--kinds", "shot", "--pictures", "lena"]))
    assert (case["picture"], case["kind"], case["severity"], case["side"]) == ("lena", "shot", 2, 128)
    args = parser.parse_args(["--pictures", "lena", "--levels", "1,3"])
    args.fits, args.paper, args.whole = ",".join(stopping.FITS), False, False
    asked = [(case["kind"], case["fit"]) for case in stopping.cases(args)]
    assert len(asked) == 2 * (4 * 3 - 1)
    assert ("impulse", "recorrupted") not in asked


def test_rules_beside_each_other_answer_as_each_would_alone(stopping, problem: Problem) -> None:
    rules = {
        "budget": StepBudget(every=1),
        "wmv": WindowedVariance(window=5, patience=10),
        "emv": ExponentialVariance(rate=0.5, patience=5),
        "loose": Discrepancy(factor=2, every=1),
        "discrepancy": Discrepancy(every=3),
    }
    score = stopping.judged(problem, np.rint(255 * clean()).astype(np.uint8))
    together = stopping.Together(rules, score)
    fit(Walk(steps=60, rate=0.1), problem, 0, Options(rule=together))
    found = together.watched.found()
    assert found["last"] == 60
    steps = set()
    for name, rule in rules.items():
        alone = fit(Walk(steps=60, rate=0.1), problem, 0, Options(rule=rule))
        answer = found["rules"][name]
        steps.add(answer["step"])
        assert answer["step"] == alone.stopped.step
        assert answer["psnr"] == pytest.approx(score(alone.estimate.image), abs=1e-3)
        assert answer["fired"] == (None if alone.stopped.rule == "steps" else alone.history.step[-1])
        assert answer["psnr"] <= found["peak"]["psnr"]
    assert len(steps) > 2
    assert 0 < found["peak"]["step"] < 60


def test_a_fit_ends_only_when_all_have_fired_and_the_peak_is_past(stopping, problem: Problem) -> None:
    rule = Discrepancy(factor=1e9)
    score = stopping.judged(problem, np.rint(255 * clean()).astype(np.uint8))
    together = stopping.Together({"discrepancy": rule}, score)
    fit(Walk(steps=10_000, rate=0.02), problem, 0, Options(rule=together))
    watched = together.watched
    assert watched.fired == {"discrepancy": 1}
    assert 1 < watched.last[0] < 10_000
    curve = watched.curve
    assert max(curve.values()) - curve[watched.last[0]] > stopping.PAST
    assert max(curve.values()) - curve[watched.last[0] - stopping.GRID] <= stopping.PAST


def test_iterates_are_judged_as_answers(stopping) -> None:
    x = clean(16, 16)
    y = tensor(np.zeros_like(x))
    mask = torch.ones(1, 1, 16, 16)
    mask[..., :8] = 0
    impulse = stopping.judged(Problem(y, mask, Impulse(0.5)), np.rint(255 * x).astype(np.uint8))
    kept = x.copy()
    kept[:, 8:] = 0
    assert impulse(tensor(x)) == pytest.approx(psnr(kept, x), abs=0.05)
    noise = Gaussian(0.3, clip=(True, True))
    clipped = stopping.judged(Problem(y, mask, noise), np.rint(255 * x).astype(np.uint8))
    assert clipped(tensor(noise.mean(x).astype(np.float32))) > 40
    assert clipped(tensor(x)) < 30


@pytest.mark.parametrize(
    ("kind", "name", "whole"),
    [
        ("gaussian", "recorrupted", False),
        ("impulse", "held-out", False),
        ("shot", "plain", True),
        ("shot", "plain", False),
    ],
)
def test_a_case_holds_every_rule_of_its_fit(
    stopping, tmp_path: Path, monkeypatch, kind: str, name: str, whole: bool
) -> None:
    small = DIP(steps=15, shape=HourglassShape(width=8, depth=2, skip=4), bfloat16=False)
    monkeypatch.setattr(stopping, "DIP", lambda: small)
    (tmp_path / "kodak").mkdir()
    truth = np.rint(255 * clean(48, 48)).astype(np.uint8)
    Image.fromarray(truth).save(tmp_path / "kodak" / "a.png")
    case = {"set": "kodak", "picture": "a", "kind": kind, "severity": 1, "side": 0, "seed": 0, "paper": False}
    row = stopping.run({**case, "fit": name, "whole": whole, "data": str(tmp_path)})
    watching = {"wmv", "emv", "discrepancy"} | ({"budget"} if whole else set())
    wanted = {"plain": watching}.get(name, {name})
    assert set(row["rules"]) == wanted
    assert row["last"] == row["budget"] == 15
    assert row["peak"]["psnr"] >= max(answer["psnr"] for answer in row["rules"].values())
    assert row["peak"]["psnr"] == pytest.approx(max(value for _, value in row["curve"]), abs=0.01)
    assert json.loads(json.dumps(row["rules"])) == row["rules"]
    if kind == "impulse":
        assert (row["found"], row["auto"]) == ("impulse", "held-out")


def fitted(name: str, kind: str, peak: float, rules: dict[str, float], auto: str, **case: Any) -> dict[str, Any]:
    shared = {
        "set": "set9_awgn",
        "picture": "F16",
        "kind": kind,
        "severity": 2,
        "side": 64,
        "seed": 0,
        "paper": False,
    }
    return {
        "case": shared | {"fit": name} | case,
        "peak": {"psnr": peak, "step": 50},
        "rules": {rule: {"psnr": peak - gap, "step": 60, "fired": 70} for rule, gap in rules.items()},
        "auto": auto,
        "threads": 1,
        "date": "2025-01-02",
        "machine": {"cpu": "Some CPU", "cores": 3, "python": "3.12"},
    }


ROWS = [
    fitted("plain", "gaussian", 30.0, {"budget": 6.0, "wmv": 1.0, "discrepancy": 0.5}, "recorrupted"),
    fitted("recorrupted", "gaussian", 29.5, {"recorrupted": 0.25}, "recorrupted"),
    fitted("plain", "impulse", 32.0, {"budget": 2.0, "wmv": 0.5, "discrepancy": 9.0}, "held-out"),
    fitted("held-out", "impulse", 31.0, {"held-out": 0.75}, "held-out"),
    fitted("plain", "impulse", 34.0, {"budget": 4.0, "wmv": 2.5, "discrepancy": 9.0}, "wmv", picture="lena"),
]


def cells(text: str, start: str) -> list[str]:
    """Return the cells of the only table row that begins with `start`."""
    (found,) = (row for row in text.splitlines() if row.startswith(f"| {start}"))
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_a_rule_is_held_against_the_peak_of_its_own_fit(tables) -> None:
    text = tables.rules(ROWS)
    assert cells(text, "recorrupted") == ["1", "0.25 (0.25)", "-", "-", "-", "0.25", "0.25", "0", "0.75"]
    windowed = cells(text, "windowed")
    assert windowed == ["3", "1.00 (1.00)", "-", "1.50 (2.50)", "-", "1.33", "2.50", "0", "1.33"]


def test_a_rule_counts_only_where_it_is_made_for_the_noise(tables) -> None:
    found = cells(tables.rules(ROWS), "discrepancy")
    assert found == ["1", "0.50 (0.50)", "-", "*9.00 (9.00)*", "-", "0.50", "0.50", "0", "0.50"]


def test_auto_is_the_rule_taken_in_each_case(tables) -> None:
    found = cells(tables.rules(ROWS), "**what `auto` takes**")
    assert found[:4] == ["3", "0.25 (0.25)", "-", "1.62 (2.50)"]
    assert float(found[-1]) == pytest.approx((0.75 + 1.75 + 2.5) / 3, abs=0.005)


def test_rules_that_did_not_fire_are_counted(tables) -> None:
    row = fitted("plain", "shot", 30.0, {"budget": 6.0, "wmv": 1.0}, "wmv")
    row["rules"]["budget"]["fired"] = None
    assert cells(tables.rules([row]), "the budget")[-2] == "1"
    assert cells(tables.rules([row]), "windowed")[-2] == "0"


def test_settings_have_tables_of_their_own_and_say_how_they_were_made(tables) -> None:
    other = fitted("plain", "gaussian", 30.0, {"wmv": 1.0}, "wmv", paper=True, side=256, severity=1)
    text = tables.rules([*ROWS, other])
    assert text.count("| Rule |") == 2
    assert "Central 64 x 64 pixels, 2 pictures of set9_awgn, severities 2:" in text
    assert "DIP and rules as published" in text
    end = text.splitlines()[-1]
    assert end.startswith("6 runs, 2025-01-02, on Some CPU, 3 cores; torch on 1 thread.")
    assert "--pictures F16,lena --kinds gaussian,impulse --levels 2 --side 64`" in end
    assert "--levels 1 --paper`" in end


def test_nothing_is_invented_where_nothing_was_measured(tables) -> None:
    assert tables.rules([]) == tables.NOTHING
