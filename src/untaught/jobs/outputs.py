"""Where the answers of many pictures go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from untaught.errors import InputError, legible
from untaught.image.find_format import answer_name, format_named, is_picture_folder
from untaught.image.reading import parted
from untaught.jobs.inputs import Listing, Source


@dataclass(frozen=True)
class Job:
    """One picture to be restored: from where, to where; `place` is the way below the output's folder.

    It is written to `staged`, where there is such a place, and whoever asked for it puts it where it belongs.
    """

    input: Path
    output: Path
    place: Path
    staged: Path | None = None


def is_place_for_several(output: str | Path) -> bool:
    """Tell whether an output that was named is a folder to put pictures into, there or to be made.

    A folder with the name of a picture is taken for a slip, unless a slash is put behind it.
    """
    path = Path(output)
    if str(output).endswith(("/", os.sep)):
        return True
    return path.is_dir() and not is_picture_folder(path) and format_named(path) is None


def planned(listing: Listing, output: Path, suffix: str | None = None) -> list[Job]:
    """Return what has to be done, in the order of the listing.

    Parameters
    ----------
    listing : Listing
        The pictures.
    output : Path
        The folder for the answers.
    suffix : str, optional
        The ending of their names; that of the picture by default, or where its format is only read,
        `Format.written_as`.

    Raises
    ------
    InputError
        Where the folder is a file, or one of the inputs or in it; where two answers would be one file, or one
        would be written over an input; for a suffix that no format has.
    """
    check_folder(listing.folders, output)
    if suffix is not None:
        suffix = _checked(suffix)
    jobs = jobs_of(listing, output, suffix)
    for _, sentence in doubles(jobs):
        raise InputError(sentence)
    refuse_inputs((job.output for job in jobs), [job.input for job in jobs])
    return jobs


def jobs_of(listing: Listing, output: Path, suffix: str | None = None) -> list[Job]:
    """Return what has to be done, whether it can be or not; see `planned`."""
    return [_job(source, output, suffix) for source in listing.sources]


def job_in(path: Path, output: Path, suffix: str | None = None) -> Job:
    """Return what has to be done for one file whose answer goes into a folder.

    Raises
    ------
    InputError
        Where it would be written over the file.
    """
    job = _job(Source(path, Path(parted(path)[0].name)), output, None if suffix is None else _checked(suffix))
    if _same(job.output, parted(path)[0]):
        raise InputError(
            f"the folder {legible(output)} is the one that {legible(path)} lies in, which would be written over; "
            "name another folder, or a file"
        )
    return job


def doubles(jobs: Sequence[Job]) -> Iterator[tuple[Job, str]]:
    """Yield the jobs whose output another one has before them, each with a sentence about it."""
    taken: dict[str, Job] = {}
    for job in jobs:
        first = taken.setdefault(os.path.normcase(job.output), job)
        if first is not job:
            yield (
                job,
                f"{legible(first.input)} and {legible(job.input)} would both be written to {legible(job.output)}; "
                "give the folder above them with --recursive, or restore them into two folders",
            )


def check_folder(folders: Sequence[Path], output: Path) -> None:
    """Refuse a folder for the answers that is none, or that is or lies in a folder of the inputs.

    Raises
    ------
    InputError
        One sentence.
    """
    if output.exists() and not output.is_dir():
        raise InputError(f"{legible(output)} is a file, and several pictures need a folder; name one with -o")
    if output.is_dir() and is_picture_folder(output):
        raise InputError(f"{legible(output)} is a picture, and several pictures need a folder; name one with -o")
    place = Path(os.path.realpath(output))
    for folder in folders:
        real = Path(os.path.realpath(folder))
        if place == real:
            raise InputError(f"the output folder {legible(output)} is the input folder; name another one")
        if place.is_relative_to(real):
            raise InputError(
                f"the output folder {legible(output)} lies in the input folder {legible(folder)}, so the results "
                "would be taken for inputs; name one beside it"
            )


def refuse_inputs(outputs: Iterable[Path], inputs: Sequence[Path]) -> None:
    """Refuse answers that would be written over an input, also through a link.

    Raises
    ------
    InputError
        One sentence about the first.
    """
    taken = {os.path.realpath(parted(path)[0]) for path in inputs}
    for output in outputs:
        if os.path.realpath(output) in taken:
            raise InputError(f"{legible(output)} is an input and would be written over; name another folder")


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _checked(suffix: str) -> str:
    """Return an ending that a format is written under, with its dot."""
    suffix = suffix if suffix.startswith(".") else f".{suffix}"
    fmt = format_named(Path(f"picture{suffix}"))
    if fmt is None or fmt.write is None or {"/", os.sep, "\0"} & set(suffix):
        raise InputError(f"no format is written under the suffix {suffix!r}; choose .tif, .png, .npy ...")
    return suffix


def _job(source: Source, output: Path, suffix: str | None) -> Job:
    place = source.place.with_name(_name(source, suffix))
    return Job(source.path, output / place, place)


def _name(source: Source, suffix: str | None) -> str:
    """Return the name of the answer to a picture."""
    stem, ending = answer_name(source.place, source.path)
    return stem + (ending if suffix is None else suffix)
