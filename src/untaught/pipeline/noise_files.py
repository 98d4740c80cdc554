"""Laws of noise that are written as the name of a file, which is read here: a curve, or a map."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from untaught.errors import InputError
from untaught.image.files import read
from untaught.noise import Gaussian, NoiseMap, NoiseModel, VarianceCurve, parse_noise
from untaught.noise.models.censored import Clip
from untaught.noise.models.registry import CLIPS

NUMBERS = re.compile(r"[-+\d.eE\s/]+")  # a curve that is written out is made of these
MOST_BYTES = 2**20  # of a table of numbers; more is another file


def read_noise(text: str) -> NoiseModel | None:
    """Read a noise model as it is written on the command line, from a file where it names one.

    Parameters
    ----------
    text : str
        What `untaught.noise.parse_noise` reads; or ``curve:FILE.csv``, two columns, brightness and variance; or
        ``map:FILE``, a picture of standard deviations at every pixel; all on the 0..255 scale. A last ``,clipped``
        and so on is read as there.

    Raises
    ------
    InputError
        If the text is none of these, or the file is not what it should be.
    """
    name, _, rest = text.strip().partition(":") if isinstance(text, str) else ("", "", "")
    path, comma, end = rest.rpartition(",")
    clip = CLIPS.get(end.strip().lower()) if comma else None
    path = rest if clip is None else path
    reader = READERS.get(name.strip().lower())
    if reader is None or not path.strip() or NUMBERS.fullmatch(path):
        return parse_noise(text)
    return reader(Path(path.strip()), clip or (False, False))


def read_curve(path: Path, clip: Clip = (False, False)) -> VarianceCurve:
    """Return the law of a table of two columns, brightness and variance, both on the 0..255 scale.

    Commas, semicolons or blanks lie between the columns. Lines that begin with # are left out, and so is a first
    line that holds no number.

    Raises
    ------
    InputError
        If there is no such file, or it is no such table.
    """
    lines = [(number, line.strip()) for number, line in enumerate(_text(path).splitlines(), 1)]
    rows = [(number, re.split(r"\s*[,;]\s*|\s+", line)) for number, line in lines if line and line[0] != "#"]
    if rows and not any(map(_is_number, rows[0][1])):
        del rows[0]
    for number, cells in rows:
        if len(cells) != 2 or not all(map(_is_number, cells)):
            raise InputError(
                f"line {number} of {path} is not two numbers, brightness and variance, as in '128,30'"
            )
    try:
        nodes = [(float(place) / 255, float(variance) / 255**2) for _, (place, variance) in rows]
        return VarianceCurve(tuple(nodes), clip=clip)
    except InputError as error:
        raise InputError(
            f"{path} is no curve of noise: give one line or more of brightness and variance, on the 0..255 scale, "
            "finite, rising in brightness, no variance negative"
        ) from error


def read_map(path: Path, clip: Clip = (False, False)) -> NoiseMap:
    """Return the law of a picture, or .npy, of standard deviations at every pixel on the 0..255 scale.

    Raises
    ------
    InputError
        If there is no such file, or it is no such picture.
    """
    field = np.squeeze(read(path).array)
    if field.ndim != 2:
        raise InputError(f"{path} is no map of noise: give a picture of one plane, without colours")
    try:
        return NoiseMap(Gaussian(1.0), field / 255, source=str(path.absolute()), clip=clip)
    except InputError as error:
        raise InputError(f"{path} is no map of noise: levels are finite and not negative") from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InputError(f"{path} is too large for a curve of noise, a table of two columns of numbers")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text; a curve of noise is a table of two columns of numbers") from error
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise InputError(f"the curve of noise {path} cannot be read: {reason}") from error


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


READERS: dict[str, Callable[[Path, Clip], NoiseModel]] = {"curve": read_curve, "map": read_map}
