"""What is done with a picture, in a process whose working folder is the job's: look at it, restore it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.serve.answers import output_names
from untaught.serve.confined import confined
from untaught.serve.folders import is_zip, unpacked
from untaught.serve.jobs import PICTURE
from untaught.serve.planes import keep_planes, orientation_of, stored_in
from untaught.serve.reads import Reads
from untaught.serve.settings import FILE, NOISELESS, Settings

if TYPE_CHECKING:
    from untaught.results.result import Result

Tell = Callable[..., None]
"""Sends a message to the server: a word, and what there is to say by name."""
MOST_KEPT = 2**22
"""Bytes of what was measured, which the server keeps for the fit."""
Said = dict[str, Any]
"""What is said of how a file is read, see `Reads`."""


def show(tell: Tell, name: str, reads: Said, number: int, most: int) -> None:
    """Read a picture, and lay out its planes to be shown.

    Parameters
    ----------
    tell : callable
        Takes 'shown'.
    name : str
        The file, or the folder; of an archive of one, the archive.
    reads : dict
        How it is read.
    number : int
        Of the folder for the planes.
    most : int
        Bytes that an archive may have unpacked.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = unpacked_of(Path(name), most)
    picture = opened(str(path), reads)
    planes = keep_planes(picture, Path(f".{PICTURE}-{number}"))
    tell("shown", **shown(picture, path), planes=planes, path=str(path), reads=reads, number=number)


def unpacked_of(path: Path, most: int) -> Path:
    """Return the folder that an archive holds, unpacked; a file of any other kind as it is.

    Raises
    ------
    InputError
        As `folders.unpacked`.
    """
    from untaught.image.find_format import format_of
    from untaught.image.formats.ome_zarr import MARKERS

    if not is_zip(path):
        return path
    with suppress(InputError):  # a format may be an archive inside
        format_of(path, None)
        return path
    return unpacked(path, MARKERS, most)


def measure(tell: Tell, name: str, reads: Said, region: list[int] | None = None) -> None:
    """Say what noise a picture has; that of a rectangle alone, where one is given.

    Raises
    ------
    InputError
        If it cannot be read, or the rectangle cannot be used.
    """
    from untaught.noise import NoiseReport
    from untaught.noise.estimation.remembered import remembering
    from untaught.pipeline.tasks.inspect import inspect

    picture, known = opened(name, reads), dict[bytes, NoiseReport]()
    try:
        with remembering(known):
            found = inspect(picture, noise_region=stored_in(picture, region))
    except InputError as error:
        if region is not None:
            raise
        tell("measured", about={"noise": "", "advice": str(error), "notes": []}, reports=b"")
        return
    about = found.as_dict()
    sentences = [line[9:] for line in found.describe().splitlines() if line.startswith("noise ")]
    if region is not None:
        tell("region", noise=sentences[0], region=region)
        return
    chosen = {field: about[field] for field in ("advice", "efforts", "methods")}
    notes = [note for note in about["notes"] if note not in picture.notes]  # which stand beside how it is read
    kept = pickle.dumps(known)
    tell(
        "measured",
        about={**chosen, "noise": sentences[0], "notes": [*sentences[1:], *notes]},
        reports=kept if len(kept) <= MOST_KEPT else b"",
    )


def opened(name: str, said: Said | None = None) -> Image:
    """Return the picture of a file, or a folder, of the working folder.

    Raises
    ------
    InputError
        If it cannot be read, or would lead to other files.
    """
    from untaught.image.files import as_image
    from untaught.image.find_format import format_of

    path, reads = Path(name), Reads(**(said or {}))
    reading = reads.reading
    with confined(Path.cwd()):
        refuse_links(path)
        place = reads.place(path)
        found = format_of(place, None if path.is_dir() else reads.inside)
    found.require(place)
    if found.library is not None:
        import_module(found.library.module)  # which may read settings of its own from elsewhere
    with confined(Path.cwd()):
        return as_image(place, reads.axes, reading if path.is_dir() else replace(reading, inside=reads.inside))


def refuse_links(path: Path) -> None:
    """Refuse an HDF5 file whose values lie in other files, which whoever made it may have named freely.

    Raises
    ------
    InputError
        If there are any.
    """
    from untaught.image.formats.base import ANYTHING, broken_by, decoding
    from untaught.image.formats.hdf5 import HDF5

    try:
        import h5py
    except ImportError:
        return
    if not h5py.is_hdf5(path):
        return
    with decoding(path, HDF5.name), broken_by(*ANYTHING), h5py.File(path, "r", locking=False) as tree:
        foreign: list[str] = []

        def visit(inside: str, one: Any) -> None:
            if isinstance(one, h5py.Dataset) and (one.external or one.is_virtual):
                foreign.append(inside)

        tree.visititems(visit)
    if foreign:
        raise InputError(
            f"{path}: {foreign[0]} lies in other files, which are not opened here; use the command line"
        )


def shown(picture: Image, path: Path) -> dict[str, Any]:
    """Return what there is to say of a picture, read from `path`, before anything was measured."""
    low, high = picture.value_range
    size = " x ".join(str(n) for n in picture.array.shape)
    return {
        "kind": f"{size} ({picture.axes}), {picture.array.dtype}, values {low:g} to {high:g}",
        "read": list(picture.notes),
        "axes": picture.axes,
        "orientation": orientation_of(picture),
        "range": f"{low:g},{high:g}",
        "outputs": output_names(picture, path),
        "whole": bool(picture.array.dtype.kind in "biu"),
        "eight": str(picture.array.dtype) in ("uint8", "bool"),
    }


def verb_of(settings: Settings, uploads: dict[str, str]) -> Callable[..., Result]:
    """Return the function that does a task, with what it is given beside the picture.

    Raises
    ------
    InputError
        If something has to be given that was not.
    """
    from untaught.image.files import read
    from untaught.pipeline.tasks import (
        deblur,
        dejpeg,
        demosaic,
        denoise,
        descreen,
        despeckle,
        inpaint,
        restore,
        upscale,
    )

    needed = settings.needs
    if needed is not None and needed not in uploads:
        raise InputError(f"{settings.task} needs a second file: add the {needed} first")
    path = {slot: Path(name) for slot, name in uploads.items()}
    for each in path.values():
        with confined(Path.cwd()):
            refuse_links(each)
            read(each)
    given = settings.operands
    marks = settings.mask_marks if "mask" in path else None
    verbs: dict[str, Callable[[], Callable[..., Result]]] = {
        "denoise": lambda: denoise.denoise,
        "dejpeg": lambda: dejpeg.dejpeg,
        "descreen": lambda: descreen.descreen,
        "despeckle": lambda: despeckle.despeckle,
        "inpaint": lambda: partial(inpaint.inpaint, mask=path.get("mask"), mask_marks=marks, **given),
        "upscale": lambda: partial(upscale.upscale, **given),
        "deblur": lambda: partial(
            deblur.deblur, **{**given, "psf": path["psf"] if settings.psf == FILE else settings.psf}
        ),
        "demosaic": lambda: partial(demosaic.demosaic, **given),
        "guided": lambda: partial(restore.restore, guide=path["guide"]),
    }
    return verbs[settings.task]()


def restored(
    picture: Image, settings: Settings, uploads: dict[str, str], on_progress: Callable[[Any], None]
) -> Result:
    """Do what was asked for; a stop that comes before there is anything raises KeyboardInterrupt.

    Raises
    ------
    InputError
        If it cannot be done.
    """
    options: dict[str, Any] = {
        "method": settings.method,
        "effort": settings.effort,
        "seed": settings.seed,
        "time_limit": settings.time_limit,
        "on_progress": on_progress,
    }
    if settings.task not in NOISELESS:
        options |= {"noise": settings.noise, "noise_region": stored_in(picture, settings.region)}
    if settings.task == "denoise":
        options["strength"] = settings.strength
    return verb_of(settings, uploads)(picture, **options)
