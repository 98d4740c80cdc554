"""Fill in what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

from untaught.errors import InputError, quoted
from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.image.reading import Reading, memory_of
from untaught.operators import Mask
from untaught.pipeline.options import ImageLike, Picture
from untaught.pipeline.request import TaskOptions
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.inputs import (
    as_options,
    colours_of,
    file_of,
    measured_by_alpha,
    measured_by_colour,
    measured_by_number,
)
from untaught.pipeline.tasks.masks import in_shades, laid_mask, mask_of
from untaught.pipeline.tasks.run import run_task
from untaught.pipeline.tasks.watermark import unmark
from untaught.results.result import Result

SHADES = "the mask has shades of grey, and all of it that is not white counts as missing"


def inpaint(
    image: Picture,
    mask: ImageLike | None = None,
    *,
    missing_colour: str | tuple[float, ...] | None = None,
    mask_marks: str | None = None,
    translucent: bool = False,
    **options: Unpack[TaskOptions],
) -> Result:
    """Fill in what is missing from a picture: text, holes, random pixels; take off a mark that shows through.

        y = m x + n

    Where there is no noise, what was kept stays as it is.

    Parameters
    ----------
    image : path, Image or ndarray
        As in `denoise`.
    mask : path, Image or ndarray, optional
        Nonzero keeps a pixel, zero marks it as missing; (H, W), or (H, W, C) where it differs between channels. Of
        a mask in shades, such as one with smooth edges or a JPEG file, all that is not white is missing.
        Without one, what is NaN or fully transparent is missing; it becomes opaque.
    missing_colour : str or tuple of float, optional
        Pixels of exactly this colour are missing too: '#ff00ff', or the picture's own values.
    mask_marks : {None, "kept", "missing"}
        What nonzero marks in the mask: what is "kept", or, as other programs have it, what is "missing".
    translucent : bool
        What the mask marks is not gone but lies under a half-transparent mark, such as a watermark: its opacity
        and colour are measured, it is taken off, and only what it hid is filled in; see
        `untaught.pipeline.tasks.watermark`.
    **options
        See `TaskOptions`.

    Returns
    -------
    Result
        With `translucent`, `input` is the picture with the mark taken off: that is what its recipe is for.

    Raises
    ------
    InputError
        For a mask of another size than the picture, or one that keeps everything or nothing; if there is no
        half-transparent mark.

    Examples
    --------
    >>> import numpy as np, skimage.data, untaught
    >>> clean = skimage.data.camera()[100:132, 200:232]
    >>> kept = np.random.default_rng(0).random(clean.shape) < 0.6
    >>> result = untaught.inpaint(np.where(kept, clean, 0).astype(np.uint8), kept)
    >>> bool((result.image[kept] == clean[kept]).all())
    True
    >>> bool(np.square(result.image - clean.astype(float)).mean() < 150)
    True
    """
    picture = as_image(image, options.get("axes"), Reading(memory=memory_of(options.get("memory"))))
    if not isinstance(translucent, bool):
        raise InputError(f"translucent is {quoted(translucent)}; give True or False")
    if not translucent:
        return run_task(picture, inpainting(picture, mask, missing_colour, mask_marks), **options)
    if mask is None or missing_colour is not None:
        raise InputError("a half-transparent mark needs a mask that is zero where the mark is, and no colour")
    laid = laid_mask(mask, picture)
    found = unmark(picture, laid, mask_marks)
    result = run_task(found.picture, inpainting(found.picture, found.kept), **options)
    assumed = laid.notes if isinstance(laid, Image) else ()
    return replace(result, notes=(*assumed, found.told, *result.notes))


Colour = str | tuple[float, ...]


def inpainting(
    picture: Image,
    mask: ImageLike | None = None,
    missing_colour: Colour | None = None,
    mask_marks: str | None = None,
) -> Task:
    """Return the task of `untaught.inpaint`."""
    given = as_options({"mask": file_of(mask), "missing-color": _colour(missing_colour), "mask-marks": mask_marks})
    laid = None if mask is None else laid_mask(mask, picture)
    notes = (*laid.notes, *([SHADES] if in_shades(colours_of(laid)) else [])) if isinstance(laid, Image) else ()
    if laid is not None and missing_colour is None:
        return Task("inpaint", Mask(mask_of(laid, picture, mask_marks)), given, notes=notes)
    kept = measured_by_number(picture)
    if picture.alpha:
        kept &= measured_by_alpha(picture)
    if missing_colour is not None:
        kept &= measured_by_colour(picture, missing_colour)
    elif kept.all():
        raise InputError(
            f"nothing says which pixels of {picture.name} are missing: none is transparent or NaN; give a mask, "
            "or the colour of what is missing"
        )
    found = mask_of(kept, picture, "kept")
    if laid is not None:
        found = mask_of(found * mask_of(laid, picture, mask_marks), picture, "kept")
    return Task("inpaint", Mask(found), given, notes=notes)


def _colour(colour: Colour | None) -> str | None:
    """Return a colour as the command's option has it."""
    if colour is None or isinstance(colour, str):
        return colour
    try:
        return ",".join(str(float(value)) for value in colour)
    except (TypeError, ValueError):
        raise InputError(
            f"{quoted(colour)} is no colour; write '#ff00ff', or its values as (255, 0, 255)"
        ) from None
