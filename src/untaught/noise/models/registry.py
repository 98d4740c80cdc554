"""Noise models as people write them, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.correlated import Correlated
from untaught.noise.models.gaussian import Gaussian, Unknown
from untaught.noise.models.impulse import Impulse
from untaught.noise.models.poisson_gaussian import PoissonGaussian
from untaught.noise.models.speckle import Speckle

FORMS = "auto, gaussian:25, poisson:GAIN,READ, impulse:0.1, speckle:0.2, correlated:25,WIDTH, unknown:25"
MOST_LEVEL = 1e4  # on the 0..255 scale: forty times the range, in which nothing of a picture is left
MOST_SHARE = 1e2  # of the value, in speckle
MOST_WEIGHT = 1e6  # in a kernel, whose scale does not matter
CLIPS = {
    "clipped": (True, True),
    "clipped-low": (True, False),
    "clipped-high": (False, True),
}


def gaussian_kernel(width: float) -> NDArray[np.float64]:
    """Return a Gaussian of standard deviation `width` pixels, odd and square, cut at 3 widths."""
    reach = max(1, math.ceil(3 * width))
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel = np.outer(line, line)
    return np.asarray(kernel / np.sqrt(np.square(kernel).sum()))


def parse_noise(text: str) -> NoiseModel | None:
    """Read a noise model as it is written on the command line.

    Parameters
    ----------
    text : str
        ``auto``; ``gaussian:25`` (standard deviation on the 0..255 scale); ``poisson:GAIN,READ``
        (grey levels per photo-electron, and standard deviation of the read-out in grey levels,
        both on the 0..255 scale); ``impulse:0.1`` (share of pixels hit); ``speckle:0.2`` (standard
        deviation as a share of the value); ``correlated:25,WIDTH`` (standard deviation on the
        0..255 scale, and the standard deviation of a Gaussian kernel in pixels, or the kernel's
        rows as numbers with spaces between, rows separated by ``/``); ``unknown:25``. A last
        ``,clipped``, ``,clipped-low`` or ``,clipped-high`` says that values were cut at 0 and 1,
        at 0, at 1. Levels end at 10 000, the share of speckle at 100.

    Returns
    -------
    NoiseModel or None
        None for ``auto``.

    Raises
    ------
    InputError
        If the text is none of these.
    """
    if not isinstance(text, str):
        raise InputError(f"Noise is given as text, not as {text!r}; use one of: {FORMS}.")
    name, _, rest = text.strip().lower().partition(":")
    if name == "auto" and not rest:
        return None
    if name not in _READERS:
        raise InputError(f"There is no noise model {text!r}; use one of: {FORMS}.")
    words = [word.strip() for word in rest.split(",")] if rest.strip() else []
    clip = CLIPS[words.pop()] if words and words[-1] in CLIPS else (False, False)
    counts, build = _READERS[name]
    if len(words) not in counts:
        wanted = " or ".join(str(n) for n in counts)
        raise InputError(
            f"{text!r} has {len(words)} number{'s' * (len(words) != 1)} where {name} noise takes "
            f"{wanted}; use one of: {FORMS}."
        )
    return build(words, clip, text)


def format_noise(model: NoiseModel | None, digits: int = 6) -> str:
    """Return the text from which `parse_noise` makes `model`, to so many digits; ``auto`` for None."""
    if model is None:
        return "auto"
    ends = {flags: f",{name}" for name, flags in CLIPS.items()}.get(model.clip, "")
    return f"{_written(model, digits)}{ends}"


def _written(model: NoiseModel, digits: int) -> str:
    if isinstance(model, PoissonGaussian):
        return f"poisson:{model.gain * 255:.{digits}g},{model.read * 255:.{digits}g}"
    if isinstance(model, Impulse):
        return f"impulse:{model.fraction:.{digits}g}"
    if isinstance(model, Speckle):
        return f"speckle:{model.sigma:.{digits}g}"
    if isinstance(model, Correlated):
        rows = "/".join(" ".join(f"{v:.{digits}g}" for v in row) for row in model.kernel)
        return f"correlated:{model.sigma * 255:.{digits}g},{rows}"
    return f"{model.kind}:{model.level * 255:.{digits}g}"


def _number(word: str, text: str, top: float) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise InputError(
            f"{word!r} in {text!r} is not a number that is finite and not negative; use one of: {FORMS}."
        )
    if value >= top:
        raise InputError(f"{word!r} in {text!r} is too large: it has to be below {top:g}.")
    return value


def _level(word: str, text: str) -> float:
    return _number(word, text, top=MOST_LEVEL) / 255


def _gaussian(words: list[str], clip: tuple[bool, bool], text: str) -> NoiseModel:
    return Gaussian(_level(words[0], text), clip=clip)


def _unknown(words: list[str], clip: tuple[bool, bool], text: str) -> NoiseModel:
    return Unknown(_level(words[0], text), clip=clip)


def _poisson(words: list[str], clip: tuple[bool, bool], text: str) -> NoiseModel:
    gain, read = (_level(word, text) for word in (*words, "0")[:2])
    return PoissonGaussian(gain, read, clip=clip)


def _impulse(words: list[str], clip: tuple[bool, bool], text: str) -> NoiseModel:
    return Impulse(_number(words[0], text, top=1.0), clip=clip)


def _speckle(words: list[str], clip: tuple[bool, bool], text: str) -> NoiseModel:
    return Speckle(_number(words[0], text, top=MOST_SHARE), clip=clip)


def _correlated(words: list[str], clip: tuple[bool, bool], text: str) -> NoiseModel:
    sigma = _level(words[0], text)
    if "/" in words[1] or " " in words[1]:
        return Correlated(sigma, _rows(words[1], text), clip=clip)
    width = _number(words[1], text, top=100.0)
    if width == 0:
        raise InputError(f"The kernel of {text!r} has no width; write gaussian:{words[0]} for that.")
    return Correlated(sigma, tuple(map(tuple, gaussian_kernel(width))), clip=clip)


def _rows(word: str, text: str) -> tuple[tuple[float, ...], ...]:
    try:
        rows = tuple(tuple(float(v) for v in row.split()) for row in word.split("/"))
    except ValueError:
        rows = ()
    if not rows or len({len(row) for row in rows}) != 1 or not np.isfinite(rows).all():
        raise InputError(
            f"The kernel in {text!r} is not rows of equally many finite numbers separated by '/'; "
            "write for example correlated:25,1 2 1/2 4 2/1 2 1."
        )
    if np.abs(rows).max(initial=0) >= MOST_WEIGHT:
        raise InputError(
            f"The kernel in {text!r} has weights that are too large: they have to be below {MOST_WEIGHT:g}."
        )
    return rows


_Reader = Callable[[list[str], tuple[bool, bool], str], NoiseModel]
_READERS: dict[str, tuple[tuple[int, ...], _Reader]] = {
    "gaussian": ((1,), _gaussian),
    "poisson": ((1, 2), _poisson),
    "poisson-gaussian": ((1, 2), _poisson),
    "impulse": ((1,), _impulse),
    "speckle": ((1,), _speckle),
    "correlated": ((2,), _correlated),
    "unknown": ((1,), _unknown),
}


def scaled(noise: NoiseModel, factor: float, relative_error: float) -> NoiseModel:
    """Return `noise` with its variance times `factor`, which is known to `relative_error`.

    Raises
    ------
    TypeError
        For noise of which the variance does not scale: impulses.
    """
    root = math.sqrt(max(factor, 0.0))
    if isinstance(noise, PoissonGaussian):
        return replace(noise, gain=noise.gain * factor, read=noise.read * root, relative_error=relative_error)
    if isinstance(noise, Gaussian | Speckle | Correlated | Unknown):
        return replace(noise, sigma=noise.sigma * root, relative_error=relative_error)
    raise TypeError(f"no variance to scale in {noise.kind} noise")


MODELS = {m.kind: m for m in (Correlated, Gaussian, Impulse, PoissonGaussian, Speckle, Unknown)}
