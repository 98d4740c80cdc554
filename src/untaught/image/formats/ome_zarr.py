"""OME-Zarr 0.4 and 0.5, a folder; also a bare Zarr array. Scales, labels and all that is said come back.

References
----------
Moore et al., "OME-NGFF: a next-generation file format for expanding bioimaging data-access strategies", Nature
Methods 18, 2021. https://ngff.openmicroscopy.org/0.5/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from untaught.errors import InputError
from untaught.image.formats import zarr_here
from untaught.image.formats.base import ANYTHING, Format, Library, broken_by
from untaught.image.formats.ome_zarr_layout import LETTERS, SHORT_UNITS, Layout, gaps, refuse_odd_chunks, values_of
from untaught.image.formats.ome_zarr_writer import write
from untaught.image.image import Image
from untaught.image.reading import WHOLE, Reading
from untaught.image.unnamed import Unnamed

MARKERS = (".zgroup", ".zarray", "zarr.json")
"""Names of files of which one lies in every Zarr group or array."""
_MOST_NAMED = 8


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a Zarr group or array."""
    return any((path / name).is_file() for name in MARKERS)


def read(path: Path, reading: Reading = WHOLE) -> Image | Unnamed:
    """Read the largest scale of a picture, or the array that the folder is."""
    with broken_by(*ANYTHING):
        node = zarr_here.opened(path)
        attributes = dict(node.attrs)
    where, notes = "", tuple[str, ...]()
    if isinstance(node, zarr_here.Group):
        where, notes = _picture(path, node, attributes, reading)
        with broken_by(*ANYTHING):
            group = node[where] if where else node
            attributes = dict(group.attrs)
        image, array = _scales(path, group, attributes)
    else:
        reading.refuse_others(path, "Zarr array")
        image, array = {}, node
    with broken_by(*ANYTHING):  # what the file says of itself may be of any shape
        levels = tuple(str(one["path"]) for one in image.get("datasets", ()))
        axes = _axes(image.get("axes"), array)
        metadata = _metadata(attributes, image, axes)
    place = path / where / (levels[0] if levels else "")
    with broken_by(*ANYTHING):
        refuse_odd_chunks(place, array)
        values = values_of(array)
    notes += gaps(place, array, values)
    metadata["zarr"] = Layout(where, levels, values.shape, values.dtype.newbyteorder("=").str, axes or "")
    if axes is None:
        return Unnamed(values, None, path.absolute(), metadata, file_notes=notes)
    return replace(Image.of(values, axes, metadata=metadata, source=path.absolute()), file_notes=notes)


def _multiscales(attributes: Mapping[str, Any]) -> Sequence[Any]:
    """Return what is said of the pictures of a group, in 0.4 and in 0.5."""
    ome = attributes.get("ome")
    found = (ome if isinstance(ome, Mapping) else attributes).get("multiscales")
    return found if isinstance(found, Sequence) else ()


def _picture(
    path: Path, node: Any, attributes: Mapping[str, Any], reading: Reading
) -> tuple[str, tuple[str, ...]]:
    """Return where in the folder the picture is, and what to say of others."""
    ome = attributes.get("ome", attributes)
    if _multiscales(attributes):
        reading.refuse_others(path, "OME-Zarr")
        return "", ()
    if "plate" in ome or "well" in ome:
        raise InputError(
            f"{path} is a plate or a well of many pictures; give one field of it, such as {path}/A/1/0"
        )
    with broken_by(*ANYTHING):
        series = sorted((k for k, group in node.groups() if _multiscales(dict(group.attrs))), key=_number)
        arrays = [f"{path.name}/{name}" for name, _ in node.arrays()]
    if not series:
        held = f"give an array in it: {', '.join(arrays[:_MOST_NAMED])}" if arrays else "give an OME-Zarr picture"
        raise InputError(f"{path} is a Zarr group that says of no picture (multiscales); {held}")
    number = max(0, reading.refuse_pages(path, "OME-Zarr", len(series)))
    others = ", ".join(repr(name) for k, name in enumerate(series) if k != number)
    if not others:
        return series[number], ()
    say = f"picture {series[number]!r} is restored, and these are left as they are: {others}"
    return series[number], (f"{say}; '--series N' restores another",)


def _number(name: str) -> tuple[int, str]:
    return int(name) if name.isdigit() else 2**31, name


def _scales(path: Path, group: Any, attributes: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
    """Return what is said of a picture, and its largest scale."""
    with broken_by(*ANYTHING):
        image = _multiscales(attributes)[0]
        first = str(image["datasets"][0]["path"])
        if first not in group or not hasattr(group[first], "shape"):
            raise InputError(f"{path} lacks the array {first!r}, the largest scale of its picture; fetch it again")
        return image, group[first]


def _axes(stated: Any, array: Any) -> str | None:
    """Return a letter for each axis; None where nothing says what they are."""
    names = [one.get("name") if isinstance(one, Mapping) else one for one in stated or ()]
    if not names:
        names = list(
            getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
        )
    letters = "".join(str(name)[:1] for name in names).upper()
    fits = len(letters) == array.ndim == len(set(letters)) and letters.isalpha() and {"X", "Y"} <= set(letters)
    return letters if fits else None


def _metadata(attributes: Mapping[str, Any], image: Mapping[str, Any], axes: str | None) -> dict[str, Any]:
    """Return steps of the axes and names of the channels, as far as they are said."""
    found: dict[str, Any] = {}
    datasets: Sequence[Mapping[str, Any]] = image.get("datasets") or ({},)
    scales = [
        one["scale"]
        for of in (datasets[0], image)
        for one in of.get("coordinateTransformations") or ()
        if one.get("type") == "scale" and len(one.get("scale", ())) == len(axes or "")
    ]
    if axes and scales and isinstance(image.get("axes"), Sequence):
        steps = np.prod(np.asarray(scales, dtype=np.float64), axis=0)
        units = [SHORT_UNITS.get(str(one.get("unit", "")), "") for one in image["axes"]]
        named = zip(axes, steps, units, strict=True)
        found["spacing"] = {axis: (float(step), unit) for axis, step, unit in named if axis in "TZYX"}
    omero = attributes.get("omero") or (attributes.get("ome") or {}).get("omero") or {}
    names = [str(one.get("label", "")) for one in omero.get("channels") or ()]
    if any(names):
        found["channels"] = tuple(names)
    return found


def objection(image: Image) -> str | None:
    """Say why OME-Zarr cannot hold `image`."""
    layout: Layout | None = image.metadata.get("zarr")
    odd = [axis for axis in image.lead_axes if axis not in LETTERS]
    if layout is None and odd:
        return f"OME-Zarr has no axis {odd[0]}; write .tif or .npy instead"
    if "S" in image.axes and "C" in image.axes:
        return "OME-Zarr has channels or colours, not both; write .tif instead"
    return None


OME_ZARR = Format(
    "OME-Zarr",
    (".zarr", ".ome.zarr"),
    lambda _: False,
    read,
    write,
    objection,
    Library("zarr", "science"),
    folder=is_zarr,
)
