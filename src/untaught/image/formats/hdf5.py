"""HDF5: one array of a file, which is a tree of them; all else in it comes back as it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.axes import MIN_SIDE
from untaught.image.formats.base import ANYTHING, BrokenError, Format, Library, broken_by, number_of
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading
from untaught.image.unnamed import Unnamed

MAGIC = b"\x89HDF\r\n\x1a\n"
_NEW = "/image"
_MOST_NAMED = 8
_DEEPEST = 16  # arrays of arrays of other files


@dataclass(frozen=True)
class Layout:
    """Which array of the file it was, and of which type; kept in ``metadata["hdf5"]``."""

    where: str
    shape: tuple[int, ...]
    dtype: str


@contextmanager
def _tree(path: Path) -> Iterator[Any]:
    import h5py

    with broken_by(*ANYTHING):
        found = h5py.File(path, "r", locking=False)
    with found:
        yield found


def read(path: Path, reading: Reading = WHOLE) -> Image | Unnamed:
    """Read the array that is asked for, as in ``volume.h5:/raw``, or the largest that may be a picture.

    Its axes are those that its dimensions are labelled with, or that an attribute `axes`, or ilastik's `axistags`,
    states; otherwise they are found, or asked for, as those of a .npy file.
    """
    reading.refuse_others(path, "HDF5")
    with _tree(path) as tree:
        where, notes = _where(tree, path, reading.inside)
        array = _array(tree[where], f"{path}:{where}", reading.memory)
        axes, spacing = _axes(tree[where])
    metadata: dict[str, Any] = {"hdf5": Layout(where, array.shape, array.dtype.str)}
    if spacing:
        metadata["spacing"] = spacing
    if axes is None:
        return Unnamed(array, None, path.absolute(), metadata, file_notes=notes)
    return replace(Image.of(array, axes, metadata=metadata, source=path.absolute()), file_notes=notes)


def _where(tree: Any, path: Path, inside: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the name of the array that is read, and what to say of the others."""
    pictures = _pictures(tree)
    sizes = {name: " x ".join(map(str, shape)) for name, shape in pictures.items()}
    listed = ", ".join(f"{path.name}:{name} ({size})" for name, size in list(sizes.items())[:_MOST_NAMED])
    if inside is not None:
        with broken_by(*ANYTHING):
            there = tree.get(inside)
            whole = there is not None and hasattr(there, "dtype")
        if not whole:
            raise InputError(f"{path} holds no array under {inside}; it has {listed or 'no picture at all'}")
        if Path(there.file.filename).resolve() != path.resolve():
            raise InputError(f"{path}:{inside} lies in {there.file.filename}; give that file")
        return str(there.name), ()
    if not pictures:
        raise InputError(f"{path} holds no array that may be a picture, of {MIN_SIDE} rows and columns at least")
    name = max(pictures, key=lambda key: prod(pictures[key]))
    if len(pictures) == 1:
        return name, ()
    return name, (
        f"{name} is restored, the largest of {len(pictures)} arrays in the file, and the others are left as they "
        f"are: {listed}",
    )


def _pictures(tree: Any) -> dict[str, tuple[int, ...]]:
    """Return the arrays that may be pictures, name to shape; links to other files are not followed."""
    found: dict[str, tuple[int, ...]] = {}

    def visit(name: str, one: Any) -> None:
        shape = getattr(one, "shape", None) or ()
        numbers = getattr(one, "dtype", None) is not None and one.dtype.kind in "biuf"
        if numbers and sum(side >= MIN_SIDE for side in shape) >= 2:
            found[f"/{name}"] = tuple(shape)

    with broken_by(*ANYTHING):
        tree.visititems(visit)
    return found


def _array(dataset: Any, name: str, memory: int | None) -> NDArray[Any]:
    """Read an array; what could not be restored is refused before."""
    shape = tuple(dataset.shape or ())
    if dataset.dtype.kind not in "biuf":
        raise InputError(f"{name} holds values of type {dataset.dtype}, which are no picture; give another array")
    refuse_to_hold(name, prod(shape) * dataset.dtype.itemsize, memory)
    try:
        with broken_by(*ANYTHING):
            _refuse_circle(dataset.file, dataset)
            return np.asarray(dataset[()])
    except BrokenError as error:
        reason = str(error.__cause__)
        if "filter" in reason:
            raise InputError(
                f"{name} is compressed in a way that h5py does not know; repack it, as with 'h5repack -f GZIP=4'"
            ) from None
        raise


def _axes(dataset: Any) -> tuple[str | None, dict[str, tuple[float, str]]]:
    """Return the letters of the axes, None where nothing says them, and their steps."""
    with broken_by(*ANYTHING):
        labels = _labels(dataset)
        stated, tags = dataset.attrs.get("axes"), dataset.attrs.get("axistags")
        size = dataset.attrs.get("element_size_um")
    letters = "".join(label[:1] for label in labels)
    if isinstance(stated, str | bytes):
        letters = stated if isinstance(stated, str) else stated.decode("latin-1")
    elif tags is not None:
        letters = _vigra(tags)
    letters = letters.upper()
    named = (
        len(letters) == len(dataset.shape) == len(set(letters))
        and letters.isalpha()
        and {"X", "Y"} <= set(letters)
    )
    spatial = [axis for axis in (letters if named else "") if axis in "ZYX"]
    steps = [] if size is None else [number_of(step) for step in np.ravel(size)]
    steps = steps if all(step > 0 for step in steps) else []
    spacing = (
        {a: (step, "um") for a, step in zip(spatial, steps, strict=True)} if len(steps) == len(spatial) else {}
    )
    return (letters if named else None), spacing


def _labels(dataset: Any) -> list[str]:
    """Return what the dimensions are labelled with; HDF5 ends the process where that is no list of texts."""
    import h5py

    if "DIMENSION_LABELS" not in dataset.attrs:
        return []
    kind = dataset.attrs.get_id("DIMENSION_LABELS")
    if kind.shape != (dataset.ndim,) or not h5py.check_string_dtype(kind.dtype):
        return []
    return [
        one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in dataset.attrs["DIMENSION_LABELS"]
    ]


def _refuse_circle(tree: Any, dataset: Any, seen: frozenset[tuple[str, str]] = frozenset()) -> None:
    """Refuse an array that is put together of itself, at which HDF5 ends the process.

    Raises
    ------
    BrokenError
        Where it leads back to itself, through others or at once.
    """
    import h5py

    here = str(Path(tree.filename).resolve()), str(dataset.name)
    if here in seen or len(seen) > _DEEPEST:
        raise BrokenError("an array in it is put together of itself")
    sources = dataset.virtual_sources() if dataset.is_virtual else ()
    for file, name in {(one.file_name, one.dset_name) for one in sources}:
        own = file == "."
        place = Path(tree.filename).parent / file
        if not own and not place.is_file():
            continue
        other = tree if own else h5py.File(place, "r", locking=False)
        try:
            inner = other.get(name)
            if hasattr(inner, "is_virtual"):
                _refuse_circle(other, inner, seen | {here})
        finally:
            if not own:
                other.close()


def _vigra(tags: Any) -> str:
    """Return the letters in the axistags of vigra and ilastik."""
    try:
        return "".join(str(axis["key"]) for axis in json.loads(tags)["axes"])
    except (ValueError, TypeError, LookupError):
        return ""


def write(stream: IO[bytes], image: Image) -> None:
    """Write the whole file that was read, the array in it replaced; a new one has it under /image.

    An array of another size or type than the one read takes its place with its attributes.
    """
    import h5py

    layout = image.metadata.get("hdf5")
    if layout is not None and image.source is not None and image.source.is_file():
        with image.source.open("rb") as old:
            shutil.copyfileobj(old, stream)
        stream.seek(0)
        with h5py.File(stream, "r+", locking=False) as tree:
            _replace(tree, layout, image)
    else:
        with h5py.File(stream, "w") as tree:
            where = image.reading.inside or (_NEW if layout is None else layout.where)
            _create(tree, where, image, {"compression": "gzip", "shuffle": True})


def _replace(tree: Any, layout: Layout, image: Image) -> None:
    dataset = tree[layout.where]
    kept = (image.array.shape, image.array.dtype.str) == (layout.shape, layout.dtype)
    if kept and not dataset.is_virtual and not dataset.external:
        dataset[...] = image.array
        return
    attributes = dict(dataset.attrs)
    options = {
        "compression": dataset.compression,
        "shuffle": dataset.shuffle,
        "compression_opts": dataset.compression_opts,
    }
    del tree[layout.where]
    made = _create(tree, layout.where, image, options if dataset.chunks else {})
    for name, value in attributes.items():
        if name not in ("DIMENSION_LIST", "DIMENSION_LABELS", "CLASS"):  # h5py's own, made above
            made.attrs[name] = value


def _create(tree: Any, where: str, image: Image, options: dict[str, Any]) -> Any:
    made = tree.create_dataset(where, data=image.array, **options)
    for dimension, axis in zip(made.dims, image.axes, strict=True):
        dimension.label = axis
    return made


def objection(image: Image) -> str | None:
    """Nothing: any type and any axes can be held."""
    return None


HDF5 = Format(
    "HDF5",
    (".h5", ".hdf5"),
    lambda header: header.startswith(MAGIC),
    read,
    write,
    objection,
    Library("h5py", "science"),
)
