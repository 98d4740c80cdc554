"""What is given beside the pictures, looked at before the first of them: what fails for one fails for all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from untaught.errors import InputError
from untaught.image.files import as_image, read
from untaught.image.image import Image
from untaught.methods.registry import model_of
from untaught.methods.trained.trained import Trained
from untaught.operators import Blur
from untaught.pipeline.tasks.demosaic import demosaicing
from untaught.pipeline.tasks.inputs import measured_by_colour, psf_of
from untaught.pipeline.tasks.upscale import upscaling

_ANY = Image.of(np.zeros((64, 64), np.uint8), "YX")
_COLOURS = Image.of(np.zeros((8, 8, 3), np.uint8), "YXS")


def check_operands(verb: str, given: Mapping[str, Any]) -> None:
    """Refuse what no picture could be restored with: a file that is not there, a word that is not known.

    Whether a mask has the size of a picture is seen when that is read.

    Parameters
    ----------
    verb : str
        Name of the task.
    given : mapping
        What it is called with beside the picture.

    Raises
    ------
    InputError
        One sentence about the first.
    """
    for path in given.get("noise_from") or ():
        if not Path(path).exists():
            raise InputError(f"{path} does not exist; give dark and flat frames, or their folder")
    method = given.get("method")
    model = model_of(method) if isinstance(method, str) else None
    if model is not None:
        Trained(str(model)).loaded()
    if isinstance(given.get("guide"), str | Path):
        as_image(given["guide"])
    if isinstance(given.get("mask"), str | Path):
        read(given["mask"])
    if isinstance(given.get("missing_colour"), str):
        grey = "," not in given["missing_colour"] and not given["missing_colour"].startswith("#")
        measured_by_colour(_ANY if grey else _COLOURS, given["missing_colour"])
    if verb == "deblur":
        Blur(psf_of(given["psf"]), given.get("border", "valid"))
    elif verb == "upscale":
        upscaling(_ANY, given["factor"], given.get("kernel", "bicubic"))
    elif verb == "demosaic":
        demosaicing(_ANY, given.get("pattern", "RGGB"))
