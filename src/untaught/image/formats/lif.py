"""Leica LIF, read only; its steps go into what is written of it."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from untaught.errors import InputError
from untaught.image.formats.base import ANYTHING, CutOffError, Format, Library, broken_by, no_objection
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_LETTERS = {"λ": "C", "Λ": "E"}  # of wavelengths: emitted, and that excite
_MICROMETRE = 1e-6  # in metres, which the file counts in
_MOST_NAMED = 6


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read the largest image of the file, or the one that is asked for."""
    import liffile

    # opened here, for the library goes by the name
    with path.open("rb") as stream, broken_by(*ANYTHING), liffile.LifFile(stream) as file:
        images = list(file.images)
        if not images:
            raise InputError(f"{path} holds no image")
        number = reading.refuse_pages(path, "LIF", len(images))
        if number < 0:
            number = max(range(len(images)), key=lambda k: prod(images[k].shape))
        one = images[number]
        axes, shape = _axes(one.dims), tuple(map(int, one.shape))
        refuse_to_hold(path, prod(shape) * one.dtype.itemsize, reading.memory)
        block = one.memory_block
        if block.offset + block.size > path.stat().st_size:
            raise CutOffError
        array = np.asarray(one.asarray())
        spacing = _spacing(one, axes)
        names = [f"{k} {image.name!r}" for k, image in enumerate(images) if k != number]
    notes: tuple[str, ...] = ()
    if names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        others = ", ".join(names[:_MOST_NAMED]) + more
        notes = (f"image {number} {one.name!r} is restored, without {others}; '--series N' takes another",)
    image = Image.of(array, axes, metadata={"spacing": spacing}, source=path.absolute())
    return replace(image, file_notes=notes)


def _axes(dims: tuple[str, ...]) -> str:
    """Return a letter for each axis; a wavelength is a channel, where there are no others."""
    letters = [_LETTERS.get(str(one), str(one)) for one in dims]
    if letters.count("C") > 1:
        letters = ["L" if str(one) == "λ" else letter for one, letter in zip(dims, letters, strict=True)]
    return "".join(letters)


def _spacing(one: Any, axes: str) -> dict[str, tuple[float, str]]:
    found = {}
    for axis, name in zip(axes, one.dims, strict=True):
        places = np.asarray(one.coords.get(name, ()), dtype=np.float64)
        if axis in "TZYX" and len(places) > 1 and places[0] != places[-1]:
            step = abs(float(places[-1] - places[0])) / (len(places) - 1)
            found[axis] = (step, "s") if axis == "T" else (step / _MICROMETRE, "um")
    return found


LIF = Format(
    "LIF",
    (".lif",),
    lambda header: header[:4] == b"\x70\0\0\0" and header[8:9] == b"\x2a",
    read,
    None,
    no_objection,
    Library("liffile", "science"),
    written_as=".ome.tif",
)
