"""What an explanation says: sentences that follow from its numbers, and the numbers for programs."""

from __future__ import annotations

from typing import Any

import numpy as np

from untaught._version import __version__
from untaught.theory.explain.experiments import WAVE
from untaught.theory.explain.findings import Findings
from untaught.theory.impedance import NOISE, NOISY, PICTURE, SHUFFLED, ImpedanceCurve

NAMES = {
    PICTURE: "the picture",
    NOISY: "the picture with noise",
    SHUFFLED: "its pixels shuffled",
    NOISE: "noise alone",
}
LEVELS = (0.5, 0.2, 0.1)  # of the target's variance, for the steps it takes to get there
CLEAR = 2.0  # times as many steps, or as fast, before there is talk of a difference
MOST_ENERGY = 0.8  # of the picture, for the sentence about the spectrum
PURE, PARTLY = 0.7, 0.4  # share of the energy in ten waves
CLOSE = 0.1  # dB that nobody sees


def detail(band: int, bands: int) -> str:
    """Return an octave as the length of its waves in pixels; octave `band` of `bands`, coarsest first."""
    finest = 2 ** (bands - band)
    return f"above {finest}" if band == 0 else f"{finest} to {2 * finest}"


def sentences(found: Findings) -> dict[str, str]:
    """Return what is said beside each plot, by its name."""
    return {
        "targets": _targets(found),
        "impedance": _impedance(found),
        "patterns": _patterns(found),
        "spectrum": _spectrum(found),
        "frequencies": _frequencies(found),
        "stop": _stop(found),
    }


def _targets(found: Findings) -> str:
    step = found.impedance.best_stop
    return (
        f"The same network, from the same start and with {found.weights:,} weights, none of them taught, was "
        f"fitted to each of the four for {found.steps} steps at most. Below each is what it had drawn near step "
        f"{step}, where the fit to the noisy picture came nearest to the picture without noise."
    )


def _impedance(found: Findings) -> str:
    curves = found.impedance.curves
    reached = [level for level in LEVELS if curves[PICTURE].steps_to(level) is not None]
    if not reached:
        left = 100 * float(curves[PICTURE].error[-1])
        return f"After {curves[PICTURE].steps[-1]} steps {left:.0f} % of the picture were not fitted yet: too few."
    level = reached[-1]
    first = curves[PICTURE].steps_to(level) or 1
    shuffled, noise = (_slow(NAMES[name], curves[name], level, first) for name in (SHUFFLED, NOISE))
    same = min(curves[name].steps_to(level) or np.inf for name in (SHUFFLED, NOISE)) < CLEAR * first
    end = (
        "On this picture the network hardly prefers structure to noise."
        if same
        else "The shuffled pixels have the very values of the picture: it is their order that is easy for it."
    )
    start = f"To come within {100 * level:.0f} % of the picture the network took {first} steps."
    return f"{start} {shuffled[:1].upper()}{shuffled[1:]}, {noise}. {end}"


def _slow(name: str, curve: ImpedanceCurve, level: float, first: int) -> str:
    steps = curve.steps_to(level)
    if steps is None:
        return f"{name} still lacked {100 * curve.error[-1]:.0f} % after {curve.steps[-1]} steps"
    return f"{name} took {steps} steps ({steps / first:.1f} times as many)"


def _patterns(found: Findings) -> str:
    start = found.start
    pure, coarse = float(start.trigonometric.mean()), float(start.coarse.mean())
    kind = "nearly pure waves" if pure >= PURE else "partly waves" if pure >= PARTLY else "not pure waves"
    size = "coarse" if coarse >= PURE else "coarse and fine at once" if coarse >= PARTLY else "fine"
    return (
        "These are the patterns that the network learns first, found before it has seen anything. They are "
        f"{size}, and {kind}: on average {_percent(pure)} of their energy lies in ten cosine waves (it is above "
        f"each; white noise has {_percent(start.chance)}), and {_percent(coarse)} in waves of more than "
        f"{WAVE:.0f} pixels (white noise has {_percent((2 / WAVE) ** 2)})."
    )


def _spectrum(found: Findings) -> str:
    start = found.start
    value = start.picture.holding(MOST_ENERGY)
    speed = (value / max(start.picture.values[0], start.density.values[0])) ** 2
    held, noise = start.picture.above(value), start.density.above(value)
    along = {name: float(shares.sum()) for name, shares in start.energies.items()}
    end = (
        "so the picture is drawn first, and the noise later"
        if held > CLEAR * noise
        else "so picture and noise are drawn together"
    )
    return (
        f"The first {len(start.spectrum.values)} patterns hold {_percent(along['picture'])} of what the picture "
        f"has and the network's first guess lacks, and {_percent(along['noise'])} of the noise. {_percent(held)} "
        f"of the picture lies along directions that are learned at least {_percent(speed)} as fast as the "
        f"fastest, and {_percent(noise)} of any white noise: {end}."
    )


def _frequencies(found: Findings) -> str:
    curve = found.impedance.curves[NOISE]
    bands = curve.bands.shape[1]
    coarse, fine = _half(curve, min(1, bands - 1)), _half(curve, bands - 1)
    ordered = coarse is not None and (fine is None or fine > coarse)
    end = "coarse before fine, whatever is fitted" if ordered else "there is no such order here"
    words = [f"after {step} steps" if step else f"not in {curve.steps[-1]} steps" for step in (coarse, fine)]
    return (
        f"Even in noise, which has details of all sizes alike, waves of {detail(min(1, bands - 1), bands)} pixels "
        f"were half fitted {words[0]}, those of {detail(bands - 1, bands)} pixels {words[1]}: {end}."
    )


def _half(curve: ImpedanceCurve, band: int) -> int | None:
    there = np.flatnonzero(curve.bands[:, band] < 0.5)
    return int(curve.steps[there[0]]) if there.size else None


def _stop(found: Findings) -> str:
    stops = found.stops
    best, end = stops["best"], stops["end"]
    worse = (best.psnr or 0) - (end.psnr or 0)
    lost = (
        f"At step {end.step} it had drawn noise, too, and had lost {worse:.1f} dB."
        if worse > CLOSE
        else f"Up to the end, step {end.step}, it lost nothing: there was no need to stop."
    )
    return (
        f"The fit to the noisy picture was best at step {best.step}, with {best.psnr:.1f} dB, which only an "
        f"experiment can know. {lost} {_theory(found)} The stopping rule of untaught, which does not know the "
        f"truth either, kept {_behind(found, 'rule')}."
    )


def _theory(found: Findings) -> str:
    predicted = found.start.predicted
    if predicted.step == predicted.steps[-1]:
        return (
            f"From the noise level and the spectrum alone the theory sees no stop within {predicted.step} steps "
            "of plain descent, and farther it was not computed."
        )
    ratio = predicted.misfit / found.subject.sigma**2
    reached = found.stops["predicted"].step is not None
    there = _behind(found, "predicted") if reached else "that was never reached"
    return (
        "Before the first step, from the noise level and the spectrum alone, the theory says to stop when the "
        f"squared distance to the noisy picture is down to {ratio:.2f} times the variance of the noise: {there}."
    )


def _behind(found: Findings, name: str) -> str:
    stop, best = found.stops[name], found.stops["best"]
    behind = (best.psnr or 0) - (stop.psnr or 0)
    off = f"{behind:.2f} dB below the best" if behind > CLOSE else "as good as the best"
    return f"step {stop.step}, with {stop.psnr:.1f} dB, {off}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1f} %"


def summary(found: Findings) -> dict[str, Any]:
    """Return the numbers that matter, for JSON."""
    start, curves = found.start, found.impedance.curves
    return {
        "input": found.name,
        "size": list(found.subject.picture.shape[2:]),
        "sigma": round(255 * found.subject.sigma, 4),
        "method": found.impedance.method,
        "weights": found.weights,
        "steps": found.steps,
        "seed": found.impedance.seed,
        "seconds": round(found.seconds, 3),
        "version": __version__,
        "steps_to": {str(level): found.impedance.steps_to(level) for level in LEVELS},
        "not_fitted_at_the_end": {name: _rounded(curve.error[-1]) for name, curve in curves.items()},
        "stops": {name: {"step": stop.step, "psnr": stop.psnr} for name, stop in found.stops.items()},
        "predicted_misfit": start.predicted.misfit,
        "trigonometric_share": {
            "mean": _rounded(start.trigonometric.mean()), "white_noise": _rounded(start.chance)
        },
        "coarse_share": {"mean": _rounded(start.coarse.mean()), "white_noise": (2 / WAVE) ** 2},
        "energy_along_the_vectors": {name: _rounded(shares.sum()) for name, shares in start.energies.items()},
        "sentences": sentences(found),
        "notes": list(found.notes),
    }  # fmt: skip


def tables(found: Findings) -> dict[str, Any]:
    """Return everything that was plotted, for JSON."""
    start = found.start
    measures = {"picture": start.picture, "noisy": start.noisy, "density": start.density}
    return {
        "curves": {
            name: {
                "step": curve.steps.tolist(),
                "not_fitted": _list(curve.error),
                "psnr": _list(-10 * np.log10(np.maximum(curve.clean_error, 1e-12))),
                "octaves": [_list(row) for row in curve.bands],
            }
            for name, curve in found.impedance.curves.items()
        },
        "spectrum": {
            "values": _list(start.spectrum.values),
            "exact": start.spectrum.exact,
            "trigonometric_share": _list(start.trigonometric),
            "coarse_share": _list(start.coarse),
            "energy": {name: _list(shares) for name, shares in start.energies.items()},
            "measures": {
                name: {"values": _list(measure.values), "masses": _list(measure.masses)}
                for name, measure in measures.items()
            },
        },
        "predicted": {"step": start.predicted.steps.tolist(), "error": _list(start.predicted.error)},
    }


def _rounded(value: float) -> float:
    return float(f"{float(value):.6g}")


def _list(values: Any) -> list[float]:
    return [_rounded(value) for value in values]
