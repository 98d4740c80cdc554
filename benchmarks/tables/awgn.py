"""The table of the protocols of papers: what was measured, and below it what others have published."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean

from lib.rivals import RIVALS
from tables.awgn_published import PROTOCOLS, Protocol
from tables.markdown import Row, grouped, provenance, table

NO_NUMBER = "-"
NOT_YET = "Nothing of ours was measured by these protocols yet."
DEFAULTS = {"effort": "normal", "seed": 0}


def awgn(rows: list[Row]) -> str:
    """Return a table a protocol: means over the pictures that were there, then those of papers."""
    own = [row for row in rows if row.get("benchmark") == "awgn"]
    parts = []
    for name, protocol in PROTOCOLS.items():
        lines = [*_ours([row for row in own if row["case"]["protocol"] == name], protocol), *_theirs(protocol)]
        heads = ["Method", "pictures", *(f"{level}, dB" for level in protocol.levels), "where it was read"]
        parts += [f"{protocol.title}; {_given(protocol)}:", table(" | ".join(heads), lines)]
    made = f"{provenance(own)}. Made by {' and '.join(_calls(own))}." if own else NOT_YET
    return "\n\n".join([*parts, made])


def _given(protocol: Protocol) -> str:
    if protocol.blind:
        return "noise cut off and rounded to 8 bits, the level not given"
    return "noise not cut off, the level given"


def _ours(rows: list[Row], protocol: Protocol) -> Iterator[list[str]]:
    """Yield a row a method, part and effort; how many pictures a mean is of stands beside it."""
    for (method, *_), chosen in grouped(rows, "method", "side", "effort", "seed").items():
        of_level = {level: own for (level,), own in grouped(chosen, "level").items()}
        counts = sorted({len(own) for own in of_level.values()})
        n = f"{' to '.join(dict.fromkeys(map(str, (counts[0], counts[-1]))))} of {protocol.pictures}"
        scores = [_mean(of_level.get(level, [])) for level in protocol.levels]
        yield [f"{_name(method, protocol)}{_more(chosen[0], protocol)}", n, *scores, "measured here"]


def _name(method: str, protocol: Protocol) -> str:
    if method not in RIVALS:
        return f"`{method}`"
    return RIVALS[method].name + ", here" + " (level given)" * protocol.blind


def _more(row: Row, protocol: Protocol) -> str:
    case = row["case"]
    told = [f"{name} {case[name]}" for name, usual in DEFAULTS.items() if case.get(name, usual) != usual]
    told += [f"central {case['side']} x {case['side']}"] if case["side"] != protocol.side else []
    return f" ({', '.join(told)})" if told else ""


def _mean(rows: list[Row]) -> str:
    return f"{mean(row['psnr'] for row in rows):.2f}" if rows else NO_NUMBER


def _theirs(protocol: Protocol) -> Iterator[list[str]]:
    for found in protocol.published:
        scores = [found.psnr.get(level, NO_NUMBER) for level in protocol.levels]
        yield [found.method, f"all {protocol.pictures}", *scores, found.source]


def _calls(rows: list[Row]) -> Iterator[str]:
    """Yield the calls that make these rows."""
    for (effort, seed), chosen in grouped(rows, "effort", "seed").items():
        for quick in (False, True):
            own = [row for row in chosen if _part(row) == quick]
            if own:
                names = (dict.fromkeys(row["case"][key] for row in own) for key in ("protocol", "method"))
                words = [
                    f"--{key} {','.join(found)}" for key, found in zip(("protocol", "methods"), names, strict=True)
                ]
                words += ["--quick"] * quick + [f"--effort {effort}"] * (effort != DEFAULTS["effort"])
                words += [f"--seed {seed}"] * (seed != DEFAULTS["seed"])
                yield f"`python benchmarks/awgn.py --data DIR {' '.join(words)}`"


def _part(row: Row) -> bool:
    return row["case"]["side"] != PROTOCOLS[row["case"]["protocol"]].side
