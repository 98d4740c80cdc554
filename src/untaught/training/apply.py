"""A trained model on one picture: the front door of `denoise`, with the method it was trained for."""

from __future__ import annotations

import time
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from untaught.image.atomic import path_of
from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.image.metrics import WHOLE
from untaught.image.output_type import output_type_of
from untaught.methods.trained.model_file import Header
from untaught.methods.trained.trained import Trained, check_channels
from untaught.noise import NoiseModel
from untaught.pipeline.options import Listener, Picture, device_of, listener_of, noise_of, seed_of
from untaught.pipeline.planes import Requests
from untaught.pipeline.request import Request
from untaught.pipeline.tasks.denoise import denoise_planes
from untaught.results.restoration import representative
from untaught.results.result import Result
from untaught.training.dataset import window

PILOT = "wavelet"  # a quick picture to refine the noise level with; the model does without
ALIKE = 1.25  # a noise level so many times above or below all that was trained on is another


def apply(
    model: str | Path | Trained,
    image: Picture,
    *,
    axes: str | None = None,
    noise: str | NoiseModel = "auto",
    seed: int = 0,
    device: str = "auto",
    output_type: str = "same",
    on_progress: Listener | None = None,
) -> Result:
    """Restore one picture with a network that `train` has fitted to others like it.

        the answer of the method it was trained by, such as the mean of f(y + alpha z) over draws of z

    Parameters
    ----------
    model : path or Trained
        The model file.
    image : path, Image or ndarray
        As in `denoise`; the planes of a stack are restored one by one, large ones in squares that overlap.
    axes : str, optional
        What the axes of the picture are, as in `denoise`.
    noise : str or NoiseModel
        As in `denoise`; what the method draws from, and the estimated error.
    seed : int
        Same seed, same picture.
    device : str
        'auto', 'cpu' or 'cuda'.
    output_type : str
        As in `denoise`.
    on_progress : callable, optional
        Called with a `fitting.progress.Progress` now and then; False ends it, as in `denoise`.

    Returns
    -------
    Result
        As of `denoise`.

    Raises
    ------
    InputError
        If the model or the picture cannot be used, or they have different channels.
    """
    started = time.monotonic()
    method = model if isinstance(model, Trained) else Trained(str(path_of(model, "the model")))
    request = Request(
        method=method,
        noise=noise_of(noise, None),
        seed=seed_of(seed),
        device=device_of(device),
        on_progress=listener_of(on_progress),
        pilot=PILOT,
        output_type=output_type_of(output_type),
    )
    loaded = method.loaded(request.device)
    picture = as_image(image, axes)
    for channels in channels_of(picture):
        check_channels(loaded, channels, method.model)
    result = denoise_planes(Requests.of(picture, request, started))
    return replace(result, notes=(*result.notes, *_remarks(loaded.header, result)))


def applied(image: Picture, *, model: str | Path, **options: Any) -> Result:
    """Do as `apply`, the picture first, as for verbs on many pictures."""
    return apply(model, image, **options)


def channels_of(picture: Image) -> list[int]:
    """Return the numbers of channels that the planes of a picture have."""
    groups = picture.n_planes // prod(picture.lead_shape)
    return [window(picture, index, 0, 0, 1).values.shape[-1] for index in range(groups)]


def _remarks(header: Header, result: Result) -> tuple[str, ...]:
    """Return in which ways the picture is not like those that were learned from."""
    notes = []
    low, high = result.picture.value_range
    learned = header.ranges[0] if len(header.ranges) == 1 else (low, high)
    if learned != (low, high) and not {learned, (low, high)} <= WHOLE:
        least, most = learned
        notes.append(
            f"the model was trained on pictures with values from {least:g} to {most:g}, and this one has {low:g} "
            f"to {high:g}; both were scaled to the same range"
        )
    level, least, most = 255 * _own_level(result), header.noise["least"], header.noise["most"]
    if result.method != "none" and not least / ALIKE <= level <= most * ALIKE:
        notes.append(
            f"the model was trained on noise of level {least:.1f} to {most:.1f} (of 255, on the range of a "
            f"picture's own values), and here it is {level:.1f}; look twice at the result"
        )
    return tuple(notes)


def _own_level(result: Result) -> float:
    """Return the level of the noise on the plane's own range, which is what a network sees."""
    first = representative(result.planes)
    index = 0 if first is None else first.index
    plane = next(plane for plane in result.input.planes() if plane.index == index)
    return result.noise.level * plane.working.factor
