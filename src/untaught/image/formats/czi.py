"""Zeiss CZI, read only; its steps and the names of its channels go into what is written of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import ANYTHING, BrokenError, Format, Library, broken_by, no_objection, number_of
from untaught.image.formats.foreign import plainly_named
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_ORDER = "VHRIBTCZ"  # angle, phase, rotation, illumination, block; and what is usual
_MICROMETRE = 1e-6  # in metres, which the file counts in


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a scene, all of its tiles put together, every plane of it; the largest where none is asked for."""
    from pylibCZIrw import czi

    path.open("rb").close()  # what the disk has to say, in its own words
    with plainly_named(path) as name, broken_by(*ANYTHING), czi.open_czi(name) as file:
        box, scenes = dict(file.total_bounding_box), dict(file.scenes_bounding_rectangle)
        kinds, about = dict(file.pixel_types), file.metadata
        number = reading.refuse_pages(path, "CZI", max(1, len(scenes)))
        numbers = sorted(scenes)
        if number < 0 and scenes:
            number = max(range(len(numbers)), key=lambda k: scenes[numbers[k]].w * scenes[numbers[k]].h)
        sizes = {axis: box[axis][1] - box[axis][0] for axis in _ORDER if axis in box}
        axes = "".join(axis for axis in _ORDER if sizes.get(axis, 1) > 1)
        height, width = (box[axis][1] - box[axis][0] for axis in "YX")
        if scenes:
            height, width = scenes[numbers[number]].h, scenes[numbers[number]].w
        shape = tuple(sizes[axis] for axis in axes)
        refuse_to_hold(path, prod(shape) * height * width, reading.memory)
        if any("Complex" in kind or kind == "Invalid" for kind in kinds.values()):
            raise InputError(f"{path} holds {', '.join(sorted(set(kinds.values())))} values, which are no picture")
        scene = {"scene": numbers[number]} if scenes else {}
        planes = [
            file.read(plane={axis: box[axis][0] + at for axis, at in zip(axes, where, strict=True)}, **scene)
            for where in product(*map(range, shape))
        ]
    array = _stacked(planes, shape)
    letters = axes + "YX" + ("S" if array.ndim == len(axes) + 3 else "")
    notes: tuple[str, ...] = ()
    if len(scenes) > 1:
        notes = (f"scene {number} of {len(scenes)} is restored, without the others; '--series N' takes another",)
    image = Image.of(array, letters, metadata=_metadata(about), source=path.absolute())
    return replace(image, file_notes=notes)


def _stacked(planes: list[NDArray[Any]], shape: tuple[int, ...]) -> NDArray[Any]:
    """Put planes together, (H, W, 1) or (H, W, 3) in the order blue, green, red each."""
    if len({plane.shape for plane in planes}) > 1:
        raise BrokenError("its planes have several sizes")
    array = np.stack(planes).reshape(*shape, *planes[0].shape)
    return array[..., 0] if array.shape[-1] == 1 else np.ascontiguousarray(array[..., ::-1])


def _metadata(about: Any) -> dict[str, Any]:
    """Return steps and names of channels, as far as they are said."""
    found: dict[str, Any] = {}
    spacing = {}
    for one in _listed(about, "ImageDocument", "Metadata", "Scaling", "Items", "Distance"):
        value = number_of(one.get("Value"))
        if value > 0 and str(one.get("@Id")) in "ZYX":
            spacing[str(one["@Id"])] = value / _MICROMETRE, "um"
    names = [
        str(one.get("@Name") or "")
        for one in _listed(
            about, "ImageDocument", "Metadata", "Information", "Image", "Dimensions", "Channels", "Channel"
        )
    ]
    if spacing:
        found["spacing"] = spacing
    if any(names):
        found["channels"] = tuple(names)
    return found


def _listed(about: Any, *names: str) -> list[Mapping[str, Any]]:
    """Return the elements of a name in the metadata, where one stands for itself and several are a list."""
    for name in names:
        about = about.get(name) if isinstance(about, Mapping) else None
    found = about if isinstance(about, list) else [about]
    return [one for one in found if isinstance(one, Mapping)]


CZI = Format(
    "CZI",
    (".czi",),
    lambda header: header.startswith(b"ZISRAWFILE"),
    read,
    None,
    no_objection,
    Library("pylibCZIrw", "science"),
    written_as=".ome.tif",
)
