"""The private folder: what was uploaded and made of it, for nobody else to read, and gone at the end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path, PureWindowsPath

from untaught.errors import InputError
from untaught.image.lazy import in_words

PREFIX = "untaught-serve-"
SERVER = "server.json"
SPARE = 2**29
"""Bytes of the disk that uploads leave free."""
LONGEST = 80
"""Letters of a file's name."""


def private_folder(port: int) -> Path:
    """Return a folder that nobody else may open.

    Where a server of this port was killed, it is that one's, so that the pages that are open go on; those of other
    servers that were killed are taken away.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not _abandoned(left):
            continue
        if _port_of(left) == port and not any(folder.iterdir()):
            folder.rmdir()
            left.rename(folder)
        else:
            shutil.rmtree(left, ignore_errors=True)
    return folder


def token_of(folder: Path, port: int) -> str:
    """Return the token of the server whose folder it is, a new one where there was none."""
    kept = folder / SERVER
    if not kept.exists():
        kept.write_text(json.dumps({"port": port, "token": secrets.token_urlsafe(24)}), "utf-8")
    token: str = json.loads(kept.read_text("utf-8"))["token"]
    return token


def _port_of(folder: Path) -> int | None:
    """Return the port of the server whose folder it was."""
    try:
        port: int = json.loads((folder / SERVER).read_text("utf-8"))["port"]
    except (OSError, ValueError, KeyError):
        return None
    return port


def _abandoned(folder: Path) -> bool:
    """Tell whether a folder is one of ours whose server lives no more; what a stranger has put there is not."""
    number = folder.name.removeprefix(PREFIX).partition("-")[0]
    try:
        ours = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
        if not (ours and number.isdecimal()):
            return False
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError, AttributeError):  # another's, or a system without users
        return False
    return False


def safe_name(name: str) -> str:
    """Return the last part of a name as a file may be called here: no folders, no leading dot, no surprises."""
    last = PureWindowsPath(name).name  # cuts at both kinds of slash
    kept = re.sub(r"[^\w.()+-]+", "_", last).lstrip("._-")
    stem, dot, suffix = kept.rpartition(".")
    return (f"{stem[:LONGEST]}{dot}{suffix[:12]}" if dot and stem else kept[:LONGEST]) or "picture"


async def receive(chunks: AsyncIterator[bytes], path: Path, most: int) -> tuple[int, str]:
    """Write what is uploaded to a file, whole or not at all.

    Parameters
    ----------
    chunks : async iterator of bytes
        The upload, which ends with an error where the connection breaks.
    path : Path
        Where to; its folder is there.
    most : int
        Bytes that it may have.

    Returns
    -------
    size : int
        Bytes.
    digest : str
        SHA-256.

    Raises
    ------
    InputError
        If it is empty or too large, or the disk is full.
    """
    part, size, digest = path.with_name(f"{path.name}.part"), 0, hashlib.sha256()
    try:
        with open(part, "xb") as stream:
            async for chunk in chunks:
                size += len(chunk)
                check_size(size, most, path.parent)
                stream.write(chunk)
                digest.update(chunk)
        if size == 0:
            raise InputError("the file is empty")
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"the file could not be kept: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return size, digest.hexdigest()


def check_size(size: int, most: int, folder: Path) -> None:
    """Refuse a file that is too large, or for which the disk is.

    Raises
    ------
    InputError
        One sentence.
    """
    if size > most:
        raise InputError(
            f"the file has more than the {in_words(most)} that this page takes; start it with --most for more, or "
            "use the command line, which reads large files in place"
        )
    if size > shutil.disk_usage(folder).free - SPARE:
        raise InputError("the disk of the server has no room for this file; remove pictures from the list")
