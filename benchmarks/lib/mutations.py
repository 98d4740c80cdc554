"""What can be changed in a file, one thing at a time: by cosmic-ray's operators, and which mutants are drawn.

Left out is what no test can see: annotations, which are not evaluated, what only a checker of types reads, and
functions that numba compiles, which would be compiled anew for each mutant.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

COMPILED = ("compiled", "inlined")
NEEDS_ARGUMENTS = ("VariableReplacer", "VariableInserter")

Place = tuple[int, int]  # line, counted from 1, and column


@dataclass(frozen=True)
class Mutant:
    """One change of one file: the `occurrence`th of those that an operator of cosmic-ray makes in it.

    `name` stays the same when other lines of the file are changed.
    """

    name: str
    file: str
    operator: str
    occurrence: int
    line: int


def mutants(root: Path, folder: str) -> Iterator[Mutant]:
    """Yield all mutants of the files of a folder, in the same order each time."""
    for path in sorted((root / folder).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        unseen, names = list(_unseen(source)), _Names(source)
        for operator, occurrence, place in _positions(source):
            if not any(first <= place < last for first, last in unseen):
                file = str(path.relative_to(root))
                yield Mutant(names.of(file, operator, place), file, operator, occurrence, place[0])


def drawn(found: Iterator[Mutant], seed: int) -> list[Mutant]:
    """Return mutants in a random order in which those that are in the files before and after a change stay."""
    return sorted(found, key=lambda mutant: _hash(f"{seed} {mutant.name}"))


def mutated(source: str, mutant: Mutant) -> str:
    """Return the source with the change made."""
    from cosmic_ray.mutating import mutate_code

    changed = mutate_code(source, _operators()[mutant.operator], mutant.occurrence)
    if changed is None or changed == source:
        raise ValueError(f"{mutant} changes nothing")
    return str(changed)


def lines_of(source: str, line: int) -> range:
    """Return the lines of the statement that `line` is part of; of one with a body, those above the body."""
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body: list[ast.stmt] = getattr(node, "body", [])
            end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            if node.lineno <= line <= end:
                found = range(node.lineno, end + 1)
    return found


class _Names:
    """What mutants are called: by the function, the line's words and the place in it, not by the line's number."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines()
        self.same: Counter[str] = Counter()
        self.functions = [
            (node.lineno, node.end_lineno or node.lineno, node.name)
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        ]

    def of(self, file: str, operator: str, place: Place) -> str:
        line, column = place
        text = self.lines[line - 1]
        within = [name for first, last, name in self.functions if first <= line <= last]
        indent = len(text) - len(text.lstrip())
        words = f"{file} {'.'.join(within)} {text.strip()} {column - indent} {operator}"
        self.same[words] += 1
        return _hash(f"{words} {self.same[words]}")[:12]


def _hash(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


@cache
def _operators() -> dict[str, Any]:
    try:
        from cosmic_ray import plugins
    except ImportError as error:
        raise SystemExit("cosmic-ray is not installed: pip install cosmic-ray") from error
    names = [name for name in plugins.operator_names() if not name.endswith(NEEDS_ARGUMENTS)]
    return {name: plugins.get_operator(name)() for name in sorted(names)}


def _positions(source: str) -> Iterator[tuple[str, int, Place]]:
    from cosmic_ray.ast import ast_nodes, get_ast

    count: Counter[str] = Counter()
    for node in ast_nodes(get_ast(source)):
        for name, operator in _operators().items():
            for start, _ in operator.mutation_positions(node):
                yield name, count[name], (start[0], start[1])
                count[name] += 1


def _unseen(source: str) -> Iterator[tuple[Place, Place]]:
    """Yield where what no test can see begins and ends."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield _span(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            if node.returns is not None:
                yield _span(node.returns)
            if any(isinstance(one, ast.Name) and one.id in COMPILED for one in node.decorator_list):
                yield (node.decorator_list[0].lineno, 0), _span(node)[1]
        elif isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            yield _span(node)


def _span(node: ast.stmt | ast.expr) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0)
