"""The middle of a picture before and after, at 1:1 and as small files, for a page of many."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from untaught.image.atomic import whole_file

if TYPE_CHECKING:
    from untaught.results.display import Bytes
    from untaught.results.restoration import Restoration

SIDE = 192  # pixels of the answer
QUALITY = 88
KINDS = ("before", "after")


def thumbnail_name(place: str, kind: str) -> str:
    """Return the name of the file for a picture that has its place in a folder."""
    return f"{hashlib.sha1(place.encode(errors='surrogateescape')).hexdigest()[:20]}-{kind}.jpg"


def write_thumbnails(result: Restoration, folder: Path, place: str) -> None:
    """Write the middle of the plane that stands for the picture, before and after, in one contrast.

    Raises
    ------
    OutputError
        Where a file cannot be written.
    """
    from untaught.results.display import (
        before_after,
        pairs,
        stretch_of,
    )  # brings torch

    folder.mkdir(parents=True, exist_ok=True)
    pair = pairs(result)[0]
    levels = before_after(pair, stretch_of(result, [pair]))
    height, width = levels[1].shape[:2]
    share = min(1.0, SIDE / height), min(1.0, SIDE / width)
    for kind, picture in zip(KINDS, levels, strict=True):
        with whole_file(folder / thumbnail_name(place, kind)) as stream:
            stream.write(_jpeg(_middle(picture, share)))


def _middle(levels: Bytes, share: tuple[float, float]) -> Bytes:
    """Return the middle of a picture, a share of its rows and columns."""
    sizes = [max(1, round(n * part)) for n, part in zip(levels.shape[:2], share, strict=True)]
    top, left = ((n - size) // 2 for n, size in zip(levels.shape[:2], sizes, strict=True))
    return levels[top : top + sizes[0], left : left + sizes[1]]


def _jpeg(levels: Bytes) -> bytes:
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(
        buffer, "JPEG", quality=QUALITY, subsampling=0
    )
    return buffer.getvalue()
