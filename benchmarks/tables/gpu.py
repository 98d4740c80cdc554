"""The tables of what was measured on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean, median

from tables.markdown import NOTHING, Row, days, table

MADE = "Made by `python benchmarks/gpu.py --data DIR`."


def gpu(rows: list[Row]) -> str:
    """Return the tables of pictures and of steps, for every device."""
    own = [row for row in rows if row.get("benchmark") == "gpu"]
    if not own:
        return NOTHING
    found = []
    for device in sorted({row["device"] for row in own}):
        here = [row for row in own if row["device"] == device]
        torch = ", ".join(sorted({row["torch"] for row in here}))
        found.append(f"{device}, torch {torch}, {days(here)}:")
        found += [part for part in (_pictures(here), _steps(here)) if part]
    return "\n\n".join([*found, MADE])


def _pictures(rows: list[Row]) -> str:
    lines = [_line(row) for row in rows if row["case"]["kind"] in ("nine", "stack")]
    heads = "Method | pictures | mean dB | seconds a picture, median [all] | GPU memory, GiB"
    return table(heads, lines) if lines else ""


def _line(row: Row) -> list[str]:
    case, count = row["case"], len(row["psnr"])
    size = f"{case['side']} x {case['side']}" if case["side"] else "whole"
    if case["kind"] == "stack":
        what, seconds = f"a stack of {count}, {size}", f"{row['seconds'] / count:.2f}"
    else:
        each = row["seconds"]
        what, seconds = f"{count}, {size}", f"{median(each):.2f} [{min(each):.2f} to {max(each):.2f}]"
    return [f"`{case['method']}`", what, f"{mean(row['psnr']):.2f}", seconds, f"{row['gpu_gib']:.2f}"]


def _steps(rows: list[Row]) -> str:
    lines = [line for row in rows if row["case"]["kind"] == "step" for line in _ways(row)]
    heads = "One step of | side | ms, median [all] | GFLOP | share of the peak"
    peaks = [row["peak_tflops"] for row in rows if "peak_tflops" in row]
    if not lines:
        return ""
    said = f"The peak is that of a product of large matrices in bfloat16: {median(peaks):.0f} TFLOP/s."
    return f"{table(heads, lines)}\n\n{said}"


def _ways(row: Row) -> Iterator[list[str]]:
    for name, way in row["steps"].items():
        spread = f"{way['ms']:.2f} [{min(way['ms_of']):.2f} to {max(way['ms_of']):.2f}]"
        share = f"{100 * way['share_of_peak']:.1f} %"
        yield [name, str(row["case"]["side"]), spread, f"{way['gflop']:.0f}", share]
