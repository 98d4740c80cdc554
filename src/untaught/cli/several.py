"""Several pictures on the command line: whether they are meant, what is shown meanwhile and said at the end."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untaught.cli.console import print_json
from untaught.cli.progress import SECONDS_BETWEEN_LINES
from untaught.cli.signals import Interrupts
from untaught.errors import InputError, legible
from untaught.image.reading import Reading

if TYPE_CHECKING:
    from untaught.cli.call import Call
    from untaught.fitting.progress import Progress
    from untaught.jobs.asked import Asked, FolderResult
    from untaught.jobs.one_picture import Work
    from untaught.jobs.watch import Watching
    from untaught.results.picture_table import Row

SOME_FAILED = 3


@dataclass(frozen=True)
class Several:
    """What was written of inputs and outputs, and how many pictures are gone about; see `folders.run.Asked`."""

    inputs: tuple[Path, ...]
    output: str
    recursive: bool = False
    workers: int | None = None
    shard: str | None = None
    overwrite: bool = False
    suffix: str | None = None
    dask: str | None = None
    volume: bool = False

    @property
    def reading(self) -> Reading:
        """How what is named is looked at."""
        return Reading(volume=self.volume)

    def meant(self, interrupts: Interrupts) -> bool:
        """Tell whether the inputs stand for more than one picture.

        Raises
        ------
        InputError
            For numbers of workers or a shard that cannot be; for a shard of one picture.
        """
        with interrupts.held():
            from untaught.jobs.inputs import is_several, shard_of
            from untaught.jobs.workers import workers_of
        interrupts.check()
        workers_of(self.workers, self.dask)
        shard = shard_of(self.shard)
        if len(self.inputs) > 1 or is_several(self.inputs[0], self.reading):
            return True
        if shard is not None:
            raise InputError("--shard is about several pictures, and one was given; leave it out")
        return False

    def place(self, output: Path) -> Path:
        """Return where the answer to one picture goes: where it was said, or into the folder that was."""
        from untaught.image.atomic import made_folder
        from untaught.image.find_format import is_volume
        from untaught.jobs.outputs import is_place_for_several, job_in

        if not is_place_for_several(self.output) or is_volume(self.inputs[0], self.reading):
            return output
        job = job_in(self.inputs[0], output, self.suffix)
        if self.inputs[0].exists():
            made_folder(output)
        return job.output

    def asked(self, work: Work) -> Asked:
        """Return what is asked of all."""
        from untaught.jobs.asked import Asked
        from untaught.jobs.inputs import shard_of
        from untaught.jobs.workers import workers_of

        output = Path(self.output)
        return Asked(
            self.inputs,
            output,
            work,
            self.recursive,
            workers_of(self.workers, self.dask),
            shard_of(self.shard),
            self.overwrite,
            self.suffix,
            self.dask,
        )


def run_several(call: Call, several: Several, interrupts: Interrupts) -> int:
    """Restore many pictures and return the exit status."""
    with interrupts.held():
        from untaught.jobs.one_picture import verb_of
        from untaught.jobs.run import restore_pictures

        if several.dask is None:
            verb_of(call.task, call.function)  # brings torch, which must not be cut while it loads
    interrupts.check()
    _refuse_single(call)
    with Listener(interrupts, call.as_json, call.quiet) as listener:
        found = restore_pictures(several.asked(_work(call)), listener, listener.progress)
    return concluded(found, call.as_json or call.quiet, interrupts)


def watch_several(call: Call, several: Several, watching: Watching, interrupts: Interrupts) -> int:
    """Restore what comes into folders, and return the exit status."""
    with interrupts.held():
        from untaught.jobs.one_picture import verb_of
        from untaught.jobs.watch import watch_pictures
        from untaught.jobs.workers import workers_of

        verb_of(call.task)
    interrupts.check()
    workers_of(several.workers, several.dask)
    _refuse_single(call)
    with Listener(interrupts, call.as_json, call.quiet) as listener:
        found = watch_pictures(several.asked(_work(call)), watching, listener, listener.progress)
    return concluded(found, call.as_json or call.quiet, interrupts)


def inspect_several(
    options: Mapping[str, Any], reading: Reading, several: Several, as_json: bool, interrupts: Interrupts
) -> int:
    """Look at many pictures and return the exit status."""
    with interrupts.held():
        from untaught.jobs.one_picture import Work, verb_of
        from untaught.jobs.run import inspect_pictures

        verb_of("inspect")
    interrupts.check()
    work = Work("inspect", {name: value for name, value in options.items() if value is not None}, reading)
    with Listener(interrupts, as_json, quiet=False) as listener:
        found = inspect_pictures(several.asked(work), listener)
    return concluded(found, True, interrupts)


def _work(call: Call) -> Work:
    """Return what is asked of every picture."""
    from untaught.jobs.one_picture import Work

    return Work(
        call.task,
        {name: value for name, value in call.asked.items() if value is not None},
        call.reading,
        report=_folder(call, "report"),
        recipe=_folder(call, "recipe"),
        told=_details if call.as_json else None,
        function=call.function,
    )


def _details(result: Any, files: Mapping[str, Path]) -> dict[str, Any]:
    """Return what --json prints of one picture."""
    from untaught.cli.output import denoise_out, dumped

    return dumped(denoise_out(result, files, None), scored=False)


def _refuse_single(call: Call) -> None:
    for name, value in (("reference", call.reference), ("checkpoint", call.options.get("checkpoint"))):
        if value is not None:
            raise InputError(f"--{name} is about one picture, and several were given; leave it out")


def _folder(call: Call, name: str) -> Path | None:
    """Return the folder for what goes with every answer."""
    folder: Path | None = getattr(call, name)
    if folder is not None and not folder.is_dir() and (folder.exists() or folder.suffix):
        raise InputError(f"--{name} of several pictures is a folder, and {legible(folder)} is none; name a folder")
    return folder


class Listener:
    """Shows how many pictures are done, on standard error, or prints an object for each; nothing when quiet."""

    def __init__(self, interrupts: Interrupts, as_json: bool, quiet: bool) -> None:
        self.interrupts = interrupts
        self.as_json = as_json
        self.quiet = quiet
        self.counts: Counter[str] = Counter()
        self.said = time.monotonic()
        self.warned: set[str] = set()
        self.bar: Any = None
        self.task: Any = None

    def __enter__(self) -> Listener:
        if not self.quiet and sys.stderr.isatty():
            from untaught.cli.progress import _bar

            self.bar = _bar()
            self.task = self.bar.add_task("restoring", total=None, what="")
            self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, row: Row, number: int, total: int) -> None:
        """Take in what became of a picture."""
        self.counts[row.status] += 1
        if self.as_json:
            print_json(row.as_dict())
        elif row.text:
            print(f"{row.text}\n", flush=True)
        text = f"{number} of {total} ({counted(self.counts)}): {legible(row.input)}"
        if self.bar is not None:
            self.bar.update(self.task, completed=number, total=total, what=text)
        elif not self.quiet and time.monotonic() - self.said >= SECONDS_BETWEEN_LINES:
            self.said = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def progress(self, progress: Progress) -> None:
        """Let a picture be interrupted, and say once what has to be known before it begins."""
        self.interrupts.check()
        for note in progress.notes:
            if not self.quiet and note not in self.warned:
                self.warned.add(note)
                print(f"warning: {note}", file=sys.stderr, flush=True)


def counted(counts: Mapping[str, int]) -> str:
    """Return how many pictures have which status, in words."""
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def concluded(found: FolderResult, silent: bool, interrupts: Interrupts) -> int:
    """Say what became of all, and return the exit status."""
    with interrupts.final():
        counts: Counter[str] = Counter(row.status for row in found.rows)
        if not silent:
            print(f"pictures {len(found)}: {counted(counts) or 'none in this shard'}")
            for name, path in (("table", found.table), ("gallery", found.page), ("output", found.output)):
                if path is not None:
                    print(f"{name:<9}{legible(path)}")
            sys.stdout.flush()
        say(f"note: {note}" for note in found.notes)
        report_failures(found.rows)
    done = counts["done"] + counts["kept"]
    if interrupts.count or found.interrupted:
        return interrupts.ended(f"{done} of {len(found)} pictures are done, and the same call goes on")
    return SOME_FAILED if done < len(found) else 0


def report_failures(rows: Sequence[Row]) -> None:
    """Name what failed, on standard error."""
    missed = [row for row in rows if row.status == "failed"]
    if missed:
        say([f"{len(missed)} of {len(rows)} pictures failed:"])
        say((f"  {_named(row)}" for row in missed), before="")
    left = sum(row.status == "not reached" for row in rows)
    if left and any(row.final for row in rows):
        say([f"{left} more were not begun, for they would fail too; the same call goes on"])


def _named(row: Row) -> str:
    """Return why a picture failed, with its name, which most sentences begin with."""
    name, note = legible(row.input), legible(row.note)
    return note if name in note else f"{name}: {note}"


def say(lines: Iterable[str], before: str = "untaught: ") -> None:
    """Print lines on standard error."""
    for line in lines:
        print(f"{before}{line}", file=sys.stderr, flush=True)
