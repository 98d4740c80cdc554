"""What was asked for: options as a person writes them, checked one by one, and the request they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.fitting.progress import Progress
from untaught.fitting.stopping import RULES, Rule
from untaught.image.atomic import path_of
from untaught.image.output_type import SAME, output_type_of
from untaught.image.reading import memory_of
from untaught.image.tiling import Tiling
from untaught.method import Method
from untaught.methods.fusion import Fusion
from untaught.noise import NoiseModel
from untaught.pipeline.options import (
    Frames,
    ImageLike,
    Listener,
    Region,
    device_of,
    effort_of,
    fixed_pattern_of,
    flicker_of,
    frames_of,
    listener_of,
    method_of,
    noise_of,
    region_of,
    rule_of,
    seconds_of,
    seed_of,
    strength_of,
    stripes_of,
    together_of,
)
from untaught.problem import Weights

Cut = tuple[float | None, float | None]
"""The least and the greatest value there can be, in units of the array; None where values are not cut off."""


@dataclass(frozen=True)
class Request:
    """What was asked for, the same for every plane."""

    method: str | Method | Fusion = "auto"
    noise: NoiseModel | None = None
    seed: int = 0
    seconds: float | None = None
    device: str = "cpu"
    rule: Rule | None = None
    on_progress: Callable[[Progress], None] | None = None
    checkpoint: Path | None = None
    pilot: str | None = None  # the method that makes the pilot, from a recipe; None chooses by the time
    parts: tuple[tuple[Method, Rule], ...] = ()  # of a fusion, from a recipe
    warm_start: Weights | None = None  # by the fit to the plane before
    asked: dict[str, str] | None = None  # method and rule as options name them, see `Recipe.asked`
    noise_region: Region | None = None  # x, y, width, height: where alone the noise is measured
    noise_from: tuple[Path, ...] | None = None  # dark and flat frames, or their folder, that tell the noise
    output_type: str = SAME
    stripes: str | None = None  # what is taken out: `STRIPES`
    memory: int | None = None  # bytes that may be used; None: half of what is free
    tiling: Tiling | None = None  # how large planes are cut; None: as the memory allows
    effort: str = "normal"  # one of EFFORTS
    together: str = "auto"  # which planes help each other, one of TOGETHER
    strength: float = 1.0  # of the answer in a mixture with the input
    fixed_pattern: str = "auto"  # what is done with that of a sensor, one of FIXED_PATTERN
    flicker: str = "keep"  # whether planes keep their own brightness, one of FLICKER
    context: NDArray[np.floating] | None = None  # (H, W, P C): planes that are seen with one
    cut: Cut | None = None  # where values are cut off, as other pictures told; None: it is found
    measured_on: int = 0  # pixels to measure the noise on, where there is no time for all; 0: all
    surveyed: NoiseModel | None = None  # what was measured on a larger plane, of which this is a part


class TaskOptions(TypedDict, total=False):
    """The options of every task, which are those of `untaught.denoise`, and a guide.

    axes : str, optional
        What the axes of the picture are, as in `denoise`.
    value_range : tuple of float, optional
        What levels and a PSNR are relative to, as in `denoise`.
    method : str or method
        'auto' combines similar patches in closed form: 'fill' for missing pixels and mosaics, with 'exemplar' for
        holes too wide for it that lie in a texture, and 'dip' for other wide holes; 'pnp' for other linear
        operators with an adjoint. For the rest, and for Fourier sampling, it is 'dip', mixed with a picture of
        small total variation so that it predicts best what was kept back; with a guide it is 'dip' alone. Or one
        of these, 'pixels', 'pixel-tv', or an object: `DIP(steps=500)`.
    noise, sigma, noise_region, noise_from : as in `denoise`
        'auto' measures it where the measurement looks like a picture; 'gaussian:0' says that there is none. The
        rectangle lies in the measurement.
    seed, time_limit, device, output_type, on_progress, checkpoint : as in `denoise`
    memory, effort, together : as in `denoise`
        What is reconstructed depends neither on the effort nor on other planes so far.
    stripes : as in `denoise`
        Not of measurements through a mask or a colour filter array, nor of JPEG files.
    stop : str or Rule
        Stopping rule; a rule that cannot be used with the operator gives way to one that can, and a note says so.
    guide : path, Image or ndarray
        Another picture of the same scene, of the size of the answer, such as one taken with flash; the network
        draws from it in place of a random code.
    """

    axes: str | None
    value_range: tuple[float, float] | None
    method: str | Method | Fusion
    noise: str | NoiseModel
    sigma: float | None
    noise_region: Region | None
    noise_from: Frames | None
    seed: int
    time_limit: float | None
    device: str
    stop: str | Rule | None
    guide: ImageLike | None
    output_type: str
    stripes: str | None
    memory: str | int | None
    effort: str
    together: str
    on_progress: Listener | None
    checkpoint: str | Path | None


class DenoiseOptions(TaskOptions, total=False):
    """The options of `untaught.denoise`: those of every task, and what only planes that are noisy have.

    strength, fixed_pattern, flicker : as in `denoise`
    """

    strength: float
    fixed_pattern: str
    flicker: str


def request_of(options: TaskOptions | DenoiseOptions) -> Request:
    """Return what was asked for, but for the guide; each option checked."""
    checkpoint = options.get("checkpoint")
    more = cast(DenoiseOptions, options)
    request = Request(
        method=method_of(options.get("method", "auto")),
        noise=noise_of(options.get("noise", "auto"), options.get("sigma")),
        seed=seed_of(options.get("seed", 0)),
        seconds=seconds_of(options.get("time_limit")),
        device=device_of(options.get("device", "auto")),
        rule=rule_of(options.get("stop")),
        on_progress=listener_of(options.get("on_progress")),
        checkpoint=None if checkpoint is None else path_of(checkpoint, "the checkpoint"),
        noise_region=region_of(options.get("noise_region")),
        noise_from=frames_of(options.get("noise_from")),
        output_type=output_type_of(options.get("output_type", SAME)),
        stripes=stripes_of(options.get("stripes")),
        memory=memory_of(options.get("memory")),
        effort=effort_of(options.get("effort", "normal")),
        together=together_of(options.get("together", "auto")),
        strength=strength_of(more.get("strength", 1.0)),
        fixed_pattern=fixed_pattern_of(more.get("fixed_pattern", "auto")),
        flicker=flicker_of(more.get("flicker", "keep")),
    )
    said = request.noise, request.noise_region, request.noise_from
    if sum(each is not None for each in said) > 1:
        raise InputError("the noise is told in two ways at once; give one of noise, noise_region and noise_from")
    return replace(request, asked=asked_for(request))


def asked_for(request: Request) -> dict[str, str] | None:
    """Return method and rule as options name them; None where these, or the time there was, cannot be named."""
    rule = request.rule
    if not isinstance(request.method, str) or request.seconds is not None:
        return None
    effort = {} if request.effort == "normal" else {"effort": request.effort}
    if rule is None:
        return {"method": request.method, **effort}
    named = rule.name in RULES and RULES[rule.name]() == rule
    return {"method": request.method, "stop": rule.name, **effort} if named else None
