"""The front door: a picture in, a `Result` out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from untaught.errors import InputError
from untaught.fitting.checkpoint import refuse_foreign
from untaught.fitting.progress import Progress
from untaught.fitting.stopping import Rule
from untaught.image.files import as_image
from untaught.image.formats.jpeg import compression_notes
from untaught.image.image import Image, Plane
from untaught.method import Method, Stopped
from untaught.methods.fusion import Fusion
from untaught.noise import NoiseModel, Unknown
from untaught.pipeline import request as options
from untaught.pipeline.combine_planes import assemble
from untaught.pipeline.plane.denoise_plane import NO_GREY, Answer, Request, black_and_white, restore_plane
from untaught.pipeline.recipes import LEFT, method_of, noise_of, parts_of, rule_of, sha256
from untaught.pipeline.tasks.inputs import Operand
from untaught.problem import Learnt
from untaught.results.recipe import PlaneRecipe, Recipe
from untaught.results.restoration import Result

Picture = str | Path | Image | NDArray[Any]

BETWEEN_PLANES = 1000  # seeds; a plane draws from a few after its own


def denoise(
    image: Picture,
    *,
    method: str | Method | Fusion = "auto",
    noise: str | NoiseModel = "auto",
    sigma: float | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    device: str = "auto",
    stop: str | Rule | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    checkpoint: str | Path | None = None,
) -> Result:
    """Remove the noise from one picture, of which nothing has to be known.

        y = x + n; the answer estimates x.

    Parameters
    ----------
    image : path, Image or ndarray
        (H, W), (H, W, C) or a stack; any integer or float type. NaN, infinity and no-data markers, which lie
        beyond 1e30 or 1e15 times beyond the rest, count as missing: such pixels are filled in, and a note says
        how many there were.
    method : str or method
        'auto' tries what fits the noise and keeps what has the smallest estimated error; or the name of a
        method (`untaught.methods.METHODS`), or a method object such as `DIP(steps=500)`.
    noise : str or NoiseModel
        'auto' measures it; or 'gaussian:25', 'poisson:GAIN,READ' ..., with numbers on the 0..255 scale of
        8-bit pictures whatever the depth of this one, so that 255 is the value range; or a model such as
        `Gaussian(0.1)`, so that 1 is the value range.
    sigma : float, optional
        Instead of `noise`: white Gaussian noise of this standard deviation, as a fraction of the value range.
    seed : int
        Same seed, same picture.
    time_limit : float, optional
        Seconds for the whole picture; the best so far is the answer when they are over.
    device : str
        'auto', 'cpu' or 'cuda'.
    stop : str or Rule, optional
        Stopping rule (`untaught.fitting.stopping.RULES`); the default is chosen by method and noise.
    on_progress : callable, optional
        Called with a `fit.Progress` now and then.
    checkpoint : path, optional
        Where a fit keeps its state; the same call goes on from it after a break. One plane only.

    Returns
    -------
    Result
        `result.image` has the shape, type and range of the input.

    Raises
    ------
    InputError
        If the picture or an option cannot be used; one sentence that says what to do.

    Notes
    -----
    The value range is `Image.value_range`, (low, high). It is (0, 255) for 8 bits and (0, 1) for floats that lie
    in [-0.5, 1.5]; for other floats it is taken from the content. Noise of standard deviation s in the picture's
    own units is `Gaussian(s / (high - low))`, with the range of `untaught.read(path)` or `Image.of(array, axes)`;
    `dataclasses.replace(image, value_range=(0, 4095))` sets another.
    """
    started = time.monotonic()
    picture = as_image(image)
    if checkpoint is not None:
        check_checkpoint(Path(checkpoint), picture)
    request = Request(
        method=options.method_of(method),
        noise=options.noise_of(noise, sigma),
        seed=options.seed_of(seed),
        seconds=options.seconds_of(time_limit),
        device=options.device_of(device),
        rule=options.rule_of(stop),
        on_progress=on_progress,
        checkpoint=None if checkpoint is None else Path(checkpoint),
    )
    result = _restored(picture, [request] * picture.n_planes, request, started)
    return replace(result, notes=result.notes + compression_notes(picture))


def check_checkpoint(path: Path, picture: Image) -> None:
    """Refuse a checkpoint of a stack, and a file that is none."""
    if picture.n_planes > 1:
        raise InputError(f"a checkpoint holds one plane, but {picture.name} has {picture.n_planes}")
    refuse_foreign(path)


def rerun(
    recipe: Recipe,
    image: Picture | Tensor,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    operator: object = None,
    guide: Operand | None = None,
) -> Result:
    """Make a picture again from its recipe.

    Parameters
    ----------
    recipe : Recipe
        `result.recipe`, or `Recipe.model_validate_json` of what was saved of it.
    image : path, Image, ndarray or Tensor
        The same degraded picture, or measurement.
    on_progress : callable, optional
        As in `denoise`.
    operator : object, optional
        The operator, where it is one that a recipe cannot hold: a function, or another package's object.
    guide : path, Image or ndarray, optional
        The guide, where there was one.

    Raises
    ------
    InputError
        If the picture, or the guide, is not the one the recipe was written for, or an operator is needed.
    """
    from untaught.rounds import again, shown

    started = time.monotonic()
    picture = shown(image) if isinstance(image, Tensor) else as_image(image)
    if sha256(picture) != recipe.input_sha256:
        raise InputError(f"the recipe was written for another picture than {picture.name}; give the same input")
    shared = Request(
        noise=noise_of(recipe),
        seed=recipe.seed,
        device=options.device_of(recipe.device),
        on_progress=on_progress,
    )
    requests = [None if plane == LEFT else _asked(plane, shared) for plane in recipe.planes]
    if recipe.task == "denoise":
        result = _restored(picture, requests, shared, started)
    elif recipe.task == "dejpeg":
        from untaught.pipeline.tasks.dejpeg import restored

        result = restored(as_image(picture), requests, shared, started)
    else:
        y = image if isinstance(image, Tensor) else picture
        result = again(recipe, y, (operator, guide), requests, shared)
    return replace(result, recipe=result.recipe.model_copy(update={"asked": recipe.asked}))


def _restored(picture: Image, requests: Sequence[Request | None], shared: Request, started: float) -> Result:
    answers, interrupted = restore_planes(picture, requests, started)
    try:
        return assemble(picture, answers, shared, started, interrupted)
    except KeyboardInterrupt:  # all the work is done: it has only to be put together
        return assemble(picture, answers, shared, started, True)


def _asked(plane: PlaneRecipe, shared: Request) -> Request:
    """Return the request that a plane's recipe stands for."""
    parts = parts_of(plane)
    if parts:
        return replace(shared, method=plane.method, parts=parts, pilot=plane.pilot)
    return replace(shared, method=method_of(plane), rule=rule_of(plane), pilot=plane.pilot)


def restore_planes(
    picture: Image,
    requests: Sequence[Request | None],
    started: float,
    solve: Callable[[Plane, Request], Answer] = restore_plane,
) -> tuple[list[Answer | None], bool]:
    """Restore plane by plane, sharing what is left of the time; None for planes that were not reached.

    A plane without a request is left as it is. What the answer for a plane was learnt by, the fit to the next one
    begins with. It has seen what was drawn for that plane, so another seed draws for this one.
    """
    answers: list[Answer | None] = []
    before: Learnt | None = None
    count = picture.n_planes
    try:
        for plane, request in zip(picture.planes(), requests, strict=True):
            if request is None or _flat(plane.values):
                answers.append(_copied(plane))
                continue
            if solve is restore_plane and count > 1 and black_and_white(plane.values):
                answers.append(replace(_copied(plane), notes=(f"{NO_GREY}, so it was left as it is",)))
                continue
            seconds = request.seconds
            if seconds is not None:
                seconds = max(seconds - (time.monotonic() - started), 0.0) / (count - plane.index)
            seed = request.seed if before is None else request.seed + plane.index * BETWEEN_PLANES
            progress = _numbered(request.on_progress, plane.index, count)
            answer = solve(
                plane, replace(request, seed=seed, seconds=seconds, on_progress=progress, before=before)
            )
            before = answer.learnt or before
            answers.append(answer)
            if answer.interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        return answers + [None] * (count - len(answers)), True
    return answers, False


def _numbered(
    on_progress: Callable[[Progress], None] | None, plane: int, planes: int
) -> Callable[[Progress], None] | None:
    if on_progress is None:
        return None
    return lambda progress: on_progress(replace(progress, plane=plane, planes=planes))


def _flat(values: NDArray[np.float32]) -> bool:
    return bool(values.max() == values.min())


def _copied(plane: Plane) -> Answer:
    """Return the answer for a plane to be left alone, such as an empty page in a stack: itself."""
    stopped = Stopped("nothing to do", 0, "the plane was left as it is")
    why, whole = "there is nothing to restore in it", bool(plane.missing.any())
    return Answer(plane.values, Unknown(0.0), "none", why, stopped, whole=whole)
