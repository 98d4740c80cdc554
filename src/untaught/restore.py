"""The front door: a picture in, a `Result` out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught import options
from untaught.errors import InputError
from untaught.fit import Progress
from untaught.image import Image, as_image
from untaught.methods import make
from untaught.methods.fusion import Fusion
from untaught.noise import NoiseModel, Unknown
from untaught.plane import Answer, Request, restore_plane
from untaught.recipe import LEFT, make_recipe, method_of, noise_of, parts_of, rule_of, sha256
from untaught.result import History, Interval, PlaneRecipe, PlaneResult, Recipe, Result, Stopped, spokesman
from untaught.risk import Risk, to_interval
from untaught.solution import Method
from untaught.stopping import Rule

Picture = str | Path | Image | NDArray[Any]


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
        (H, W), (H, W, C) or a stack; any integer or float type. NaN, infinity and values beyond 1e30 count as
        missing: such pixels are filled in, and a note says how many there were.
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
        Stopping rule (`untaught.stopping.RULES`); the default is chosen by method and noise.
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
    if checkpoint is not None and picture.n_planes > 1:
        raise InputError(f"a checkpoint holds one plane, but {picture.name} has {picture.n_planes}")
    if isinstance(method, str) and method != "auto":
        make(method)  # an unknown name is refused before anything is measured
    request = Request(
        method=method,
        noise=options.noise_of(noise, sigma),
        seed=options.seed_of(seed),
        seconds=options.seconds_of(time_limit),
        device=options.device_of(device),
        rule=options.rule_of(stop),
        on_progress=on_progress,
        checkpoint=None if checkpoint is None else Path(checkpoint),
    )
    answers, interrupted = _planes(picture, [request] * picture.n_planes, started)
    return _result(picture, answers, request, started, interrupted)


def rerun(recipe: Recipe, image: Picture, on_progress: Callable[[Progress], None] | None = None) -> Result:
    """Make a picture again from its recipe.

    Parameters
    ----------
    recipe : Recipe
        `result.recipe`, or `Recipe.model_validate_json` of what was saved of it.
    image : path, Image or ndarray
        The same noisy picture.
    on_progress : callable, optional
        As in `denoise`.

    Raises
    ------
    InputError
        If the picture is not the one the recipe was written for.
    """
    started = time.monotonic()
    picture = as_image(image)
    if sha256(picture) != recipe.input_sha256:
        raise InputError(f"the recipe was written for another picture than {picture.name}; give the same input")
    shared = Request(
        noise=noise_of(recipe),
        seed=recipe.seed,
        device=options.device_of(recipe.device),
        on_progress=on_progress,
    )
    requests = [None if plane == LEFT else _asked(plane, shared) for plane in recipe.planes]
    answers, interrupted = _planes(picture, requests, started)
    return _result(picture, answers, shared, started, interrupted)


def _asked(plane: PlaneRecipe, shared: Request) -> Request:
    """Return the request that a plane's recipe stands for."""
    parts = parts_of(plane)
    if parts:
        return replace(shared, method=plane.method, parts=parts, pilot=plane.pilot)
    return replace(shared, method=method_of(plane), rule=rule_of(plane), pilot=plane.pilot)


def _planes(
    picture: Image, requests: Sequence[Request | None], started: float
) -> tuple[list[Answer | None], bool]:
    """Restore plane by plane, sharing what is left of the time; None for planes that were not reached.

    A plane without a request is left as it is.
    """
    answers: list[Answer | None] = []
    count = picture.n_planes
    try:
        for plane, request in zip(picture.planes(), requests, strict=True):
            if request is None or _flat(plane.values):
                answers.append(_copied(plane.values))
                continue
            seconds = request.seconds
            if seconds is not None:
                seconds = max(seconds - (time.monotonic() - started), 0.0) / (count - plane.index)
            numbered = replace(
                request, seconds=seconds, on_progress=_numbered(request.on_progress, plane.index, count)
            )
            answers.append(restore_plane(plane, numbered))
            if answers[-1] is not None and answers[-1].interrupted:
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


def _copied(values: NDArray[np.float32]) -> Answer:
    """Return the answer for a plane to be left alone, such as an empty page in a stack: itself."""
    stopped = Stopped("nothing to do", 0, "the plane was left as it is")
    return Answer(values, Unknown(0.0), "none", "there is nothing to restore in it", stopped)


def _result(
    picture: Image,
    answers: list[Answer | None],
    request: Request,
    started: float,
    interrupted: bool,
) -> Result:
    done = [answer for answer in answers if answer is not None]
    restored = picture.with_planes([None if a is None or a.method == "none" else a.values for a in answers])
    planes = _plane_results(picture, answers)
    first = spokesman(planes)
    psnr, psnr_input = _psnr(done)
    return Result(
        picture=restored,
        input=picture,
        noise=first.noise if first else Unknown(0.0),
        noise_found=request.noise is None,
        method=" / ".join(dict.fromkeys(a.method for a in done)) or "none",
        why=first.why if first else "it was interrupted before anything was restored",
        stopped=first.stopped if first else Stopped("interrupted", 0, "interrupted before the first plane"),
        seconds=time.monotonic() - started,
        recipe=make_recipe(picture, [None if a is None else a.recipe for a in answers], request),
        psnr=psnr,
        psnr_input=psnr_input,
        std=_std(picture, answers),
        history=first.history if first else History(),
        candidates=first.candidates if first else (),
        notes=_notes(answers),
        interrupted=interrupted,
        planes=planes,
    )


def _plane_results(picture: Image, answers: Sequence[Answer | None]) -> tuple[PlaneResult, ...]:
    results = []
    for index, (label, answer) in enumerate(zip(picture.labels, answers, strict=True)):
        if answer is None:
            continue
        psnr, psnr_input = _psnr([answer])
        results.append(
            PlaneResult(
                index=index,
                label=label,
                noise=answer.noise,
                method=answer.method,
                why=answer.why,
                stopped=answer.stopped,
                psnr=psnr,
                psnr_input=psnr_input,
                history=answer.history,
                candidates=answer.candidates,
            )
        )
    return tuple(results)


def _psnr(done: Sequence[Answer]) -> tuple[Interval | None, float | None]:
    risks = [a.risk for a in done if a.risk is not None]
    if not done or len(risks) != len(done):
        return None, None
    value = float(np.mean([risk.value for risk in risks]))
    error = float(np.mean([risk.error for risk in risks]))  # the planes' noise levels err alike
    variance = float(np.mean([a.variance for a in done]))
    assumes = f"noise that is {done[0].noise.kind}, with the level found" if variance else "nothing"
    before = -10 * math.log10(variance) if variance > 0 else None
    return to_interval(Risk(value, error), variance, assumes), before


def _std(picture: Image, answers: Sequence[Answer | None]) -> NDArray[np.float32] | None:
    if any(a is None or a.std is None for a in answers):
        return None
    low, high = picture.value_range
    blank = replace(picture, array=np.zeros(picture.array.shape, np.float32), value_range=(0.0, high - low))
    array: NDArray[np.float32] = blank.with_planes([a.std for a in answers if a is not None]).array
    return array


def _notes(answers: Sequence[Answer | None]) -> tuple[str, ...]:
    notes = list(dict.fromkeys(note for a in answers if a is not None for note in a.notes))
    levels = [a.noise.level * 255 for a in answers if a is not None and a.method != "none"]
    if len(answers) > 1 and levels:
        notes.insert(
            0,
            f"{len(levels)} of {len(answers)} planes were restored, one by one; their noise levels run from "
            f"{min(levels):.1f} to {max(levels):.1f} (of 255)",
        )
    left = sum(a is None for a in answers)
    if left:
        notes.append(f"{left} of {len(answers)} planes were not reached and are as they were")
    return tuple(notes)
