"""The front doors of every task beside denoising: a measurement and its operator in, a `Result` out.

A task is an operator, nothing else; method, rule, loop and report are those of denoising.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.fitting.progress import Progress
from untaught.fitting.stopping import Rule
from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.method import Method
from untaught.noise import NoiseModel
from untaught.operators import Identity, as_operator
from untaught.pipeline import request as options
from untaught.pipeline.plane.denoise_plane import Request
from untaught.pipeline.plane.reconstruct_plane import checked
from untaught.pipeline.tasks.inputs import Operand
from untaught.pipeline.tasks.output_image import Task
from untaught.pipeline.tasks.registry import deblurring, demosaicing, inpainting, upscaling
from untaught.pipeline.tasks.watermark import unmark
from untaught.results.restoration import Result
from untaught.rounds import of_picture, of_tensor

Picture = str | Path | Image | NDArray[Any]


class Wishes(TypedDict, total=False):
    """The options of every task, which are those of `untaught.denoise`, and a guide.

    method : str or method
        'auto' combines similar patches in closed form: 'fill' for missing pixels and mosaics, with 'exemplar' for
        holes too wide for it that lie in a texture, and 'dip' for other wide holes; 'pnp' for other linear
        operators with an adjoint. For the rest, and for Fourier sampling, it is 'dip', mixed with a picture of
        small total variation so that it predicts best what was kept back; with a guide it is 'dip' alone. Or one
        of these, 'pixels', 'pixel-tv', or an object: `DIP(steps=500)`.
    noise, sigma : as in `denoise`
        'auto' measures it where the measurement looks like a picture; 'gaussian:0' says that there is none.
    seed, time_limit, device, on_progress, checkpoint : as in `denoise`
    stop : str or Rule
        Stopping rule; a rule that cannot be used with the operator gives way to one that can, and a note says so.
    guide : path, Image or ndarray
        Another picture of the same scene, of the size of the answer, such as one taken with flash; the network
        draws from it in place of a random code.
    """

    method: str | Method
    noise: str | NoiseModel
    sigma: float | None
    seed: int
    time_limit: float | None
    device: str
    stop: str | Rule | None
    guide: Operand | None
    on_progress: Callable[[Progress], None] | None
    checkpoint: str | Path | None


def restore(y: Picture | Tensor, operator: object = None, **wishes: Unpack[Wishes]) -> Result:
    """Restore the picture that was measured through any operator.

        y = A(x) + n; the answer estimates x.

    Parameters
    ----------
    y : path, Image, ndarray or Tensor
        The measurement. A picture, where it looks like one: (H, W), (H, W, C) or a stack, the planes of which are
        restored one by one. A tensor is taken as the operator gives it, with a leading 1 and any shape.
    operator : object
        One of `untaught.operators`, any object with `A` and `A_adjoint` (deepinv's physics are), or a function
        of pictures (1, C, H, W), see `untaught.operators.Function`. None: the picture itself was measured.
    **wishes
        See `Wishes`.

    Returns
    -------
    Result
        `image` has the type of `y`; a tensor gives float32, (H, W) or (H, W, C).

    Raises
    ------
    InputError
        If the measurement, the operator or an option cannot be used, or the two do not fit.

    Notes
    -----
    An operator acts on pictures of the value range [0, 1]. Where it keeps grey levels (A(1) = 1, as means of
    pixels do), `y` is scaled by its value range as in `denoise`; otherwise whole numbers are divided by the
    greatest value of their type, and floats are taken as they are.

    There is an estimate of the PSNR only for missing pixels that are like those around them, see
    `untaught.risk.cross_validation`: in general an operator does not see all of a picture, and what it predicts
    well may still be wrong. Where a network is fitted, a note says how well it predicts measurements that it has
    not seen.

    Examples
    --------
    Feature inversion and activation maximisation are the same loop with a network as the operator, which is then
    no linear one: stopping goes by the variance of the pictures.

    >>> from untaught.operators import Function
    >>> A = Function(network, picture=(1, 64, 64))  # its weights frozen
    >>> untaught.restore(network(x), operator=A)  # the picture behind features; a tensor in
    >>> unit = Function(lambda x: network(x)[:, :1].mean((2, 3)), picture=(1, 64, 64))
    >>> untaught.restore(torch.full((1, 1), 5.0), operator=unit)  # a picture that excites the first channel
    """
    task = Task("restore", Identity(), {}) if operator is None else Task("restore", as_operator(operator))
    return run_task(y, task, **wishes)


def inpaint(
    image: Picture,
    mask: Operand | None = None,
    *,
    missing_colour: str | tuple[float, ...] | None = None,
    translucent: bool = False,
    **wishes: Unpack[Wishes],
) -> Result:
    """Fill in what is missing from a picture: text, holes, random pixels; take off a mark that shows through.

        y = m x + n

    Where there is no noise, what was kept stays as it is.

    Parameters
    ----------
    image : path, Image or ndarray
        As in `denoise`.
    mask : path, Image or ndarray, optional
        Nonzero keeps a pixel, zero marks it as missing; (H, W), or (H, W, C) where it differs between channels.
        Without one, what is NaN or fully transparent is missing; it becomes opaque.
    missing_colour : str or tuple of float, optional
        Pixels of exactly this colour are missing too: '#ff00ff', or the picture's own values.
    translucent : bool
        What the mask marks is not gone but lies under a half-transparent mark, such as a watermark: its opacity
        and colour are measured, it is taken off, and only what it hid is filled in; see
        `untaught.pipeline.tasks.watermark`.
    **wishes
        See `Wishes`.

    Returns
    -------
    Result
        With `translucent`, `input` is the picture with the mark taken off: that is what its recipe is for.

    Raises
    ------
    InputError
        For a mask of another size than the picture, or one that keeps everything or nothing; if there is no
        half-transparent mark.
    """
    picture = as_image(image)
    if not translucent:
        return run_task(picture, inpainting(picture, mask, missing_colour), **wishes)
    if mask is None or missing_colour is not None:
        raise InputError("a half-transparent mark needs a mask that is zero where the mark is, and no colour")
    found = unmark(picture, mask)
    result = run_task(found.picture, inpainting(found.picture, found.kept), **wishes)
    return replace(result, notes=(found.told, *result.notes))


def upscale(image: Picture, factor: int, *, kernel: str = "bicubic", **wishes: Unpack[Wishes]) -> Result:
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
        `untaught.operators.Downsample`. The default is what most programs do; 'box' is a camera's pixel.
    **wishes
        See `Wishes`.

    Raises
    ------
    InputError
        For a factor that is no whole number from 2 to 16, or a picture that is too small or too large for it.
    """
    picture = as_image(image)
    return run_task(picture, upscaling(picture, factor, kernel), **wishes)


def deblur(image: Picture, psf: Operand, *, border: str = "valid", **wishes: Unpack[Wishes]) -> Result:
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
    **wishes
        See `Wishes`.

    Raises
    ------
    InputError
        For a point-spread function that does not sum to one, is negative, or larger than the picture.
    """
    picture = as_image(image)
    return run_task(picture, deblurring(picture, psf, border), **wishes)


def demosaic(
    image: Picture, pattern: str | tuple[tuple[int, ...], ...] = "RGGB", **wishes: Unpack[Wishes]
) -> Result:
    """Make a colour picture of the values behind a colour filter array.

        y = sum over channels of p_c x_c + n

    Parameters
    ----------
    image : path, Image or ndarray
        One plane of values, (H, W), or a stack of them.
    pattern : str or tuple
        'RGGB', 'BGGR', 'GRBG', 'GBRG', 'X-TRANS', or rows of channel numbers; see `untaught.operators.Mosaic`.
    **wishes
        See `Wishes`.

    Raises
    ------
    InputError
        For a pattern that is not known, or a picture that has colours already.
    """
    picture = as_image(image)
    return run_task(picture, demosaicing(picture, pattern), **wishes)


def run_task(y: Picture | Tensor, task: Task, **wishes: Unpack[Wishes]) -> Result:
    """Do a task; see `restore`."""
    started = time.monotonic()
    unknown = set(wishes) - set(Wishes.__annotations__)
    if unknown:
        raise TypeError(f"{task.name}() got an unexpected keyword argument {min(unknown)!r}")
    request = request_of(wishes)
    checked(request.method, task)
    guide = wishes.get("guide")
    if isinstance(y, Tensor):
        return of_tensor(y, task, guide, request, started)
    picture = as_image(y)
    return of_picture(picture, task, guide, [request] * picture.n_planes, request, started)


def request_of(wishes: Wishes) -> Request:
    """Return what was asked for, but for the guide; each option checked."""
    checkpoint = wishes.get("checkpoint")
    return Request(
        method=options.method_of(wishes.get("method", "auto")),
        noise=options.noise_of(wishes.get("noise", "auto"), wishes.get("sigma")),
        seed=options.seed_of(wishes.get("seed", 0)),
        seconds=options.seconds_of(wishes.get("time_limit")),
        device=options.device_of(wishes.get("device", "auto")),
        rule=options.rule_of(wishes.get("stop")),
        on_progress=wishes.get("on_progress"),
        checkpoint=None if checkpoint is None else Path(checkpoint),
    )
