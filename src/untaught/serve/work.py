"""What is done with a picture, in a process whose working folder is the job's: look at it, restore it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, UntaughtError
from untaught.image.image import Image
from untaught.serve.confined import confined
from untaught.serve.settings import FILE, Settings
from untaught.serve.tiles import plane_path

if TYPE_CHECKING:
    from untaught.results.result import Result

Tell = Callable[..., None]
"""Sends a message to the server: a word, and what there is to say by name."""
PICTURE, RESULT, SPREAD = "picture", "result", "spread"
"""Folders with the planes of what was given, of the answer, and of its standard deviation."""
STRETCH = (0.1, 99.9)  # percentiles; the far tails would cost the rest its contrast
SAMPLE = 1 << 18  # values that percentiles are taken of


def show(tell: Tell, name: str) -> None:
    """Read a picture, and lay out its planes to be shown.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    picture = opened(name)
    tell("shown", **shown(picture), planes=keep_planes(picture, Path(PICTURE)))


def measure(tell: Tell, name: str, region: list[int] | None = None) -> None:
    """Say what noise a picture has; that of a rectangle alone, where one is given.

    Raises
    ------
    InputError
        If it cannot be read, or the rectangle cannot be used.
    """
    from untaught.pipeline.tasks.inspect import inspect

    picture = opened(name)
    try:
        found = inspect(picture, noise_region=stored(region, picture))
    except InputError as error:
        if region is not None:
            raise
        tell("measured", about={"noise": "", "advice": str(error), "notes": list(picture.notes)})
        return
    about = found.as_dict()
    sentences = [line[9:] for line in found.describe().splitlines() if line.startswith("noise ")]
    if region is not None:
        tell("region", noise=sentences[0], region=region)
        return
    chosen = {field: about[field] for field in ("advice", "efforts", "methods")}
    tell("measured", about={**chosen, "noise": sentences[0], "notes": [*sentences[1:], *about["notes"]]})


def opened(name: str) -> Image:
    """Return the picture of a file of the working folder.

    Raises
    ------
    InputError
        If it cannot be read, or would lead to other files.
    """
    from untaught.image.files import as_image

    with confined(Path.cwd()):
        refuse_links(Path(name))
        return as_image(Path(name))


def refuse_links(path: Path) -> None:
    """Refuse an HDF5 file whose values lie in other files, which whoever made it may have named freely.

    Raises
    ------
    InputError
        If there are any.
    """
    try:
        import h5py
    except ImportError:
        return
    if not h5py.is_hdf5(path):
        return
    with h5py.File(path, "r", locking=False) as tree:
        foreign: list[str] = []

        def visit(inside: str, one: Any) -> None:
            if isinstance(one, h5py.Dataset) and (one.external or one.is_virtual):
                foreign.append(inside)

        tree.visititems(visit)
    if foreign:
        raise InputError(
            f"{path}: {foreign[0]} lies in other files, which are not opened here; use the command line"
        )


def shown(picture: Image) -> dict[str, Any]:
    """Return what there is to say of a picture before anything was measured."""
    low, high = picture.value_range
    size = " x ".join(str(n) for n in picture.array.shape)
    return {
        "kind": f"{size} ({picture.axes}), {picture.array.dtype}, values {low:g} to {high:g}",
        "suffix": picture.source.suffix.lower() if picture.source else "",
        "whole": bool(picture.array.dtype.kind in "biu"),
        "eight": str(picture.array.dtype) in ("uint8", "bool"),
    }


def as_shown(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return (H, W, C) turned as EXIF says that it is shown."""
    from untaught.image.orientation import SHOWN

    swapped, reversed_axes = SHOWN[orientation]
    turned: NDArray[Any] = values.swapaxes(0, 1) if swapped else values
    return np.flip(turned, tuple("YX".index(axis) for axis in reversed_axes))


def stored(region: list[int] | None, picture: Image) -> tuple[int, int, int, int] | None:
    """Return a rectangle of the picture as it is shown as one of the picture as it is stored."""
    from untaught.image.orientation import SHOWN

    if region is None:
        return None
    swapped, reversed_axes = SHOWN[orientation_of(picture)]
    x, y, width, height = region
    rows, columns = (picture.width, picture.height) if swapped else (picture.height, picture.width)
    x = columns - x - width if "X" in reversed_axes else x
    y = rows - y - height if "Y" in reversed_axes else y
    return (y, x, height, width) if swapped else (x, y, width, height)


def orientation_of(picture: Image) -> int:
    """Return EXIF's number for how a picture is shown; 1 as it is stored."""
    return int(picture.metadata.get("orientation", 1))


def keep_planes(picture: Image, folder: Path) -> list[dict[str, Any]]:
    """Write every plane as an array of its own, upright, and return what a page has to know of them."""
    folder.mkdir(exist_ok=True)
    found = []
    for index, label in enumerate(picture.labels):
        values = as_shown(picture.raw(index), orientation_of(picture))
        np.save(plane_path(folder, index), values, allow_pickle=False)
        found.append({"label": label, **extent(values, picture)})
    return found


def extent(values: NDArray[Any], picture: Image) -> dict[str, Any]:
    """Return size, ends and a contrast for the eye of (H, W, C)."""
    step = max(1, math.isqrt(max(1, values.size // SAMPLE)))
    sample = values[::step, ::step].astype(np.float64)
    sample = sample[np.isfinite(sample) & (np.abs(sample) < 1e30)]
    least, most = (float(sample.min()), float(sample.max())) if sample.size else (0.0, 1.0)
    low, high = picture.value_range
    if picture.array.dtype != np.uint8 and sample.size:
        low, high = (float(value) for value in np.percentile(sample, STRETCH))
    if not high > low:
        low, high = low - 0.5, low + 0.5
    height, width, channels = values.shape
    ends = {"low": low, "high": high, "least": min(least, low), "most": max(most, high)}
    return {"height": height, "width": width, "channels": channels, **ends}


def verb_of(settings: Settings, uploads: dict[str, str]) -> Callable[..., Result]:
    """Return the function that does a task, with what it is given beside the picture.

    Raises
    ------
    InputError
        If something has to be given that was not.
    """
    from untaught.image.files import read
    from untaught.pipeline.tasks import deblur, dejpeg, demosaic, denoise, inpaint, restore, upscale

    needed = settings.needs
    if needed is not None and needed not in uploads:
        raise InputError(f"{settings.task} needs a second file: add the {needed} first")
    path = {slot: Path(name) for slot, name in uploads.items()}
    for each in path.values():
        with confined(Path.cwd()):
            refuse_links(each)
            read(each)
    given = settings.operands
    verbs: dict[str, Callable[[], Callable[..., Result]]] = {
        "denoise": lambda: denoise.denoise,
        "dejpeg": lambda: dejpeg.dejpeg,
        "inpaint": lambda: partial(inpaint.inpaint, mask=path.get("mask"), **given),
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
    if settings.task != "dejpeg":
        options |= {"noise": settings.noise, "noise_region": stored(_list(settings.region), picture)}
    return verb_of(settings, uploads)(picture, **options)


def _list(region: tuple[int, int, int, int] | None) -> list[int] | None:
    return None if region is None else list(region)


def answer(result: Result, folder: Path) -> dict[str, Any]:
    """Write the planes of a result, and return what there is to say of it."""
    from untaught.results.text import quality, seconds, sentence

    folder.mkdir()
    planes = keep_planes(result.picture, folder / RESULT)
    spread = []
    if result.std is not None:
        picture = Image(result.std, result.picture.axes, result.picture.value_range, alpha=result.picture.alpha)
        oriented = {"orientation": orientation_of(result.picture)}
        spread = keep_planes(Image(**{**vars(picture), "metadata": oriented}), folder / SPREAD)
    gain = None if result.psnr is None or result.psnr_input is None else result.psnr.value - result.psnr_input
    return {
        "planes": planes,
        "spread": max((plane["most"] for plane in spread), default=None),
        "residual": residual_reach(result),
        "method": result.method,
        "why": sentence(result.why),
        "stopped": sentence(result.stopped.reason),
        "quality": quality(result),
        "psnr": None if result.psnr is None else str(result.psnr),
        "gain": None if gain is None or not math.isfinite(gain) else round(gain, 1),
        "seconds": seconds(result.seconds),
        "interrupted": result.interrupted,
        "notes": [sentence(note) for note in result.notes],
        "command": None if result.command is None else said_for(result.command),
        "step": result.stopped.step,
    }


def residual_reach(result: Result) -> float | None:
    """Return four standard deviations of what was taken out, in the data's units; None where sizes differ."""
    if result.input.array.shape != result.picture.array.shape or result.input.axes != result.picture.axes:
        return None
    before, after = (image.raw(0)[::4, ::4].astype(np.float64) for image in (result.input, result.picture))
    spread = float(np.nanstd(np.where(np.isfinite(before - after), before - after, np.nan)))
    return 4 * spread if math.isfinite(spread) and spread > 0 else 1.0


def said_for(text: str) -> str:
    """Return a text without the private folder in its paths."""
    return text.replace(f"{Path.cwd()}/", "")


def write_files(result: Result, name: str, folder: Path) -> dict[str, str]:
    """Write picture, report and recipe of a result, and return the names that they are saved under."""
    from untaught.image.files import check_writable, write

    stem, suffix = Path(name).stem, Path(name).suffix.lower()
    for ending in ((suffix,) if suffix not in (".jpg", ".jpeg") else ()) + (".png", ".tif", ".npy"):
        target = folder / f"{stem}-restored{ending}"
        try:
            check_writable(target, result.picture)
            write(target, result.picture)
        except UntaughtError:
            continue
        break
    report, recipe = folder / "report.html", folder / "recipe.json"
    result.report(report)
    report.write_text(said_for(report.read_text("utf-8")), "utf-8")
    recipe.write_text(said_for(result.recipe.model_dump_json(indent=2)) + "\n", "utf-8")
    return {"result": target.name, "report": f"{stem}-report.html", "recipe": f"{stem}-recipe.json"}
