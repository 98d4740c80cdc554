"""What was done before: one line a picture that was begun or finished, in a hidden folder among the outputs.

A line is added before a picture is restored and after its output has its name, so that whatever lies there after
a break is known to be ours. Every shard adds to a file of its own, and all read all.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from untaught.errors import InputError, OutputError, legible
from untaught.image.atomic import made_folder
from untaught.image.passing import Held, claimed
from untaught.image.reading import parted
from untaught.jobs.outputs import Job
from untaught.results.picture_table import Row

FOLDER = ".untaught"
WHOLE = "done.jsonl"  # the record of a call that has no part
Signature = tuple[int, int]  # bytes, and the time of the last change in nanoseconds
Standing = Literal["done", "free", "ours", "foreign"]


@dataclass(frozen=True)
class Entry:
    """What is known of an output: of which input, by which call, and as what it was written, if it was."""

    call: str
    source: Signature
    written: Signature | None = None
    row: Mapping[str, Any] | None = None


def signature_of(path: Path) -> Signature:
    """Return what tells a file from a changed one; of a folder, of all that is in it.

    Raises
    ------
    OSError
        Where it is not there.
    """
    path = parted(path)[0]
    found = path.stat()
    if not path.is_dir():
        return found.st_size, found.st_mtime_ns
    stats = [Path(folder, name).stat() for folder, _, names in os.walk(path) for name in names]
    return sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=found.st_mtime_ns)


def call_hash(asked: Mapping[str, Any]) -> str:
    """Return a hash of what is asked of every picture; files that it names count with their sizes and times."""
    told = {name: _told(value) for name, value in sorted(asked.items())}
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]


def _told(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | Path):
        path = Path(value)
        there = os.path.lexists(path) and path.is_file()
        return [str(value), *signature_of(path)] if there else str(value)
    return hashlib.sha256(pickle.dumps(value)).hexdigest()


class Record:
    """The record of one folder for outputs.

    Parameters
    ----------
    output : Path
        The folder.
    call : str
        What is asked of every picture, `call_hash`.
    part : str
        Names the file to add to, beside those of other shards.
    """

    def __init__(self, output: Path, call: str, part: str = "") -> None:
        self.output = output
        self.folder = output / FOLDER
        self.call = call
        self.own = self.folder / f"done{part}.jsonl"
        self.entries: dict[str, Entry] = {}
        self.latest = 0  # of the times in the record: what is added is later, wherever the clock has gone since
        # what is not finished, what was known of it before, and what lay at its place
        self.begun: dict[Path, tuple[Entry | None, Signature]] = {}
        self._load()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other calls from writing to the folder: shards from this shard, and a call of all from any other.

        Raises
        ------
        InputError
            Where another call is at work.
        OutputError
            Where the folder cannot be written to.
        """
        held: list[Held] = []
        try:
            made_folder(self.folder)
            held.append(self._claimed(self.folder / WHOLE, shared=self.own.name != WHOLE))
            if self.own.name != WHOLE:
                held.append(self._claimed(self.own))
            yield
        finally:
            for one in held:
                one.let_go()

    def _claimed(self, path: Path, shared: bool = False) -> Held:
        try:
            held = claimed(path, shared)
        except OSError as error:
            raise self._unwritten(error) from error
        if held is None:
            raise InputError(
                f"another call is writing to {legible(self.output)}; wait for it, or name another folder (--shard "
                "lets several share the pictures out)"
            )
        return held

    def _unwritten(self, error: OSError) -> OutputError:
        return OutputError(f"the record {self.own} cannot be written: {error.strerror or error}")

    def standing(self, job: Job) -> Standing:
        """Return how an output stands: done by the same call from the same input, free, ours, or somebody's."""
        entry = self.entries.get(str(job.place))
        if not os.path.lexists(job.output):
            return "free"
        if entry is None:  # another process may have made it since
            self._load()
            entry = self.entries.get(str(job.place))
        if entry is None:
            return "foreign"
        if entry.written is None:  # it was begun, so what is there is of a call that was broken off
            return "ours"
        if entry.written != signature_of(job.output):
            return "foreign"
        return "done" if entry.call == self.call and entry.source == _signature(job.input) else "ours"

    def kept(self, job: Job) -> Row:
        """Return the row of a picture that was done before."""
        row = self.entries[str(job.place)].row or {}
        return Row(job.input, job.output, "kept", **row)

    def begin(self, job: Job) -> None:
        """Note that a picture is about to be restored.

        Raises
        ------
        OutputError
            Where the folder cannot be written to.
        """
        made_folder(self.folder)
        self.begun[job.place] = self.entries.get(str(job.place)), _signature(job.output)
        self._add(job, Entry(self.call, _signature(job.input)))

    def finish(self, job: Job, row: Row) -> None:
        """Note that an output is there."""
        begun = self.entries[str(job.place)]
        self.begun.pop(job.place)
        self._add(job, replace(begun, written=_signature(job.output), row=row.kept_in_mind()))

    def give_up(self, job: Job) -> None:
        """Note that it failed: what is there is what was there before, unless that is another file now."""
        entry, before = self.begun.pop(job.place)
        if _signature(job.output) == before:
            self._add(job, entry)

    def _add(self, job: Job, entry: Entry | None) -> None:
        """Add a line, on disk before this returns; a line that a break has cut off is ended first."""
        self.latest = max(time.time_ns(), self.latest + 1)
        line: dict[str, Any] = {"place": str(job.place), "at": self.latest}
        if entry is None:
            self.entries.pop(str(job.place), None)
        else:
            self.entries[str(job.place)] = entry
            line |= {"call": entry.call, "source": entry.source, "written": entry.written, "row": entry.row}
        try:
            with open(self.own, "ab+") as stream:
                start = b""
                if stream.tell():
                    stream.seek(-1, os.SEEK_END)
                    start = b"" if stream.read(1) == b"\n" else b"\n"
                stream.write(start + json.dumps(line).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise self._unwritten(error) from error

    def _load(self) -> None:
        """Read all shards' lines; what was written last counts, and a line that was cut off says nothing."""
        latest: dict[str, tuple[int, Entry | None]] = {}
        for path in sorted(self.folder.glob("done*.jsonl")) if self.folder.is_dir() else ():
            try:
                lines = path.read_bytes().splitlines()
            except OSError as error:
                raise OutputError(f"the record {path} cannot be read: {error.strerror or error}") from error
            for line in lines:
                try:
                    told = json.loads(line)
                    place, at, entry = str(told["place"]), int(told["at"]), _entry(told)
                    if at >= latest.get(place, (0, None))[0]:
                        latest[place] = at, entry
                    self.latest = max(self.latest, at)
                except (ValueError, LookupError, TypeError, RecursionError):  # cut off, or not of ours
                    continue
        self.entries = {place: entry for place, (_, entry) in latest.items() if entry is not None}


def _entry(told: Mapping[str, Any]) -> Entry | None:
    """Return what a line says.

    Raises
    ------
    ValueError, LookupError, TypeError
        Where it says nothing that could be meant.
    """
    if "call" not in told:
        return None
    written, row = told["written"], told["row"]
    size, changed = told["source"]
    if row is not None:
        Row(Path(), Path(), "kept", **row).cells()
    return Entry(told["call"], (size, changed), None if written is None else (written[0], written[1]), row)


def _signature(path: Path) -> Signature:
    """Return the signature of a file, or one that no file has where it has vanished."""
    try:
        return signature_of(path)
    except OSError:
        return -1, -1
