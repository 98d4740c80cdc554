"""One picture that others restore part by part: what of it they read, do and write. This runs in the workers."""

from __future__ import annotations

import os
import pickle
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.files import as_image
from untaught.image.formats import zarr_here
from untaught.image.formats.ome_zarr_layout import Box
from untaught.image.formats.ome_zarr_writer import fill
from untaught.image.image import Image
from untaught.image.lazy import release
from untaught.image.output_type import rounding
from untaught.image.reading import Reading
from untaught.image.stored import Fetch, Stored
from untaught.jobs.dask_tasks import here
from untaught.jobs.record import Signature, signature_of
from untaught.pipeline.answer import Answer
from untaught.pipeline.elsewhere import Part, Solved
from untaught.pipeline.tiles.join_tiles import NOWHERE

KEPT = ("photometric",)  # of what a picture says of itself: what its planes depend on


@dataclass(frozen=True)
class Opening:
    """Where a picture is, and what was found on all of it, so that a part of it can be read alone.

    Attributes
    ----------
    path : Path
        The file or folder.
    axes : str or None
        As they were named.
    reading : Reading
        Which picture of it.
    shell : Stored
        The picture without its values.
    array : str or None
        Of a Zarr folder, the path of the array in it; None where all of the file is read.
    signature : Signature
        Of the file when it was looked at.
    """

    path: Path
    axes: str | None
    reading: Reading
    shell: Stored
    array: str | None
    signature: Signature

    @classmethod
    def of(cls, picture: Image, axes: str | None) -> Opening:
        """Return how others open a picture that was read."""
        assert picture.source is not None
        layout = picture.metadata.get("zarr")
        array = None if layout is None else str(Path(layout.where) / (layout.levels[0] if layout.levels else ""))
        kept = {name: value for name, value in picture.metadata.items() if name in KEPT}
        shell = Stored.shell(replace(picture, metadata=kept))
        reading = replace(picture.reading, memory=None)
        return cls(picture.source, axes, reading, shell, array, signature_of(picture.source))

    def opened(self, planes: Sequence[int]) -> Stored:
        """Return the picture, to be asked for some of its planes."""
        if self.array is None:
            return self.shell.filled(_piece_of(_whole(self.path, self.axes, self.reading, self.signature)))
        array = zarr_here.opened_array(self.path / self.array)
        return self.shell.filled(_Ahead(array, self.shell, planes))


class _Ahead:
    """Reads the chunks that some planes lie in once, where these planes are no more than a run along one axis."""

    def __init__(self, array: Any, shell: Stored, planes: Sequence[int]) -> None:
        self.array, self.dtype = array, shell.array.dtype
        self.lead = [shell.axes.index(axis) for axis in shell.lead_axes]
        places = np.array([shell.place(index) for index in planes]).reshape(len(planes), -1)
        self.first = places.min(0).tolist()
        spans = [slice(low, high + 1) for low, high in zip(self.first, places.max(0).tolist(), strict=True)]
        self.held: NDArray[Any] | None = None
        if len(set(map(tuple, places.tolist()))) > 1:
            where: list[Any] = [slice(None)] * array.ndim
            for axis, span in zip(self.lead, spans, strict=True):
                where[axis] = span
            self.held = np.asarray(array[tuple(where)], self.dtype)

    def __call__(self, where: tuple[Any, ...]) -> NDArray[Any]:
        if self.held is None:
            return np.asarray(self.array[where], self.dtype)
        inside = list(where)
        for axis, first in zip(self.lead, self.first, strict=True):
            inside[axis] = where[axis] - first
        return np.asarray(self.held[tuple(inside)])


@lru_cache(maxsize=1)
def _whole(path: Path, axes: str | None, reading: Reading, signature: Signature) -> Image:
    """Return a picture that is read whole, once a worker; large TIFF and .npy files are maps."""
    return as_image(path, axes, reading)


def _piece_of(image: Image) -> Fetch:
    def fetch(where: tuple[Any, ...]) -> NDArray[Any]:
        piece = np.array(image.array[where])
        release(image.array)
        return piece

    return fetch


@dataclass(frozen=True)
class Files:
    """Where planes that are done lie: a file each, numbers of the type of the answer."""

    folder: Path
    dtype: str

    def place(self, index: int) -> Path:
        """Return the file of a plane."""
        return self.folder / f"{index}.npy"

    def put(self, index: int, numbers: NDArray[Any]) -> None:
        """Write a plane, whole or not at all."""
        temporary = self.folder / f"{secrets.token_hex(8)}.tmp"
        with temporary.open("xb") as stream:
            np.save(stream, numbers)
        os.replace(temporary, self.place(index))

    def got(self, index: int) -> NDArray[Any]:
        """Return a plane, as a map."""
        found: NDArray[Any] = np.load(self.place(index), mmap_mode="r")
        return found


def solved(payload: bytes) -> Solved:
    """Do a part of the work on a picture; planes that it comes to are written, and not sent."""
    folder, opening, part, files = pickle.loads(payload)
    with here(folder):
        found = _solved(opening, part, files)
    return found


def _solved(opening: Opening, part: Part, files: Files) -> Solved:
    picture = opening.opened(part.looked_at)
    found = part.solved(picture)
    if not part.whole:
        return found
    typed = replace(picture, array=picture.hollow(np.dtype(files.dtype)))
    return replace(found, answers={i: _written(typed, i, answer, files) for i, answer in found.answers.items()})


def _written(picture: Image, index: int, answer: Answer, files: Files) -> Answer:
    """Write a plane's numbers, and return the answer without any."""
    if not answer.placed():
        return replace(answer, values=NOWHERE, kept=None, rounding=0.0)
    files.put(index, picture.numbers(index, answer.values, answer.kept))
    return replace(answer, values=NOWHERE, kept=None, rounding=rounding(picture, answer.values))


def written(payload: bytes) -> None:
    """Write chunks of a scale of a Zarr folder, of planes that are done; others are as they were."""
    folder, place, level, some, opening, files = pickle.loads(payload)
    with here(folder):
        reader = PlaneReader(opening, files)
        fill(place, level, opening.shell.array.shape, reader, some)


class PlaneReader:
    """Returns parts of the answer's array, whose axes end with YX, from the files of its planes."""

    def __init__(self, opening: Opening, files: Files) -> None:
        self.opening, self.files = opening, files
        self.shape = opening.shell.array.shape

    def __call__(self, box: Box) -> NDArray[Any]:
        """Return a part."""
        lead = [range(*one.indices(length)) for one, length in zip(box[:-2], self.shape[:-2], strict=True)]
        rows, columns = box[-2:]
        found = []
        for at in np.ndindex(*map(len, lead)):
            place = tuple(span[k] for span, k in zip(lead, at, strict=True))
            index = int(np.ravel_multi_index(place, self.shape[:-2])) if place else 0
            found.append(self._plane(index)[rows, columns])
        return np.stack(found).reshape(*map(len, lead), *found[0].shape)

    def _plane(self, index: int) -> NDArray[Any]:
        if self.files.place(index).exists():
            return self.files.got(index)[..., 0]
        return self.opening.opened([index]).raw(index)[..., 0].astype(self.files.dtype)
