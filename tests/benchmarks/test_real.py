"""Real noise: the pairs that are found, what a case writes down, the tables of gain and of reliability."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import clean
from tests.helpers.benchmark_pages import pages


@pytest.fixture(scope="module")
def loaded():
    names = ("real", "trust", "lib.real_pairs", "tables.real", "tables.real_targets")
    with pages(*names) as found:
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with a grey pair of `fmd`, and one of `cc` that lies there under both of its names."""
    rng = np.random.default_rng(0)
    truth = np.rint(255 * clean(48, 48)).astype(np.uint8)
    noisy = np.clip(np.rint(truth + 15 * rng.standard_normal(truth.shape)), 0, 255).astype(np.uint8)
    kept = {
        "pairs/cc/d600_1_mean.png": truth,
        "pairs/cc/d600_1_real.png": noisy,
        "real/cc_d600_1_clean.png": truth[::-1],
        "real/cc_d600_1_noisy.png": noisy,
        "real/cc_d800_1_clean.png": truth,
        "real/cc_d800_1_noisy.png": noisy,
        "real/polyu_bag_clean.jpg": truth,
        "real/polyu_bag_noisy.jpg": noisy,
        "pairs/fmd/TwoPhoton_1_mean.png": truth[..., 0],
        "pairs/fmd/TwoPhoton_1_raw.png": noisy[..., 0],
    }
    for name, values in kept.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(values)).save(path)
    return tmp_path


def asked(data: Path, **more: Any) -> argparse.Namespace:
    usual = {"sets": "cc,polyu,fmd,oct", "methods": "nonlocal", "seed": 0, "time_limit": None}
    return argparse.Namespace(**usual | {"data": data, "quick": False, "simulated": False} | more)


def line(true: float, stated: float | None = None, **case: Any) -> dict[str, Any]:
    found = None if stated is None else {"value": stated, "low": stated - 1, "high": stated + 2}
    return {
        "benchmark": "real",
        "case": {"set": "cc", "picture": "a", "method": "nonlocal", "seed": 0, "time_limit": None} | case,
        "psnr": true,
        "psnr_input": 30.0,
        "psnr_scikit-image_nlm": 31.0,
        "estimate": found,
        "unchanged": true == 30.0,
        "seconds": 2.0,
        "threads": 1,
        "date": "2026-01-02",
        "machine": {"cpu": "x", "cores": 2},
    }


def cells(text: str, start: str) -> list[str]:
    (found,) = (row for row in text.splitlines() if row.startswith(f"| {start}"))
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_a_pair_that_lies_there_twice_is_one(loaded, data: Path) -> None:
    page = loaded["lib.real_pairs"]
    assert list(page.pairs(data, "cc")) == ["d600_1", "d800_1"]
    assert list(page.pairs(data, "polyu")) == ["bag"]
    assert page.pairs(data, "oct") == {}
    truth, noisy = page.read_pair(data, "cc", "d600_1")
    assert truth.shape == noisy.shape == (48, 48, 3)
    assert np.std(truth.astype(float) - noisy) == pytest.approx(15, abs=1.5)  # not the upside-down one
    assert page.read_pair(data, "fmd", "TwoPhoton_1")[0].shape == (48, 48)


def test_cases_of_all_sets_and_of_the_quick_mode(loaded, data: Path) -> None:
    page = loaded["real"]
    found = [(case["set"], case["picture"]) for case in page.cases(asked(data))]
    assert found == [("cc", "d600_1"), ("cc", "d800_1"), ("polyu", "bag"), ("fmd", "TwoPhoton_1")]
    quick = list(page.cases(asked(data, quick=True, sets="cc,fmd")))
    assert [(case["picture"], case["side"]) for case in quick] == [("d600_1", 96), ("TwoPhoton_1", 96)]


def test_a_grey_case_holds_what_the_table_needs(loaded, data: Path) -> None:
    (case,) = loaded["real"].cases(asked(data, sets="fmd"))
    row = loaded["real"].run(case)
    assert json.loads(json.dumps(row)) == row
    assert row["psnr"] > row["psnr_input"] + 2
    low, high = (row["estimate"][key] for key in ("low", "high"))
    assert row["inside"] == (low <= row["psnr"] <= high)
    assert (row["unchanged"], row["used"]) == (False, "nonlocal")
    assert row["law"].startswith(row["found"][:7])
    assert row["sigma_true"] == pytest.approx(15, abs=1.5)
    assert {"psnr_scikit-image_nlm", "psnr_scikit-image_wavelet"} <= row.keys()
    text = loaded["tables.real"].real([{"benchmark": "real", "case": case, **row}])
    assert cells(text, "`nonlocal`")[0] == "1"


def test_gains_what_is_unchanged_and_the_published_figures(loaded) -> None:
    rows = [line(34.0, 35.5), line(30.0, picture="b"), line(38.0, 38.0, picture="c")]
    text = loaded["tables.real"].real(rows)
    found = cells(text, "`nonlocal`")
    assert found == ["3", "30.00", "34.00", "+4.00", "+0.00", "1", "0.75", "1 of 2, 1 without", "3.0", "2.0"]
    assert cells(text, "scikit-image nlm")[:5] == ["3", "30.00", "31.00", "+1.00", "+1.00"]
    assert cells(text, "MCWNNM, published, all 15")[:3] == ["-", "-", "36.88"]
    assert cells(text, "noisy, published, all 15")[:3] == ["-", "33.41", "-"]
    assert "Published figures: papers" in text
    assert "`python benchmarks/real.py --data DIR --methods nonlocal`" in text
    part = loaded["tables.real"].real([line(34.0, side=96)])
    assert "published," not in part
    assert "central 96 x 96 pixels" in part
    assert loaded["tables.real"].real([]) == loaded["tables.real"].NOTHING


def test_simulated_cameras_have_tables_of_their_own(loaded) -> None:
    row = line(34.0)
    del row["case"]["set"]
    row["case"] |= {"camera": "phone", "level": 2, "side": 192}
    text = loaded["tables.real"].real([row])
    assert "Simulated camera phone, level 2, 192 x 192 pixels:" in text
    assert "--simulated" in text


def test_reliability_counts_what_both_ran_once_and_no_parts(loaded) -> None:
    twice = line(34.0, 35.0, kind="real", side=0) | {"benchmark": "trust"}
    part = line(20.0, 35.0, side=96)
    added = line(30.0, 29.0, set="kodak", kind="shot", severity=2, side=256) | {"benchmark": "trust"}
    rows = [line(34.0, 35.0), twice, part, line(40.0, 35.0, picture="b"), line(33.0, picture="c"), added]
    text = loaded["tables.real"].reliability(rows)
    found = cells(text, "`cc`, `nonlocal`")
    assert found[:7] == ["3", "1", "3.00", "-2.00", "5.00", "50 %", "3.0"]
    assert cells(text, "shot, `nonlocal`")[:2] == ["1", "0"]
    assert loaded["tables.real"].reliability([]) == loaded["tables.real"].NOTHING


def test_trust_takes_real_sets_too(loaded, data: Path) -> None:
    args = argparse.Namespace(
        real="cc,fmd", quick=False, side=None, pictures="", seed=0, methods="nonlocal", time_limit=None, data=data
    )
    cases = list(loaded["trust"].cases(args))
    assert [(case["set"], case["picture"]) for case in cases] == [
        ("cc", "d600_1"),
        ("cc", "d800_1"),
        ("fmd", "TwoPhoton_1"),
    ]
    row = loaded["trust"].run(cases[-1])
    assert row["psnr"] > row["psnr_noisy"] + 2
    assert loaded["trust"].pair_of(cases[0])[1].shape == (48, 48, 3)


def test_aims_are_read_off_whole_runs(loaded) -> None:
    page = loaded["tables.real_targets"]
    assert page.real_bars([]).count("not measured") == len(page.REAL_BARS)
    rows = [line(34.0, 35.0), line(30.0, picture="b"), line(34.0, 30.0, picture="c", side=96)]
    rows += [
        {"benchmark": "flat_parts", "case": {"picture": "ct", "noise": "n", "method": name}, "waves": waves}
        for name, waves in (("nonlocal", 1.5), ("bm3d", 1.0))
    ]
    rows += [
        {"benchmark": "cases", "case": {"file": name, "method": "nonlocal"}, "lost": lost}
        for name, lost in (("hot", 0.1), ("stack", None))
    ]
    rows += [{"benchmark": "speed", "case": {"method": "nonlocal", "side": 0}, "ratio": 1.5}]
    text = page.real_bars(rows)
    assert cells(text, "`nonlocal` gives")[1:] == ["1 of 2", "**no**"]
    assert cells(text, "true PSNR")[1:] == ["100 % of 1", "yes"]
    assert cells(text, "files of")[1:] == ["+0.10 dB at worst (hot), 1 files", "yes"]
    assert cells(text, "waves")[1:] == ["1.50 at worst", "**no**"]
    assert cells(text, "seconds")[1:] == ["1.50", "yes"]
