"""The tables of `benchmarks/stopping.py` and `benchmarks/trust.py`: four kinds of noise side by side."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import mean

from lib.corruptions import LEVELS, SETS, SEVERITIES
from tables.markdown import NOTHING, Group, Row, grouped, in_order, provenance, table

RULES = {
    "budget": "the budget of steps",
    "wmv": "windowed variance (ES-WMV)",
    "emv": "exponential variance (ES-EMV)",
    "discrepancy": "discrepancy",
    "held-out": "held-out pixels",
    "recorrupted": "recorrupted",
    "auto": "**what `auto` takes**",
}
NEEDS_VARIANCE = ("discrepancy", "recorrupted")  # of which an impulse has none that is any use
CASE = ("set", "picture", "kind", "severity", "side", "seed", "paper")
SETTING = ("set", "side", "seed", "paper")
CALL = (*SETTING, "time_limit")


def valid(rule: str, kind: str) -> bool:
    """Say whether a rule is made for a kind of noise."""
    return not (kind == "impulse" and rule in NEEDS_VARIANCE)


def rules(rows: list[Row]) -> str:
    """Return what every stopping rule lost against the peak of its own fit, one table a setting."""
    fits = [row for row in rows if "fit" in row.get("case", {})]
    parts = []
    for setting, own in grouped(fits, *SETTING).items():
        heads = "Rule | cases |" + "|".join(LEVELS) + "| all, mean | worst | did not fire | below the plain peak"
        lines = [_rule(name, own) for name in RULES]
        parts += [_heading(setting, own), table(heads, [line for line in lines if line])]
    return "\n\n".join([*parts, _footer(fits, "stopping.py")])


def verdicts(name: str, fits: Iterable[Row]) -> list[tuple[str, float, bool, float | None]]:
    """Return (kind, gap in dB, whether it fired, dB below the peak of the plain fit) of one rule, a row a case.

    The rule "auto" is in each case the one that was right for the noise found.
    """
    found = []
    for case in grouped(fits, *CASE).values():
        plain = next((fit["peak"]["psnr"] for fit in case if fit["case"]["fit"] == "plain"), None)
        for fit in case:
            answer = fit["rules"].get(fit["auto"] if name == "auto" else name)
            if answer is None:
                continue
            below = None if plain is None else plain - answer["psnr"]
            gap = fit["peak"]["psnr"] - answer["psnr"]
            found.append((fit["case"]["kind"], gap, answer["fired"] is not None, below))
    return found


def _rule(name: str, fits: list[Row]) -> list[str]:
    found = verdicts(name, fits)
    counted = [entry for entry in found if valid(name, entry[0])]
    if not counted:
        return []
    gaps = [gap for _, gap, _, _ in counted]
    below = [loss for _, _, _, loss in counted if loss is not None]
    return [
        RULES[name],
        str(len(counted)),
        *(_gaps(name, kind, [entry[1] for entry in found if entry[0] == kind]) for kind in LEVELS),
        f"{mean(gaps):.2f}",
        f"{max(gaps):.2f}",
        str(sum(not fired for _, _, fired, _ in counted)),
        f"{mean(below):.2f}" if below else "-",
    ]


def _gaps(rule: str, kind: str, gaps: list[float]) -> str:
    if not gaps:
        return "-"
    cell = f"{mean(gaps):.2f} ({max(gaps):.2f})"
    return cell if valid(rule, kind) else f"*{cell}*"


def trust(rows: list[Row]) -> str:
    """Return how far the stated PSNR was from the true one, one table a setting, a row a method."""
    own = [row for row in rows if {"severity", "method"} <= row.get("case", {}).keys()]
    parts = []
    for setting, chosen in grouped(own, *SETTING).items():
        heads = "Method | cases |" + "|".join(LEVELS) + "| all, mean | bias | worst | inside | no estimate"
        lines = [_trust(found) for found in grouped(chosen, "method", "time_limit").values()]
        parts += [_heading(setting, chosen), table(heads, lines)]
    return "\n\n".join([*parts, _footer(own, "trust.py")])


def _trust(rows: list[Row]) -> list[str]:
    told = [row for row in rows if row["estimate"]]
    errors = [row["estimate"]["value"] - row["psnr"] for row in told]
    case = rows[0]["case"]
    limit = case.get("time_limit")
    return [
        f"`{case['method']}`" + (f", at most {limit:g} s" if limit else ""),
        str(len(rows)),
        *(_errors([row for row in told if row["case"]["kind"] == kind]) for kind in LEVELS),
        f"{mean(map(abs, errors)):.2f}" if told else "-",
        f"{mean(errors):+.2f}" if told else "-",
        f"{max(map(abs, errors)):.2f}" if told else "-",
        f"{100 * inside(told):.0f} %" if told else "-",
        str(len(rows) - len(told)),
    ]


def _errors(told: list[Row]) -> str:
    if not told:
        return "-"
    error = mean(abs(row["estimate"]["value"] - row["psnr"]) for row in told)
    return f"{error:.2f} ({100 * inside(told):.0f} %)"


def inside(told: list[Row]) -> float:
    """Return the share of pictures whose true PSNR lies in the stated interval."""
    return mean(row["estimate"]["low"] <= row["psnr"] <= row["estimate"]["high"] for row in told)


def _heading(setting: Group, rows: list[Row]) -> str:
    folder, side, seed, paper = setting
    part = f"Central {side} x {side} pixels" if side else "Whole pictures"
    names = in_order(row["case"]["picture"] for row in rows)
    words = [part, f"{len(names)} pictures of {folder}" if len(names) > 1 else f"{names[0]} of {folder}"]
    severities = sorted({row["case"]["severity"] for row in rows})
    words += [f"severities {', '.join(map(str, severities))}"] if tuple(severities) != SEVERITIES else []
    words += [f"seed {seed}"] if seed else []
    words += ["DIP and rules as published"] if paper else []
    return ", ".join(words) + ":"


def _footer(rows: list[Row], script: str) -> str:
    if not rows:
        return NOTHING
    calls = [_call(setting, own, script) for setting, own in grouped(rows, *CALL).items()]
    return f"{provenance(rows)}. Made by {' and '.join(f'`{call}`' for call in calls)}."


def _call(setting: Group, rows: list[Row], script: str) -> str:
    """Return the command that makes these rows; what it would do anyway is left out."""
    folder, side, seed, paper, limit = setting
    whole = SETS[folder]
    pictures, kinds, levels, methods = (
        list(dict.fromkeys(str(row["case"].get(key)) for row in rows))
        for key in ("picture", "kind", "severity", "method")
    )
    words = [f"python benchmarks/{script} --data DIR"]
    words += [f"--set {folder}"] if folder != "set9_awgn" else []
    words += [f"--pictures {','.join(in_order(pictures))}"] if set(pictures) != set(whole) else []
    words += [f"--kinds {','.join(kinds)}"] if set(kinds) != set(LEVELS) else []
    words += [f"--levels {','.join(sorted(levels))}"] if len(levels) < len(SEVERITIES) else []
    words += [f"--methods {','.join(methods)}"] if methods != ["None"] else []
    words += [f"--side {side}"] if side != 256 else []
    words += [f"--seed {seed}"] if seed else []
    words += ["--paper"] if paper else []
    words += [f"--time-limit {limit:g}"] if limit else []
    return " ".join(words)
