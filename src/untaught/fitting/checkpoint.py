"""The state of a fit on disk: tensors and numbers only, written whole or not at all."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from untaught.errors import InputError
from untaught.image.atomic import whole_file


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


def _foreign(path: Path) -> InputError:
    return InputError(f"{path} is not a checkpoint of untaught; remove it or name another file")


def load(path: Path, identity: dict[str, Any], device: torch.device) -> dict[str, Any] | None:
    """Return the checkpoint at `path`, or None where there is none yet.

    Raises
    ------
    InputError
        If it is no checkpoint, or one of another fit than `identity` describes.
    """
    if not path.exists():
        return None
    try:
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
