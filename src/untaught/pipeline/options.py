"""Options as a person writes them, each checked by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError, did_you_mean, one_of, quoted
from untaught.fitting.progress import Progress
from untaught.fitting.stopping import RULES, Rule
from untaught.image.atomic import path_of
from untaught.image.image import Image
from untaught.method import ClosedForm, Iterative, Method
from untaught.methods.fusion import Fusion
from untaught.methods.registry import make
from untaught.noise import Gaussian, NoiseModel
from untaught.noise.models.words import MOST_LEVEL
from untaught.pipeline.noise_files import read_noise

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


def strength_of(strength: float) -> float:
    """Return how much of an answer is wanted in a mixture with its input: a number from 0 to 1."""
    try:
        value = math.nan if isinstance(strength, bool | str) else float(strength)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 <= value <= 1:
        raise InputError(f"the strength is {quoted(strength)}; give a number from 0, the input, to 1, the answer")
    return value


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
