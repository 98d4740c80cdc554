"""The tables of the benchmarks of tasks: super-resolution, inpainting, deblurring, demosaicing; a method a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import mean, median

from tabular import NOTHING, Row, grouped, provenance, table

SCORES = ("psnr_y", "psnr")  # of the answer, in dB; other `psnr_...` entries are what it is held against
NOT_A_SETTING = ("picture", "method", "time_limit", "seed")


def task(rows: list[Row], benchmark: str) -> str:
    """Return one table a setting of `benchmark`, the name of its file of results; in it a row a method."""
    own = [row for row in rows if row.get("benchmark") == benchmark]
    if not own:
        return NOTHING
    settings = sorted({key for row in own for key in row["case"] if key not in NOT_A_SETTING})
    parts = []
    for setting, chosen in grouped(own, *settings).items():
        words = [f"{name} {value}" for name, value in zip(settings, setting, strict=True) if value is not None]
        lines = [line for found in grouped(chosen, "method", "time_limit").values() for line in _lines(found)]
        heads = "Method | n | PSNR, dB | least to most | seconds | error of the estimate, dB | inside"
        parts += [", ".join(words).capitalize() + ":"] if words else []
        parts += [table(heads, _once(lines))]
    return "\n\n".join([*parts, f"{provenance(own)}. Made by `python benchmarks/{benchmark}.py --data DIR`."])


def _lines(rows: list[Row]) -> Iterator[list[str]]:
    """Yield a method's row, and a row for all it is held against on the same pictures."""
    score = next(key for key in SCORES if key in rows[0])
    case = rows[0]["case"]
    limit = case.get("time_limit")
    told = [row for row in rows if row.get("estimate")]
    errors = [abs(row["estimate"]["value"] - row[score]) for row in told]
    inside = sum(row["estimate"]["low"] <= row[score] <= row["estimate"]["high"] for row in told)
    seconds = [row["seconds"] for row in rows]
    yield [
        f"`{case['method']}`" + (f", at most {limit:g} s" if limit else ""),
        *_scores(rows, score),
        f"{median(seconds):.1f} [{min(seconds):.1f} to {max(seconds):.1f}]",
        f"{mean(errors):.2f}" if told else "-",
        f"{inside} of {len(told)}" if told else "-",
    ]
    for key in rows[0]:
        if key.startswith("psnr_") and key not in SCORES:
            name = key.removeprefix(score + "_").removeprefix("psnr_").replace("_", " ")
            yield [name, *_scores([row for row in rows if row.get(key) is not None], key), "-", "-", "-"]


def _scores(rows: list[Row], key: str) -> list[str]:
    found = [row[key] for row in rows]
    if not found:
        return ["0", "-", "-"]
    return [str(len(found)), f"{mean(found):.2f}", f"{min(found):.2f} to {max(found):.2f}"]


def _once(lines: Iterable[list[str]]) -> list[list[str]]:
    """Return the lines, those that several methods are held against only once."""
    return [list(line) for line in dict.fromkeys(map(tuple, lines))]
