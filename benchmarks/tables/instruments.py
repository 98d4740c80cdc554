"""The tables of what stands in the way in files of scientists, of waves in flat parts, and of time."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from lib.rivals import RIVALS
from tables.awgn import awgn
from tables.markdown import NOTHING, Row, grouped, provenance, table
from tables.real import real, reliability
from tables.real_targets import real_bars

NO_NUMBER = "-"


def scientists(rows: list[Row]) -> str:
    """Return a row a file: the answer for it, for the same data without the obstacle, and what was lost to it."""
    own = _of("cases", rows)
    heads = "File | method | noisy, dB | as it is, own type | as float32 | without the obstacle | lost, dB"
    heads += " | found | given or found without it"
    lines = [_scientist(row) for row in own if "psnr" in row]
    stacks = [_stack(row) for row in own if "planes" in row]
    told = (
        "Stacks: how far the stated PSNR of a plane is below that of the same plane alone, dB, at worst, and the"
    )
    told += " greatest difference of the two answers, as a share of what was taken off:"
    parts = [table(heads, lines)] if lines else []
    parts += [told, table("File | planes | stated | lost, dB | apart", stacks)] if stacks else []
    methods = dict.fromkeys(row["case"]["method"] for row in own)
    return _page(parts, own, "cases.py", f" --methods {','.join(methods)}")


def _scientist(row: Row) -> list[str]:
    scores = [f"{row[f'psnr{end}']:.2f}" for end in ("_input", "", "_float32", "_without")]
    laws = [f"`{row[key]}`" for key in ("law", "law_without")]
    return [
        f"{row['case']['file']}{_quick(row)}",
        f"`{row['case']['method']}`",
        *scores,
        f"{row['lost']:+.2f}",
        *laws,
    ]


def _stack(row: Row) -> list[str]:
    lost = NO_NUMBER if row["lost"] is None else f"{row['lost']:+.2f}"
    name = f"{row['case']['file']}, `{row['case']['method']}`"
    return [name, str(row["planes"]), str(row["told"]), lost, f"{100 * row['apart']:.0f} %"]


def flat_parts(rows: list[Row]) -> str:
    """Return a row a picture and noise: waves in its flat parts, in grey levels, and PSNR, of every method."""
    own = _of("flat_parts", rows)
    methods = list(dict.fromkeys(row["case"]["method"] for row in own))
    heads = "Picture, noise | windows | noisy, waves | " + " | ".join(f"`{m}`, waves | dB" for m in methods)
    lines = []
    for (name, law, _), chosen in grouped(own, "picture", "noise", "quick").items():
        of = {row["case"]["method"]: row for row in chosen}
        cells = [f"{name}{_quick(chosen[0])}, {law}", str(chosen[0]["windows"]), f"{chosen[0]['waves_noisy']:.2f}"]
        for method in methods:
            row = of.get(method)
            cells += [f"{row['waves']:.2f}", f"{row['psnr']:.2f}"] if row else [NO_NUMBER] * 2
        lines.append(cells)
    return _page([table(heads, lines)] if lines else [], own, "flat_parts.py", f" --methods {','.join(methods)}")


def speed(rows: list[Row]) -> str:
    """Return a row a method: seconds for white and for correlated noise, and their ratio."""
    own = [row for row in _of("speed", rows) if "rivals" not in row["case"]]
    lines = []
    for row in own:
        size = " x ".join(map(str, row["size"]))
        spent = [f"{median(row[f'seconds_{name}']):.1f}" for name in ("white", "correlated")]
        lines.append([f"`{row['case']['method']}`", size, *spent, f"{row['ratio']:.2f}", row["found_correlated"]])
    heads = "Method | pixels | seconds, white noise | correlated | ratio | found to be"
    methods = dict.fromkeys(row["case"]["method"] for row in own)
    return _page([table(heads, lines)] if lines else [], own, "speed.py", f" --methods {','.join(methods)}")


def rivals(rows: list[Row]) -> str:
    """Return a table a comparison: seconds of every method in turns, over BM3D's of the same turn, and PSNR."""
    own = [row for row in _of("speed", rows) if "rivals" in row["case"]]
    parts, calls = [], []
    for row in own:
        case = row["case"]
        size = " x ".join(map(str, row["size"]))
        parts.append(f"{case['picture']}, {size}, colour, noise {case['level']:g}, {_times(case['repeats'])}:")
        heads = "Method | seconds | of a processor | times BM3D's seconds | PSNR, dB"
        parts.append(table(heads, [_rival(name, row) for name in case["rivals"].split(",")]))
        calls.append(f" --rivals {case['rivals']} --level {case['level']:g} --repeats {case['repeats']}")
    script = "speed.py"
    return _page(parts, own, script, f"` and `python benchmarks/{script} --data DIR".join(calls))


def _times(repeats: int) -> str:
    return "once" if repeats == 1 else f"{repeats} times in turns, median [least to most]"


def _rival(name: str, row: Row) -> list[str]:
    told = "" if name != "auto" else " (level measured)"
    called = RIVALS[name].name if name in RIVALS else f"`{name}`{told}"
    spent = [_spread(row[key][name], ".2f") for key in ("seconds", "cpu_seconds")]
    ratios = row["ratios"].get(name)
    return [called, *spent, _spread(ratios, ".3f") if ratios else NO_NUMBER, f"{row['psnr'][name]:.2f}"]


def _spread(values: list[float], form: str) -> str:
    """Return the median and, where there are several, the least and the most."""
    middle, *ends = (format(value, form) for value in (median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} [{' to '.join(ends)}]"


def _of(benchmark: str, rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.get("benchmark") == benchmark]


def _quick(row: Row) -> str:
    return " (a part)" if row["case"].get("quick") or row["case"].get("side") else ""


def _page(parts: list[str], rows: list[Row], script: str, asked: str) -> str:
    if not parts:
        return NOTHING
    quick = " --quick" * any(map(_quick, rows))
    made = f"{provenance(rows)}. Made by `python benchmarks/{script} --data DIR{quick}{asked}`."
    return "\n\n".join([*parts, made])


INSTRUMENTS: dict[str, Callable[[list[Row]], str]] = {
    "real": real,
    "reliability": reliability,
    "cases": scientists,
    "flat_parts": flat_parts,
    "speed": speed,
    "rivals": rivals,
    "awgn": awgn,
    "real-bars": real_bars,
}
