"""Make a picture again from its recipe."""

from __future__ import annotations

import time
from pathlib import Path

from torch import Tensor

from untaught.errors import InputError, quoted, refused_as
from untaught.image.files import as_image
from untaught.image.output_type import output_type_of
from untaught.image.reading import Reading
from untaught.operators import as_operator
from untaught.operators.serialize import operator_of
from untaught.pipeline.options import (
    ImageLike,
    Listener,
    Picture,
    device_of,
    fixed_pattern_of,
    flicker_of,
    listener_of,
    strength_of,
    stripes_of,
    together_of,
)
from untaught.pipeline.planes import Requests
from untaught.pipeline.recipes import LEFT, asked_again, noise_of, sha256
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.registry import TASKS
from untaught.pipeline.tasks.run import hash_of, of_picture, of_tensor, shown
from untaught.results.recipe import Recipe
from untaught.results.result import Result


def rerun(
    recipe: Recipe,
    image: Picture | Tensor,
    on_progress: Listener | None = None,
    *,
    axes: str | None = None,
    operator: object = None,
    guide: ImageLike | None = None,
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
    axes : str, optional
        What the axes of the picture are; by default what they were, where they had been named.
    operator : object, optional
        The operator, where it is one that a recipe cannot hold: a function, or another package's object.
    guide : path, Image or ndarray, optional
        The guide, where there was one.

    Raises
    ------
    InputError
        If the picture, or the guide, is not the one the recipe was written for, or an operator is needed.
    """
    started = time.monotonic()
    if not isinstance(recipe, Recipe):
        raise InputError(f"the recipe is {quoted(recipe)}; give result.recipe, or what was saved of it")
    named, reading = recipe.axes if axes is None else axes, Reading(value_range=recipe.value_range)
    picture = shown(image) if isinstance(image, Tensor) else as_image(image, named, reading)
    if sha256(picture) != recipe.input_sha256:
        raise InputError(f"the recipe was written for another picture than {picture.name}; give the same input")
    with refused_as(_not_followed):
        shared = _shared(recipe, on_progress)
        planes = tuple(None if plane == LEFT else asked_again(plane, shared) for plane in recipe.planes)
    requests = Requests(picture, shared, planes, started)
    verb = TASKS.get(recipe.task)
    if verb is not None and verb.again is not None:
        return verb.again(requests)
    task = _task(recipe, operator, guide)
    if isinstance(image, Tensor):
        return of_tensor(image, task, guide, planes[0] or shared, started)
    return of_picture(requests, task, guide)


def _not_followed(error: Exception) -> InputError:
    """Return what is to be said of a recipe whose words and numbers are none that are meant."""
    return InputError(f"the recipe cannot be followed: {quoted(str(error))}; give one that was saved")


def _shared(recipe: Recipe, on_progress: Listener | None) -> Request:
    """Return what is asked of all planes."""
    return Request(
        noise=noise_of(recipe),
        seed=recipe.seed,
        device=device_of(recipe.device),
        on_progress=listener_of(on_progress),
        asked=recipe.asked,
        cut=recipe.cut,
        noise_region=recipe.noise_region,
        noise_from=None if recipe.noise_from is None else tuple(map(Path, recipe.noise_from)),
        output_type=output_type_of(recipe.output_type),
        stripes=stripes_of(recipe.stripes),
        memory=recipe.memory,
        together=together_of(recipe.together),
        strength=strength_of(recipe.strength),
        fixed_pattern=fixed_pattern_of(recipe.fixed_pattern),
        flicker=flicker_of(recipe.flicker),
    )


def _task(recipe: Recipe, operator: object, guide: ImageLike | None) -> Task:
    """Return the task of a recipe, with the operator and the guide that it could not hold.

    Raises
    ------
    InputError
        If one of these is needed and not given, or the guide is another one.
    """
    if recipe.operator is None and operator is None:
        raise InputError("a recipe cannot hold this operator; give the same one, operator=")
    if hash_of(guide) != recipe.guide_sha256:
        raise InputError("the recipe was written with another guide, or without one; give the same one, guide=")
    if recipe.operator is None:
        return Task(recipe.task, as_operator(operator), recipe.operands, recipe.guide_sha256)
    with refused_as(_not_followed):
        made = operator_of(recipe.operator)
    return Task(recipe.task, made, recipe.operands, recipe.guide_sha256)
