"""The benchmark of kills: a kill is survived, what would be a fault is named, and numbers repeat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers.benchmark_pages import BENCHMARKS, pages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmark needs Linux")


@pytest.fixture(scope="module")
def kills() -> Iterator[dict[str, ModuleType]]:
    with pages("kills", "lib.faults", "lib.left_behind", "lib.killed_scenes") as found:
        yield found


def test_calls_are_killed_and_go_on(tmp_path: Path) -> None:
    output = tmp_path / "kills.jsonl"
    command = [sys.executable, str(BENCHMARKS / "kills.py"), "--quick", "--output", str(output)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert not [row for row in rows if row["found"]]
    assert any(row["status"] for row in rows)
    assert json.loads(said.splitlines()[-1])["survived"] == len(rows)


def test_what_would_be_a_fault_is_named(kills: dict[str, ModuleType], tmp_path: Path) -> None:
    faults, left, scenes = (kills[f"lib.{name}"] for name in ("faults", "left_behind", "killed_scenes"))
    scene = scenes.SCENES["formula"]
    scene.lay(tmp_path)
    before = left.seen(tmp_path, scene)
    killed = faults.Ended(-9, "", 1.0, 3)
    fault = faults.Fault("kill", 3)
    assert not list(left.faults_after(before, (before, before), killed, fault))
    (tmp_path / "out.png").write_bytes(b"half")
    (tmp_path / "r.html").write_text("<html>")
    (tmp_path / ".untaught-1.tmp").touch()
    (tmp_path / "in.png").write_bytes(b"other")
    after = left.seen(tmp_path, scene)
    found = " ".join(left.faults_after(after, (before, before), faults.Ended(1, "Traceback", 1.0, 3), fault))
    for words in ("status 1", "it said", "an input is not", "out.png is neither", "r.html is half"):
        assert words in found
    found = " ".join(left.faults_at_the_end(after, before, [faults.Ended(2, "no", 1.0, 3)]))
    for words in ("status 2", "out.png has other bits", "tmp is left behind"):
        assert words in found
    (tmp_path / "out.png").unlink()
    gone = left.seen(tmp_path, scene)
    assert "is gone" in " ".join(left.faults_after(gone, (before, before), killed, fault))


def test_the_page_says_what_the_results_say(kills: dict[str, ModuleType]) -> None:
    rows = kills["kills"].done(BENCHMARKS / "results" / "kills.jsonl")
    assert rows
    said = (BENCHMARKS.parent / "docs" / "interruptions.md").read_text("utf-8")
    assert "\n".join(kills["kills"].table(rows)) in said
