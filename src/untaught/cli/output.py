"""What a run prints: one JSON object for programs, or a few lines for people."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from untaught._version import __version__
from untaught.image.metrics import Quality
from untaught.method import Stopped
from untaught.results.restoration import PlaneResult
from untaught.results.result import Result
from untaught.results.text import noise_dict, noise_sentence, number, plane_of, quality, seconds, sentence
from untaught.risk.estimate import Interval


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class StoppedOut(_Strict):
    """Where the fit stopped."""

    reason: str
    step: int
    rule: str


class EstimateOut(_Strict):
    """The estimated PSNR in dB with its 90 % interval, and the same as RMSE in the data's units."""

    value: float
    low: float
    high: float
    rmse: float
    rmse_low: float
    rmse_high: float


class CandidateOut(_Strict):
    """A method that was tried."""

    method: str
    psnr_estimate: float | None
    seconds: float
    note: str


class PlaneOut(_Strict):
    """What became of one plane of a stack; `sigma` on the 0..255 scale, `sigma_units` in the data's units."""

    plane: str
    method: str
    noise: str
    sigma: float
    sigma_units: float
    stopped: StoppedOut
    psnr_estimate: EstimateOut | None


class DenoiseOut(_Strict):
    """What `untaught denoise --json` prints; `psnr`, `rmse` and `ssim` only with a reference.

    Of a stack, `why`, `noise`, `stopped` and `candidates` are of its first plane that was restored; `planes` has
    them all, and is empty for a single plane.
    """

    input: str
    output: str
    method: str
    why: str
    noise: dict[str, Any]
    stopped: StoppedOut
    seconds: float
    psnr_estimate: EstimateOut | None
    seed: int
    version: str
    output_type: str
    value_range: tuple[float, float]
    psnr: float | None = None
    ssim: float | None = None
    rmse: float | None = None
    psnr_input_estimate: float | None = None
    rmse_input_estimate: float | None = None
    stripes: str | None = None
    interrupted: bool = False
    notes: list[str] = []
    candidates: list[CandidateOut] = []
    planes: list[PlaneOut] = []
    report: str | None = None
    recipe: str | None = None


def denoise_out(result: Result, files: Mapping[str, Path | None], scores: Quality | None) -> DenoiseOut:
    """Collect what is printed; `files` has input, output, and perhaps report and recipe."""
    return DenoiseOut(
        **{name: None if path is None else text_of(path) for name, path in files.items()},  # type: ignore[arg-type]
        method=result.method,
        why=result.why,
        noise=noise_dict(result.noise, result.input) | {"measured": result.noise_found},
        stopped=_stopped(result.stopped),
        seconds=round(result.seconds, 3),
        psnr_estimate=_estimate(result.psnr, result.scale),
        seed=result.recipe.seed,
        version=__version__,
        psnr=None if scores is None else finite(scores.psnr),
        ssim=None if scores is None else finite(scores.ssim),
        rmse=None if scores is None else finite(scores.rmse),
        psnr_input_estimate=None if result.psnr_input is None else finite(result.psnr_input),
        rmse_input_estimate=None if result.rmse_input is None else finite(result.rmse_input),
        output_type=str(result.picture.array.dtype),
        value_range=result.input.value_range,
        stripes=result.recipe.stripes,
        interrupted=result.interrupted,
        notes=list(result.notes),
        candidates=[
            CandidateOut(
                method=c.method,
                psnr_estimate=None if c.psnr is None else finite(c.psnr),
                seconds=round(c.seconds, 3),
                note=c.note,
            )
            for c in result.candidates
        ],
        planes=[_plane(plane, result.scale) for plane in result.planes] if result.input.n_planes > 1 else [],
    )


def _plane(plane: PlaneResult, scale: float) -> PlaneOut:
    return PlaneOut(
        plane=plane.label,
        method=plane.method,
        noise=plane.noise.kind,
        sigma=round(255 * plane.noise.level, 4),
        sigma_units=float(f"{scale * plane.noise.level:.6g}"),
        stopped=_stopped(plane.stopped),
        psnr_estimate=_estimate(plane.psnr, scale),
    )


def _stopped(stopped: Stopped) -> StoppedOut:
    return StoppedOut(reason=stopped.reason, step=stopped.step, rule=stopped.rule)


def dumped(out: DenoiseOut, scored: bool) -> dict[str, Any]:
    """Return the object to print, without psnr, ssim and rmse where there was no reference."""
    return out.model_dump(mode="json", exclude=None if scored else {"psnr", "ssim", "rmse"})


def print_summary(result: Result, out: DenoiseOut) -> None:
    """Print what a person wants to know."""
    for name, text in _lines(result, out):
        print(f"{name:<9}{text}")
    sys.stdout.flush()


def _lines(result: Result, out: DenoiseOut) -> Iterator[tuple[str, str]]:
    origin = "Measured on the picture." if result.noise_found else "As given."
    of_plane = f"{plane_of(result)}: " if plane_of(result) else ""
    yield "noise", f"{of_plane}{noise_sentence(result.noise, result.input.value_range)} {origin}"
    low, high = result.input.value_range
    given = result.input.reading.value_range is not None
    taken = "as given" if given else "by the type or the values; --value-range sets another"
    if given or result.input.array.dtype != "uint8":
        yield "range", f"Levels and the PSNR are relative to {number(low)} to {number(high)}, {taken}."
    yield "method", f"{result.method}: {sentence(result.why)}"
    yield "stopped", f"{of_plane}{sentence(result.stopped.reason)}"
    yield "quality", quality(result)
    if out.psnr is not None and out.ssim is not None and out.rmse is not None:
        yield (
            "truth",
            f"PSNR {out.psnr:.2f} dB, RMSE {number(out.rmse)} and SSIM {out.ssim:.4f} against the reference.",
        )
    for note in out.notes:
        yield "note", sentence(note)
    yield "time", seconds(result.seconds)
    for name in ("report", "recipe", "output"):
        path = getattr(out, name)
        if path:
            yield name, path


def text_of(path: Path) -> str:
    """Return a path as text that can always be printed and encoded, whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "replace")


def finite(value: float) -> float | None:
    """Return the value, or None where JSON has no number for it."""
    return value if math.isfinite(value) else None


def _estimate(interval: Interval | None, scale: float) -> EstimateOut | None:
    if interval is None or not all(map(math.isfinite, (interval.value, interval.low, interval.high))):
        return None
    rmse = interval.rmse(scale).as_dict()
    return EstimateOut(value=interval.value, low=interval.low, high=interval.high, **rmse)
