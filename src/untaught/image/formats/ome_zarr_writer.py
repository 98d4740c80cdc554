"""The writing half of OME-Zarr."""

from __future__ import annotations

import shutil
import stat
import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats import zarr_here
from untaught.image.formats.ome_zarr_layout import LETTERS, UNITS, Box, Layout, Read, boxes, part_of_smaller
from untaught.image.image import Image
from untaught.image.lazy import release

_SAYING = (".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json")
_KINDS = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}
_SMALLEST, _CHUNK = 256, 512  # pixels on a side: of the smallest scale, and of a chunk
_COLOURS = {"red": "FF0000", "green": "00FF00", "blue": "0000FF", "alpha": "FFFFFF"}
_VERSION = "0.5"


def write(folder: Path, image: Image) -> None:
    """Write into an empty folder: what was read, with all of its scales made anew; else OME-Zarr 0.5.

    Labels, other pictures, and what is said of the picture and its channels are copied.
    """
    array, _ = ordered(image)

    def read(box: Box) -> NDArray[Any]:
        part = np.array(array[box])
        release(image.array)
        return part

    for level in laid_out(folder, image):
        fill(folder, level, array.shape, read, boxes_of(folder, level))


def laid_out(folder: Path, image: Image) -> list[str]:
    """Write all but the values into an empty folder; return where its scales are, the largest first."""
    layout: Layout | None = image.metadata.get("zarr")
    if layout is None or image.source is None or not image.source.is_dir():
        return _new(folder, image)
    source = image.source
    scales = {source / layout.where / level for level in layout.levels or ("",)}
    rest = partial(_left_out, scales)
    shutil.copytree(source, folder, ignore=rest, copy_function=shutil.copyfile, dirs_exist_ok=True)
    for one in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        one.chmod(one.stat().st_mode | stat.S_IRWXU)  # where the source may only be read
    for scale in scales:
        place = folder / scale.relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in _SAYING:
            if (scale / name).is_file():
                shutil.copyfile(scale / name, place / name)
    return _old(folder, layout, image)


def boxes_of(folder: Path, level: str) -> list[Box]:
    """Return the parts of a scale that may be written apart from each other."""
    return list(boxes(zarr_here.opened_array(folder / level)))


def fill(folder: Path, level: str, full: tuple[int, ...], read: Read, some: Iterable[Box]) -> None:
    """Write some boxes of a scale of a picture of the shape `full`, of which `read` returns parts."""
    made = zarr_here.opened_array(folder / level, "r+")
    for box in some:
        made[box] = part_of_smaller(read, full, made.shape, box)


def _left_out(scales: set[Path], folder: str, names: list[str]) -> set[str]:
    """Return what is not to be copied: the scales of the picture, but for what is said of them."""
    here = Path(folder)
    if here in scales:
        return set(names) - set(_SAYING)
    return {name for name in names if here / name in scales}


def _old(folder: Path, layout: Layout, image: Image) -> list[str]:
    """Lay out all scales in the chunks and the compression that they had; return where they are."""
    shape, dtype = image.array.shape, image.array.dtype
    kept = (shape, dtype.str) == (layout.shape, layout.dtype)
    finer = [new / old for new, old in zip(shape, layout.shape, strict=True)]
    levels = [str(Path(layout.where) / level) for level in layout.levels or ("",)]
    if not kept:
        for level in levels:
            old = zarr_here.opened_array(folder / level, "r+")
            sizes = tuple(round(size * by) for size, by in zip(old.shape, finer, strict=True))
            _alike(folder / level, old, sizes, dtype)
        _rescale(folder / layout.where, finer)
        if (folder / ".zmetadata").is_file() or _is_consolidated(folder):
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # that it is no part of the standard: the file that was read has it
                zarr_here.consolidate(folder)
    return levels


def _is_consolidated(folder: Path) -> bool:
    """Tell whether what is said of the arrays is gathered in the root as well."""
    root = folder / "zarr.json"
    return root.is_file() and b'"consolidated_metadata": {' in root.read_bytes()


def _alike(place: Path, old: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Make an array as another, of another size or type."""
    options: dict[str, Any] = {"zarr_format": old.metadata.zarr_format, "attributes": dict(old.attrs)}
    options["compressors"] = old.compressors
    if old.metadata.zarr_format == 2:
        options["chunk_key_encoding"] = {"name": "v2", "separator": old.metadata.dimension_separator}
    else:
        options |= {"shards": old.shards, "dimension_names": old.metadata.dimension_names}
        options["chunk_key_encoding"] = old.metadata.chunk_key_encoding.to_dict()
    zarr_here.made_array(place, shape=shape, dtype=dtype, chunks=old.chunks, overwrite=True, **options)


def _rescale(group: Path, finer: list[float]) -> None:
    """Make the steps of the pixels those of a picture of another size."""
    node = zarr_here.opened(group, "r+")
    attributes = dict(node.attrs)
    for image in (attributes.get("ome") or attributes).get("multiscales") or ():
        for dataset in image["datasets"]:
            for one in dataset.get("coordinateTransformations") or ():
                if one.get("type") == "scale" and len(one["scale"]) == len(finer):
                    one["scale"] = [step / by for step, by in zip(one["scale"], finer, strict=True)]
    node.say(attributes)


def _new(folder: Path, image: Image) -> list[str]:
    """Lay out a picture from elsewhere, halved until it is small; return where its scales are."""
    array, axes = ordered(image)
    group = zarr_here.made_group(folder)
    datasets: list[dict[str, Any]] = []
    shape = array.shape
    while True:
        name = str(len(datasets))
        chunks = tuple(min(_CHUNK, size) if axis in "YX" else 1 for axis, size in zip(axes, shape, strict=True))
        group.create_array(name, shape=shape, dtype=array.dtype, chunks=chunks, dimension_names=list(axes.lower()))
        scale = [_step(image, axis) * old / new for axis, old, new in zip(axes, array.shape, shape, strict=True)]
        datasets.append({"path": name, "coordinateTransformations": [{"type": "scale", "scale": scale}]})
        if max(shape[-2:]) < 2 * _SMALLEST or min(shape[-2:]) < 2:
            break
        shape = (*shape[:-2], *((size + 1) // 2 for size in shape[-2:]))
    about: dict[str, Any] = {"axes": [_axis(image, axis) for axis in axes], "datasets": datasets}
    ome = {"version": _VERSION, "multiscales": [about]}
    channels = _channels(image)
    group.say({"ome": ome | ({"omero": {"channels": channels}} if channels else {})})
    return [str(one["path"]) for one in datasets]


def ordered(image: Image) -> tuple[NDArray[Any], str]:
    """Return the array as it lies in the folder, and its axes: as it was read, or as the standard orders them."""
    layout: Layout | None = image.metadata.get("zarr")
    if layout is not None and image.source is not None and image.source.is_dir():
        return image.array, image.axes
    letters = image.axes.replace("S", "C")
    axes = "".join(axis for axis in LETTERS if axis in letters)
    return image.array.transpose([letters.index(axis) for axis in axes]), axes


def _step(image: Image, axis: str) -> float:
    step, _ = image.metadata.get("spacing", {}).get(axis, (1.0, ""))
    return float(step)


def _axis(image: Image, axis: str) -> Mapping[str, str]:
    _, unit = image.metadata.get("spacing", {}).get(axis, (1.0, ""))
    about = {"name": axis.lower(), "type": _KINDS[axis]}
    return about | ({"unit": UNITS[unit]} if unit in UNITS else {})


def _channels(image: Image) -> list[dict[str, Any]]:
    """Return what viewers ask of channels, where they have names or are colours."""
    names = [*_COLOURS][: image.size("S")] if "S" in image.axes else list(image.metadata.get("channels", ()))
    low, high = image.value_range
    window = {"min": low, "max": high, "start": low, "end": high}
    colour = dict.fromkeys(names, "FFFFFF") | _COLOURS
    return [{"label": name, "color": colour[name], "active": True, "window": window} for name in names]
