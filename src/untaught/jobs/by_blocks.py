"""One large picture, restored and written by a cluster: series in blocks, planes, or the tiles of one plane."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from untaught.errors import InputError
from untaught.fitting.progress import Progress
from untaught.image.atomic import whole_folder
from untaught.image.files import as_image, check_writable, write
from untaught.image.find_format import format_for
from untaught.image.formats.jpeg import compression_notes
from untaught.image.formats.ome_zarr import OME_ZARR
from untaught.image.formats.ome_zarr_writer import boxes_of, laid_out, ordered
from untaught.image.image import Image
from untaught.image.output_type import SAME
from untaught.image.passing import passing_folder
from untaught.image.reading import Reading, parted
from untaught.jobs import blocks
from untaught.jobs.blocks import Files, Opening
from untaught.jobs.cluster import ALONE, Cluster
from untaught.pipeline.elsewhere import Part, Solved
from untaught.pipeline.planes import Requests
from untaught.pipeline.request import request_of
from untaught.pipeline.tasks.denoise import denoise_planes
from untaught.results.result import Result

MANY = "--dask takes several pictures, or one that is denoised; leave it out to {} one"
CHUNKS = 8  # pieces that a scale is written in, for each piece of work that is worth having in hand


class ByBlocks:
    """Restores and writes one picture with the workers of a cluster.

    The picture is looked at here: its scale, its noise, which planes go together, how it is cut. The parts are
    those that one process would restore one after the other, with the same memory, so their answers are the same
    to the bit. Workers read them, and write what they come to beside the output. An OME-Zarr is then written by
    the workers too, each its own chunks; every other format is written here.

    Parameters
    ----------
    cluster : Cluster
        Who does it.
    output : Path
        Where the answer is to go.
    """

    def __init__(self, cluster: Cluster, output: Path) -> None:
        self.cluster = cluster
        self.above = parted(output)[0].absolute().parent
        self.opening: Opening | None = None
        self.on_progress: Callable[[Progress], None] | None = None

    def __enter__(self) -> ByBlocks:
        self.above.mkdir(parents=True, exist_ok=True)
        self.folder, self._held = passing_folder(self.above)
        self.files = Files(self.folder, "")
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._held.let_go()

    def denoise(
        self, picture: Image, on_progress: Callable[[Progress], None] | None = None, **options: Any
    ) -> Result:
        """Remove the noise of a picture; the options are those of `untaught.denoise`.

        Raises
        ------
        InputError
            As `denoise` does; for an option that goes with one process alone, and a picture that is in no file.
        """
        started = time.monotonic()
        for name in ALONE:
            if options.get(name) is not None:
                raise InputError(f"--{name.replace('_', '-')} is for one process; leave it out, or --dask")
        if "remove" in (options.get("fixed_pattern"), options.get("flicker")):
            raise InputError("what is removed from all planes is for one process; leave it out, or --dask")
        if picture.source is None:
            raise InputError("workers read the picture themselves; give the path of its file")
        axes, self.on_progress = options.pop("axes", None), on_progress
        ends = options.pop("value_range", None)
        picture = picture if ends is None else as_image(picture, None, Reading(value_range=ends))
        request = request_of({**options, "on_progress": on_progress})  # type: ignore[arg-type]
        if request.memory is None:
            request = replace(request, memory=self.cluster.memory)
        self.opening = Opening.of(picture, axes)
        dtype = picture.array.dtype if request.output_type == SAME else np.dtype(request.output_type)
        self.files = Files(self.folder, dtype.str)
        result = denoise_planes(Requests.of(picture, request, started, self))
        return replace(result, notes=result.notes + compression_notes(picture))

    def each(self, parts: Sequence[Part]) -> Iterator[Solved]:
        """Yield what parts come to, in their order; see `Elsewhere`."""
        calls = [(blocks.solved, (os.getcwd(), self.opening, part, self.files)) for part in parts]
        for done, found in enumerate(self._results(calls), 1):
            self._tell(done, len(parts))
            numbers = {i: self.files.got(i) for i in found.answers if self.files.place(i).exists()}
            yield replace(found, answers={i: replace(a, numbers=numbers.get(i)) for i, a in found.answers.items()})

    def _tell(self, done: int, parts: int) -> None:
        if self.on_progress is not None:
            shape = (1, 1, 1, 1)
            told = Progress.before("at the workers", lambda: torch.zeros(shape))
            self.on_progress(replace(told, part=min(done, parts - 1), parts=parts))

    def write(self, path: Path, image: Image, *, protect: Path | None = None) -> Path:
        """Write the answer; see `untaught.write`.

        Raises
        ------
        InputError, OutputError
            As `write` does.
        """
        place, inside = parted(path)
        if inside is not None or format_for(place) is not OME_ZARR or not self._in_order(image):
            return write(path, image, protect=protect)
        check_writable(path, image, protect=protect)
        with whole_folder(place) as folder:
            calls = []
            for level in laid_out(folder, image):
                each = boxes_of(folder, level)
                step = max(1, len(each) // (CHUNKS * self.cluster.room))
                for first in range(0, len(each), step):
                    some = each[first : first + step]
                    calls.append((blocks.written, (os.getcwd(), folder, level, some, self.opening, self.files)))
            for _ in self._results(calls):
                pass
        return path

    def _in_order(self, image: Image) -> bool:
        """Tell whether workers can write parts of the array: it lies as its planes follow each other."""
        same = self.opening is not None and image.array.shape == self.opening.shell.array.shape
        return same and "S" not in image.axes and image.axes.endswith("YX") and ordered(image)[1] == image.axes

    def _results(self, calls: Sequence[tuple[Callable[[bytes], Any], tuple[Any, ...]]]) -> Iterator[Any]:
        """Yield what calls come to, in their order, some of them in hand ahead of that."""
        waiting: dict[int, Any] = {}
        pending: set[Any] = set()
        sent = taken = 0
        try:
            while taken < len(calls):
                while sent < len(calls) and len(pending) < self.cluster.room:
                    function, arguments = calls[sent]
                    self.cluster.submit(sent, function, *arguments)
                    pending.add(sent)
                    sent += 1
                while taken not in waiting:
                    number, found = self.cluster.next()
                    pending.discard(number)
                    if isinstance(found, Exception):
                        raise found
                    waiting[number] = found
                yield waiting.pop(taken)
                taken += 1
        finally:
            self.cluster.forget(pending)


@contextmanager
def by_blocks(verb: str, where: tuple[str, int], output: Path) -> Iterator[ByBlocks]:
    """Yield who restores one picture by blocks: a cluster, as it is written, with so many workers of its own.

    Raises
    ------
    InputError
        For another verb than `denoise`; where there is no such cluster.
    """
    if verb != "denoise":
        raise InputError(MANY.format(verb))
    with Cluster(*where) as cluster, ByBlocks(cluster, output) as by:
        yield by
