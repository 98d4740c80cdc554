"""The tables of the benchmarks of tasks and of methods that learn: a method a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import mean, median

import family
from tables.markdown import NOTHING, Row, grouped, heading, provenance, table

SCORES = ("psnr_y", "psnr")  # of the answer, in dB; other `psnr_...` entries are what it is held against
NOT_A_SETTING = ("picture", "method", "time_limit", "seed", "quick")
APART = ("architectures",)  # of which every picture is another experiment
ASKED = ("scale", "steps")  # settings that are not the default ones of the call
NO_DATA = ("deblurring",)  # whose pictures come with scikit-image


def task(rows: list[Row], benchmark: str) -> str:
    """Return one table a setting of `benchmark`, the name of its file of results; in it a row a method."""
    own = [row for row in rows if row.get("benchmark") == benchmark]
    if not own:
        return NOTHING
    settings = sorted({key for row in own for key in row["case"] if key not in NOT_A_SETTING})
    settings += ["picture"] * (benchmark in APART)
    quick = " --quick" * any(row["case"].get("quick", False) for row in own)
    parts = []
    for setting, chosen in grouped(own, *settings).items():
        words = [f"{name} {value}" for name, value in zip(settings, setting, strict=True) if value is not None]
        lines = [line for found in grouped(chosen, "method", "time_limit").values() for line in _lines(found)]
        heads = "Method | n | PSNR, dB | least to most | seconds of processor | error of the estimate, dB | inside"
        parts += [", ".join(words).capitalize() + ":"] if words else []
        parts += [table(heads, _once(lines))]
    data = "" if benchmark in NO_DATA else " --data DIR"
    asked = "".join(f" --{key} {own[0]['case'][key]}" for key in ASKED if key in own[0]["case"])
    made = f"{provenance(own)}. Made by `python benchmarks/{benchmark}.py{data}{quick}{asked}`."
    return "\n\n".join([*parts, made])


def trained(rows: list[Row]) -> str:
    """Return what networks trained on noisy pictures lose against a twin that was shown the clean ones."""
    own = [row for row in rows if row.get("benchmark") == "dataset"]
    if not own:
        return NOTHING
    setting = ("network", "steps", "level", "seed")
    lines = []
    for chosen in grouped(own, *setting).values():
        twin = next((row["psnr"] for row in chosen if row["case"]["method"] == "supervised"), None)
        for row in sorted(chosen, key=lambda row: -row["psnr"]):
            case = row["case"]
            gap = "-" if twin is None else f"{row['psnr'] - twin:+.2f}"
            kind = f"{case['network']}, {case['steps']} steps"
            spent = f"{row['cpu_seconds']:.0f}" if "cpu_seconds" in row else "-"
            name = "supervised twin" if case["method"] == "supervised" else f"`{case['method']}`"
            lines.append([name, kind, str(case["level"]), f"{row['psnr']:.2f}", gap, spent])
    found = table("Method | network | level | PSNR, dB | to the twin, dB | seconds of processor", lines)
    levels = sorted({row["case"]["level"] for row in own})
    asked = "" if levels == [25] else f" --levels {','.join(map(str, levels))}"
    return f"{found}\n\n{provenance(own)}. Made by `python benchmarks/dataset.py --data DIR --quick{asked}`."


def learners(rows: list[Row]) -> str:
    """Return what every method that learns from one picture had reached on the way, one table a setting."""
    own = [row for row in rows if row.get("benchmark") == "family"]
    if not own:
        return NOTHING
    parts, calls = [], []
    for (side, seconds, width), found in grouped(own, "side", "seconds", "width").items():
        parts += [f"Central {side} x {side} pixels, {seconds:g} seconds, {width} channels:", family.lines(found)]
        calls.append(
            f"`python benchmarks/family.py --data DIR --side {side} --seconds {seconds:g} --width {width}`"
        )
    return "\n\n".join([*parts, f"{provenance(own)}. Made by {' and '.join(calls)}, by `--noise`."])


def _lines(rows: list[Row]) -> Iterator[list[str]]:
    """Yield a method's row, and a row for all it is held against on the same pictures."""
    score = next(key for key in SCORES if key in rows[0])
    case = rows[0]["case"]
    limit = case.get("time_limit")
    told = [row for row in rows if row.get("estimate")]
    errors = [abs(row["estimate"]["value"] - row[score]) for row in told]
    inside = sum(row["estimate"]["low"] <= row[score] <= row["estimate"]["high"] for row in told)
    seconds = [row.get("cpu_seconds", row.get("seconds")) for row in rows]
    spent = [value for value in seconds if value is not None]
    yield [
        f"`{case['method']}`" + (f", at most {limit:g} s" if limit else ""),
        *_scores(rows, score),
        f"{median(spent):.1f} [{min(spent):.1f} to {max(spent):.1f}]" if spent else "-",
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


def published(rows: list[Row]) -> str:
    """Return a row an output: how much of the file's noise is left in it, and what a mean with CBM3D's gains."""
    own = [row for row in rows if row.get("benchmark") == "published"]
    if not own:
        return NOTHING
    parts, calls = [], []
    for group, chosen in grouped(own, "level", "side", "seed").items():
        level, side, _ = group
        by_method = grouped(chosen, "method")
        heads = "Output | n | PSNR, dB | noise of the file left | mean with CBM3D's output, dB"
        parts += [heading(group), table(heads, map(_output, by_method.values()))]
        names = ",".join(name for (name,) in by_method)
        asked = f"--levels {level} --side {side} --methods {names}"
        calls.append(f"`python benchmarks/published.py --data DIR {asked}`")
    return "\n\n".join([*parts, f"{provenance(own)}. Made by {' and '.join(calls)}."])


def _output(rows: list[Row]) -> list[str]:
    name, ran = rows[0]["case"]["method"], rows[0]["ran"]
    left = [row["noise_left"] for row in rows]
    return [
        f"`{name}`, run here, level given" if ran else f"`{name}`, published",
        str(len(rows)),
        f"{mean(row['psnr'] for row in rows):.2f}",
        f"{100 * min(left):.1f} to {100 * max(left):.1f} %",
        f"{mean(row['psnr_of_mean'] for row in rows):.2f}",
    ]


def warm_starts(rows: list[Row]) -> str:
    """Return a row a stack: its planes after the first, restored in the stack and alone."""
    own = [row for row in rows if row.get("benchmark") == "warm_starts"]
    if not own:
        return NOTHING
    lines = []
    for row in own:
        cells = [f"{row['case']['picture']}, `{row['case']['method']}`"]
        cells += [f"{mean(row[key][1:]):.2f}" for key in ("psnr", "psnr_alone")]
        cells += [f"{mean(row[key][1:]):.0f}" for key in ("steps", "steps_alone")]
        cells += [f"{_stated_above(row, end):+.2f}" for end in ("", "_alone")]
        lines.append([*cells, *(f"{row[key]:.0f}" for key in ("seconds", "seconds_alone"))])
    heads = "Stack | PSNR in it, dB | alone | steps in it | alone | stated above it, dB | alone"
    heads += " | seconds, all planes | alone"
    made = f"{provenance(own)}. Made by `python benchmarks/warm_starts.py --data DIR`."
    return f"{table(heads, lines)}\n\n{made}"


def _stated_above(row: Row, end: str) -> float:
    return mean(row[f"estimate{end}"][1:]) - mean(row[f"psnr{end}"][1:])
