"""Changes in the code: which are drawn, what a forked run of tests tells of them, and the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.helpers.benchmark_pages import BENCHMARKS, pages

SOURCE = '''"""A page."""

LIMIT = 3


def most(values: list[int] | None, least: int = 1) -> int | None:
    if not values:
        return None
    found = sum(
        value + 1
        for value in values
        if value < LIMIT
    )
    return max(found, least)
'''


@pytest.fixture(scope="module")
def loaded() -> Iterator[dict[str, ModuleType]]:
    with pages("mutants", "table", "lib.mutations", "lib.forked_tests", "tables.mutants") as found:
        yield found


def test_a_line_belongs_to_its_statement_and_a_body_is_another(loaded: dict[str, ModuleType]) -> None:
    lines_of = loaded["lib.mutations"].lines_of
    found = {line: [*lines_of(SOURCE, line)] for line in (3, 6, 7, 8, 11)}
    assert found == {3: [3], 6: [6], 7: [7], 8: [8], 11: [9, 10, 11, 12, 13]}


def test_what_is_drawn_stays_where_other_lines_change(loaded: dict[str, ModuleType], tmp_path: Path) -> None:
    pytest.importorskip("cosmic_ray", reason="cosmic-ray is missing: pip install cosmic-ray")
    mutations = loaded["lib.mutations"]
    (tmp_path / "room").mkdir()
    page = tmp_path / "room" / "page.py"
    found = []
    for text in (SOURCE, SOURCE.replace("LIMIT = 3\n", "LIMIT = 3\nMORE = 2\n")):
        page.write_text(text)
        found.append({mutant.name: mutant for mutant in mutations.mutants(tmp_path, "room")})
    before, after = found
    assert before.keys() < after.keys()
    orders = [[mutant.name for mutant in mutations.drawn(iter(one.values()), 0)] for one in found]
    assert [name for name in orders[1] if name in before] == orders[0]
    assert [mutant.name for mutant in mutations.drawn(iter(before.values()), 1)] != orders[0]
    changed = {mutations.mutated(SOURCE, mutant) for mutant in before.values()}
    assert len(changed) == len(before)
    for text in changed:
        assert "list[int] | None" in text  # annotations are left alone
    bare = {text.replace(" ", "") for text in changed}
    for before_it, after_it in (("value < LIMIT", "value <= LIMIT"), ("least: int = 1", "least: int = 2")):
        assert SOURCE.replace(before_it, after_it).replace(" ", "") in bare


RUNS = """
import json, sys
from pathlib import Path
from lib.forked_tests import InOrder, Tree, Watched
tree = Tree(Path(sys.argv[1]))
path = tree.root / "src/page.py"
ended = [tree.run(["tests"], Watched([str(path)], tree.root.with_suffix(".data")), 60)]
text = path.read_text()
for change in json.loads(sys.argv[2]):
    tree.changed("src/page.py", text.replace(*change))
    limit = 0.5 if "True" in change[1] else 20
    ended.append(tree.run(["tests", "-x"], InOrder(["tests/test_page.py::test_last"]), limit))
print(json.dumps([(one.status, one.failed, one.told) for one in ended]))
"""
TESTS = """
import pytest
from page import most

@pytest.fixture(scope="module")
def found():
    return most([1, 2, 5])

def test_first(found):
    assert found == 5

def test_last():
    assert most([]) is None
"""
CHANGES = [("value + 1", "value + 2"), ("None\n    found", "3\n    found"), ("return None", "while True: pass")]
CHANGES += [("return None", "__import__('os').abort()"), ("LIMIT = 3", "LIMIT = nothing")]


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark needs Linux")
def test_a_fork_tells_which_test_saw_a_change(tmp_path: Path) -> None:
    pytest.importorskip("coverage", reason="coverage is missing: pip install coverage")
    for name, text in {"src/page.py": SOURCE, "tests/test_page.py": TESTS, "pyproject.toml": ""}.items():
        (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / name).write_text(text)
    command = [sys.executable, "-c", RUNS, str(tmp_path / "copy"), json.dumps(CHANGES)]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=BENCHMARKS, env=alone, capture_output=True, text=True, check=True)
    first, *ended = json.loads(done.stdout)
    lines = next(iter(first[2]["lines"].values()))
    assert lines["8"] == ["tests/test_page.py::test_last"]
    assert lines["14"] == ["tests/test_page.py"]  # by a fixture of the whole page
    assert lines["3"] == []
    assert {name.rpartition("::")[2] for name in first[2]["seconds"]} == {"test_first", "test_last"}
    tests = [f"tests/test_page.py::{name}" for name in ("test_first", "test_last")]
    assert [one[:2] for one in ended] == [
        [1, tests[0]],
        [1, tests[1]],
        [None, "time"],
        [None, "crash"],
        [2, "tests/test_page.py"],
    ]


def row(number: int, caught: bool, **more: Any) -> dict[str, Any]:
    case = {"room": "risk", "mutant": str(number), "seed": int(number >= 110)}
    page = {"file": "src/untaught/risk/sure.py", "line": 3, "before": "a | b", "after": "a & b"}
    return (
        {"benchmark": "mutants", "case": case, "caught": caught, "tests": 4, "by": None, "of": 900, "date": "d"}
        | page
        | more
    )


def test_the_table_counts_and_says_how_sure_it_is(
    loaded: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = loaded["tables.mutants"]
    monkeypatch.setitem(tables.EQUAL, "90", "never | asked")
    rows = [row(k, True) for k in range(79)] + [row(79, True, by="time"), row(90, False), row(91, False, tests=0)]
    rows += [row(k, False) for k in range(92, 110)] + [row(110, True)]
    text = tables.mutants(rows)
    assert "| `risk` | 900 | 100 | 80 | 1 | 80% (71% to 87%) | 1 | 1 | 18 | 81% |" in text
    assert "| `risk`, a second sample | 900 | 1 | 1 | 0 |" in text
    assert "a third" not in text
    assert "| `risk/sure.py:3` | `a \\| b` | `a & b` | never | asked |" in tables.equal_mutants(rows)
    assert tables.mutants([]) == tables.equal_mutants(rows[:5]) == loaded["table"].NOTHING


def test_the_interval_is_wilsons(loaded: dict[str, ModuleType]) -> None:
    interval = loaded["tables.mutants"].interval
    assert interval(80, 100) == pytest.approx((0.711, 0.867), abs=1e-3)
    assert interval(100, 100) == pytest.approx((0.963, 1.0), abs=1e-3)
