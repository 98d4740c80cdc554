"""How a file is read: its axes, which of its pictures, what levels are relative to; never a path out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from untaught.errors import InputError, quoted
from untaught.image.reading import Reading

LONGEST = 300
"""Letters of a path in a file."""
Number = Annotated[int, Field(ge=0, lt=10**6)]


class Reads(BaseModel):
    """What a person says of a file; None leaves it to the file, as on the command line.

    Attributes
    ----------
    axes : str or None
        One letter for each.
    series, page : int or None
        Which of several pictures, and which page alone; from 0.
    inside : str or None
        Where in an HDF5 file or a Zarr folder the picture is, such as '/raw/0'.
    value_range : tuple of float or None
        Low and high.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    axes: str | None = Field(default=None, pattern=r"^[A-Za-z]{1,12}$")
    series: Number | None = None
    page: Number | None = None
    inside: str | None = Field(default=None, max_length=LONGEST)
    value_range: tuple[float, float] | None = None

    @field_validator("inside")
    @classmethod
    def _within(cls, inside: str | None) -> str | None:
        if inside is None:
            return None
        parts = inside.strip("/").split("/")
        if not all(part.strip(". ") and part.isprintable() and not set(part) & set("\\:") for part in parts):
            raise ValueError("write where in the file the picture is, such as /raw/0")
        return f"/{'/'.join(parts)}"

    @property
    def reading(self) -> Reading:
        """The same for a reader, but for the axes.

        Raises
        ------
        InputError
            For a value range that is none.
        """
        return Reading(self.series, self.page, value_range=self.value_range)

    def place(self, path: Path) -> Path:
        """Return where the picture is that a file, or a folder that is one, holds.

        Raises
        ------
        InputError
            Where a folder holds nothing under that name.
        """
        if self.inside is None or not path.is_dir():
            return path
        place = path / self.inside.lstrip("/")
        if not place.is_dir():
            raise InputError(f"{path} holds nothing under {quoted(self.inside)}; see what is in it and name that")
        return place

    def written(self, name: str, folder: bool) -> tuple[str, list[str]]:
        """Return how the picture is named on a command line, and the options that say the rest."""
        inside = self.inside or ""
        ends = None if self.value_range is None else ",".join(map(written, self.value_range))
        options = {"axes": self.axes, "series": self.series, "page": self.page, "value-range": ends}
        given = {option: str(value) for option, value in options.items() if value is not None}
        words = [word for option, value in given.items() for word in (f"--{option}", value)]
        return (name + inside if folder or not inside else f"{name}:{inside}"), words


def written(value: Any) -> str:
    """Return a value as it is written on a command line: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
