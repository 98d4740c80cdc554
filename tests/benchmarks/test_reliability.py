"""The campaign of bad calls: some of them are made, what it looks for is found, and it goes on where it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.benchmark_pages import BENCHMARKS, pages


@pytest.fixture(scope="module")
def loaded():
    with pages("reliability", "lib.bad_calls.judge", "lib.bad_calls.call", "lib.bad_calls.damage") as found:
        yield found


@pytest.mark.slow
def test_some_bad_calls_end_in_a_sentence(tmp_path: Path) -> None:
    """Those of a few seconds; the others are made by hand."""
    command = [
        sys.executable,
        str(BENCHMARKS / "reliability.py"),
        "--quick",
        "--output",
        str(tmp_path / "r.jsonl"),
    ]
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert {row["row"] for row in rows} == {"kind"}
    assert sum(row["calls"] for row in rows) >= 30


GOOD = {"err": "untaught: in.png does not exist; check the name", "status": 2}
FAULTY = {
    "a traceback": {"err": "Traceback (most recent call last)", "status": 1},
    "an exit status of its own": {"status": 7},
    "two lines": {"err": "untaught: this is one sentence\nand here is another", "status": 2},
    "Python's words": {"err": "untaught: the picture is a NoneType object, alas", "status": 2},
    "no sentence": {"err": "untaught: no", "status": 2},
    "output beside a refusal": {**GOOD, "out": "{}"},
    "a warning": {"status": 0, "warned": ("a.py:3: RuntimeWarning: x",)},
    "a library that prints": {"status": 0, "err": "libfoo: bad data"},
    "a file left behind": {**GOOD, "left": ("tmpabc",)},
    "too much memory": {**GOOD, "grown": 10**6},
}


@pytest.mark.parametrize("case", FAULTY)
def test_what_a_call_should_not_do_is_found(case: str, loaded) -> None:
    call, judge = loaded["lib.bad_calls.call"], loaded["lib.bad_calls.judge"]
    asked = call.Call(("inspect", "in.png"))
    assert judge.faults(asked, call.Seen(**GOOD), {}, {}) == []
    assert judge.faults(asked, call.Seen(**FAULTY[case]), {}, {})


def test_inputs_that_change_and_files_that_appear_are_found(loaded) -> None:
    call, judge = loaded["lib.bad_calls.call"], loaded["lib.bad_calls.judge"]
    asked, seen = call.Call(("denoise",), may_change=("out.png",)), call.Seen(0)
    assert judge.faults(asked, seen, {"in.png": b"1"}, {"in.png": b"1", "out.png": b"2"}) == []
    assert judge.faults(asked, seen, {"in.png": b"1"}, {"in.png": b"2"})
    assert judge.faults(asked, seen, {}, {"elsewhere.png": b"1"})
    assert judge.faults(asked, call.Seen(**GOOD), {}, {"out.png": b"1"})


def test_the_same_number_is_the_same_damage(loaded) -> None:
    damaged = loaded["lib.bad_calls.damage"].damaged
    first, second = (damaged(np.random.default_rng([0, 7]), bytes(range(256))) for _ in range(2))
    assert first == second
    assert first[0] != bytes(range(256))


def test_a_record_goes_on_and_says_what_is_mended(loaded, tmp_path: Path) -> None:
    record = loaded["reliability"].Record(tmp_path / "r.jsonl")
    made = {"number": 3, "status": 1, "cpu": 0.1, "seconds": 2.0, "mib": 5, "said": "bits", "argv": ["inspect"]}
    record.add("file", 0, made | {"faults": [{"what": "broke", "sign": "KeyError"}]})
    record.add("file", 0, made | {"status": 2, "faults": []})
    record.write()
    again = loaded["reliability"].Record(tmp_path / "r.jsonl")
    assert again.of("file", 0)["calls"] == 2
    assert again.of("file", 0)["statuses"] == {"1": 1, "2": 1}
    assert [(fault["call"], fault["mended"]) for fault in again.faults] == [("0:3", False)]
