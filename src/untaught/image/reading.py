"""Which of the pictures in a file is read."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from untaught.errors import InputError, quoted


@dataclass(frozen=True)
class Reading:
    """What was asked of a file that holds several pictures; None leaves the choice to the reader.

    Attributes
    ----------
    series : int or None
        Which picture of a TIFF, from 0, as tifffile counts its series.
    page : int or None
        Which page alone: of the file, or of `series` where that is given too; from 0, as tifffile counts.
    """

    series: int | None = None
    page: int | None = None

    def __post_init__(self) -> None:
        given: dict[str, object] = dict(self.asked)
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 0:
                raise InputError(f"{name} {quoted(value)} is no number of a picture; they are counted from 0")

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


WHOLE = Reading()
"""Nothing was asked: the main picture, with all of its pages."""
