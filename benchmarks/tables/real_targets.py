"""The table of aims for noise as cameras and microscopes make it, and what was reached."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

from tables.corruptions import inside
from tables.markdown import Row
from tables.targets import Bar, Found, aims, at_most, runs


def real_bars(rows: list[Row]) -> str:
    """Return a table of aims, what was asked for and what was measured."""
    return aims(REAL_BARS, rows)


def _gain(name: str, asked: float) -> Callable[[list[Row]], Found]:
    """Return what measures the mean gain over the noisy pictures of a set."""

    def measured(rows: list[Row]) -> Found:
        own = runs(rows, "real", set=name, method="nonlocal", side=None)
        gains = [row["psnr"] - row["psnr_input"] for row in own]
        if not gains:
            return None
        return f"{mean(gains):+.2f} dB, {min(gains):+.2f} to {max(gains):+.2f}", mean(gains) >= asked

    return measured


def _kept(rows: list[Row]) -> Found:
    own = [row for row in runs(rows, "real", method="nonlocal", side=None) if "unchanged" in row]
    kept = sum(row["unchanged"] for row in own)
    return (f"{kept} of {len(own)}", kept == 0) if own else None


def _real_inside(rows: list[Row]) -> Found:
    own = [row for row in runs(rows, "real", method="nonlocal", side=None) if row.get("estimate")]
    return (f"{100 * inside(own):.0f} % of {len(own)}", inside(own) >= 0.85) if own else None


def _lost(rows: list[Row]) -> Found:
    lost = {row["case"]["file"]: row["lost"] for row in runs(rows, "cases", method="nonlocal", side=None)}
    found = {name: value for name, value in lost.items() if value is not None}
    if not found:
        return None
    worst = max(found, key=found.__getitem__)
    return f"{found[worst]:+.2f} dB at worst ({worst}), {len(found)} files", found[worst] <= 0.3


def _waves(rows: list[Row]) -> Found:
    """Return the waves of the untaught method over those of BM3D at worst."""
    own, theirs = (
        {(row["case"]["picture"], row["case"]["noise"]): row["waves"] for row in found}
        for found in (runs(rows, "flat_parts", method=name, quick=None) for name in ("nonlocal", "bm3d"))
    )
    ratios = [own[key] / theirs[key] for key in own if key in theirs]
    return at_most(1.0, max(ratios, default=None), "{:.2f} at worst")


def _ratio(rows: list[Row]) -> Found:
    ratios = [row["ratio"] for row in runs(rows, "speed", method="nonlocal", side=0)]
    return at_most(2.0, max(ratios, default=None), "{:.2f}")


REAL_BARS = (
    Bar("mean gain of `nonlocal`, camera JPEGs (CC; MCWNNM has 3.47 dB on all 15)", "3.4 dB", _gain("cc", 3.4)),
    Bar("the same, camera JPEGs (PolyU; NLR has 1.0 dB on all 40)", "1.0 dB", _gain("polyu", 1.0)),
    Bar("the same, microscopes (FMD)", "7.0 dB", _gain("fmd", 7.0)),
    Bar("`nonlocal` gives a picture with real noise back unchanged", "never", _kept),
    Bar("true PSNR of real pictures inside the 90 % interval, `nonlocal`", "85 %", _real_inside),
    Bar("files of scientists, what an obstacle costs, as float32", "0.3 dB", _lost),
    Bar("waves in flat parts, over BM3D's", "1", _waves),
    Bar("seconds for correlated noise over white, 512 x 512 in colour", "2", _ratio),
)
