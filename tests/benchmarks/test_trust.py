"""The trust benchmark: what a case writes down, its table, its plot."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import clean, psnr
from tests.helpers.benchmark_pages import pages

NAMES = ("lib.corruptions", "lib.reliability", "trust", "plots", "tables.corruptions")


@pytest.fixture(scope="module")
def loaded():
    """Import the scripts, which are not in the package."""
    with pages(*NAMES) as found:
        yield found


@pytest.fixture
def plots(loaded) -> ModuleType:
    return loaded["plots"]


@pytest.fixture
def tables(loaded) -> ModuleType:
    return loaded["tables.corruptions"]


def line(kind: str, true: float, stated: float | None, half: float = 1.0, **case: Any) -> dict[str, Any]:
    shared = {"set": "set9_awgn", "picture": "F16", "kind": kind, "severity": 2, "side": 256, "seed": 0}
    found = None if stated is None else {"value": stated, "low": stated - half, "high": stated + half}
    return {
        "case": shared | {"method": "auto"} | case,
        "psnr": true,
        "estimate": found,
        "threads": 1,
        "date": "2025-01-02",
        "machine": {"cpu": "Some CPU", "cores": 3, "python": "3.12"},
    }


ROWS = [
    line("gaussian", 30.0, 30.5),
    line("gaussian", 31.0, 29.0, picture="lena"),
    line("shot", 28.0, 28.25),
    line("impulse", 33.0, None),
    line("speckle", 27.0, 26.5, method="tv"),
]


def cells(text: str, start: str) -> list[str]:
    """Return the cells of the only table row that begins with `start`."""
    (found,) = (row for row in text.splitlines() if row.startswith(f"| {start}"))
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_errors_and_coverage_by_kind_and_over_all(tables) -> None:
    found = cells(tables.trust(ROWS), "`auto`")
    assert found[:5] == ["4", "1.25 (50 %)", "0.25 (100 %)", "-", "-"]
    assert found[5:] == ["0.92", "-0.42", "2.00", "67 %", "1"]
    assert cells(tables.trust(ROWS), "`tv`")[4:] == ["0.50 (100 %)", "0.50", "-0.50", "0.50", "100 %", "0"]


def test_a_method_without_any_estimate_has_no_error(tables) -> None:
    found = cells(tables.trust([line("impulse", 33.0, None)]), "`auto`")
    assert found == ["1", "-", "-", "-", "-", "-", "-", "-", "-", "1"]


def test_the_footer_is_the_command_that_makes_it(tables) -> None:
    end = tables.trust(ROWS).splitlines()[-1]
    assert "5 runs, 2025-01-02, on Some CPU, 3 cores; torch on 1 thread." in end
    assert "`python benchmarks/trust.py --data DIR --pictures F16,lena --levels 2 --methods auto,tv`" in end
    assert tables.trust([]) == tables.NOTHING


def test_time_limits_have_rows_of_their_own(tables) -> None:
    text = tables.trust([*ROWS, line("shot", 28.0, 28.75, time_limit=20.0)])
    assert cells(text, "`auto`, at most 20 s")[:3] == ["1", "-", "0.75 (100 %)"]
    assert cells(text, "`auto` |")[0] == "4"
    assert "--kinds shot --levels 2 --methods auto --time-limit 20`" in text


def test_stopping_rows_are_no_trust_rows(tables) -> None:
    fit = {"case": {"set": "set9_awgn", "kind": "shot", "severity": 1, "fit": "plain"}}
    assert tables.trust([fit]) == tables.NOTHING
    assert tables.rules(ROWS) == tables.NOTHING


def test_coverage_of_errors_that_are_what_they_are_said_to_be(loaded) -> None:
    """Estimates with normal errors of the stated size are covered as stated; with half the size, too often."""
    page = loaded["lib.reliability"]
    rng = np.random.default_rng(0)
    shares = np.array([0.2, 0.5, 0.9])
    risk, error = 1e-3, 1e-4

    def rows(size: float) -> list[dict[str, Any]]:
        low = -10 * np.log10(risk + page.Z90 * error)
        true = risk + size * error * rng.standard_normal(4000)
        estimate = {"value": -10 * np.log10(risk), "low": low, "high": 0.0}
        return [{"psnr": -10 * np.log10(mse), "estimate": estimate} for mse in true]

    assert page.coverage(rows(1.0), shares) == pytest.approx(shares, abs=0.03)
    assert (page.coverage(rows(0.5), shares) > shares + 0.05).all()


def test_the_plot_is_drawn_from_what_holds_an_estimate(plots, tmp_path: Path) -> None:
    results, output = tmp_path / "trust.jsonl", tmp_path / "deep" / "plot.png"
    results.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    plots.main(["--results", str(results), "--output", str(output)])
    with Image.open(output) as picture:
        levels = np.asarray(picture.convert("RGB"))
    assert levels.shape[1] > levels.shape[0] > 300
    assert (np.ptp(levels, axis=2) == 0).mean() > 0.999  # readable in grey
    left, right = plots.reliability(plots.stated(ROWS), "auto").axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["gaussian", "shot"]
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["as it should be", "auto", "tv"]


def test_nothing_to_plot_is_said(plots, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit):
        plots.main(["--results", str(tmp_path / "absent.jsonl"), "--output", str(tmp_path / "plot.png")])
    assert "trust.py" in capsys.readouterr().err


def test_a_case_holds_what_the_result_states_against_the_truth(loaded, tmp_path: Path, monkeypatch) -> None:
    import untaught

    folder = tmp_path / "kodak"
    folder.mkdir()
    truth = np.rint(255 * clean(48, 48)).astype(np.uint8)
    Image.fromarray(truth).save(folder / "a.png")
    made = []
    real = untaught.denoise
    monkeypatch.setattr(untaught, "denoise", lambda *args, **words: made.append(real(*args, **words)) or made[-1])
    case = {
        "set": "kodak",
        "picture": "a",
        "kind": "gaussian",
        "severity": 1,
        "side": 0,
        "seed": 0,
        "time_limit": None,
    }
    row = loaded["trust"].run({**case, "method": "nonlocal", "data": str(tmp_path)})
    (result,) = made
    assert row["psnr"] == pytest.approx(psnr(result.image, truth, 255.0), abs=1e-3)
    assert row["psnr_noisy"] == pytest.approx(18.4, abs=1.0)
    assert row["estimate"]["low"] == pytest.approx(result.psnr.low, abs=1e-3)
    assert row["used"] == "nonlocal"
    assert "gaussian" in row["assumes"]
    assert json.loads(json.dumps(row)) == row
