"""Enlarge a picture."""

from __future__ import annotations

from typing import Unpack

from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.image.reading import Reading, memory_of
from untaught.operators import Downsample, check_factor
from untaught.pipeline.options import Picture
from untaught.pipeline.request import TaskOptions
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.inputs import as_options
from untaught.pipeline.tasks.run import run_task
from untaught.results.result import Result


def upscale(image: Picture, factor: int, *, kernel: str = "bicubic", **options: Unpack[TaskOptions]) -> Result:
    """Enlarge a picture.

        y = R x + n,  R a mean over about `factor` x `factor` pixels

    Parameters
    ----------
    image : path, Image or ndarray
        As in `denoise`.
    factor : int
        2 to 16.
    kernel : str
        How the picture was made small: 'bicubic', 'lanczos2', 'lanczos3' or 'box', see
        `untaught.operators.Downsample`. The default is what most programs do; 'box' is a camera's pixel;
        'nearest', 'linear', 'cubic' are for what was made small without care for aliasing, as OpenCV does.
    **options
        See `TaskOptions`.

    Raises
    ------
    InputError
        For a factor that is no whole number from 2 to 16, or a picture that is too small or too large for it.

    Examples
    --------
    >>> import skimage.data, untaught
    >>> untaught.upscale(skimage.data.camera()[100:132, 200:232], 2).image.shape
    (64, 64)
    """
    picture = as_image(image, options.get("axes"), Reading(memory=memory_of(options.get("memory"))))
    return run_task(picture, upscaling(picture, factor, kernel), **options)


def upscaling(picture: Image, factor: int, kernel: str = "bicubic") -> Task:
    """Return the task of `untaught.upscale`."""
    operator = Downsample(check_factor(factor, picture.height, picture.width), kernel)
    return Task("upscale", operator, as_options({"factor": str(factor), "kernel": kernel}))
