"""Which pictures are meant by the files, folders and patterns that were given."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from untaught.errors import InputError, legible, quoted
from untaught.image.find_format import SUFFIXES, format_named, format_of, is_picture_folder, is_volume
from untaught.image.reading import WHOLE, Reading, parted

_SHARD = re.compile(r"\s*(\d+)\s*/\s*(\d+)\s*")


@dataclass(frozen=True)
class Source:
    """A picture, and its place below the folder that was named, which its answer is to have below the output's."""

    path: Path
    place: Path


@dataclass(frozen=True)
class Listing:
    """What was found.

    Attributes
    ----------
    sources : tuple of Source
        The pictures, in the order of their places, each once.
    folders : tuple of Path
        The folders that were named, and those that patterns look all through.
    refused : tuple of (Path, str)
        Folders in them that could not be read, and why, in a sentence.
    notes : tuple of str
        What was passed over.
    """

    sources: tuple[Source, ...]
    folders: tuple[Path, ...]
    refused: tuple[tuple[Path, str], ...] = ()
    notes: tuple[str, ...] = ()

    def shard(self, shard: tuple[int, int]) -> Listing:
        """Return every N-th picture, from the I-th on; what was refused is said by the first shard."""
        index, count = shard
        refused = self.refused if index == 1 else ()
        return Listing(self.sources[index - 1 :: count], self.folders, refused, self.notes)


def is_several(path: Path, reading: Reading = WHOLE) -> bool:
    """Tell whether a path that was given stands for more than one picture: a folder of them, or a pattern."""
    if _exists(path):
        return path.is_dir() and not is_picture_folder(path) and not is_volume(path, reading)
    return glob.has_magic(os.fspath(path))


def shard_of(shard: str | tuple[int, int] | None) -> tuple[int, int] | None:
    """Return which part of the pictures is asked for, I of N; None for all.

    Raises
    ------
    InputError
        For anything but I/N with 1 <= I <= N.
    """
    if shard is None:
        return None
    found = _SHARD.fullmatch(shard) if isinstance(shard, str) else None
    numbers = (int(found[1]), int(found[2])) if found else shard
    whole = isinstance(numbers, tuple) and len(numbers) == 2 and all(type(number) is int for number in numbers)
    if not whole or not 1 <= int(numbers[0]) <= int(numbers[1]):
        raise InputError(f"the shard is {quoted(shard)}; write I/N, such as 3/16, from 1/N to N/N")
    return int(numbers[0]), int(numbers[1])


def listed(inputs: Sequence[Path], recursive: bool, reading: Reading = WHOLE) -> Listing:
    """Return the pictures that are meant.

    Parameters
    ----------
    inputs : sequence of Path
        Files; folders, of which every file that is a picture by its name or its first bytes is meant, but for
        hidden ones; patterns such as ``raw/**/*.tif``. A folder that is one picture, such as an OME-Zarr, is one.
    recursive : bool
        Whether folders in folders are looked into. A link to a folder that was looked into is passed over, so
        that circles end.
    reading : Reading
        Whether folders of DICOM slices are one picture each.

    Raises
    ------
    InputError
        Where something does not exist, a pattern matches nothing, or there is no picture at all.
    """
    walk = _Walk(recursive, reading)
    for path in inputs:
        walk.add(path)
    if not walk.found and not walk.refused:
        deeper = "" if recursive or not walk.deeper else ", but folders: look into these with --recursive"
        ends = "" if deeper else f"; those that are read end in {', '.join(SUFFIXES)}"
        where = " and ".join(f"the folder {legible(folder)}" for folder in walk.folders[:3])
        raise InputError(f"{where} holds no picture{deeper}{ends}")
    sources = sorted(walk.found.values(), key=lambda source: (os.fsencode(source.place), os.fsencode(source.path)))
    return Listing(tuple(sources), tuple(walk.folders), tuple(walk.refused), tuple(walk.notes))


class _Walk:
    """Collects pictures; a file that is named twice is one."""

    def __init__(self, recursive: bool, reading: Reading = WHOLE) -> None:
        self.recursive, self.reading = recursive, reading
        self.found: dict[tuple[str, Path], Source] = {}
        self.folders: list[Path] = []
        self.refused: list[tuple[Path, str]] = []
        self.notes: list[str] = []
        self.deeper = False

    def add(self, path: Path) -> None:
        """Take in what was given."""
        if not _exists(path):
            if glob.has_magic(os.fspath(path)):
                self._matching(path)
                return
            raise InputError(f"{legible(path)} does not exist; check the name")
        if not path.is_dir() or self._is_one(path):
            self._take(path, Path(parted(path)[0].name or path.resolve().name))
            return
        self.folders.append(path)
        self._look_into(path)

    def _is_one(self, folder: Path) -> bool:
        return is_picture_folder(folder) or is_volume(folder, self.reading)

    def _take(self, path: Path, place: Path) -> None:
        self.found.setdefault((os.path.realpath(path), place), Source(path, place))

    def _matching(self, pattern: Path) -> None:
        parts = pattern.parts
        plain = next(at for at, part in enumerate(parts) if glob.has_magic(part))
        base = Path(*parts[:plain])
        matches = [Path(match) for match in sorted(glob.glob(os.fspath(pattern), recursive=True))]
        pictures = [match for match in matches if not match.is_dir() or self._is_one(match)]
        if not pictures:
            raise InputError(f"{legible(pattern)} matches no file; check the pattern")
        if "**" in parts:  # what is written below would match the next time
            self.folders.append(base)
        for match in pictures:
            self._take(match, match.relative_to(base))

    def _look_into(self, top: Path) -> None:
        """Take in the pictures of a folder: of those in it first, of links to folders last."""
        seen: set[str] = set()
        waiting, links = [top], list[Path]()
        while waiting or links:
            folder = waiting.pop() if waiting else links.pop()
            real = os.path.realpath(folder)
            if real in seen or (seen and _holds(real, os.path.realpath(top))):
                self.notes.append(f"{legible(folder)} leads to a folder that is read already, and was passed over")
                continue
            seen.add(real)
            for entry in self._entries(folder):
                if not _is_folder(entry):
                    if _is_picture(entry):
                        self._take(Path(entry.path), Path(entry.path).relative_to(top))
                elif self._is_one(Path(entry.path)):
                    self._take(Path(entry.path), Path(entry.path).relative_to(top))
                elif self.recursive:
                    (links if entry.is_symlink() else waiting).append(Path(entry.path))
                else:
                    self.deeper = True

    def _entries(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                yield from sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            why = error.strerror or error
            self.refused.append((folder, f"the folder {legible(folder)} cannot be read: {why}"))


def _holds(folder: str, other: str) -> bool:
    return Path(other).is_relative_to(folder)


def _exists(path: Path) -> bool:
    """Tell whether there is such a file, folder or dangling link; of an address in a file, that file."""
    return os.path.lexists(path) or os.path.lexists(parted(path)[0])


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_picture(entry: os.DirEntry[str]) -> bool:
    """Tell whether a file is a picture: by its name, or where that has no ending, as in DICOM, by its content."""
    path = Path(entry.path)
    if format_named(path) is not None:
        return True
    if re.search(r"\.[A-Za-z]\w*$", path.name):
        return False
    try:
        format_of(path, None)
    except InputError:
        return False
    return True
