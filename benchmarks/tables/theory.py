"""What was asked of the instruments, and what they measure: `benchmarks/theory.py` and `deep_decoder.py`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from statistics import fmean, mean, pstdev

from tables.markdown import NOTHING, Row, provenance, table

NAMES = {
    "upsampling": "fixed kernel, up-sampling",
    "fixed": "fixed kernel, none",
    "deconvolution": "learned kernels, up-sampling",
    "convolution": "learned kernels, none",
}
TWO = {"two layers": "two layers, k = 256, as in the theory"}
# Where the theory is to hold: a wide network, or a target near its start.
LINEAR = ("two layers, k = 1024, 0.2 of the way", "deep decoder, k = 128, 0.02 of the way")
PUBLISHED = {128: 29.54, 512: 29.84}  # dB, astronaut
WANTED = {128: 29.5, 512: 29.8}
CALL = "python benchmarks/{}.py --data DIR"
Line = tuple[str, str, str, bool | None]


def theory(rows: list[Row]) -> str:
    """Return one table of all that was asked for, one of the architectures, and one of few numbers and gaps."""
    own = {name: [row for row in rows if row.get("benchmark") == name] for name in ("theory", "deep_decoder")}
    if not any(own.values()):
        return NOTHING
    lines = [line for part in PARTS for line in part(own["theory"])] + list(_denoising(own["deep_decoder"]))
    parts = [table("What | asked for | measured | met", map(_cells, lines))] if lines else []
    parts += [
        made for made in (_architectures(own["theory"]), _coders(own["deep_decoder"]), _gaps(own["deep_decoder"]))
        if made
    ]  # fmt: skip
    calls = " and ".join(f"`{CALL.format(name)}`" for name, found in own.items() if found)
    return "\n\n".join([*parts, f"{provenance(own['theory'] + own['deep_decoder'])}. Made by {calls}."])


def _cells(line: Line) -> list[str]:
    what, asked, measured, met = line
    return [what, asked, measured, "-" if met is None else "yes" if met else "no"]


def _of(rows: list[Row], part: str) -> list[Row]:
    return [row for row in rows if row["case"].get("part") == part]


def _kernels(rows: list[Row]) -> Iterator[Line]:
    own = _of(rows, "kernels")
    if own:
        errors = [max(row[key] for row in own) for key in ("relative_error", "relative_error_with_guard")]
        said = f"{100 * errors[0]:.3f} %; with the notebook's guard {errors[1]:.0e}"
        yield f"{len(own)} dual kernels, worst error", "1 %", said, errors[0] < 0.01


def _jacobian(rows: list[Row]) -> Iterator[Line]:
    for (network, start), own in _pooled(_of(rows, "jacobian")).items():
        counts = [row["case"]["networks"] for row in own]
        phantom, noise = (fmean([row[name][0] for row in own], counts) for name in ("phantom", "noise"))
        ratio, wanted, old = phantom / noise, own[0]["published"], start == "2019"
        error = math.hypot(*(row["standard_error"] * n for row, n in zip(own, counts, strict=True))) / sum(counts)
        name = "deep decoder" if network == "deep-decoder" else "DIP"
        what = f"J^T phantom over J^T noise, {name}, {sum(counts)} networks "
        what += "started as in 2019" if old else "started as today"
        met = abs(ratio / wanted - 1) <= 0.2 if old else None
        yield what, f"{wanted:g} within 20 %" if old else "-", f"{ratio:.1f} ± {error:.1f}", met


def _pooled(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """Gather cases of other random networks of the same kind."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["case"]["network"], row["case"]["start"]), []).append(row)
    return found


def _svd(rows: list[Row]) -> Iterator[Line]:
    own = _of(rows, "svd")
    if own:
        worst = max(row["relative_error"] for row in own)
        yield "Randomised SVD against numpy, 16 x 16", "1e-4", f"{worst:.0e}", worst < 1e-4


def _linear(rows: list[Row]) -> Iterator[Line]:
    for row in _of(rows, "linear"):
        name, error = row["case"]["generator"], row["relative_error"]
        said = f"{100 * error:.1f} % with {100 * row['fitted_energy']:.0f} % of the energy fitted"
        asked, met = ("5 %", error < 0.05) if name in LINEAR else ("-", None)
        yield f"Predicted fit curve against measured, worst step; {name}", asked, said, met


def _stop(rows: list[Row]) -> Iterator[Line]:
    for row in _of(rows, "stop"):
        case = row["case"]
        said = f"step {row['predicted_step']}, best {row['best_step']}: {row['behind_best']:.2f} dB behind"
        yield f"Predicted stop, {case['generator']}, sigma {case['sigma']}", "-", said, None
    for row in _of(rows, "followed"):
        said = f"step {row['predicted_step']}, best {row['best_step']}: {row['behind_best']:.2f} dB behind"
        what = f"Stop by Stein's risk along the fit, deep decoder, k = 128, sigma {row['case']['sigma']}"
        yield what, "-", said, None


def _order(rows: list[Row]) -> Iterator[Line]:
    left = {row["case"]["architecture"]: row["left"]["noise"] for row in _of(rows, "impedance")}
    if left.keys() != NAMES.keys():
        return
    seeds = [dict(zip(left, one, strict=True)) for one in zip(*left.values(), strict=True)]
    met = all(max(one, key=one.__getitem__) == "upsampling" for one in seeds)
    met = met and all(min(one, key=one.__getitem__) == "convolution" for one in seeds)
    order = sorted(left, key=lambda name: mean(left[name]))
    said = "; ".join(NAMES[name] for name in order)
    asked = "learned kernels without up-sampling first, fixed with it last, for every seed"
    yield "Who fits noise fastest", asked, said, met


PARTS: tuple[Callable[[list[Row]], Iterator[Line]], ...] = (_kernels, _jacobian, _order, _svd, _linear, _stop)


def _denoising(rows: list[Row]) -> Iterator[Line]:
    for row in rows:
        case = row["case"]
        if case["task"] == "denoise" and not case["side"]:
            k, stopped = case["width"], row["stopped"]
            what = f"Astronaut, sigma 30, k = {k}, level and stop automatic"
            ended = f"ended by {stopped['rule']} at {stopped['step']}"
            said = f"{row['psnr']:.2f} dB in {row['cpu_seconds']:.0f} s of processor, {ended}"
            yield what, f"{WANTED[k]} dB (published {PUBLISHED[k]})", said, row["psnr"] >= WANTED[k]


def _architectures(rows: list[Row]) -> str:
    share = {row["case"]["architecture"]: row for row in _of(rows, "trigonometric")}
    fits = {row["case"]["architecture"]: row for row in _of(rows, "impedance")}
    if not share and not fits:
        return ""
    lines = []
    for name, label in (TWO | NAMES).items():
        cells = [label]
        cells += [f"{100 * share[name][key]:.0f} %" if name in share else "-" for key in ("mean", "coarse")]
        left = fits[name]["left"] if name in fits else {}
        cells += [_spread(left[key]) if left else "-" for key in ("picture", "noise")]
        cells += [_spread(fits[name]["noise_over_picture"], 1) if left else "-"]
        lines.append(cells)
    heads = (
        "Architecture | in ten waves | in waves above 8 pixels | picture left | noise left | noise over picture"
    )
    case = next(iter(fits.values()))["case"] if fits else None
    steps = f"{case['steps']} steps, {case['seeds']} seeds" if case else "a fit"
    above = (
        "The energy of the first 20 singular vectors of untrained generators, and how much of the phantom "
        f"and of noise was not fitted after {steps}, as a share of the variance:"
    )
    return f"{above}\n\n{table(heads, lines)}"


def _spread(values: list[float], digits: int = 3) -> str:
    return f"{mean(values):.{digits}f} ± {pstdev(values):.{digits}f}"


def _coders(rows: list[Row]) -> str:
    own = [row for row in rows if row["case"]["task"] == "compress"]
    if not own:
        return ""
    lines = []
    for row in own:
        case, (ours, *others) = row["case"], row["coders"]
        cells = [f"{case['picture']}{_side(case)}", f"{ours['factor']:.1f}", f"{ours['numbers']}"]
        cells += [f"{ours['psnr']:.2f}"]
        cells += [f"{coder['psnr']:.2f}" + _more(coder["numbers"], ours["numbers"]) for coder in others]
        lines.append([*cells, f"{row['cpu_seconds']:.0f}"])
    heads = "Picture | factor | numbers | deep decoder, dB | wavelets, dB | JPEG, dB | seconds of processor"
    return f"A picture as few numbers:\n\n{table(heads, lines)}"


def _more(numbers: int, ours: int) -> str:
    return f" ({numbers} numbers)" if numbers > ours else ""


def _gaps(rows: list[Row]) -> str:
    own = [row for row in rows if row["case"]["task"] == "inpaint"]
    if not own:
        return ""
    lines = []
    for row in own:
        case = row["case"]
        cells = [f"{case['picture']}{_side(case)}", f"{100 * case['missing']:.0f} %"]
        cells += [f"{row[key]:.2f}" for key in ("psnr", "psnr_missing")]
        lines.append([*cells, str(row["stopped"]["step"]), f"{row['cpu_seconds']:.0f}"])
    heads = "Picture | missing | whole picture, dB | what was missing, dB | step | seconds of processor"
    return f"Missing pixels, k = 128, `held-out` rule:\n\n{table(heads, lines)}"


def _side(case: Row) -> str:
    return f", central {case['side']} x {case['side']}" if case["side"] else ""
