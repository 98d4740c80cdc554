"""What became of many pictures: a row each, as a table of comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from untaught.errors import legible

Status = Literal["done", "kept", "failed", "not reached"]
COLUMNS = ("input", "output", "status", "noise", "method", "psnr", "interval", "seconds", "note")


@dataclass(frozen=True)
class Row:
    """What became of one picture.

    Attributes
    ----------
    input, output : Path
        The files; the same where there is no output.
    status : str
        'done'; 'kept', as it was done before; 'failed'; 'not reached', where the run ended before.
    noise, method : str
        What was found, and what it was restored with.
    psnr, low, high : float or None
        The estimated PSNR and its 90 % interval, in dB.
    seconds : float or None
        How long it took.
    note : str
        Why it failed, or what a person should read.
    final : bool
        Whether there is no use in going on with others: a full disk.
    details : mapping
        All that was found, for programs.
    text : str
        The same for a person, where there is more to say than fits into a row.
    """

    input: Path
    output: Path
    status: Status
    noise: str = ""
    method: str = ""
    psnr: float | None = None
    low: float | None = None
    high: float | None = None
    seconds: float | None = None
    note: str = ""
    final: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    def kept_in_mind(self) -> dict[str, Any]:
        """Return what is kept of it for the next call."""
        forgotten = ("input", "output", "status", "final", "details", "text")
        return {name: value for name, value in asdict(self).items() if name not in forgotten}

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table, in the order of `COLUMNS`."""
        interval = "" if self.low is None or self.high is None else f"{self.low:.2f} to {self.high:.2f}"
        told = (self.noise, self.method, _number(self.psnr), interval, _number(self.seconds), self.note)
        return (legible(self.input), legible(self.output), self.status, *map(legible, told))

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON: the details, where there are some, with the status before them."""
        psnr = None if self.psnr is None else {"value": self.psnr, "low": self.low, "high": self.high}
        files = {"input": legible(self.input), "output": legible(self.output)}
        told = {"noise": self.noise, "method": self.method, "psnr_estimate": psnr, "seconds": self.seconds}
        plain = files if self.status in ("failed", "not reached") else files | told
        return {"status": self.status, **(self.details or plain | {"note": legible(self.note)})}


def table_text(rows: Sequence[Row]) -> str:
    """Return the table, with its head, as comma-separated values."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(row.cells() for row in rows)
    return stream.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
