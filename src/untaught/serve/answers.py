"""What is kept of an answer: its planes for the page, what there is to say of it, and the files to be fetched."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from untaught.errors import UntaughtError
from untaught.image.find_format import answer_name
from untaught.image.formats.jpeg import JPEG
from untaught.image.image import Image
from untaught.serve.folders import packed
from untaught.serve.jobs import RESULT, SPREAD
from untaught.serve.planes import fresh, keep_planes, orientation_of

if TYPE_CHECKING:
    from untaught.results.result import Result

OME = ".ome"
SPARE = (".png", ".tif", ".npy")
"""Endings for an answer that the picture's own format cannot hold."""


def answer(result: Result, folder: Path) -> dict[str, Any]:
    """Write the planes of a result, and return what there is to say of it."""
    from untaught.results.text import quality, seconds, sentence

    fresh(folder)
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


def stem_and_ending(path: Path) -> tuple[str, str]:
    """Return a name in two parts, between which a word goes: the ending of OME-TIFF stays whole."""
    stem, ending = answer_name(path, path)
    kept = OME if stem.lower().endswith(OME) else ""
    return stem[: len(stem) - len(kept)], kept + ending


def names_for(path: Path) -> Iterator[str]:
    """Yield the names under which an answer may be written, the first that holds it is taken; no JPEG loses it."""
    stem, ending = stem_and_ending(path)
    own = () if ending.lower() in ("", *JPEG.suffixes) else (ending,)
    for each in (*own, *SPARE):
        yield f"{stem}-restored{each}"


def output_name(picture: Image, path: Path) -> str:
    """Return what the answer to a picture is called, if it is of the picture's own kind and size."""
    from untaught.image.files import check_writable

    for name in names_for(path):
        with suppress(UntaughtError):
            check_writable(Path(name), picture)
            return name
    return next(names_for(path))


def output_names(picture: Image, path: Path) -> dict[str, str]:
    """Return what the answer to a picture is called by task, '' for those that keep size and colours."""
    found = {"": output_name(picture, path)}
    rows, columns = picture.axes.index("Y"), picture.axes.index("X")
    larger = tuple(size * (2 if at in (rows, columns) else 1) for at, size in enumerate(picture.array.shape))
    frames = {"upscale": (larger, picture.axes)}
    if picture.axes == "YX":
        frames["demosaic"] = ((*picture.array.shape, 3), "YXS")
    for task, (shape, axes) in frames.items():
        hollow = np.broadcast_to(np.zeros((), picture.array.dtype), shape)
        found[task] = output_name(replace(picture, array=hollow, axes=axes), path)
    return found


def write_files(result: Result, path: Path, folder: Path) -> dict[str, str]:
    """Write picture, report and recipe of a result, and return the names that they are saved under."""
    from untaught.image.files import write

    stem, _ = stem_and_ending(path)
    for name in names_for(path):
        target = folder / name
        with suppress(UntaughtError):
            write(target, result.picture)
            break
    if target.is_dir():  # which browsers cannot fetch
        folded, target = target, packed(target, target.with_name(f"{name}.zip"))
        shutil.rmtree(folded)
    report, recipe = folder / "report.html", folder / "recipe.json"
    result.report(report)
    report.write_text(said_for(report.read_text("utf-8")), "utf-8")
    recipe.write_text(said_for(result.recipe.model_dump_json(indent=2)) + "\n", "utf-8")
    return {"result": target.name, "report": f"{stem}-report.html", "recipe": f"{stem}-recipe.json"}
