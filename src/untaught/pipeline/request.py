"""What a person wrote, turned into what the code works with, or refused in one sentence."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from untaught.errors import InputError, did_you_mean
from untaught.fitting.stopping import RULES, Rule
from untaught.noise import Gaussian, NoiseModel, parse_noise
from untaught.noise.models.registry import MOST_LEVEL

if TYPE_CHECKING:
    from untaught.method import Method
    from untaught.methods.fusion import Fusion


def method_of(method: Any) -> str | Method | Fusion:
    """Return the method; an unknown name is refused before anything is measured."""
    from untaught.method import ClosedForm, Iterative
    from untaught.methods.fusion import Fusion
    from untaught.methods.registry import make

    if isinstance(method, str):
        if method != "auto":
            make(method)
    elif isinstance(method, type) or not isinstance(method, Iterative | ClosedForm | Fusion):
        raise InputError(
            f"{method!r} is no method; give a name such as 'nonlocal', or a method object such as DIP()"
        )
    found: str | Method | Fusion = method
    return found


def noise_of(noise: str | NoiseModel, sigma: float | None) -> NoiseModel | None:
    """Return the noise that was given, or None where it has to be measured."""
    if not isinstance(noise, str | NoiseModel):
        raise InputError(
            f"the noise is {noise!r}; give text such as 'gaussian:25', or a model such as Gaussian(0.1)"
        )
    if sigma is not None:
        if noise != "auto":
            raise InputError("noise and sigma were both given; give one of them")
        if not (_is(sigma, Real) and 0 < sigma < MOST_LEVEL / 255):
            raise InputError(f"sigma is {sigma}; give a positive fraction of the value range, such as 0.1")
        return Gaussian(sigma)
    return parse_noise(noise) if isinstance(noise, str) else noise


def seed_of(seed: int) -> int:
    """Return the seed; torch takes 0 to 2^63 - 1, and some room above is used for further draws."""
    if not (_is(seed, Integral) and 0 <= seed < 2**62):
        raise InputError(f"the seed is {seed!r}; give a whole number from 0 to 2^62 - 1")
    return int(seed)


def seconds_of(limit: float | None) -> float | None:
    """Return the time limit."""
    if limit is not None and not (_is(limit, Real) and limit > 0):
        raise InputError(f"the time limit is {limit!r} seconds; give a positive number")
    return None if limit is None or math.isinf(limit) else float(limit)


def device_of(device: str) -> str:
    """Return the device to work on."""
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"there is no device {device!r}; choose auto, cpu or cuda")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("no CUDA device was found; choose --device cpu, or leave it at auto")
    return device


def rule_of(stop: str | Rule | None) -> Rule | None:
    """Return the stopping rule that was named, or None where it is chosen later."""
    if stop is None:
        return None
    if not isinstance(stop, str):
        if isinstance(stop, type) or not hasattr(stop, "watch"):
            raise InputError(f"{stop!r} is no stopping rule; give a name, {', '.join(RULES)}, or a rule object")
        return stop
    if stop not in RULES:
        hint = did_you_mean(stop, RULES)
        raise InputError(f"there is no stopping rule {stop!r}; {hint}choose {', '.join(RULES)}")
    rule: Rule = RULES[stop]()
    return rule


def _is(value: object, kind: type) -> bool:
    """Say whether a value is a number of a kind; those of numpy are, which the type checker does not know."""
    return isinstance(value, kind)
