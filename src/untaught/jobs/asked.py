"""What is asked of many pictures, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from untaught.jobs.check_options import SHARED
from untaught.jobs.one_picture import Work
from untaught.results.picture_table import Row


@dataclass(frozen=True)
class Asked:
    """What is asked of many pictures.

    Attributes
    ----------
    inputs : tuple of Path
        Files, folders, patterns; see `listed`.
    output : Path
        The folder for the answers.
    work : Work
        What is asked of each.
    recursive : bool
        Whether folders in folders are looked into.
    workers : int
        Processes.
    shard : tuple of int, optional
        I, N: every N-th picture, from the I-th on.
    overwrite : bool
        Whether files that lie where an answer goes are written over, whoever made them; inputs never are.
    suffix : str, optional
        The ending of the answers' names.
    dask : str, optional
        The Dask cluster that does it: 'local', the address of a scheduler, or a file that says it.
    """

    inputs: tuple[Path, ...]
    output: Path
    work: Work
    recursive: bool = False
    workers: int = 1
    shard: tuple[int, int] | None = None
    overwrite: bool = False
    suffix: str | None = None
    dask: str | None = None

    @property
    def part(self) -> str:
        """What names of files of this shard have in them; empty for all."""
        return "" if self.shard is None else f"-{self.shard[0]:0{len(str(self.shard[1]))}d}-of-{self.shard[1]}"

    @property
    def checked_there(self) -> bool:
        """Whether the cluster's workers look at the options, so that what they need is not loaded here as well."""
        return self.dask is not None and self.work.verb != "inspect" and self.work.options.get("noise") != SHARED

    @property
    def table(self) -> Path:
        """Where the table goes."""
        return self.output / f"results{self.part}.csv"

    @property
    def page(self) -> Path:
        """Where the page goes."""
        return self.output / f"gallery{self.part}.html"


@dataclass(frozen=True)
class FolderResult:
    """What became of many pictures.

    Attributes
    ----------
    rows : tuple of Row
        One a picture, in the order of their places.
    output : Path
        The folder, or the file where there was one picture and one was named.
    table : Path or None
        The rows as a file; None where they could not be written, or for a file.
    page : Path or None
        The page with small pictures; None likewise.
    notes : tuple of str
        What was passed over.
    interrupted : bool
        Whether it was ended before all were reached; the same call goes on.
    """

    rows: tuple[Row, ...]
    output: Path
    table: Path | None = None
    page: Path | None = None
    notes: tuple[str, ...] = ()
    interrupted: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def with_status(self, *status: str) -> tuple[Row, ...]:
        """Return the rows of a status: 'done', 'kept', 'failed', 'not reached'."""
        return tuple(row for row in self.rows if row.status in status)

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows of the pictures that failed; `note` says why."""
        return self.with_status("failed")

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files that are there."""
        return tuple(row.output for row in self.with_status("done", "kept"))
