"""The tables of real noise: what was gained on each set, and what the stated PSNR is worth there."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import mean, median

import numpy as np

from lib.real_pairs import SETS
from lib.reliability import coverage
from tables.corruptions import inside
from tables.markdown import NOTHING, Group, Row, grouped, provenance, table

SETTING = ("set", "camera", "level", "side")
BESIDE = "psnr_scikit-image_"  # what rows of `real.py` hold besides the method's own answer
SHARES = (0.5, 0.8, 0.9, 0.95)  # for which intervals are made
NO_NUMBER = "-"


def real(rows: list[Row]) -> str:
    """Return one table a set of pictures with real noise, a row a method, and below it what others published."""
    own = [row for row in rows if row.get("benchmark") == "real"]
    if not own:
        return NOTHING
    parts = []
    for setting, chosen in grouped(own, *SETTING).items():
        heads = "Method | n | noisy, dB | answer, dB | gain, dB | worst gain | unchanged"
        heads += " | error of the stated PSNR, dB | inside | width, dB | seconds"
        lines = [_method(found) for found in grouped(chosen, "method", "time_limit").values()]
        parts += [_heading(setting), table(heads, [*lines, *_beside(chosen), *_published(setting)])]
    sources = sorted({found.source for kept in SETS.values() for found in kept.published})
    told = f"Published figures: {'; '.join(sources)}."
    made = f"{provenance(own)}. Made by {' and '.join(f'`{call}`' for call in _calls(own))}."
    return "\n\n".join([*parts, told, made])


def _heading(setting: Group) -> str:
    name, camera, level, side = setting
    if name is None:
        return f"Simulated camera {camera}, level {level}, {side} x {side} pixels:"
    part = f", central {side} x {side} pixels" if side else ""
    return f"`{name}`, {SETS[name].what}{part}:"


def _method(rows: list[Row]) -> list[str]:
    case = rows[0]["case"]
    limit = case.get("time_limit")
    gains = [row["psnr"] - row["psnr_input"] for row in rows]
    kept = [row["unchanged"] for row in rows if "unchanged" in row]
    return [
        f"`{case['method']}`" + (f", at most {limit:g} s" if limit else ""),
        str(len(rows)),
        f"{mean(row['psnr_input'] for row in rows):.2f}",
        f"{mean(row['psnr'] for row in rows):.2f}",
        f"{mean(gains):+.2f}",
        f"{min(gains):+.2f}",
        str(sum(kept)) if kept else NO_NUMBER,
        *_stated(rows),
        f"{median(row['seconds'] for row in rows):.1f}",
    ]


def _stated(rows: list[Row]) -> list[str]:
    """Return the mean error of the stated PSNR, how often the truth was inside, and the median width."""
    told = [row for row in rows if row.get("estimate")]
    if not told:
        return [NO_NUMBER, f"0 of 0, {len(rows)} without", NO_NUMBER]
    silent = f", {len(rows) - len(told)} without" if len(told) < len(rows) else ""
    return [
        f"{mean(abs(row['estimate']['value'] - row['psnr']) for row in told):.2f}",
        f"{round(inside(told) * len(told))} of {len(told)}{silent}",
        f"{median(row['estimate']['high'] - row['estimate']['low'] for row in told):.1f}",
    ]


def _beside(rows: list[Row]) -> list[list[str]]:
    """Return the rows of what scikit-image makes of the same pictures, each picture once."""
    once = {row["case"]["picture"]: row for row in rows}.values()
    lines = []
    for key in [key for key in next(iter(once)) if key.startswith(BESIDE)]:
        gains = [row[key] - row["psnr_input"] for row in once]
        name = f"scikit-image {key.removeprefix(BESIDE)}"
        noisy, answer = (f"{mean(row[k] for row in once):.2f}" for k in ("psnr_input", key))
        lines.append([name, str(len(once)), noisy, answer, f"{mean(gains):+.2f}", f"{min(gains):+.2f}"])
    return [line + [NO_NUMBER] * 5 for line in lines]


def _published(setting: Group) -> list[list[str]]:
    name, _, _, side = setting
    if name is None or side:
        return []
    lines = []
    for found in SETS[name].published:
        told = [f"{found.method}, published, {found.pictures}", NO_NUMBER]
        scores = [f"{found.psnr:.2f}", NO_NUMBER]
        lines.append(told + (scores if found.method == "noisy" else scores[::-1]) + [NO_NUMBER] * 7)
    return lines


def _calls(rows: list[Row]) -> list[str]:
    """Return the commands that make these rows: of the sets, of simulated cameras, and of both in quick mode."""
    calls = []
    for simulated in (False, True):
        own = [row for row in rows if ("camera" in row["case"]) == simulated]
        for (limit, side), found in grouped(own, "time_limit", "side").items():
            methods = dict.fromkeys(row["case"]["method"] for row in found)
            words = ["python benchmarks/real.py --data DIR"] + ["--simulated"] * simulated
            words += ["--quick"] * bool(side and not simulated) + [f"--methods {','.join(methods)}"]
            calls.append(" ".join(words + ([f"--time-limit {limit:g}"] if limit else [])))
    return calls


def reliability(rows: list[Row]) -> str:
    """Return what stated PSNRs are worth: a row a method and kind of noise, real noise by its set.

    Rows of `real.py` and of `trust.py` count alike; what both ran counts once.
    """
    own = _judged(rows)
    if not own:
        return NOTHING
    lines = []
    for (noise, method, limit), found in _by_noise(own).items():
        name = f"{noise}, `{method}`" + (f", at most {limit:g} s" if limit else "")
        told = [row for row in found if row.get("estimate")]
        lines.append([name, str(len(found)), str(len(found) - len(told)), *_worth(told)])
    heads = "Noise, method | cases | no estimate | error, dB | bias | worst | inside | width, dB |"
    heads += " | ".join(f"of {100 * share:.0f} %" for share in SHARES)
    calls = ("trust.py --data DIR", "trust.py --data DIR --real cc,polyu,fmd,oct", "real.py --data DIR")
    made = "Made by " + " and ".join(f"`python benchmarks/{call}`" for call in calls)
    return f"{table(heads, lines)}\n\n{provenance(own)}. {made}."


def _judged(rows: Iterable[Row]) -> list[Row]:
    kept: dict[tuple[object, ...], Row] = {}
    for row in rows:
        case = row.get("case", {})
        if row.get("benchmark") not in ("trust", "real") or "set" not in case or "method" not in case:
            continue
        if case["set"] in SETS and case.get("side"):
            continue  # a part, of a quick run
        names = ("set", "picture", "severity", "method", "time_limit", "seed")
        kind = case.get("kind") if "severity" in case else None
        kept[(*(case.get(name) for name in names), kind, case.get("side") or 0)] = row
    return list(kept.values())


def _by_noise(rows: list[Row]) -> dict[Group, list[Row]]:
    groups: dict[Group, list[Row]] = {}
    for row in rows:
        case = row["case"]
        noise = case["kind"] if "severity" in case else f"`{case['set']}`"
        groups.setdefault((noise, case["method"], case.get("time_limit")), []).append(row)
    return groups


def _worth(told: list[Row]) -> list[str]:
    if not told:
        return [NO_NUMBER] * (5 + len(SHARES))
    errors = [row["estimate"]["value"] - row["psnr"] for row in told]
    return [
        f"{mean(map(abs, errors)):.2f}",
        f"{mean(errors):+.2f}",
        f"{max(map(abs, errors)):.2f}",
        f"{100 * inside(told):.0f} %",
        f"{median(row['estimate']['high'] - row['estimate']['low'] for row in told):.1f}",
        *(f"{100 * share:.0f} %" for share in coverage(told, np.asarray(SHARES))),
    ]
