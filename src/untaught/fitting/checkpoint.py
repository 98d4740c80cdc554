"""The state of a fit on disk: tensors and numbers only, written whole or not at all."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import torch

from untaught.errors import InputError, refused_as
from untaught.image.atomic import whole_file
from untaught.image.passing import remove_litter

_waiting: ContextVar[list[Path] | None] = ContextVar("checkpoints of what is not written yet", default=None)


def save(path: Path, saved: dict[str, Any]) -> str:
    """Write a checkpoint; return why it could not be written, or nothing: a full disk must not cost the fit."""
    held = io.BytesIO()
    torch.save(saved, held)
    try:
        with whole_file(path) as file:
            file.write(held.getbuffer())
    except OSError as error:
        return f"the checkpoint could not be written: {error}"
    return ""


def refuse_foreign(path: Path) -> None:
    """Refuse a file that is surely no checkpoint, before anything is computed.

    Raises
    ------
    InputError
        If there is a file, and it is not one that torch writes.
    """
    if path.exists() and not zipfile.is_zipfile(path):
        raise _foreign(path)


@contextmanager
def until_written() -> Iterator[None]:
    """Keep the checkpoints of fits that end inside until it is left, which is when what they made is written.

    On an error they stay: the same call does the last steps again, and not all.
    """
    before = _waiting.set([])
    try:
        yield
        done = _waiting.get() or []
    finally:
        _waiting.reset(before)
    for path in done:
        path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove the checkpoint of a fit that has ended, or see to it that it is when its answer is written."""
    waiting = _waiting.get()
    if waiting is None:
        path.unlink(missing_ok=True)
    else:
        waiting.append(path)


def taken_up(path: Path) -> AbstractContextManager[None]:
    """Call a checkpoint foreign whose content, taken up inside, is not what it should be; see `refused_as`."""
    return refused_as(lambda _: _foreign(path))


def _foreign(path: Path) -> InputError:
    return InputError(f"{path} is not a checkpoint of untaught; remove it or name another file")


def load(path: Path, identity: dict[str, Any], device: torch.device) -> dict[str, Any] | None:
    """Return the checkpoint at `path`, or None where there is none yet.

    Raises
    ------
    InputError
        If it is no checkpoint, or one of another fit than `identity` describes.
    """
    remove_litter(path.parent)
    if not path.exists():
        return None
    try:
        _refuse_packed(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, of archives that others have written
            saved: dict[str, Any] = torch.load(path, weights_only=True, map_location=device)
        matches = saved["identity"] == identity
    except Exception as error:
        raise _foreign(path) from error
    if not matches:
        raise InputError(
            f"the checkpoint {path} belongs to another picture, method or seed; remove it or name another file"
        )
    return saved


def _refuse_packed(path: Path) -> None:
    """Refuse an archive that would become larger than it is: torch packs nothing, and would unpack all of it.

    Raises
    ------
    ValueError
        If it is one.
    """
    with zipfile.ZipFile(path) as archive:
        files = archive.infolist()
    if any(one.compress_type != zipfile.ZIP_STORED for one in files):
        raise ValueError("it is packed")
    if sum(one.file_size for one in files) > path.stat().st_size:
        raise ValueError("its files overlap")
