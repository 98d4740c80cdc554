"""The table of stacks restored together, beside their planes one by one and others."""

from __future__ import annotations

from tables.markdown import NOTHING, Row, provenance, table

LAWS = ("gaussian", "rician")
METHODS = ("together", "quick", "alone", "bm4d", "nlm3d")


def stacks(rows: list[Row]) -> str:
    """Return a table for each law of noise, a row a stack and level."""
    own = [row for row in rows if row.get("benchmark") == "stacks" and not row["case"].get("networks")]
    parts = []
    for law in LAWS:
        chosen = [row for row in own if row["case"]["law"] == law]
        if chosen:
            parts += [f"**{law.capitalize()}**", table(_heads(), map(_line, chosen))]
    if not parts:
        return NOTHING
    told = f"{provenance(own)}, one thread"
    return "\n\n".join([*parts, f"{told}. Made by `python benchmarks/stacks.py --data DIR`."])


def _heads() -> str:
    return (
        "Stack | level | together | quick | alone | BM4D | NLM 3D | CPU seconds: together, quick, BM4D | "
        "stated too high by, dB | inside | flicker: noisy, alone, together, quick"
    )


def _line(row: Row) -> list[str]:
    case, ours = row["case"], row["together"]
    decibels = [_cell(row, name, "psnr", ".2f") for name in METHODS]
    seconds = ", ".join(_cell(row, name, "cpu", ".0f") for name in ("together", "quick", "bm4d"))
    beat = ", ".join(
        [
            _of(row.get("flicker"), ".2f"),
            *(_cell(row, m, "flicker", ".2f") for m in ("alone", "together", "quick")),
        ]
    )
    return [
        f"{case['stack']}" + (f", {case['planes']} planes" if case["planes"] else ""),
        f"{case['level']:g}",
        *decibels,
        seconds,
        _of(ours.get("stated"), "+.2f"),
        _of(ours.get("inside"), ".0%"),
        beat if row.get("flicker") is not None else "-",
    ]


def _cell(row: Row, name: str, key: str, form: str) -> str:
    return _of(row.get(name, {}).get(key), form)


def _of(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
