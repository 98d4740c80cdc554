"""Writing whole or not at all, and never over an input."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from untaught.errors import InputError, OutputError, UntaughtError, quoted
from untaught.image.passing import held_folder, passing_file, passing_folder, passing_name, remove_litter
from untaught.image.reading import parted

AT_FDCWD, EXCHANGE = -100, 2  # of Linux's renameat2, see rename(2); macOS has the same number for RENAME_SWAP


def path_of(path: object, what: str) -> Path:
    """Return what was given as a path.

    Raises
    ------
    InputError
        When it is neither text nor a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"{what} is {quoted(path)}; give text or a path")
    return Path(path)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a stream whose content appears at `path` at the end, or, on any failure, nowhere.

    The bytes go to a temporary file in the same folder, reach the disk, and then take the name.

    Raises
    ------
    OutputError
        When the disk is full or refuses, or an encoder fails.
    """
    target = Path(os.path.realpath(path))
    remove_litter(target.parent)
    temporary = held = None
    try:
        temporary, stream, held = passing_file(target.parent)
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except UntaughtError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} could not be written: {reason}") from error
    except Exception as error:
        raise _not_encoded(path, error) from error
    finally:  # also on KeyboardInterrupt; after the replacement there is nothing left to remove
        if temporary is not None and held is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            held.let_go()
    _sync_folder(target.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder whose content appears at `path` at the end, or, on any failure, nowhere.

    Raises
    ------
    OutputError
        As `whole_file` does.
    """
    target = Path(os.path.realpath(path))
    remove_litter(target.parent)
    temporary = held = None
    try:
        temporary, held = passing_folder(target.parent)
        yield temporary
        into_place(temporary, target)
    except UntaughtError:
        raise
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}") from error
    except Exception as error:
        raise _not_encoded(path, error) from error
    finally:
        if temporary is not None and held is not None:
            shutil.rmtree(temporary, ignore_errors=True)
            held.let_go()
    _sync_folder(target.parent)


def _not_encoded(path: Path, error: Exception) -> OutputError:
    """Return what is said where a library cannot write what it is given, such as odd metadata of the input."""
    return OutputError(
        f"{path} could not be encoded ({type(error).__name__} in the library that writes it), as happens with odd "
        "metadata of the input; write another kind of file, such as .tif or .npy"
    )


def into_place(made: Path, target: Path) -> None:
    """Give what was written beside it, a file or a folder, its name; what had that name before is replaced.

    Raises
    ------
    OSError
        Where the system refuses; what was there is there again.
    """
    target = Path(os.path.realpath(target))
    if not made.is_dir():
        os.replace(made, target)
        return
    if target.exists() and _exchanged(made, target):
        shutil.rmtree(made, ignore_errors=True)  # which is what was there before
        return
    old, held = target.parent / passing_name(), None
    try:
        if target.exists():
            held = held_folder(target)
            os.replace(target, old)
        try:
            os.replace(made, target)
        except OSError:
            if old.exists():
                os.replace(old, target)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
        if held is not None:
            held.let_go()


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders have each other's names, so that at no time there is none; tell whether the system can."""
    import ctypes

    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None)
        if hasattr(library, "renameat2"):
            return bool(library.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], EXCHANGE) == 0)
        return bool(library.renamex_np(*names, EXCHANGE) == 0)
    except (AttributeError, OSError, TypeError):  # another system
        return False


def write_text(path: Path, text: str, protected: tuple[Path | None, ...] = ()) -> None:
    """Write a text file, whole or not at all, and never over a protected one; file names in it may be no text.

    Raises
    ------
    InputError, OutputError
        As `check_target` and `whole_file` do.
    """
    check_target(path, protected)
    with whole_file(path) as stream:
        stream.write(text.encode(errors="replace"))


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system lets folders be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_target(
    path: Path, protected: tuple[Path | None, ...], replaced: Callable[[Path], bool] | None = None
) -> None:
    """Refuse a place that cannot be written to, or that is an input.

    Parameters
    ----------
    path : Path
        The place.
    protected : tuple of Path or None
        Files and folders that are not to be written over.
    replaced : callable, optional
        Given where a folder is written: whether a folder that is there may be replaced by it.

    Raises
    ------
    InputError
        When `path` is one of the `protected` files, also through a link, or a folder that holds one.
    OutputError
        When the folder is missing or closed to writing, or `path` is no regular file.
    """
    try:
        target = Path(os.path.realpath(path))
        others = [parted(other)[0] for other in protected if other is not None]
        # what is in a folder goes with it
        inside = replaced is not None and any(Path(os.path.realpath(o)).is_relative_to(target) for o in others)
        if inside or any(_same(target, other) for other in others):
            raise InputError(f"{path} is an input; write the result under another name")
        _refuse_what_is_there(path, target, replaced)
        if not target.parent.is_dir():
            raise OutputError(f"the folder {target.parent} does not exist; create it first")
    except UntaughtError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{path!s:.100} cannot be written: {reason}") from error
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {target.parent} is not writable; choose another")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"{path} is write-protected; give another name")
    _try_folder(target)


def _refuse_what_is_there(path: Path, target: Path, replaced: Callable[[Path], bool] | None) -> None:
    """Refuse what cannot be written over, or not by what is to be written."""
    if target.is_symlink():  # the real path of a link that leads anywhere is none
        raise OutputError(f"{path} is a link that leads back to itself; give another name")
    if not target.exists():
        return
    if replaced is None and target.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file in it")
    if replaced is None and not target.is_file():
        raise OutputError(f"{path} is not a regular file; give another name")
    if replaced is not None and not (target.is_dir() and (replaced(target) or not any(target.iterdir()))):
        raise OutputError(f"{path} is something else already, and is not written over; give another name")


def _try_folder(target: Path) -> None:
    """Make a file beside the target and remove it, for permissions are not all that can be in the way."""
    remove_litter(target.parent)
    trial = target.parent / passing_name()
    try:
        trial.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(f"nothing can be written to {target.parent}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)


def _same(target: Path, other: Path) -> bool:
    if target.exists() and other.exists():
        return target.samefile(other)
    return str(target) == os.path.realpath(other)


def made_folder(folder: str | Path, names: Iterable[str] = (), protected: tuple[Path | None, ...] = ()) -> Path:
    """Make a folder if need be, and refuse it where a file of one of the `names` cannot be written.

    Raises
    ------
    InputError, OutputError
        When it is a file, or cannot be made; when a file in it cannot be written, or is a protected one.
    """
    path = path_of(folder, "the folder's path")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "there is a file of that name" if path.is_file() else error.strerror or str(error)
        raise OutputError(f"the folder {path} cannot be made: {reason}") from error
    for name in names:
        check_target(path / name, protected)
    return path
