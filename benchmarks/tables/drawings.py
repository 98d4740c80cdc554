"""The table of what was found in drawings."""

from __future__ import annotations

from tables.markdown import NOTHING, Row, table


def drawings(rows: list[Row]) -> str:
    """Return how many drawings were taken for noise, and how well noise in them was measured."""
    found = [row for row in rows if row.get("benchmark") == "drawings" and row.get("all") == "drawings"]
    if not found:
        return NOTHING
    lines = [_line(row) for row in found if isinstance(row["sigma"], int)]
    heads = "Noise added | n | given noise of .75 or more | within 15 % | within 25 %"
    processor, cores, day = found[0]["machine"]["cpu"], found[0]["machine"]["cores"], found[0]["date"]
    command = "python benchmarks/drawings.py --out benchmarks/results/drawings.jsonl"
    return f"{table(heads, lines)}\n\n{day}, on {processor}, {cores} cores. Made by `{command}`."


def _line(row: Row) -> list[str]:
    """Return the cells of one level."""
    counts = ("given_noise", "within_15_percent", "within_25_percent")
    return [str(row["sigma"] or "none"), str(row["measured"]), *(str(row.get(count, "-")) for count in counts)]
