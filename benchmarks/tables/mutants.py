"""The tables of changes in the code: how many the tests of a room see, and what they do not see."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

from lib.equal_mutants import EQUAL
from tables.markdown import NOTHING, Row, days, grouped, table

Z = 1.96  # standard deviations, for an interval of 95 %


def interval(caught: int, tried: int) -> tuple[float, float]:
    """Return the interval of 95 % for a share of which a sample was seen (Wilson 1927)."""
    middle, wider = (caught + Z**2 / 2) / (tried + Z**2), Z / (tried + Z**2)
    half = wider * sqrt(caught * (tried - caught) / tried + Z**2 / 4)
    return middle - half, middle + half


WHICH = ("", ", a second sample", ", a third sample")  # by seed


def mutants(rows: Iterable[Row]) -> str:
    """Return a row a room, and one for each further sample, drawn after tests were written for the first."""
    own = [row for row in rows if row.get("benchmark") == "mutants"]
    if not own:
        return NOTHING
    lines = [_line(f"`{room}`{WHICH[seed]}", rows) for (seed, room), rows in grouped(own, "seed", "room").items()]
    heads = (
        "Room | changes there are | tried | caught | of these by time or a crash | share caught, 95 % interval "
        "| not caught: not run by the room's tests | the same program | others | share caught of those that differ"
    )
    return f"{table(heads, lines)}\n\n{days(own)}; made by `python benchmarks/mutants.py`."


def _line(room: str, rows: list[Row]) -> list[str]:
    caught = [row for row in rows if row["caught"]]
    left = [row for row in rows if not row["caught"]]
    equal = [row for row in left if row["case"]["mutant"] in EQUAL]
    unseen = [row for row in left if not row["tests"] and row not in equal]
    low, high = interval(len(caught), len(rows))
    share = f"{len(caught) / len(rows):.0%} ({low:.0%} to {high:.0%})"
    numbers = len(unseen), len(equal), len(left) - len(unseen) - len(equal)
    ends = [row for row in caught if row["by"] in ("time", "crash")]
    before = [room, *(str(number) for number in (rows[-1]["of"], len(rows), len(caught), len(ends)))]
    return [*before, share, *map(str, numbers), f"{len(caught) / (len(rows) - len(equal)):.0%}"]


def equal_mutants(rows: Iterable[Row]) -> str:
    """Return those that nobody can catch, with the reason."""
    own = [row for row in rows if row.get("benchmark") == "mutants" and row["case"]["mutant"] in EQUAL]
    left = [row for row in own if not row["caught"]]
    if not left:
        return NOTHING
    lines = [
        [f"`{_short(row)}`", _code(row["before"]), _code(row["after"]), EQUAL[row["case"]["mutant"]]]
        for row in left
    ]
    return table("Where | as it is | changed | why it is the same", lines).replace("---:", "---")


def _short(row: Row) -> str:
    return f"{row['file'].removeprefix('src/untaught/')}:{row['line']}"


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"
