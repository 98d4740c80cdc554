"""The tables of the README, docs/benchmarks.md and docs/reliability.md, from the JSON lines of the benchmarks.

    python benchmarks/table.py [--results FILE ...] [--pages PAGE ...] [--check]

What lies between `<!-- table: NAME -->` and `<!-- end -->` is written anew; NAME is one of `TABLES`. A table whose
results are not there says so. `--check` writes nothing and exits with status 1 where the file is out of date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from pathlib import Path
from statistics import mean, median

from lib.harness import GIVEN, SCANS, SET9, done
from tables.corruptions import rules, trust
from tables.drawings import drawings
from tables.gpu import gpu
from tables.instruments import INSTRUMENTS
from tables.markdown import NOTHING, Group, Row, grouped, heading, in_order, provenance, table
from tables.microscopy import microscopy
from tables.mutants import equal_mutants, mutants
from tables.peers import peers
from tables.reliability import calls, found
from tables.same_result import same_result
from tables.stacks import stacks
from tables.targets import bars
from tables.tasks import learners, published, task, trained, warm_starts
from tables.theory import theory

HERE = Path(__file__).resolve().parent
PAGES = ("README.md", "docs/benchmarks.md", "docs/reliability.md")
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
OWN = ("auto", "nonlocal")  # the methods that are shown picture by picture
TASKS = ("inpainting", "super_resolution", "deblurring", "demosaicing", "dejpeg", "architectures")
PAPER = ("dip-paper", "dip-paper-bf16")
NAMES = {
    "cbm3d": "CBM3D (level given)",
    "dip-paper": "DIP, original",
    "dip-paper-bf16": "DIP, original, bfloat16",
}


def load(paths: Iterable[Path]) -> list[Row]:
    """Return all lines; where a case was run twice, its last."""
    kept: dict[Hashable, Row] = {}
    for path in paths:
        for number, row in enumerate(done(path)):
            case = row.get("case")
            kept[path.stem, json.dumps(case, sort_keys=True) if case else number] = {"benchmark": path.stem, **row}
    return list(kept.values())


def denoising(rows: Iterable[Row]) -> list[Row]:
    """Return the lines of `denoise.py`."""
    own = [row for row in rows if row.get("benchmark", "denoise") == "denoise"]
    return [row for row in own if {"picture", "level", "method"} <= row.get("case", {}).keys()]


def settings(rows: Iterable[Row]) -> dict[Group, list[Row]]:
    """Group rows by what a table is made for."""
    return grouped(rows, "level", "side", "seed")


def name_of(row: Row) -> str:
    """Return what a method is called in the tables."""
    method, limit = row["case"]["method"], row["case"].get("time_limit")
    given = " (level given)" if method.endswith(GIVEN) else ""
    return NAMES.get(method, f"`{method.removesuffix(GIVEN)}`{given}") + (
        f", at most {limit:g} s" if limit else ""
    )


def spread(values: list[float], form: str = ".1f") -> str:
    """Return `min to max`, or the one value."""
    low, high = (format(value, form) for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def methods(rows: list[Row]) -> str:
    """Return one table a setting, a row a method, the best first."""
    parts = []
    for group, chosen in settings(denoising(rows)).items():
        by_method = sorted(_by_method(chosen), key=lambda own: -mean(row["psnr"] for row in own))
        heads = "Method | n | PSNR, dB | gain, dB | SSIM | seconds | GiB | error of the estimate, dB | inside"
        parts += [heading(group), table(heads, map(_method, by_method))]
    return "\n\n".join([*parts, _footer(denoising(rows))])


def _by_method(rows: list[Row]) -> list[list[Row]]:
    return list(grouped(rows, "method", "time_limit").values())


def _method(rows: list[Row]) -> list[str]:
    seconds = [row["seconds"] for row in rows]
    told = [row for row in rows if row.get("estimate")]
    inside = sum(row["estimate"]["low"] <= row["psnr"] <= row["estimate"]["high"] for row in told)
    errors = [abs(row["estimate"]["value"] - row["psnr"]) for row in told]
    return [
        name_of(rows[0]),
        str(len(rows)),
        f"{mean(row['psnr'] for row in rows):.2f}",
        spread([row["psnr"] - row["psnr_noisy"] for row in rows]),
        f"{mean(row['ssim'] for row in rows):.3f}",
        f"{median(seconds):.1f} [{spread(seconds)}]",
        f"{max(row['peak_gib'] for row in rows):.1f}",
        f"{mean(errors):.2f}" if told else "-",
        f"{inside} of {len(told)}" if told else "-",
    ]


def pictures(rows: list[Row]) -> str:
    """Return one table a setting, and time limit of `auto`, a row a picture; and one of `nonlocal`."""
    wanted = [row for row in denoising(rows) if row["case"]["method"] in (*OWN, "cbm3d")]
    parts = []
    for group, chosen in settings(wanted).items():
        by_method = {own[0]["case"]["method"]: own for own in _by_method(chosen)}
        beside = {row["case"]["picture"]: row for row in by_method.get("cbm3d", [])}
        for own in [own for own in _by_method(chosen) if own[0]["case"]["method"] in OWN] or [[]]:
            ours = {row["case"]["picture"]: row for row in own}
            lines = [_picture(name, ours.get(name), beside.get(name)) for name in in_order([*ours, *beside])]
            name = name_of(own[0]) if own else "`auto`"
            heads = f"Picture | noisy | CBM3D (level given) | {name} | its own estimate | 90 % interval"
            parts += [heading(group), table(heads, lines)]
    return "\n\n".join([*parts, _footer(wanted)])


def _picture(name: str, auto: Row | None, cbm3d: Row | None) -> list[str]:
    either: Row = auto or cbm3d or {}
    estimate = (auto or {}).get("estimate")
    return [
        name,
        f"{either['psnr_noisy']:.2f}",
        f"{cbm3d['psnr']:.2f}" if cbm3d else "-",
        f"{auto['psnr']:.2f}" if auto else "-",
        f"{estimate['value']:.2f}" if estimate else "-",
        f"{estimate['low']:.2f} to {estimate['high']:.2f}" if estimate else "-",
    ]


def stopping(rows: list[Row]) -> str:
    """Return how much was lost by stopping where the rule did; only fits whose own iterate was the answer."""
    fitted = [row for row in denoising(rows) if row.get("peak")]
    used = [row for row in fitted if row["chosen"]["step"] == row["stopped"]["step"]]
    parts = []
    for group, chosen in settings(used).items():
        lines = [_stopping(own) for own in _by_method(chosen)]
        heads = "Method | fits | lost against the best step, mean dB | worst dB | ended by"
        parts += [heading(group), table(heads, lines)]
    return "\n\n".join([*parts, _footer(fitted)])


def _stopping(rows: list[Row]) -> list[str]:
    gaps = [row["peak"]["psnr"] - row["chosen"]["psnr"] for row in rows]
    ends = [row["stopped"]["rule"] for row in rows]
    ended = ", ".join(f"{rule} ({ends.count(rule)})" for rule in sorted(set(ends)))
    return [name_of(rows[0]), str(len(rows)), f"{mean(gaps):.2f}", f"{max(gaps):.2f}", ended]


def dip(rows: list[Row]) -> str:
    """Return DIP beside its original configuration, on the pictures on which that was run."""
    parts, used = [], []
    for group, chosen in settings(denoising(rows)).items():
        names = in_order(row["case"]["picture"] for row in chosen if row["case"]["method"] in PAPER)
        order = [(name, method) for name in names for method in ("dip", *PAPER)]
        own = [row for key in order for row in chosen if key == (row["case"]["picture"], row["case"]["method"])]
        if own:
            used += own
            heads = "Picture | configuration | answer, dB | its step | best step's, dB | best step | seconds"
            parts += [heading(group), table(heads, map(_dip, own))]
    return "\n\n".join([*parts, _footer(used)])


def _dip(row: Row) -> list[str]:
    peak: Row = row.get("peak") or {}
    return [
        row["case"]["picture"],
        name_of(row),
        f"{row['psnr']:.2f}",
        str(row["stopped"]["step"]),
        f"{peak['psnr']:.2f}" if peak else "-",
        str(peak["step"]) if peak else "-",
        f"{row['seconds']:.0f}",
    ]


def noise(rows: list[Row]) -> str:
    """Return how well the noise level was found, a row a law."""
    found = [row for row in rows if "summary" in row]
    if not found:
        return NOTHING
    others: dict[str, list[float]] = {}
    for row in rows:
        if "noise" in row and row.get("relative_error") is not None and row["picture"] not in SCANS:
            others.setdefault(row["noise"], []).append(abs(row["relative_error"]))
    lines = [
        [f"`{row['summary']}`", str(row["pictures"])]
        + [f"{100 * row[key]:.1f} %" for key in ("mean_abs_error", "worst")]
        + [f"{100 * mean(own):.1f} %" if (own := others.get(row["summary"])) else "-"]
        + [f"{100 * row[key]:.1f} %" for key in ("skimage_mean_abs_error", "skimage_worst")]
        + [", ".join(f"{kind} ({count})" for kind, count in row["kinds"].items())]
        for row in found
    ]
    ours = "Noise added | n | mean error of the level | worst | without the scans"
    heads = f"{ours} | scikit-image, mean | worst | found to be"
    made = "Made by `python benchmarks/noise.py --data DIR --out benchmarks/results/noise.jsonl`."
    return "\n\n".join([table(heads, lines), made])


TABLES: dict[str, Callable[[list[Row]], str]] = {
    "bad-calls": calls,
    "faults": found,
    "mutants": mutants,
    "equal-mutants": equal_mutants,
    "peers": peers,
    "bars": bars,
    "methods": methods,
    "pictures": pictures,
    "stopping": stopping,
    "dip": dip,
    "noise": noise,
    "drawings": drawings,
    "stacks": stacks,
    "microscopy": microscopy,
    "same-result": same_result,
    "rules": rules,
    "trust": trust,
    "dataset": trained,
    "family": learners,
    "theory": theory,
    "gpu": gpu,
    "warm_starts": warm_starts,
    "published": published,
    **INSTRUMENTS,
    **{name: partial(task, benchmark=name) for name in TASKS},
}


def _footer(rows: list[Row]) -> str:
    """Return where the figures come from."""
    if not rows:
        return NOTHING
    commands = " and ".join(f"`{command}`" for command in _commands(rows))
    return f"{provenance(rows)}. Made by {commands}."


def _commands(rows: list[Row]) -> Iterator[str]:
    """Return the calls that make these rows, one for each set of pictures and settings."""
    calls: dict[Group, dict[str, None]] = {}
    for group, chosen in grouped(rows, "level", "side", "seed", "time_limit").items():
        for own in _by_method(chosen):
            names = tuple(in_order(row["case"]["picture"] for row in own))
            calls.setdefault((*group, names), {})[own[0]["case"]["method"]] = None
    joined: dict[Group, list[int]] = {}
    for (level, *rest), wanted in calls.items():
        joined.setdefault((*rest, tuple(wanted)), []).append(level)
    for (side, seed, limit, names, wanted), levels in joined.items():
        words = ["python benchmarks/denoise.py --data DIR --levels", ",".join(map(str, levels))]
        words += ["--methods", ",".join(wanted), f"--side {side}"]
        words += [f"--seed {seed}"] if seed else []
        words += [f"--time-limit {limit:g}"] if limit else []
        words += [f"--pictures {','.join(names)}"] if names != SET9 else []
        yield " ".join(words)


def filled(text: str, rows: list[Row]) -> str:
    """Return the text with its tables made anew.

    Raises
    ------
    SystemExit
        For a marker that names no table.
    """

    def replaced(match: re.Match[str]) -> str:
        start, name, end = match.groups()
        if name not in TABLES:
            sys.exit(f"there is no table {name!r}; choose {', '.join(TABLES)}")
        return f"{start}\n{TABLES[name](rows)}\n\n{end}"

    return BLOCK.sub(replaced, text)


def main(argv: list[str] | None = None) -> int:
    """Read the arguments, and write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, nargs="+", help="default: benchmarks/results/*.jsonl")
    parser.add_argument("--pages", type=Path, nargs="+", default=[HERE.parent / page for page in PAGES])
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when out of date")
    args = parser.parse_args(argv)
    rows = load(args.results or sorted((HERE / "results").glob("*.jsonl")))
    old = 0
    for page in args.pages:
        before = page.read_text(encoding="utf-8")
        after = filled(before, rows)
        if after == before:
            continue
        old += 1
        if args.check:
            print(f"{page} is out of date: run python benchmarks/table.py", file=sys.stderr)
        else:
            page.write_text(after, encoding="utf-8")
    return int(args.check and old > 0)


if __name__ == "__main__":
    sys.exit(main())
