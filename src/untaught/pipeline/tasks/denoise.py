"""The front door: a picture in, a `Result` out."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from untaught.errors import InputError
from untaught.fitting.stopping import Rule
from untaught.image.files import as_image
from untaught.image.formats.jpeg import compression_notes, mean_step
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.image.reading import Reading, memory_of
from untaught.method import Method
from untaught.methods.fusion import Fusion
from untaught.noise import NoiseModel
from untaught.pipeline.answer import Answer
from untaught.pipeline.options import Frames, Listener, Picture, Region
from untaught.pipeline.plane.make_problem import denoising_problem
from untaught.pipeline.plane.measure_in_time import in_time, noted
from untaught.pipeline.plane.restore_plane import restore_plane
from untaught.pipeline.plane.say_pattern import patterns_in
from untaught.pipeline.plane.state_error import PROCESSED
from untaught.pipeline.plane.strength import weakened
from untaught.pipeline.plane.working_scale import solved
from untaught.pipeline.planes import Requests, restore_planes
from untaught.pipeline.request import Request, request_of
from untaught.pipeline.stacks.brightness import at_one_brightness, brightness_notes
from untaught.pipeline.stacks.choose_together import helping_method, lone_refusal
from untaught.pipeline.stacks.find_series import NONE, Found, axes_asked, find_series
from untaught.pipeline.stacks.take_pattern import without_pattern
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.given_noise import with_given_noise
from untaught.pipeline.tiles.memory_need import tiling_for
from untaught.pipeline.tiles.parts import Denoised
from untaught.results.result import Result

TASK = Task("denoise")
LUMINANCE = 0.5  # correlation of the channels' noise from which on a JPEG file has lost much of what colours had


def denoise(
    image: Picture,
    *,
    axes: str | None = None,
    value_range: tuple[float, float] | None = None,
    method: str | Method | Fusion = "auto",
    effort: str = "normal",
    noise: str | NoiseModel = "auto",
    sigma: float | None = None,
    noise_region: Region | None = None,
    noise_from: Frames | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    device: str = "auto",
    stop: str | Rule | None = None,
    output_type: str = "same",
    stripes: str | None = None,
    memory: str | int | None = None,
    together: str = "auto",
    strength: float = 1.0,
    fixed_pattern: str = "auto",
    flicker: str = "keep",
    on_progress: Listener | None = None,
    checkpoint: str | Path | None = None,
) -> Result:
    """Remove the noise from one picture, of which nothing has to be known.

        y = x + n; the answer estimates x.

    Parameters
    ----------
    image : path, Image or array
        (H, W), (H, W, C) or a stack; any integer or float type; of numpy, xarray (`result.to_xarray()` has its
        labels), Dask, Pillow or torch. NaN, infinity and no-data markers, which lie
        beyond 1e30 or 1e15 times beyond the rest, count as missing: such pixels are filled in, and a note says
        how many there were.
    axes : str, optional
        What the axes of the array are, one letter each: X and Y, S for colours, which are restored together, C for
        channels, Z, T, any other for more; whatever a file says. `image` comes back with its axes in this order.
        Where nobody says, see `untaught.image.axes.guessed`.
    value_range : tuple of float, optional
        What levels of noise and a PSNR are relative to, (low, high), such as (0, 4095) for a camera of 12 bits; by
        default the type's or what the values lie in, see below. It changes no answer to noise that is measured.
    method : str or method
        'auto' tries what fits the noise and keeps what has the smallest estimated error; or the name of a
        method (`untaught.methods.METHODS`), or a method object such as `DIP(steps=500)`.
    effort : str
        How much is tried: 'quick', one pass over the picture, its error measured on parts of it; 'normal', the
        best formula; 'best', networks and a wider search too, as long as they are surely better. Of 'nonlocal' it
        takes 'nonlocal-quick' or 'nonlocal-thorough'; other methods that are named are run as always.
    noise : str or NoiseModel
        'auto' measures it; or 'gaussian:25', 'poisson:GAIN,READ' ..., with numbers on the 0..255 scale of
        8-bit pictures whatever the depth of this one, so that 255 is the value range; or a model such as
        `Gaussian(0.1)`, so that 1 is the value range.
    sigma : float, optional
        Instead of `noise`: white Gaussian noise of this standard deviation, as a fraction of the value range.
    noise_region : tuple of int, optional
        Instead of `noise`: x, y, width and height of a rectangle in pixels that shows nothing but one flat shade.
        The noise is measured there alone, in every plane, and taken for that of the whole.
    noise_from : path or list of paths, optional
        Instead of `noise`: dark and flat frames of the same camera, files or their folder, in the same units as
        the picture. They tell gain, read-out noise and offset, see `noise.estimation.photon_transfer`.
    seed : int
        Same seed, same picture.
    time_limit : float, optional
        Seconds for the whole picture; the best so far is the answer when they are over.
    device : str
        'auto', 'cpu' or 'cuda'.
    stop : str or Rule, optional
        Stopping rule (`untaught.fitting.stopping.RULES`); the default is chosen by method and noise.
    output_type : str
        'same' keeps the type of the picture; 'float32' and 'float64' give the answer in the picture's own units,
        neither rounded nor cut off. The stated error counts the rounding where there is one.
    stripes : str, optional
        'columns' or 'rows': an offset that each of them has of its own is taken out first, and the answer is of
        the picture without; 'auto' takes out what is certainly such an offset. By default it is only said; see
        `noise.estimation.stripes`. What varies as slowly as the picture, stays.
    memory : str or int, optional
        What may be used, such as '2GiB', or bytes; by default half of what is free. A plane that needs more is
        measured as a whole and restored in parts that overlap, with one law of noise and one method.
    together : str
        Which planes of a stack help each other: 'auto', those along T or Z that show the same, or five channels
        and more of one scene; 'none'; 'T'; 'Z'; 'TZ', volumes that follow each other along both, and
        other planes along whichever they are more alike. It takes a method that
        takes planes together, as 'auto' and 'nonlocal' do; the quick effort does that in one pass.
    strength : float
        From 0, the input, to 1, the answer: how much of what is found to be noise is taken out.
    fixed_pattern : str
        What a sensor adds to the same pixels of every plane of a stack, such as hot pixels and offsets of columns:
        'auto' takes out what stays in its place while the picture moves past it, and says what may as well be the
        picture's own; 'remove' takes that out too; 'keep' only says what there is. See
        `noise.estimation.fixed_pattern`.
    flicker : str
        Planes that follow each other and differ in brightness (bleaching, flicker) are compared at one brightness;
        'keep' gives each its own again, 'remove' gives all that of the first.
    on_progress : callable, optional
        Called with a `fitting.Progress` now and then. Where it returns False, the fit ends as by Ctrl-C: the best
        so far is the answer, and `result.interrupted` is true.
    checkpoint : path, optional
        Where a fit keeps its state; the same call goes on from it after a break. One plane only.

    Returns
    -------
    Result
        `result.image` has the shape and range of the input, and its type unless another was asked for.

    Raises
    ------
    InputError
        If the picture or an option cannot be used; one sentence that says what to do.

    Notes
    -----
    The value range is `Image.value_range`, (low, high). It is (0, 255) for 8 bits and (0, 1) for floats that lie
    in [-0.5, 1.5]; for other floats it is taken from the content. Noise of standard deviation s in the picture's
    own units is `Gaussian(s / (high - low))`, with the range of `untaught.read(path)` or `Image.of(array, axes)`;
    `value_range=(0, 4095)` sets another.

    It says what levels and a PSNR are relative to, and nothing else: each plane is worked on in the range of its
    own values, or of those of the planes that help it, so that the answer for k y + b is k times that for y, plus
    b. Settings of method objects are on that range, see `untaught.image.working`. Padding, and pixels far beyond
    all others, stay as they are.

    Examples
    --------
    >>> import numpy as np, skimage.data, untaught
    >>> clean = skimage.data.camera()[100:164, 200:264]
    >>> noisy = clean + np.random.default_rng(0).normal(0, 20, clean.shape)
    >>> noisy = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    >>> result = untaught.denoise(noisy)
    >>> result.image.shape, result.image.dtype, result.method
    ((64, 64), dtype('uint8'), 'nonlocal')
    >>> bool(np.square(result.image - clean.astype(float)).mean() < 200)  # it was 400
    True
    >>> result.psnr.low < result.psnr.value < result.psnr.high
    True
    """
    started = time.monotonic()
    picture = as_image(image, axes, Reading(memory=memory_of(memory), value_range=value_range))
    request = request_of(
        {
            "method": method,
            "effort": effort,
            "noise": noise,
            "sigma": sigma,
            "noise_region": noise_region,
            "noise_from": noise_from,
            "seed": seed,
            "time_limit": time_limit,
            "device": device,
            "stop": stop,
            "output_type": output_type,
            "stripes": stripes,
            "memory": memory,
            "together": together,
            "strength": strength,
            "fixed_pattern": fixed_pattern,
            "flicker": flicker,
            "on_progress": on_progress,
            "checkpoint": checkpoint,
        }
    )
    result = denoise_planes(Requests.of(picture, request, started))
    return replace(result, notes=result.notes + compression_notes(picture))


def denoise_planes(requests: Requests) -> Result:
    """Remove the noise of every plane that is asked for."""
    given, shared = requests.picture, requests.shared
    found = _series_of(given, shared)
    in_parts = tiling_for(given, shared) is not None
    sensed = () if in_parts else found.series  # what is told of a sensor takes sums over whole planes
    picture, taken, said = without_pattern(given, sensed, shared.fixed_pattern)
    picture, requests = requests.also(taken).destriped(picture, in_parts)
    requests = requests.also(patterns_in(picture, in_parts))
    _refuse_lone(found, shared)
    requests, notes = with_given_noise(requests, picture)
    source = requests.picture.source
    solve = partial(denoise_plane, compressed=source is not None and mean_step(source) is not None)
    helps = shared.together != "none" and any(helping_method(shared, one.along) for one in found.series)
    notes += said + brightness_notes(found.series, shared.flicker, helps)
    if shared.flicker == "remove":
        requests = requests.also(at_one_brightness(given, found.series))
    if shared.together != "none":
        requests, notes = replace(requests, found=found), notes + found.notes
    tiling = tiling_for(picture, shared)
    parts = None if tiling is None else Denoised(tiling, solve)
    return restore_planes(requests, replace(TASK, notes=notes), solve, picture, parts=parts)


def _refuse_lone(found: Found, request: Request) -> None:
    """Refuse a method that cannot take a plane alone where there are no planes that help each other."""
    lone = None if found.series and request.together != "none" else lone_refusal(request)
    if lone is not None:
        raise InputError(lone)


def _series_of(picture: Image, request: Request) -> Found:
    """Return which planes follow each other; of those that do not fit only where it is known what for.

    Channels that do not fit are restored one by one.

    Raises
    ------
    InputError
        For an axis that the picture does not have; where such planes were to be changed together.
    """
    axes_asked(picture, request.together)
    if tiling_for(picture, request) is None:
        return find_series(picture, "auto" if request.together == "none" else request.together)
    if picture.n_planes > 1 and "remove" in (request.fixed_pattern, request.flicker):
        raise InputError(
            f"a fixed pattern and flicker can only be removed from planes that fit in memory, and those of "
            f"{picture.name} do not; allow more memory"
        )
    if picture.n_planes < 2 or request.together == "none" or helping_method(request, "time") is None:
        return NONE
    return replace(find_series(picture, request.together), channels=())


def denoise_plane(plane: Plane, request: Request, compressed: bool = False) -> Answer:
    """Remove the noise of one plane; `compressed` says that it was read from a file that has lost some of it."""
    answer = weakened(_as_grey(plane, request), plane.values, plane.missing, request.strength)
    law = answer.noise
    if compressed and law.relative_error > 0 and law.channel_correlation > LUMINANCE and answer.risk is not None:
        rows = tuple(replace(row, psnr=None) for row in answer.candidates)
        return replace(answer, risk=None, candidates=rows, notes=(*answer.notes, PROCESSED))
    return answer


def _as_grey(plane: Plane, request: Request) -> Answer:
    """Answer for a grey plane that is stored as colours by its grey; for another, by all of it."""
    channels = plane.values.shape[2]
    if channels == 1 or (plane.values != plane.values[..., :1]).any():
        return solved(plane, request, _on_own_range)
    raw = None if plane.raw is None else plane.raw[..., :1]
    found = solved(replace(plane, values=plane.values[..., :1], raw=raw), request, _on_own_range)
    std = None if found.std is None else np.repeat(found.std, channels, 2)
    return replace(found, values=np.repeat(found.values, channels, 2), std=std)


def _on_own_range(plane: Plane, request: Request) -> Answer:
    own = plane.working
    asked = in_time(own.values, own.gone, request)
    return noted(restore_plane(lambda: denoising_problem(plane, asked), TASK, request), asked)
