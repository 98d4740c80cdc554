"""Which of the pictures in a file is read, and with how much memory."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

from untaught.errors import InputError, quoted

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([KMGT]?)(i?)B?\s*", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True)
class Reading:
    """What was asked of a file that holds several pictures; None leaves the choice to the reader.

    Attributes
    ----------
    series : int or None
        Which picture of a TIFF, from 0, as tifffile counts its series.
    page : int or None
        Which page alone: of the file, or of `series` where that is given too; from 0, as tifffile counts.
    memory : int or None
        Bytes that may be used, which a file that can only be held whole must not take; half of what is free by
        default.
    inside : str or None
        Where in a file that is a tree of arrays, such as HDF5: a path from its root; see `parted`.
    value_range : tuple of float or None
        What levels and a PSNR are relative to, (low, high); None: by the type, or by the values.
    volume : bool
        Whether a folder of DICOM slices is one picture.
    """

    series: int | None = None
    page: int | None = None
    memory: int | None = None
    inside: str | None = None
    value_range: tuple[float, float] | None = None
    volume: bool = False

    def __post_init__(self) -> None:
        given: dict[str, object] = dict(self.asked)
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 0:
                raise InputError(f"{name} {quoted(value)} is no number of a picture; they are counted from 0")
        if not isinstance(self.volume, bool):
            raise InputError(f"volume is {quoted(self.volume)}; give True or False")
        object.__setattr__(self, "value_range", given_range(self.value_range))

    @property
    def asked(self) -> dict[str, int]:
        """What was asked for, by name; empty where nothing was."""
        both = {"series": self.series, "page": self.page}
        return {name: value for name, value in both.items() if value is not None}

    def refuse_others(self, name: object, kind: str) -> None:
        """Refuse to look for a second picture in a file that holds one.

        Raises
        ------
        InputError
            Where another series or page than the first is asked for.
        """
        for what, value in self.asked.items():
            if value > 0:
                raise InputError(f"{name} is a {kind} file and holds one picture, so there is no {what} {value}")

    def refuse_pages(self, name: object, kind: str, count: int = 1) -> int:
        """Return which of `count` pictures is asked for, -1 where that is left open; no page of one is read alone.

        Raises
        ------
        InputError
            Where there is no such picture, or a page is asked for.
        """
        if self.page:
            raise InputError(f"{name} holds no pages that are read alone ({kind}); leave '--page' away")
        if self.series is not None and self.series >= count:
            held = "one picture, number 0" if count == 1 else f"{count} pictures, from 0 to {count - 1}"
            raise InputError(f"{name} has {held}, so there is no series {self.series}")
        return -1 if self.series is None else self.series


def memory_of(memory: str | int | None) -> int | None:
    """Return a bound on memory in bytes, None where none was given.

    Parameters
    ----------
    memory : str or int, optional
        Bytes, or text such as '2GiB', '1.5G' (which is the same unit) and '800 MB', of 1000 x 1000 bytes each.

    Raises
    ------
    InputError
        When it is neither, or not positive.
    """
    if memory is None:
        return None
    wrong = InputError(f"the memory is {quoted(memory)}; give a positive number of bytes, or text such as '2GiB'")
    if isinstance(memory, str):
        found = _AMOUNT.fullmatch(memory)
        if found is None:
            raise wrong
        amount, power, binary = found.groups()
        decimal = not binary and memory.strip().upper().endswith("B")
        memory = int(float(amount) * (1000 if decimal else 1024) ** _POWERS[power.upper()])
    number: object = memory
    if isinstance(number, bool) or not isinstance(number, Integral) or int(number) <= 0:
        raise wrong
    return int(number)


def given_range(given: Sequence[float] | None) -> tuple[float, float] | None:
    """Return a range that was given, low and high, None where none was.

    Raises
    ------
    InputError
        When it is not two finite numbers that rise.
    """
    if given is None:
        return None
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(high - low) and low < high):
        raise InputError(f"the value range is {quoted(given)}; give two numbers that rise, such as 0 and 4095")
    return low, high


WHOLE = Reading()
"""Nothing was asked: the main picture, with all of its pages."""


_INSIDE = re.compile(r"(.+\.(?:h5|hdf5|hdf|he5|nc))::?(/.*)", re.IGNORECASE | re.DOTALL)


def parted(path: Path) -> tuple[Path, str | None]:
    """Return a file, and where in it: ``volume.h5:/raw/0`` is ``volume.h5`` and ``/raw/0``.

    What exists as a file under the whole name is that file.
    """
    found = _INSIDE.fullmatch(str(path))
    if found is None or path.exists():
        return path, None
    return Path(found[1]), found[2]


def address(path: Path, reading: Reading) -> str:
    """Return how a file, and where in it, is given again."""
    return str(path) if reading.inside is None else f"{path}:{reading.inside}"
