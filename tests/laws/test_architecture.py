"""The house: imports run one way, between rooms and between files; see docs/architecture.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import untaught

HOUSE = Path(untaught.__file__).parent

# The allowed arrows: what a room may import beside itself. Everything else is refused.
GROUND = "errors _version"
BELOW = f"{GROUND} image noise operators problem method risk"
PIECES = f"{BELOW} methods fitting results"
ROOMS: dict[str, str] = {
    "errors": "",
    "_version": "",
    "image": GROUND,
    "noise": GROUND,
    "operators": GROUND,
    "problem": f"{GROUND} noise operators",
    "method": f"{GROUND} problem",
    "risk": f"{GROUND} noise operators problem",
    "methods": BELOW,
    "fitting": BELOW,
    "results": BELOW,
    "pipeline": PIECES,
    "training": f"{PIECES} pipeline",
    "theory": f"{PIECES} pipeline",
    "jobs": f"{PIECES} pipeline",
    "serve": f"{PIECES} pipeline",
    "napari": f"{PIECES} pipeline",
    "cli": f"{PIECES} pipeline training theory jobs serve",
    "__main__": "cli",
}
# Inside `pipeline`, from the ground up.
PIPELINE = (
    "noise_files",
    "options",
    "request task answer",
    "recipes elsewhere hold_answers",
    "rerun_command",
    "plane combine_planes",
    "tiles",
    "stacks",
    "planes",
    "tasks",
)
MOST_MODULES, MOST_PACKAGES, MOST_FLOORS = 6, 14, 9


@cache
def modules() -> dict[str, Path]:
    """Return every file of the package by its dotted name without 'untaught.'; the root is ''."""
    found = {}
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str) -> Iterator[str]:
    """Yield the files that one imports, anywhere in it: in functions and under TYPE_CHECKING too."""
    face = modules()[name].with_suffix(".pyi")  # of a room whose names are loaded when they are used
    if face.exists():
        for node in ast.parse(face.read_text()).body:
            assert isinstance(node, ast.ImportFrom), f"{face} holds more than names"
            assert node.level == 1, f"{face} hands on names of another room"
            yield f"{name}.{node.module}"
    for node in ast.walk(ast.parse(modules()[name].read_text())):
        if isinstance(node, ast.Import):
            targets = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            targets = [(node.module or "", alias.name) for alias in node.names]
        else:
            continue
        for module, attribute in targets:
            if module.partition(".")[0] != "untaught":
                continue
            inside = module.partition(".")[2]
            below = f"{inside}.{attribute}" if inside else str(attribute)
            yield below if attribute is not None and below in modules() else inside


@cache
def arrows() -> dict[str, frozenset[str]]:
    return {name: frozenset(imported(name)) - {name} for name in modules() if name}


def room_of(name: str) -> str:
    return name.partition(".")[0]


def circles(graph: dict[str, frozenset[str]]) -> list[list[str]]:
    """Return the strongly connected parts of more than one node (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, frozenset())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            part = [stack.pop()]
            while part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def test_the_rooms_are_those_of_the_table() -> None:
    files = {path.stem for path in HOUSE.glob("*.py")}
    folders = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    assert files | folders == {*ROOMS, "__init__"}
    assert len(files) <= MOST_MODULES
    assert len(folders) <= MOST_PACKAGES


def test_every_arrow_is_allowed() -> None:
    wrong = [
        f"{name} -> {other}"
        for name, others in arrows().items()
        for other in others
        if room_of(other) != room_of(name) and room_of(other) not in ROOMS[room_of(name)].split()
    ]
    assert not wrong


def test_arrows_inside_the_pipeline_run_down() -> None:
    floor = {name: number for number, names in enumerate(PIPELINE) for name in names.split()}
    wrong = [
        f"{name} -> {other}"
        for name, others in arrows().items()
        for other in others
        if name.startswith("pipeline.") and other.startswith("pipeline.")
        if floor[name.split(".")[1]] < floor[other.split(".")[1]]
    ]
    assert not wrong


def test_there_is_no_circle_between_files() -> None:
    assert not circles(arrows())


@pytest.mark.parametrize("depth", [1, 2])
def test_there_is_no_circle_between_packages(depth: int) -> None:
    """Rooms, and the parts of rooms; files beside a package are nodes of their own."""

    def box(name: str) -> str:
        return ".".join(name.split(".")[:depth])

    graph: dict[str, frozenset[str]] = {}
    for name, others in arrows().items():
        graph[box(name)] = graph.get(box(name), frozenset()) | {box(o) for o in others} - {box(name)}
    assert not circles(graph)


def test_there_are_few_floors() -> None:
    floors: dict[str, int] = {}

    def floor(room: str) -> int:
        if room not in floors:
            floors[room] = 1 + max((floor(below) for below in ROOMS[room].split()), default=0)
        return floors[room]

    assert max(map(floor, ROOMS)) <= MOST_FLOORS


def test_files_of_a_room_do_not_import_its_face() -> None:
    wrong = [
        f"{name} -> {other}"
        for name, others in arrows().items()
        for other in others
        if other and name.startswith(f"{other}.") and modules()[other].name == "__init__.py"
    ]
    assert not wrong


def test_no_file_imports_the_root() -> None:
    assert not [name for name, others in arrows().items() if "" in others]
