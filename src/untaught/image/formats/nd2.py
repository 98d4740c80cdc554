"""Nikon ND2, read only; its steps and the names of its channels go into what is written of it."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from untaught.image.formats.base import ANYTHING, BrokenError, Format, Library, broken_by, no_objection
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_PLANES = ("ImageMetadataSeqLV|0", "ImageMetadataSeq|0")  # chunks that say of the planes, now and formerly
_MOST_COMPONENTS = 2**10


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read all planes; of several positions of the stage the first, or the one that is asked for."""
    import nd2

    path.open("rb").close()  # what the disk has to say, in its own words
    with broken_by(*ANYTHING), nd2.ND2File(path) as file:
        told = file.attributes
        sample = told.widthPx * told.heightPx * told.bitsPerComponentInMemory // 8
        if sample < 1:
            raise BrokenError("its header says of no picture")
        refuse_to_hold(path, sample * max(told.componentCount, 1), reading.memory)
        sizes = {str(axis): int(size) for axis, size in file.sizes.items()}
        positions = sizes.pop("P", 1)
        axes = "".join(sizes)
        number = reading.refuse_pages(path, "ND2", positions)
        refuse_to_hold(path, prod(sizes.values()) * file.dtype.itemsize, reading.memory)
        array = np.asarray(file.asarray(position=max(0, number) if positions > 1 else None))
        _refuse_odd_planes(file)
        metadata = _metadata(file, axes)
    array = np.ascontiguousarray(array.reshape(tuple(sizes.values())))
    notes: tuple[str, ...] = ()
    if positions > 1:
        which = f"position {max(0, number)} of {positions}"
        notes = (f"{which} is restored, without the others; '--series N' takes another",)
    image = Image.of(array, axes, metadata=metadata, source=path.absolute())
    return replace(image, file_notes=notes)


def _refuse_odd_planes(file: Any) -> None:
    """Refuse what counts more components than any camera has: the library makes a list of so many numbers."""
    said = file.unstructured_metadata(strip_prefix=False, include=set(_PLANES)) if not file.is_legacy else {}
    for name in _PLANES:
        about = said.get(name) or {}
        counted = about.get("SLxPictureMetadata", about).get("sPicturePlanes", {})
        for planes in (counted.get("sPlaneNew"), counted.get("sPlane")):
            for plane in (planes or {}).values():
                if plane.get("uiCompCount", 1) > _MOST_COMPONENTS:
                    raise BrokenError(f"it counts {plane['uiCompCount']} components in one plane")


def _metadata(file: Any, axes: str) -> dict[str, Any]:
    """Return steps and names of channels; nothing where the library makes nothing of them, as of old files."""
    try:
        size, channels = file.voxel_size(), getattr(file.metadata, "channels", None) or ()
        names = tuple(str(channel.channel.name) for channel in channels)
    except ANYTHING:
        return {}
    steps = {axis: float(getattr(size, axis.lower())) for axis in "ZYX" if axis in axes}
    found: dict[str, Any] = {"spacing": {axis: (step, "um") for axis, step in steps.items() if step > 0}}
    return found | ({"channels": names} if any(names) else {})


ND2 = Format(
    "ND2",
    (".nd2",),
    lambda header: header.startswith(b"\xda\xce\xbe\x0a"),
    read,
    None,
    no_objection,
    Library("nd2", "science"),
    written_as=".ome.tif",
)
