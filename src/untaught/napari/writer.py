"""Layers into files, by the formats of this package: whole or not at all, and never over what was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from untaught.errors import InputError
from untaught.image.files import write
from untaught.image.image import Image
from untaught.napari.layers import LayerData, picture_of


def write_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write one image layer, with the steps of its axes and what its file said.

    Raises
    ------
    InputError, OutputError
        Where the format cannot hold it, or the place cannot be written to.
    """
    return [str(write(path, picture_of(data, meta)))]


def write_channels(path: str, layers: list[LayerData]) -> list[str]:
    """Write several image layers of one size as the channels of one picture, under their names.

    Raises
    ------
    InputError, OutputError
        Where they differ in size, type or axes, or as `write_layer` does.
    """
    pictures = [picture_of(data, meta) for data, meta, _ in layers]
    first = pictures[0]
    for (_, meta, _), picture in zip(layers, pictures, strict=True):
        same = picture.axes == first.axes and picture.array.shape == first.array.shape
        if not same or picture.array.dtype != first.array.dtype or "S" in picture.axes or "C" in picture.axes:
            raise InputError(
                f"the layer {meta.get('name')!r} is {_kind(picture)}, and the first {_kind(first)}; only layers "
                "of one kind without colours become channels of one file, so save it alone"
            )
    names = [str(meta.get("name", "")) for _, meta, _ in layers]
    kept = {key: value for key, value in first.metadata.items() if key in ("spacing", "resolution")}
    stack = np.stack([picture.array for picture in pictures], axis=-3)
    whole = Image.of(stack, f"{first.lead_axes}CYX", metadata=kept | {"channels": names})
    sources = {picture.source for picture in pictures} - {None}
    return [str(write(path, replace(whole, source=None), protect=next(iter(sources), None)))]


def _kind(picture: Image) -> str:
    return f"{picture.array.dtype}, {picture.array.shape} ({picture.axes})"
