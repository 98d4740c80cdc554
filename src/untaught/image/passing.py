"""Files and folders that are not to stay: each is locked while it is written, and one that nobody locks is litter.

A lock ends with the process that has it, however that ends, so what a process that was killed has left behind is
told from what another one is writing. Locks count on one machine alone, which names tell; what another machine has
begun is litter when it is a day old.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO

LITTER = 86400.0  # seconds after which nobody is still writing what another machine has begun
SHARE = 20  # a folder is looked through again after so many times the seconds that it took
_looked_through: dict[Path, float] = {}


class Held:
    """A lock, until it is let go of.

    Parameters
    ----------
    descriptor : int or None
        An open file that has it, and is its own; None where the system has no locks.
    """

    def __init__(self, descriptor: int | None) -> None:
        self.descriptor = descriptor

    def let_go(self) -> None:
        """Let go of it."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    __del__ = let_go  # where an interruption came before anybody knew of it


def claimed(path: Path, shared: bool = False) -> Held | None:
    """Return a lock on a file that stays, which is made if need be; None where somebody else has it.

    Parameters
    ----------
    path : Path
        The file.
    shared : bool
        Whether others may have it too who share it.

    Raises
    ------
    OSError
        Where it cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    held = Held(descriptor)
    if not _can_lock():
        return held
    try:
        _lock(descriptor, shared)
    except BlockingIOError:
        held.let_go()
        return None
    except OSError:  # some file systems have no locks
        pass
    return held


def passing_name() -> str:
    """Return a name for what is not to stay, which `remove_litter` knows where it is left behind."""
    return f".untaught-{os.getpid()}-{_machine()}-{secrets.token_hex(4)}.tmp"


def passing_file(folder: Path) -> tuple[Path, IO[bytes], Held]:
    """Return a new file in a folder, open, and the lock on it.

    Raises
    ------
    OSError
        Where there can be none.
    """
    while True:
        path = folder / passing_name()
        stream = open(path, "xb+")  # noqa: SIM115 - it is the caller's
        held = _held(stream.fileno())
        if path.exists():
            return path, stream, held
        stream.close()  # it was taken for litter before it was locked
        held.let_go()


def passing_folder(folder: Path) -> tuple[Path, Held]:
    """Return a new folder in a folder, and the lock on it.

    Raises
    ------
    OSError
        Where there can be none.
    """
    while True:
        path = folder / passing_name()
        path.mkdir()
        held = held_folder(path)
        if path.exists():
            return path, held
        held.let_go()


def held_folder(path: Path) -> Held:
    """Return a lock on a folder."""
    if not _can_lock():
        return Held(None)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return _held(descriptor)
    finally:
        os.close(descriptor)


def _held(descriptor: int) -> Held:
    """Return a lock on what is open, which stays when that is closed."""
    if not _can_lock():
        return Held(None)
    held = Held(os.dup(descriptor))
    with suppress(OSError):  # some file systems have no locks
        _lock(descriptor)
    return held


def remove_litter(folder: Path, deep: bool = False) -> None:
    """Remove what writers that were killed have left in a folder; `deep`: and in those in it.

    Where it takes long, because there is much in the folder, it is not looked through every time.
    """
    started = time.monotonic()
    if not deep and started < _looked_through.get(folder, 0.0):
        return
    with suppress(OSError):
        for path in (folder.rglob if deep else folder.glob)(".untaught-*.tmp"):
            with suppress(OSError):
                _remove(path)
    now = time.monotonic()
    _looked_through[folder] = now + SHARE * (now - started)


def _remove(path: Path) -> None:
    """Remove a file or folder that nobody writes any more."""
    if not (_can_lock() and path.name.split("-")[2:3] == [_machine()]):
        if _now(path.parent) - path.stat().st_mtime > LITTER:
            _away(path)
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        _lock(descriptor)
        _away(path)
    finally:
        os.close(descriptor)


def _away(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _now(folder: Path) -> float:
    """Return the time by the clock that stamps the files of a folder, which may not be that of this machine."""
    path, stream, held = passing_file(folder)
    try:
        return os.fstat(stream.fileno()).st_mtime
    finally:
        stream.close()
        path.unlink()
        held.let_go()


def _machine() -> str:
    import platform

    return f"{zlib.crc32(platform.node().encode()):08x}"


def _can_lock() -> bool:
    try:
        import fcntl  # noqa: F401 - not on every system
    except ImportError:
        return False
    return True


def _lock(descriptor: int, shared: bool = False) -> None:
    """Lock an open file.

    Raises
    ------
    BlockingIOError
        Where somebody else has.
    OSError
        Where the file system has no locks.
    """
    import fcntl

    fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
