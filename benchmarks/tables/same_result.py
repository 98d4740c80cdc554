"""The table of how much answers change with threads, processors and versions."""

from __future__ import annotations

from tables.markdown import NOTHING, Row, provenance, table


def same_result(rows: list[Row]) -> str:
    """Return a row a method, and for each way by how much, of 255, the answer differs at most."""
    own = [row for row in rows if row.get("benchmark") == "same_result"]
    if not own:
        return NOTHING
    ways = list(dict.fromkeys(row["case"]["way"] for row in own))
    by_method: dict[str, dict[str, Row]] = {}
    for row in own:
        by_method.setdefault(row["case"]["method"], {})[row["case"]["way"]] = row
    lines = [[f"`{method}`", *(_cell(found.get(way)) for way in ways)] for method, found in by_method.items()]
    heads = " | ".join(["Method", *ways])
    return f"{table(heads, lines)}\n\n{provenance(own)}. Made by `python benchmarks/same_result.py`."


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    return "the same" if row["most"] == 0 else f"{row['most']:.2g}, {row['psnr_change']:+.4f} dB"
