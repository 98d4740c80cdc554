"""What the makers of tables share: Markdown, groups of rows, where figures come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib.harness import SET9

NOTHING = "*Not measured yet.*"

Row = dict[str, Any]
Group = tuple[Any, ...]


def grouped(rows: Iterable[Row], *keys: str) -> dict[Group, list[Row]]:
    """Group rows by entries of their case, small levels first."""
    groups: dict[Group, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row["case"].get(key) for key in keys), []).append(row)
    return dict(sorted(groups.items(), key=lambda item: [(part is None, part) for part in item[0]]))


def heading(group: Group) -> str:
    """Return the line above a table of one level, side and seed."""
    level, side, seed = group
    part = f"central {side} x {side} pixels" if side else "whole pictures"
    return f"Noise level {level}, {part}{f', seed {seed}' if seed else ''}:"


def table(heads: str, rows: Iterable[list[str]]) -> str:
    """Return a Markdown table; all columns but the first to the right."""
    columns = heads.split("|")
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines)


def in_order(pictures: Iterable[str]) -> list[str]:
    """Return the pictures in the order of the set, others after them by name."""
    return sorted(set(pictures), key=lambda name: (SET9.index(name) if name in SET9 else len(SET9), name))


def days(rows: list[Row]) -> str:
    """Return the day of these rows, or the first and the last."""
    dates = sorted(row["date"] for row in rows)
    return " to ".join(dict.fromkeys((dates[0], dates[-1])))


def provenance(rows: list[Row]) -> str:
    """Return how many runs these are, of when, and on what; no full stop."""
    machines = sorted({f"{row['machine']['cpu']}, {row['machine']['cores']} cores" for row in rows})
    threads = sorted({row["threads"] for row in rows if row.get("threads")})
    runs = f"{len(rows)} run{'s' * (len(rows) != 1)}, {days(rows)}"
    used = f"; torch on {' or '.join(map(str, threads))} thread{'s' * (threads != [1])}" if threads else ""
    return f"{runs}, on {' and on '.join(machines)}{used}"
