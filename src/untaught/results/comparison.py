"""What several methods made of one picture, as plain data and as a table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from untaught.image.image import Image
from untaught.image.metrics import Quality
from untaught.results import text as words
from untaught.results.restoration import Restoration
from untaught.risk.estimate import Interval, Rmse


@dataclass(frozen=True)
class Row:
    """What one method came to; `reason` says in a sentence why there is no result, where there is none."""

    method: str
    result: Restoration | None = None
    quality: Quality | None = None
    reason: str = ""
    seconds: float = 0.0

    @property
    def psnr(self) -> Interval | None:
        """The estimated PSNR in dB."""
        return self.result.psnr if self.result is not None else None

    @property
    def rmse(self) -> Rmse | None:
        """The estimated RMSE in the data's units."""
        return self.result.rmse if self.result is not None else None

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON; `psnr`, `ssim` and `rmse` only where there was a reference."""
        row: dict[str, Any] = {"method": self.method, "seconds": round(self.seconds, 3), "reason": self.reason}
        row["psnr_estimate"] = row["stopped"] = None
        if self.result is not None:
            stopped = self.result.stopped
            row["made_by"] = self.result.method
            row["stopped"] = {"reason": stopped.reason, "step": stopped.step, "rule": stopped.rule}
        if self.psnr is not None and self.rmse is not None:
            found = {"value": self.psnr.value, "low": self.psnr.low, "high": self.psnr.high}
            row["psnr_estimate"] = {**found, **self.rmse.as_dict()}
        if self.quality is not None:
            row |= self.quality.as_dict()
        return row


@dataclass(frozen=True)
class Compared:
    """The rows in the order asked for, and the pictures they are about.

    Attributes
    ----------
    input : Image
        What was given.
    rows : tuple of Row
        One a method.
    reference : Image or None
        The clean picture.
    quality_input : Quality or None
        PSNR, RMSE and SSIM of the input, where there is a reference.
    interrupted : bool
        True when it was ended by Ctrl-C; what was done until then is there.
    """

    input: Image
    rows: tuple[Row, ...]
    reference: Image | None = None
    quality_input: Quality | None = None
    interrupted: bool = False

    @property
    def results(self) -> dict[str, Restoration]:
        """The results by method, of the methods that have one."""
        return {row.method: row.result for row in self.rows if row.result is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON."""
        return {
            "input": self.input.name,
            "noise": next((words.noise_dict(r.noise, r.input) for r in self.results.values()), None),
            "reference": None if self.reference is None else self.reference.name,
            "quality_input": None if self.quality_input is None else self.quality_input.as_dict(),
            "rows": [row.as_dict() for row in self.rows],
            "interrupted": self.interrupted,
            "notes": list(self.input.notes),
        }

    def describe(self) -> str:
        """Return the table as text."""
        table = [self.heads(), *self.cells()]
        widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table]
        return "\n".join([*lines, *(f"note  {words.sentence(note)}" for note in self.input.notes)])

    def heads(self) -> list[str]:
        """Return the heads of the table's columns."""
        true = ["PSNR", "RMSE", "SSIM"] if self.reference is not None else []
        return ["method", "estimated PSNR", "estimated RMSE", *true, "time", "stopped, or why there is no result"]

    def cells(self) -> list[list[str]]:
        """Return the rows of the table as text."""
        true = _true(self.quality_input) if self.reference is not None else []
        return [["(input)", "", "", *true, "", ""], *(self._cells(row) for row in self.rows)]

    def _cells(self, row: Row) -> list[str]:
        true = _true(row.quality) if self.reference is not None else []
        why = words.sentence(row.result.stopped.reason if row.result is not None else row.reason)
        name = row.method
        if row.result is not None and row.result.method != row.method:
            name = f"{row.method} ({row.result.method})"
        estimates = ["–" if each is None else str(each) for each in (row.psnr, row.rmse)]
        return [name, *estimates, *true, words.seconds(row.seconds), why]


def _true(scores: Quality | None) -> list[str]:
    if scores is None:
        return ["–", "–", "–"]
    psnr = f"{scores.psnr:.2f} dB" if math.isfinite(scores.psnr) else "equal"
    return [psnr, words.number(scores.rmse), f"{scores.ssim:.4f}"]
