"""The table of what untaught set out to reach, and what it reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean, median

from lib.harness import GIVEN, SET9
from tables.corruptions import verdicts
from tables.markdown import Row, table

SQUARE = ("F16", "lena", "peppers")  # 512 x 512
Found = tuple[str, bool] | None  # what was measured, and whether that is enough; None if nothing was


@dataclass(frozen=True)
class Bar:
    """One of the project's aims: what, how much of it, and how it is read off the rows."""

    what: str
    asked: str
    read: Callable[[list[Row]], Found]


def bars(rows: list[Row]) -> str:
    """Return a table of aims, what was asked for and what was measured."""
    return aims(BARS, rows)


def aims(chosen: Iterable[Bar], rows: list[Row]) -> str:
    """Return the table of some aims."""
    lines = []
    for bar in chosen:
        found = bar.read(rows)
        text, met = ("not measured", "-") if found is None else (found[0], "yes" if found[1] else "**no**")
        lines.append([bar.what, bar.asked, text, met])
    return table("What | asked for | measured | met", lines)


def runs(rows: Iterable[Row], benchmark: str, **case: object) -> list[Row]:
    """Return the rows of a benchmark whose case has these entries, None for absent ones."""
    own = (row for row in rows if row.get("benchmark") == benchmark and "case" in row)
    return [row for row in own if all(row["case"].get(key) == value for key, value in case.items())]


def nine(rows: list[Row], method: str, level: int, side: int = 0, limit: float | None = None) -> dict[str, Row]:
    """Return the runs of a method on the nine pictures by name, or nothing unless all are there."""
    own = runs(rows, "denoise", method=method, level=level, side=side, time_limit=limit, seed=0)
    found = {row["case"]["picture"]: row for row in own}
    return found if set(found) >= set(SET9) else {}


def at_least(asked: float, value: float | None, form: str = "{:.2f} dB") -> Found:
    """Compare, and write down."""
    return None if value is None else (form.format(value), value >= asked)


def at_most(asked: float, value: float | None, form: str) -> Found:
    """Compare, and write down."""
    return None if value is None else (form.format(value), value <= asked)


def _mean(found: Iterable[Row], key: str = "psnr") -> float | None:
    values = [row[key] for row in found]
    return mean(values) if values else None


def _denoised(asked: float, method: str, *where: float) -> Callable[[list[Row]], Found]:
    level, side = int(where[0]), int(where[1])
    return lambda rows: at_least(asked, _mean(nine(rows, method, level, side).values()))


def _against(
    level: int, method: str, compare: Callable[[Row, Row], float], limit: float | None = None
) -> Callable[[list[Row]], list[float]]:
    names = SQUARE if compare is _slower else SET9

    def read(rows: list[Row]) -> list[float]:
        own, other = nine(rows, method, level, 0, limit), nine(rows, "cbm3d", level)
        return [compare(own[name], other[name]) for name in names] if own and other else []

    return read


def _gain(own: Row, other: Row) -> float:
    return float(own["psnr"] - other["psnr"])


def _slower(own: Row, other: Row) -> float:
    return float(own["seconds"] / other["seconds"])


def _worst_gain(level: int, method: str, asked: float) -> Callable[[list[Row]], Found]:
    read = _against(level, method, _gain)
    return lambda rows: at_least(asked, min(read(rows), default=None), "{:+.2f} dB at worst")


def _mean_gain(level: int, method: str, asked: float, limit: float | None = None) -> Callable[[list[Row]], Found]:
    read = _against(level, method, _gain, limit)
    return lambda rows: at_least(asked, mean(found) if (found := read(rows)) else None, "{:+.2f} dB")


def _time(level: int, method: str, asked: float) -> Callable[[list[Row]], Found]:
    read = _against(level, method, _slower)

    def found(rows: list[Row]) -> Found:
        ratios = read(rows)
        return (f"{median(ratios):.2f}, worst {max(ratios):.2f}", median(ratios) <= asked) if ratios else None

    return found


def _memory(rows: list[Row]) -> Found:
    own = [row for method in ("auto", "nonlocal") for row in nine(rows, method, 25).values()]
    return at_most(2.0, max((row["peak_gib"] for row in own), default=None), "{:.1f} GiB")


def _longest(method: str, side: int, asked: float) -> Callable[[list[Row]], Found]:
    """Return the longest time, on whole pictures that of those of 512 x 512 pixels."""

    def read(rows: list[Row]) -> Found:
        own = nine(rows, method, 25, side)
        found = [row["seconds"] for name, row in own.items() if side or name in SQUARE]
        return at_most(asked, max(found, default=None), "{:.0f} s at worst")

    return read


def _original(rows: list[Row]) -> Found:
    """Return how far `dip` is above the original configuration, on the crops where that was run."""
    own = nine(rows, "dip", 25, 256)
    first = runs(rows, "denoise", method="dip-paper-bf16", level=25, side=256)
    gains = [own[row["case"]["picture"]]["psnr"] - row["psnr"] for row in first] if own else []
    return (f"{min(gains):+.2f} dB at worst of {len(gains)} crops", min(gains) >= 0) if gains else None


def _as_good(rows: list[Row]) -> Found:
    """Return in what part of the original configuration's time `dip` is as good as that ends, on those crops."""
    own = nine(rows, "dip", 25, 256)
    shares = []
    for row in runs(rows, "denoise", method="dip-paper-bf16", level=25, side=256) if own else []:
        curve = own[row["case"]["picture"]].get("curve", [])
        if not curve:
            continue
        seconds = next((seconds for _, seconds, psnr in curve if psnr >= row["psnr"]), None)
        shares.append(0.0 if seconds is None else row["seconds"] / seconds)
    if not shares:
        return None
    worst = f"1/{min(shares):.0f}" if min(shares) else "never"
    return f"1/{median(shares):.0f}, worst {worst}, {len(shares)} crops", median(shares) >= 50


def _stated(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.get("estimate")]


def _error(method: str, side: int, level: int) -> Callable[[list[Row]], Found]:
    def read(rows: list[Row]) -> Found:
        own = _stated(nine(rows, method, level, side).values())
        errors = [abs(row["estimate"]["value"] - row["psnr"]) for row in own]
        if not errors:
            return None
        return f"{mean(errors):.2f} dB, worst {max(errors):.2f}", mean(errors) <= 0.4

    return read


def _inside(rows: list[Row]) -> Found:
    own = _stated(runs(rows, "trust"))
    if not own:
        return None
    share = sum(r["estimate"]["low"] <= r["psnr"] <= r["estimate"]["high"] for r in own) / len(own)
    return f"{share:.0%} of {len(own)} cases", 0.85 <= share <= 0.95


def _rules(rows: list[Row]) -> Found:
    gaps = [gap for _, gap, _, _ in verdicts("auto", [row for row in rows if "fit" in row.get("case", {})])]
    if not gaps:
        return None
    return f"{mean(gaps):.2f} dB, worst {max(gaps):.2f}, {len(gaps)} fits", mean(gaps) <= 0.3 and max(gaps) <= 1.0


def _own_peak(rows: list[Row]) -> Found:
    own = [row for row in nine(rows, "dip", 25, 256).values() if row.get("peak")]
    gaps = [row["peak"]["psnr"] - row["chosen"]["psnr"] for row in own]
    return at_most(0.1, max(gaps, default=None), "{:.2f} dB at worst")


def _level(rows: list[Row]) -> Found:
    own = [row for row in rows if str(row.get("summary", "")).startswith("gaussian:")]
    worst = max(own, key=lambda row: row["mean_abs_error"], default=None)
    if worst is None:
        return None
    error = 100 * worst["mean_abs_error"]
    return f"{error:.1f} % on average at {worst['summary'].split(',')[0].removeprefix('gaussian:')}", error <= 5


def _task(benchmark: str, asked: float, key: str = "psnr", **case: object) -> Callable[[list[Row]], Found]:
    return lambda rows: at_least(asked, _mean(runs(rows, benchmark, method="auto", **case), key))


def _above(benchmark: str, others: tuple[str, ...], asked: float) -> Callable[[list[Row]], Found]:
    """Return the least mean gain over all the others, of all settings."""

    def read(rows: list[Row]) -> Found:
        own = runs(rows, benchmark, method="auto")
        settings = {row["case"].get("blur", "") for row in own}
        gains = []
        for setting in settings:
            chosen = [row for row in own if row["case"].get("blur", "") == setting]
            names = {row["case"]["picture"] for row in chosen}
            for other in others:
                beside = runs(rows, benchmark, method=other)
                beside = [
                    r for r in beside if r["case"].get("blur", "") == setting and r["case"]["picture"] in names
                ]
                found = [row["psnr"] for row in beside] or [row[f"psnr_{other}"] for row in chosen]
                gains.append(mean(row["psnr"] for row in chosen) - mean(found))
        return at_least(asked, min(gains, default=None), "{:+.2f} dB at worst")

    return read


def _twin(rows: list[Row]) -> Found:
    level = {"level": 25}
    own, twin = (_mean(runs(rows, "dataset", method=name, **level)) for name in ("gr2r", "supervised"))
    return at_least(-0.15, None if own is None or twin is None else own - twin, "{:+.2f} dB")


def _correlated(rows: list[Row]) -> Found:
    own, other = (
        {row["case"]["picture"]: row["psnr"] for row in runs(rows, "family", noise="correlated", method=name)}
        for name in ("gr2r", "n2v")
    )
    gains = [own[name] - other[name] for name in own if name in other]
    return at_least(2.0, min(gains, default=None), "{:+.1f} dB at worst")


BARS = (
    Bar("`auto`, noise 25, nine whole pictures, level not given", "32.0 dB", _denoised(32.0, "auto", 25, 0)),
    Bar("the same, noise 50", "28.1 dB", _denoised(28.1, "auto", 50, 0)),
    Bar("`auto` above CBM3D, which is told the level, on every picture", "-0.1 dB", _worst_gain(25, "auto", -0.1)),
    Bar("the same, noise 50", "-0.1 dB", _worst_gain(50, "auto", -0.1)),
    Bar("its time on 512 x 512, times CBM3D's, median of three", "10", _time(25, "auto", 10)),
    Bar("`auto --time-limit 20` above CBM3D's mean", "0 dB", _mean_gain(25, "auto", 0.0, 20.0)),
    Bar("`nonlocal` above CBM3D's mean, noise 25", "-0.2 dB", _mean_gain(25, "nonlocal", -0.2)),
    Bar("the same, noise 50", "-0.2 dB", _mean_gain(50, "nonlocal", -0.2)),
    Bar("its time on 512 x 512, times CBM3D's, median of three", "0.5", _time(25, "nonlocal", 0.5)),
    Bar("most memory on 768 x 512 and 512 x 512 pixels", "2 GiB", _memory),
    Bar("`auto` on the central 256 x 256 pixels, noise 25", "29.9 dB", _denoised(29.9, "auto", 25, 256)),
    Bar("its time", "120 s", _longest("auto", 256, 120)),
    Bar("`dip` on whole pictures, noise 25 (its authors: 30.43)", "30.43 dB", _denoised(30.43, "dip", 25, 0)),
    Bar("its time on 512 x 512 (the original: 3.3 hours)", "600 s", _longest("dip", 0, 600)),
    Bar("`dip` above its original configuration, central 256 x 256 pixels", "0 dB", _original),
    Bar("its time there (the original: 44 minutes)", "133 s", _longest("dip", 256, 133)),
    Bar("time to the PSNR at which that ends, over its own in bfloat16, median", "1/50", _as_good),
    Bar("the stop of `dip` below its own peak, nine crops", "0.1 dB", _own_peak),
    Bar("what the rule that `auto` takes loses, four kinds of noise", "0.3 dB, worst 1.0", _rules),
    Bar("error of the estimated PSNR, nine whole pictures, noise 25", "0.4 dB", _error("auto", 0, 25)),
    Bar("the same, central 256 x 256 pixels", "0.4 dB", _error("auto", 256, 25)),
    Bar("the same, `nonlocal`, the level given", "0.4 dB", _error(f"nonlocal{GIVEN}", 256, 25)),
    Bar("the same, whole pictures", "0.4 dB", _error(f"nonlocal{GIVEN}", 0, 25)),
    Bar("true PSNR inside the 90 % interval, four kinds of noise", "85 to 95 %", _inside),
    Bar("error of the noise level, 5 to 50", "5 %", _level),
    Bar("enlarged 4 times, Set5", "29.9 dB", _task("super_resolution", 29.9, "psnr_y", set="Set5", factor=4)),
    Bar("enlarged 4 times, Set14", "27.0 dB", _task("super_resolution", 27.0, "psnr_y", set="Set14", factor=4)),
    Bar("enlarged 8 times, Set5", "25.9 dB", _task("super_resolution", 25.9, "psnr_y", set="Set5", factor=8)),
    Bar("enlarged 8 times, Set14", "24.15 dB", _task("super_resolution", 24.15, "psnr_y", set="Set14", factor=8)),
    Bar("half of the pixels missing, eleven pictures", "33.6 dB", _task("inpainting", 33.6)),
    Bar(
        "deblurred, above Richardson-Lucy and Wiener of scikit-image",
        "1 dB",
        _above("deblurring", ("richardson-lucy", "unsupervised-wiener"), 1.0),
    ),
    Bar("demosaiced, above Menon's method", "-1 dB", _above("demosaicing", ("menon",), -1.0)),
    Bar("R2R on a folder, against a twin that saw clean pictures", "-0.15 dB", _twin),
    Bar("correlated noise: R2R above Noise2Void", "2 dB", _correlated),
)
