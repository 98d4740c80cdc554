"""Make colours of what a colour filter array saw."""

from __future__ import annotations

from typing import Unpack

from untaught.errors import InputError, quoted
from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.image.reading import Reading, memory_of
from untaught.operators import Mosaic
from untaught.pipeline.options import Picture
from untaught.pipeline.request import TaskOptions
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.inputs import as_options
from untaught.pipeline.tasks.run import run_task
from untaught.results.result import Result

OTHER = "the file says that its filter is {}, and {} was asked for; look twice at the colours"


def demosaic(
    image: Picture, pattern: str | tuple[tuple[int, ...], ...] | None = None, **options: Unpack[TaskOptions]
) -> Result:
    """Make a colour picture of the values behind a colour filter array.

        y = sum over channels of p_c x_c + n

    Parameters
    ----------
    image : path, Image or ndarray
        One plane of values, (H, W), or a stack of them.
    pattern : str or tuple
        'RGGB', 'BGGR', 'GRBG', 'GBRG', 'X-TRANS', or rows of channel numbers; see `untaught.operators.Mosaic`.
        By default what a camera's raw file says, and 'RGGB' for all else.
    **options
        See `TaskOptions`.

    Raises
    ------
    InputError
        For a pattern that is not known, or a picture that has colours already.

    Examples
    --------
    >>> import numpy as np, skimage.data, untaught
    >>> clean = skimage.data.coffee()[100:148, 220:268]
    >>> mosaic = clean[..., 1].copy()
    >>> mosaic[::2, ::2], mosaic[1::2, 1::2] = clean[::2, ::2, 0], clean[1::2, 1::2, 2]
    >>> found = untaught.demosaic(mosaic, "RGGB").image
    >>> found.shape, bool(np.square(found - clean.astype(float)).mean() < 60)
    ((48, 48, 3), True)
    """
    picture = as_image(image, options.get("axes"), Reading(memory=memory_of(options.get("memory"))))
    return run_task(picture, demosaicing(picture, pattern), **options)


def demosaicing(picture: Image, pattern: str | tuple[tuple[int, ...], ...] | None = None) -> Task:
    """Return the task of `untaught.demosaic`."""
    own = str(getattr(picture.metadata.get("raw"), "pattern", ""))
    pattern = (own or "RGGB") if pattern is None else pattern
    other = own and not (isinstance(pattern, str) and pattern == own)
    notes = (OTHER.format(own, quoted(pattern) if not isinstance(pattern, str) else pattern),) if other else ()
    samples = picture.size("S") - picture.alpha
    if samples > 1:
        raise InputError(
            f"a mosaic is one plane of values, and {picture.name} has {samples} channels: its colours are there "
            "already; 'untaught inspect' says what to do with it"
        )
    return Task("demosaic", Mosaic(pattern), as_options({"pattern": pattern}), notes=notes)
