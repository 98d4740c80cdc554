"""The tables of docs/reliability.md: which bad calls were made, how they ended, and what was found."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from tables.markdown import NOTHING, Row, days, table

WHAT = {
    "file": "damaged files of every format: bits, runs, blocks, ends",
    "operand": "the same as mask, kernel, guide, reference, frames, map or curve of noise",
    "header": "headers of 10^9 pixels, none, or less than none; odd counts, types and orders",
    "bomb": "files that unpack to terabytes, lead in circles, contradict themselves",
    "array": "arrays and things of every type and shape, from Python",
    "options": "options of every command, crossed at random",
    "recipe": "recipes that somebody changed",
    "model": "models that somebody changed",
    "checkpoint": "checkpoints that somebody changed, and pickles",
    "folder": "folders with links in circles, odd names, damaged files",
    "volume": "folders of DICOM slices, damaged",
    "page": "requests to the page's server, and uploads of damaged files",
}
SIGNS = {
    "broke": "an error of Python's, with exit status 1",
    "crash": "the process ended by a fault in a library",
    "hang": "longer than a minute",
    "memory": "more memory than allowed",
    "words": "a sentence in Python's words",
    "sentence": "a sentence of nothing, or without end",
    "lines": "more than one line where a sentence should be",
    "spilled": "a library that prints by itself",
    "warning": "a warning of a library",
    "printed": "output beside a refusal",
    "litter": "a temporary file left behind",
    "input": "an input that changed",
    "output": "an output beside a refusal",
    "elsewhere": "a file where none was asked for",
    "list": "failures without a list",
    "json": "JSON that is none",
}


def calls(rows: Iterable[Row]) -> str:
    """Return a row a kind: how many calls there were and how they ended."""
    own = [row for row in rows if row.get("row") == "kind"]
    if not own:
        return NOTHING
    by_kind: defaultdict[str, list[Row]] = defaultdict(list)
    for row in own:
        by_kind[row["kind"]].append(row)
    lines = [_line(WHAT[kind], by_kind[kind]) for kind in WHAT if kind in by_kind]
    heads = (
        "What was tried | calls | done (0) | refused (2) | some failed (3) | a fault, when first made | seconds"
    )
    whole = table(heads, [*lines, _line("**all**", own)])
    return f"{whole}\n\n{days(own)}; made by `python benchmarks/reliability.py`."


def _line(what: str, rows: list[Row]) -> list[str]:
    ended: Counter[str] = Counter()
    for row in rows:
        ended.update(row["statuses"])
    count = sum(row["calls"] for row in rows)
    numbers = [count, *(ended[status] for status in ("0", "2", "3")), sum(row["faulty"] for row in rows)]
    seconds = sum(row["cpu_seconds"] for row in rows) / count
    return [what, *(f"{number}" for number in numbers), f"{seconds:.2f}"]


def found(rows: Iterable[Row]) -> str:
    """Return a row a sort of fault: in how many calls it was met, for how many causes, and what is mended."""
    own = [row for row in rows if row.get("row") == "fault"]
    if not own:
        return NOTHING
    by_sort: defaultdict[str, list[Row]] = defaultdict(list)
    for row in own:
        by_sort[row["sign"].partition(" ")[0]].append(row)
    lines = []
    for sort in sorted(by_sort, key=lambda one: -len(by_sort[one])):
        faults = by_sort[sort]
        causes = {re.sub(r":\d+", "", fault["sign"]) for fault in faults}
        cases = {fault["call"] for fault in faults}
        left = {fault["call"] for fault in faults if not fault["mended"]}
        counts = len(cases), len(causes), len(cases) - len(left), len(left)
        lines.append([SIGNS.get(sort, sort), *map(str, counts)])
    return table("What was seen | calls | at so many places | not seen any more | still seen", lines)
