"""What was asked for: options as a person writes them, checked one by one, and the request they come to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError, did_you_mean, one_of, quoted
from untaught.fitting.progress import Progress
from untaught.fitting.stopping import RULES, Rule
from untaught.image.atomic import path_of
from untaught.image.image import Image
from untaught.image.output_type import SAME, output_type_of
from untaught.image.reading import memory_of
from untaught.image.tiling import Tiling
from untaught.method import ClosedForm, Iterative, Method
from untaught.methods.fusion import Fusion
from untaught.methods.registry import make
from untaught.noise import Gaussian, NoiseModel
from untaught.noise.models.words import MOST_LEVEL
from untaught.pipeline.noise_files import read_noise
from untaught.problem import Weights

Picture = str | Path | Image | NDArray[Any]
ImageLike = Picture | Tensor
Region = tuple[int, int, int, int]
STRIPES = ("rows", "columns", "auto")
FIXED_PATTERN = ("auto", "remove", "keep")
FLICKER = ("keep", "remove")
TOGETHER = ("auto", "none", "T", "Z", "TZ")
Frames = str | Path | Sequence[str | Path]
Listener = Callable[[Progress], bool | None]
"""Called with the progress; False ends the fit, and the best so far is the answer."""


EFFORTS = ("quick", "normal", "best")


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

    fixed_pattern, flicker : as in `denoise`
    """

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


def effort_of(effort: str) -> str:
    """Return how much is to be tried."""
    return _chosen(effort, "the effort", EFFORTS)


def together_of(together: str) -> str:
    """Return which planes may be restored together."""
    if not one_of(together, TOGETHER):
        raise InputError(
            f"planes are to be taken together along {quoted(together)}; choose {', '.join(TOGETHER[:-1])} or "
            f"{TOGETHER[-1]}"
        )
    return together


def fixed_pattern_of(fixed_pattern: str) -> str:
    """Return what is to be done with the fixed pattern of a sensor."""
    return _chosen(fixed_pattern, "the fixed pattern", FIXED_PATTERN)


def flicker_of(flicker: str) -> str:
    """Return whether planes keep a brightness of their own."""
    return _chosen(flicker, "the flicker", FLICKER)


def _chosen(value: str, what: str, choices: Sequence[str]) -> str:
    if not one_of(value, choices):
        named = " or ".join((", ".join(choices[:-1]), choices[-1]))
        raise InputError(f"{what} is {quoted(value)}; choose {named}")
    return value


def method_of(method: Any) -> str | Method | Fusion:
    """Return the method; an unknown name is refused before anything is measured."""
    if isinstance(method, str):
        if method != "auto":
            make(method)
    elif isinstance(method, type) or not isinstance(method, Iterative | ClosedForm | Fusion):
        raise InputError(
            f"{quoted(method)} is no method; give a name such as 'nonlocal', or a method object such as DIP()"
        )
    found: str | Method | Fusion = method
    return found


def noise_of(noise: str | NoiseModel, sigma: float | None) -> NoiseModel | None:
    """Return the noise that was given, or None where it has to be measured."""
    if not isinstance(noise, str | NoiseModel):
        raise InputError(
            f"the noise is {quoted(noise)}; give text such as 'gaussian:25', or a model such as Gaussian(0.1)"
        )
    if sigma is not None:
        if noise != "auto":
            raise InputError("noise and sigma were both given; give one of them")
        if not (_is(sigma, Real) and 0 < sigma < MOST_LEVEL / 255):
            raise InputError(f"sigma is {quoted(sigma)}; give a positive fraction of the value range, such as 0.1")
        return Gaussian(sigma)
    return read_noise(noise) if isinstance(noise, str) else noise


def region_of(region: Region | None) -> Region | None:
    """Return a rectangle, x, y, width, height; whether it fits the picture is seen later."""
    if region is None:
        return None
    whole = isinstance(region, tuple | list) and len(region) == 4 and all(_is(each, Integral) for each in region)
    if not whole or min(region) < 0:
        raise InputError(
            f"the noise region is {quoted(region)}; give four whole numbers, x, y, width and height in pixels, "
            "none of them negative"
        )
    x, y, width, height = (int(each) for each in region)
    return x, y, width, height


def frames_of(source: Frames | None) -> tuple[Path, ...] | None:
    """Return the files or folders with dark and flat frames."""
    if source is None:
        return None
    each = [source] if isinstance(source, str | Path) else source
    if not (isinstance(each, Sequence) and each and all(isinstance(path, str | Path) for path in each)):
        raise InputError(
            f"noise_from is {quoted(source)}; give the path of a file or folder of dark and flat frames, or a list"
        )
    return tuple(path_of(path, "the path of the frames") for path in each)


def stripes_of(stripes: str | None) -> str | None:
    """Return which stripes are to be taken out; None for none."""
    if stripes is not None and not one_of(stripes, STRIPES):
        raise InputError(f"stripes are {quoted(stripes)}; choose {', '.join(STRIPES[:-1])} or {STRIPES[-1]}")
    return stripes


def seed_of(seed: int) -> int:
    """Return the seed; torch takes 0 to 2^63 - 1, and some room above is used for further draws."""
    if not (_is(seed, Integral) and 0 <= seed < 2**62):
        raise InputError(f"the seed is {quoted(seed)}; give a whole number from 0 to 2^62 - 1")
    return int(seed)


def seconds_of(limit: float | None) -> float | None:
    """Return the time limit."""
    if limit is not None and not (_is(limit, Real) and limit > 0):
        raise InputError(f"the time limit is {quoted(limit)} seconds; give a positive number")
    return None if limit is None or math.isinf(limit) else float(limit)


def device_of(device: str) -> str:
    """Return the device to work on."""
    if not one_of(device, ("auto", "cpu", "cuda")):
        raise InputError(f"there is no device {quoted(device)}; choose auto, cpu or cuda")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("no CUDA device was found; choose --device cpu, or leave it at auto")
    return device


def listener_of(on_progress: Listener | None) -> Callable[[Progress], None] | None:
    """Return what is called with the progress; where what was given answers False, the fit ends as by Ctrl-C."""
    if on_progress is None:
        return None
    if not callable(on_progress):
        raise InputError(f"on_progress is {quoted(on_progress)}; give a function of one `Progress`")

    def tell(progress: Progress) -> None:
        if on_progress(progress) is False:
            raise KeyboardInterrupt

    return tell


def rule_of(stop: str | Rule | None) -> Rule | None:
    """Return the stopping rule that was named, or None where it is chosen later."""
    if stop is None:
        return None
    if not isinstance(stop, str):
        if isinstance(stop, type) or not hasattr(stop, "watch"):
            raise InputError(
                f"{quoted(stop)} is no stopping rule; give a name, {', '.join(RULES)}, or a rule object"
            )
        return stop
    if stop not in RULES:
        hint = did_you_mean(stop, RULES)
        raise InputError(f"there is no stopping rule {stop!r}; {hint}choose {', '.join(RULES)}")
    rule: Rule = RULES[stop]()
    return rule


def _is(value: object, kind: type) -> bool:
    """Say whether a value is a number of a kind; those of numpy are, which the type checker does not know."""
    return isinstance(value, kind)
