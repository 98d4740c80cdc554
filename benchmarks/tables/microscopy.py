"""The table of real stacks that have a reference."""

from __future__ import annotations

from tables.markdown import NOTHING, Row, provenance, table


def microscopy(rows: list[Row]) -> str:
    """Return a row a stack: PSNR by method, then processor seconds of ours and of BM4D."""
    own = [row for row in rows if row.get("benchmark") == "microscopy" and not row["case"]["planes"]]
    if not own:
        return NOTHING
    names = [name for name in own[0] if isinstance(own[0][name], dict) and "psnr" in own[0][name]]
    lines = []
    for row in own:
        planes, *size = row["size"]
        seconds = ", ".join(f"{row[name]['cpu']:.0f}" for name in ("together", "alone", "bm4d") if name in row)
        decibels = [f"{row[name]['psnr']:.2f}" if name in row else "-" for name in names]
        lines.append([f"{row['case']['stack']}, {planes} of {' x '.join(map(str, size))}", *decibels, seconds])
    heads = " | ".join(["Stack", *names, "CPU seconds: together, alone, BM4D"])
    return "\n\n".join(
        [table(heads, lines), f"{provenance(own)}. Made by `python benchmarks/microscopy.py --data DIR`."]
    )
