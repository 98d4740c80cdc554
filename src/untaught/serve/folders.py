"""Pictures that are folders, such as OME-Zarr: sent whole as one upload or as a ZIP archive, given back as one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import AsyncIterator, Iterable
from pathlib import Path, PurePosixPath
from typing import IO

from untaught.errors import InputError, quoted
from untaught.image.atomic import whole_file
from untaught.serve.folder import check_size, safe_name

MOST_FILES = 200_000
DEEPEST = 32
"""Folders in folders."""
LONGEST_LIST = 2**25
"""Bytes of the list of a folder's files."""
PIECE = 2**20
ZIP = b"PK\x03\x04"
NO_PICTURE = "it is a ZIP archive, and holds no OME-Zarr folder; unpack it and drop what is in it"


class Unfolded:
    """A folder that arrives as the list of its files, in JSON, and then these, one behind the other.

    Parameters
    ----------
    place : Path
        Where to; it must not be there.
    listed : int
        Bytes of the list.
    most : int
        Bytes that the files may have together.
    """

    def __init__(self, place: Path, listed: int, most: int) -> None:
        if not 0 < listed <= LONGEST_LIST:
            raise InputError("the folder holds too many files to be sent; use the command line")
        self.place, self.listed, self.most = place, listed, most
        self.head = bytearray()
        self.files: list[tuple[Path, int]] = []
        self.stream: IO[bytes] | None = None
        self.left = 0
        place.mkdir()

    def feed(self, chunk: bytes) -> None:
        """Take what comes next.

        Raises
        ------
        InputError
            For a list that is none, names that lead elsewhere, too much, or more than was listed.
        """
        rest = memoryview(chunk)
        lacking = self.listed - len(self.head)
        if lacking > 0:
            self.head += rest[:lacking]
            rest = rest[lacking:]
            if len(self.head) < self.listed:
                return
            self.files = self._checked(_list_of(bytes(self.head)))[::-1]
            self._open_next()
        while rest and self.stream is not None:
            self.stream.write(rest[: self.left])
            taken = min(self.left, len(rest))
            rest, self.left = rest[taken:], self.left - taken
            if not self.left:
                self._open_next()
        if rest:
            raise InputError("the folder has changed while it was sent; send it again")

    def end(self) -> None:
        """Close it, whole.

        Raises
        ------
        InputError
            Where something is lacking.
        """
        if self.stream is not None or len(self.head) < self.listed:
            raise InputError("the folder was not sent to its end; send it again")

    def close(self) -> None:
        """Close what is open."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def _checked(self, files: list[tuple[str, int]]) -> list[tuple[Path, int]]:
        check_size(sum(size for _, size in files), self.most, self.place.parent)
        found = [(self.place / path_within(name), size) for name, size in files]
        if len(found) > MOST_FILES or len({path for path, _ in found}) < len(found):
            raise InputError(f"the folder holds more than {MOST_FILES} files, or one twice; use the command line")
        for folder in {path.parent for path, _ in found}:
            folder.mkdir(parents=True, exist_ok=True)
        return found

    def _open_next(self) -> None:
        """Open the next file in which anything is to be written; empty ones are made on the way."""
        self.close()
        while self.files:
            path, self.left = self.files.pop()
            if self.left:
                self.stream = open(path, "xb")  # noqa: SIM115 - it stays open for what comes next
                return
            path.touch(exist_ok=False)


async def receive_folder(chunks: AsyncIterator[bytes], place: Path, listed: int, most: int) -> tuple[int, str]:
    """Write a folder that is uploaded, whole or not at all; see `Unfolded` for how it comes.

    Returns
    -------
    size : int
        Bytes.
    digest : str
        SHA-256 of all of it.

    Raises
    ------
    InputError
        As `Unfolded.feed`, and where the disk is full.
    """
    part = place.with_name(f"{place.name}.part")
    size, digest = -listed, hashlib.sha256()
    try:
        arriving = Unfolded(part, listed, most)
        try:
            async for chunk in chunks:
                arriving.feed(chunk)
                size += len(chunk)
                digest.update(chunk)
            arriving.end()
        finally:
            arriving.close()
        os.replace(part, place)
    except OSError as error:
        raise InputError(f"the folder could not be kept: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return size, digest.hexdigest()


def _list_of(text: bytes) -> list[tuple[str, int]]:
    """Return names and sizes."""
    try:
        found = [(name, size) for name, size in json.loads(text)]
    except (ValueError, TypeError):
        found = []
    if not found or not all(isinstance(n, str) and type(size) is int and size >= 0 for n, size in found):
        raise InputError("the list of the folder's files cannot be read; send it again")
    return found


def path_within(name: str) -> Path:
    """Return the place of a file in a folder that is kept here.

    Raises
    ------
    InputError
        For a name that leads elsewhere, or that no system takes.
    """
    parts = name.split("/")
    odd = set(name) & set("\\:\0") or any(part in ("", ".", "..") or len(part.encode()) > 200 for part in parts)
    if odd or len(parts) > DEEPEST or not name.isprintable():
        raise InputError(f"the folder holds a file of the name {quoted(name)}, which is not taken; rename it")
    return Path(*parts)


def is_zip(path: Path) -> bool:
    """Tell whether a file is a ZIP archive."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(ZIP)) == ZIP


def unpacked(archive: Path, markers: Iterable[str], most: int) -> Path:
    """Unpack the one folder of a ZIP archive that is a picture, beside it, whole or not at all.

    Parameters
    ----------
    archive : Path
        The archive.
    markers : iterable of str
        Names of files of which one lies in a folder that is a picture.
    most : int
        Bytes that it may have unpacked.

    Raises
    ------
    InputError
        Where it holds none or several, is broken or locked, or is too large.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            files = [one for one in packed.infolist() if not one.is_dir() and "__MACOSX" not in one.filename]
            root = _root([PurePosixPath(one.filename) for one in files], tuple(markers))
            wanted = [one for one in files if PurePosixPath(one.filename).is_relative_to(root)]
            check_size(sum(one.file_size for one in wanted), most, archive.parent)
            name = safe_name(root.name or _stem(archive.name))
            place = archive.with_name(name if name != archive.name else f"unpacked-{name}")
            return _unpack(packed, wanted, root, place)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("it is a ZIP archive that is cut off, corrupt or locked; pack it again") from error


def _root(names: list[PurePosixPath], markers: tuple[str, ...]) -> PurePosixPath:
    """Return the folder that is a picture: the only one that lies in no other."""
    marked = {name.parent for name in names if name.name in markers}
    roots = [folder for folder in marked if not any(above in marked for above in folder.parents)]
    if not roots:
        raise InputError(NO_PICTURE)
    if len(roots) > 1:
        named = ", ".join(sorted(str(root) for root in roots)[:4])
        raise InputError(
            f"the archive holds {len(roots)} pictures ({named} ...); unpack it and drop them one by one"
        )
    return roots[0]


def _stem(name: str) -> str:
    """Return what an archive's name says of the folder in it."""
    stem = name.removesuffix(".zip").removesuffix(".ozx")
    return stem if stem.endswith(".zarr") else f"{stem}.zarr"


def _unpack(packed: zipfile.ZipFile, files: list[zipfile.ZipInfo], root: PurePosixPath, place: Path) -> Path:
    if len(files) > MOST_FILES:
        raise InputError(f"the archive holds more than {MOST_FILES} files; use the command line")
    part = place.with_name(f"{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        for one in files:
            target = part / path_within(str(PurePosixPath(one.filename).relative_to(root)))
            target.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(one) as source, open(target, "xb") as stream:
                left = one.file_size  # what is said of the size is not to be trusted
                while piece := source.read(min(PIECE, left + 1)):
                    left -= len(piece)
                    if left < 0:
                        raise zipfile.BadZipFile
                    stream.write(piece)
        shutil.rmtree(place, ignore_errors=True)
        os.replace(part, place)
    except OSError as error:
        raise InputError(f"the archive could not be unpacked: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return place


def packed(folder: Path, archive: Path) -> Path:
    """Write a folder as a ZIP archive, whole or not at all; what is in it is compressed already.

    Raises
    ------
    OutputError
        Where it cannot be written.
    """
    with whole_file(archive) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as written:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                written.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
    return archive
