"""The tables of the README and the runner of the cases, on results that are made up for the test."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from tests.helpers.benchmark_pages import BENCHMARKS, pages

MARKED = "before\n<!-- table: {} -->\nold\n<!-- end -->\nafter\n"


@pytest.fixture(scope="module")
def loaded():
    """Import benchmarks/table.py and lib/harness.py, which are scripts and not in the package."""
    with pages("lib.harness", "table") as found:
        yield found


@pytest.fixture
def table(loaded) -> ModuleType:
    return loaded["table"]


@pytest.fixture
def harness(loaded) -> ModuleType:
    return loaded["lib.harness"]


def line(picture: str, method: str, psnr: float, **extra: Any) -> dict[str, Any]:
    case = {"picture": picture, "level": 25, "method": method, "side": 64, "seed": 0, "time_limit": None}
    return {
        "case": case | extra.pop("case", {}),
        "psnr": psnr,
        "ssim": 0.9,
        "psnr_noisy": 20.0,
        "seconds": 2.0,
        "peak_gib": 0.5,
        "date": "2025-01-02",
        "machine": {"cpu": "Some CPU", "cores": 3, "python": "3.12"},
        **extra,
    }


def fitted(picture: str, method: str, psnr: float, peak: float, step: int = 40) -> dict[str, Any]:
    return line(
        picture,
        method,
        psnr,
        estimate={"value": psnr + 0.5, "low": psnr - 1.0, "high": psnr + 1.0},
        stopped={"rule": "recorrupted", "step": step},
        peak={"psnr": peak, "step": 60, "seconds": 1.0},
        chosen={"psnr": psnr, "step": step, "seconds": 1.0},
        threads=1,
    )


ROWS = [
    line("F16", "cbm3d", 31.0),
    line("lena", "cbm3d", 33.0),
    fitted("F16", "auto", 30.0, 30.25),
    fitted("lena", "auto", 34.0, 34.75),
    fitted("F16", "dip", 28.0, 28.5),
    fitted("F16", "dip-paper", 25.0, 29.5, step=1800),
]


def cells(text: str, start: str) -> list[str]:
    """Return the cells of the only table row that begins with `start`."""
    (found,) = (row for row in text.splitlines() if row.startswith(f"| {start} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_methods_are_means_over_pictures_best_first(table):
    text = table.methods(ROWS)
    auto = cells(text, "`auto`")
    assert auto[1:4] == ["2", "32.00", "10.0 to 14.0"]
    assert auto[7:] == ["0.50", "2 of 2"]
    assert cells(text, "CBM3D (level given)")[7:] == ["-", "-"]
    assert text.index("`auto`") < text.index("`dip`") < text.index("DIP, original")


def test_an_estimate_outside_its_interval_is_not_counted(table):
    row = fitted("F16", "auto", 30.0, 30.0) | {"psnr": 35.0}
    assert cells(table.methods([row]), "`auto`")[-1] == "0 of 1"


def test_a_row_a_picture_with_what_is_missing_left_open(table):
    text = table.pictures([*ROWS, line("hill", "cbm3d", 29.0)])
    assert cells(text, "F16") == ["F16", "20.00", "31.00", "30.00", "30.50", "29.00 to 31.00"]
    assert cells(text, "hill") == ["hill", "20.00", "29.00", "-", "-", "-"]
    assert text.index("| F16") < text.index("| hill") < text.index("| lena")


def test_stopping_is_the_gap_to_the_best_step_of_fits_that_were_used(table):
    unused = fitted("peppers", "auto", 30.0, 40.0) | {"stopped": {"rule": "closed form", "step": 0}}
    text = table.stopping([*ROWS, unused])
    assert cells(text, "`auto`") == ["`auto`", "2", "0.50", "0.75", "recorrupted (2)"]


def test_dip_stands_beside_the_original_only_where_that_was_run(table):
    text = table.dip([*ROWS, fitted("lena", "dip", 29.0, 29.0)])
    rows = [row for row in text.splitlines() if row.startswith("| F16")]
    assert [cell.strip() for cell in rows[1].split("|")[3:7]] == ["25.00", "1800", "29.50", "60"]
    assert len(rows) == 2
    assert "lena" not in text


def test_cbm3d_stands_beside_auto_whatever_the_time_limit(table):
    limited = fitted("F16", "auto", 29.0, 29.0)
    limited["case"]["time_limit"] = 60.0
    text = table.pictures([*ROWS, limited])
    rows = [row.split("|")[3:5] for row in text.splitlines() if row.startswith("| F16")]
    assert [[float(cell) for cell in row] for row in rows] == [[31.0, 29.0], [31.0, 30.0]]
    assert "| `auto`, at most 60 s |" in text
    assert cells(table.methods([*ROWS, limited]), "`auto`, at most 60 s")[1:3] == ["1", "29.00"]


def test_levels_and_sides_have_tables_of_their_own(table):
    other = line("F16", "cbm3d", 27.0, case={"level": 50, "side": 0})
    text = table.methods([other, *ROWS])
    assert text.count("| Method |") == 2
    assert text.index("Noise level 25, central 64 x 64") < text.index("Noise level 50, whole pictures")


def test_the_footer_says_where_the_figures_come_from(table):
    text = table.methods([line("F16", "nlm", 27.0, date="2025-01-05"), *ROWS])
    end = text.splitlines()[-1]
    assert "7 runs, 2025-01-02 to 2025-01-05, on Some CPU, 3 cores; torch on 1 thread." in end
    assert "--levels 25 --methods auto,cbm3d --side 64 --pictures F16,lena" in end
    assert "--levels 25 --methods dip,dip-paper,nlm --side 64 --pictures F16" in end


def test_the_noise_level(table):
    row = {
        "summary": "gaussian:25",
        "pictures": 9,
        "mean_abs_error": 0.012,
        "worst": 0.05,
        "skimage_mean_abs_error": 0.1,
        "skimage_worst": 0.2,
        "kinds": {"gaussian": 9},
    }
    single = [
        {"noise": "gaussian:25", "picture": name, "relative_error": error}
        for name, error in (("F16", 0.01), ("hill", -0.02), ("baboon", 0.5), ("lena", None))
    ]
    found = cells(table.noise([row, *single, *ROWS]), "`gaussian:25`")
    assert found[1:] == ["9", "1.2 %", "5.0 %", "1.5 %", "10.0 %", "20.0 %", "gaussian (9)"]
    assert cells(table.noise([row]), "`gaussian:25`")[4] == "-"


NAMES = [
    "methods",
    "pictures",
    "stopping",
    "dip",
    "noise",
    "drawings",
    "rules",
    "trust",
    "gpu",
    "warm_starts",
    "inpainting",
    "super_resolution",
]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_invented_where_nothing_was_measured(table, name):
    assert table.filled(MARKED.format(name), []).splitlines()[3] == table.NOTHING


def test_the_file_is_rewritten_once_and_then_left_alone(table, tmp_path, capsys):
    readme, results = tmp_path / "README.md", tmp_path / "denoise.jsonl"
    readme.write_text(MARKED.format("methods") + MARKED.format("dip"))
    results.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    call = ["--results", str(results), "--pages", str(readme)]
    assert table.main([*call, "--check"]) == 1
    assert "old" in readme.read_text()
    assert "out of date" in capsys.readouterr().err
    assert table.main(call) == 0
    once = readme.read_text()
    assert "old" not in once
    assert once.count("before") == once.count("after") == 2
    assert table.main(call) == 0
    assert readme.read_text() == once
    assert table.main([*call, "--check"]) == 0


def test_of_a_case_that_was_run_twice_the_last_counts(table, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(line("F16", "nlm", psnr)) + "\n" for psnr in (20.0, 30.0)))
    assert [row["psnr"] for row in table.load([path, tmp_path / "absent.jsonl"])] == [30.0]


def test_a_marker_that_names_no_table_is_refused(table):
    with pytest.raises(SystemExit, match="no table 'methodes'"):
        table.filled(MARKED.format("methodes"), ROWS)


NINE = ("F16", "baboon", "hill", "kodim01", "kodim02", "kodim03", "kodim12", "lena", "peppers")


def whole(method: str, psnr: float, **extra: Any) -> list[dict[str, Any]]:
    """Return runs on all the nine pictures, as they come from a file."""
    case = {"side": 0, **extra.pop("case", {})}
    return [line(name, method, psnr, benchmark="denoise", case=case, **extra) for name in NINE]


def test_an_aim_is_measured_only_on_all_of_its_pictures(table):
    first = "`auto`, noise 25, nine whole pictures, level not given"
    assert cells(table.bars(whole("auto", 32.5)[:8]), first)[2:] == ["not measured", "-"]
    assert cells(table.bars(whole("auto", 32.5)), first)[2:] == ["32.50 dB", "yes"]
    assert cells(table.bars(whole("auto", 31.99)), first)[2:] == ["31.99 dB", "**no**"]
    assert {row.split("|")[3].strip() for row in table.bars([]).splitlines()[2:]} == {"not measured"}


def test_the_worst_picture_decides_where_every_one_counts(table):
    rows = whole("auto", 32.5, seconds=8.0) + whole("cbm3d", 31.0)
    rows[4]["psnr"], rows[0]["seconds"] = 30.8, 30.0
    text = table.bars(rows)
    assert cells(text, "`auto` above CBM3D, which is told the level, on every picture")[2:] == [
        "-0.20 dB at worst",
        "**no**",
    ]
    assert "| 4.00, worst 15.00 | yes |" in text


def test_dip_is_held_against_its_original_on_the_crops_where_that_was_run(table):
    crops = whole("dip", 31.0, seconds=90.0, case={"side": 256})
    original = whole("dip-paper-bf16", 30.4, seconds=2000.0, case={"side": 256})
    original[1]["psnr"] = 31.2
    aim = "`dip` above its original configuration, central 256 x 256 pixels"
    assert cells(table.bars(crops), aim)[2:] == ["not measured", "-"]
    assert cells(table.bars(crops + original[:1]), aim)[2:] == ["+0.60 dB at worst of 1 crops", "yes"]
    assert cells(table.bars(crops + original[:2]), aim)[2:] == ["-0.20 dB at worst of 2 crops", "**no**"]


def test_dip_is_timed_to_where_its_original_ends(table):
    curve = [[100, 10.0, 29.0], [200, 20.0, 30.5], [300, 40.0, 31.0]]
    crops = whole("dip", 31.0, curve=curve, case={"side": 256})
    original = whole("dip-paper-bf16", 30.4, seconds=2000.0, case={"side": 256})
    original[1]["psnr"], original[2]["psnr"] = 30.9, 31.5
    aim = "time to the PSNR at which that ends, over its own in bfloat16, median"
    assert cells(table.bars(crops + original[:1]), aim)[2:] == ["1/100, worst 1/100, 1 crops", "yes"]
    assert cells(table.bars(crops + original[:3]), aim)[2:] == ["1/50, worst never, 3 crops", "yes"]
    assert cells(table.bars(crops + original[1:3]), aim)[2:] == ["1/25, worst never, 2 crops", "**no**"]


def test_the_error_of_the_estimate_has_a_bar(table):
    told = {"estimate": {"value": 32.9, "low": 32.0, "high": 34.0}}
    found = cells(
        table.bars(whole("auto", 32.5, **told)), "error of the estimated PSNR, nine whole pictures, noise 25"
    )
    assert found[2:] == ["0.40 dB, worst 0.40", "yes"]


def test_every_table_has_one_place(table):
    pages = [(BENCHMARKS.parent / page).read_text(encoding="utf-8") for page in table.PAGES]
    assert sorted(name for text in pages for _, name, _ in table.BLOCK.findall(text)) == sorted(table.TABLES)


def test_a_task_has_a_row_a_method_and_one_for_what_it_is_held_against(table, tmp_path):
    path = tmp_path / "super_resolution.jsonl"
    rows = [
        {
            "case": {"set": "Set5", "factor": 4, "picture": name, "method": method, "seed": 0, "time_limit": None},
            "psnr_y": psnr,
            "psnr_y_bicubic": 20.0 + number,
            "estimate": {"value": psnr + 1, "low": psnr - 1, "high": psnr + 2},
            **{"seconds": 2.0, "date": "2026-01-01", "machine": {"cpu": "x", "cores": 2}},
        }
        for method, psnr in (("auto", 30.0), ("dip", 28.0))
        for number, name in enumerate(("a", "b"))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = table.TABLES["super_resolution"](table.load([path]))
    assert "Factor 4, set set5:" in found
    assert cells(found, "`auto`")[1:] == ["2", "30.00", "30.00 to 30.00", "2.0 [2.0 to 2.0]", "1.00", "2 of 2"]
    assert cells(found, "bicubic")[1:4] == ["2", "20.50", "20.00 to 21.00"]
    assert found.count("bicubic") == 1


SCRIPT = """
import json, pathlib, sys
case = json.loads(sys.argv[2])
with open(case["data"] + "/log", "a") as log:
    log.write(case["picture"] + " ")
if case["picture"] == "bad" and not pathlib.Path(case["data"], "well").exists():
    sys.exit(3)
print("chatter")
print(json.dumps({"psnr": 30.0}))
"""


def test_cases_that_are_done_are_not_run_again_and_failures_are(harness, tmp_path):
    script, path = tmp_path / "script.py", tmp_path / "results" / "out.jsonl"
    script.write_text(SCRIPT)

    def run(*names: str) -> None:
        harness.run_cases(str(script), ({"picture": name, "data": str(tmp_path)} for name in names), path)

    run("a", "bad")
    assert [row["case"] for row in harness.done(path)] == [{"picture": "a"}]
    (tmp_path / "well").touch()
    run("a", "bad", "c")
    assert (tmp_path / "log").read_text().split() == ["a", "bad", "bad", "c"]
    assert [row["case"]["picture"] for row in harness.done(path)] == ["a", "bad", "c"]
    assert harness.done(path)[0]["psnr"] == 30.0
