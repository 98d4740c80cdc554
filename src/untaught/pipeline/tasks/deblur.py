"""Undo a blur that is known."""

from __future__ import annotations

from typing import Unpack

from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.image.reading import Reading, memory_of
from untaught.operators import Blur
from untaught.operators.psf import WORDS
from untaught.pipeline.options import ImageLike, Picture
from untaught.pipeline.request import TaskOptions
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.inputs import as_options, file_of, psf_of
from untaught.pipeline.tasks.run import run_task
from untaught.results.result import Result


def deblur(image: Picture, psf: ImageLike, *, border: str = "valid", **options: Unpack[TaskOptions]) -> Result:
    """Undo a blur whose point-spread function is known.

        y = h * x + n

    Parameters
    ----------
    image : path, Image or ndarray
        As in `denoise`.
    psf : path, Image, ndarray or str
        h: not negative, of sum one, not larger than the picture; or 'gaussian:SIGMA', 'disk:RADIUS',
        'motion:LENGTH,ANGLE' in pixels and degrees. A file of whole numbers is divided by its sum.
    border : str
        What lay beyond the border: 'valid', the scene went on, as in every photograph; 'reflect', 'replicate'
        and 'circular' for what a program did. See `untaught.operators.Blur`.
    **options
        See `TaskOptions`.

    Raises
    ------
    InputError
        For a point-spread function that does not sum to one, is negative, or larger than the picture.

    Examples
    --------
    >>> import numpy as np, scipy.ndimage, skimage.data, untaught
    >>> clean = skimage.data.camera()[60:92, 240:272].astype(float)
    >>> blurred = np.rint(scipy.ndimage.gaussian_filter(clean, 1.5)).astype(np.uint8)
    >>> sharp = untaught.deblur(blurred, "gaussian:1.5", border="reflect").image
    >>> bool(np.square(sharp - clean).mean() < np.square(blurred - clean).mean() / 2)
    True
    """
    picture = as_image(image, options.get("axes"), Reading(memory=memory_of(options.get("memory"))))
    return run_task(picture, deblurring(picture, psf, border), **options)


def deblurring(picture: Image, psf: ImageLike, border: str = "valid") -> Task:
    """Return the task of `untaught.deblur`."""
    operator = Blur(psf_of(psf), border)
    operator.picture_shape((1, operator.psf.shape[1], picture.height, picture.width))
    named = isinstance(psf, str) and psf.partition(":")[0] in WORDS
    return Task("deblur", operator, as_options({"psf": psf if named else file_of(psf), "border": border}))
