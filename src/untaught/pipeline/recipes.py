"""Recipes: what has to be written down so that a picture can be made again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from untaught._version import __version__
from untaught.errors import InputError, first_fault, quoted
from untaught.fitting.stopping import RULES, Rule
from untaught.image.image import Image
from untaught.image.lazy import pieces, release
from untaught.method import ClosedForm, Iterative
from untaught.methods.registry import make
from untaught.noise import NoiseModel, format_noise
from untaught.noise.models.registry import MODELS, spellings
from untaught.operators.serialize import written
from untaught.pipeline.noise_files import read_noise
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.results.recipe import PlaneRecipe, Recipe

_MOST = 2**31
LEFT = PlaneRecipe(method="none", settings={}, rule="steps", rule_settings={}, steps=0)
"""A plane that was left as it was."""
RULES_ALONE = ("despeckle",)
"""What is done without a method: nothing can be set."""


def plane_recipe(method: Iterative | ClosedForm, rule: Rule, steps: int) -> PlaneRecipe:
    """Write down a method and a rule, both dataclasses, and the step of the answer."""
    return PlaneRecipe(
        method=method.name,
        settings=_fields(method),
        rule=rule.name,
        rule_settings=_fields(rule),
        steps=steps,
    )


def method_of(recipe: PlaneRecipe) -> Iterative | ClosedForm:
    """Set the method up again, its steps cut to where the answer was.

    Raises
    ------
    InputError
        Where the recipe is of no single method but of a mixture, or of a plane that was left as it was; or where
        it has settings that the method lacks, or of a value that it does not take.
    """
    default: object = make(recipe.method)
    if not isinstance(default, Iterative | ClosedForm):
        raise InputError(f"{recipe.method} is no single method")
    method: Iterative | ClosedForm = _made(type(default), recipe.settings, recipe.method)
    if not _holds(_fields(method), recipe.settings):
        raise InputError(f"the recipe has settings of {recipe.method} that this version does not have")
    if isinstance(method, Iterative) and is_dataclass(method):
        method = replace(method, steps=recipe.steps)  # type: ignore[unreachable]
    return method


def parts_of(recipe: PlaneRecipe) -> tuple[tuple[Iterative | ClosedForm, Rule], ...]:
    """Set the methods of a fusion up again, with their rules; of another recipe, nothing."""
    if recipe.method != "fusion":
        return ()
    given = recipe.settings.get("parts")
    if not isinstance(given, list | tuple):
        raise InputError("the recipe does not say what the fusion is of; give it as it was written")
    parts = [_made(PlaneRecipe, part, "a part of the fusion") for part in given]
    return tuple((method_of(part), rule_of(part)) for part in parts)


def rule_of(recipe: PlaneRecipe) -> Rule:
    """Set the stopping rule up again.

    Raises
    ------
    InputError
        Where there is no such rule, or it has other settings.
    """
    if recipe.rule not in RULES:
        raise InputError(f"the recipe names a stopping rule {recipe.rule!r} that this version does not have")
    rule: Rule = _made(RULES[recipe.rule], recipe.rule_settings, f"the rule {recipe.rule}")
    if not _holds(_fields(rule), recipe.rule_settings):
        raise InputError(f"the recipe has settings of the rule {recipe.rule} that this version does not have")
    return rule


def _made(kind: type[Any], settings: Any, name: str) -> Any:
    """Make something of settings that anybody may have written.

    Raises
    ------
    InputError
        Where they are not of the types, or the values, that it takes.
    """
    from pydantic import TypeAdapter, ValidationError

    if not _counts(settings):
        raise InputError(f"the recipe has numbers of {name} that nobody counts to; give it as it was written")
    try:
        return TypeAdapter(kind).validate_python(settings)
    except ValidationError as error:
        raise InputError(
            f"the recipe has settings of {name} that cannot be: {first_fault(error)}; give it as it was written"
        ) from None


def _counts(settings: Any) -> bool:
    """Tell whether all whole numbers in some settings are such as compiled code takes."""
    if isinstance(settings, int):
        return abs(settings) < _MOST
    inner = settings.values() if isinstance(settings, dict) else settings
    return all(map(_counts, inner)) if isinstance(settings, dict | list | tuple) else True


def asked_again(plane: PlaneRecipe, request: Request) -> Request:
    """Return the request that a plane's recipe stands for; all else is as in `request`."""
    if plane.method in RULES_ALONE:
        return request
    request = replace(request, measured_on=plane.measured_on)
    parts = parts_of(plane)
    if parts:
        return replace(request, method=plane.method, parts=parts, pilot=plane.pilot)
    return replace(request, method=method_of(plane), rule=rule_of(plane), pilot=plane.pilot)


def noise_of(recipe: Recipe) -> NoiseModel | None:
    """Return the noise that was given, or None where it was measured."""
    return law_of(recipe.noise)


def law_of(text: str) -> NoiseModel | None:
    """Return the law that `law_text` wrote."""
    if not text.startswith("{"):
        return read_noise(text)
    try:
        return _law(json.loads(text))
    except InputError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        raise InputError(
            f"the recipe has a law of noise that cannot be read: {quoted(text)}; give it as it was written"
        ) from None


def _law(numbers: dict[str, Any]) -> NoiseModel:
    """Undo `_numbers`."""
    given: dict[str, Any] = {n: _law(value) if isinstance(value, dict) else value for n, value in numbers.items()}
    model: NoiseModel = MODELS[given.pop("kind")](**given)
    return model


def _numbers(model: NoiseModel) -> dict[str, Any]:
    """Return a law as JSON has it; one may be made of another, and of an array."""
    found: dict[str, Any] = {"kind": model.kind}
    for entry in fields(model):
        value = getattr(model, entry.name)
        value = value.tolist() if isinstance(value, np.ndarray) else value
        found[entry.name] = _numbers(value) if isinstance(value, NoiseModel) else value
    return found


def law_text(model: NoiseModel | None) -> str:
    """Return the noise as people write it where that says all of it, else its numbers to the last digit."""
    if model is None:
        return format_noise(model)
    for text in spellings(model):
        if read_noise(text) == model:
            return text
    return json.dumps(_numbers(model))


def make_recipe(picture: Image, planes: Sequence[PlaneRecipe | None], request: Request, task: Task) -> Recipe:
    """Join the planes' recipes with what they share; None is a plane that was left as it was."""
    return Recipe(
        task=task.name,
        operator=None if task.operator is None else written(task.operator),
        operands=None if task.operands is None else dict(task.operands),
        guide_sha256=task.guide_sha256,
        axes=picture.axes if picture.axes_given else None,
        value_range=picture.reading.value_range,
        noise=law_text(request.noise),
        asked=request.asked,
        output_type=request.output_type,
        stripes=request.stripes,
        memory=request.memory,
        together=request.together,
        strength=request.strength,
        fixed_pattern=request.fixed_pattern,
        flicker=request.flicker,
        cut=request.cut,
        noise_region=request.noise_region,
        noise_from=None if request.noise_from is None else tuple(str(p.absolute()) for p in request.noise_from),
        seed=request.seed,
        device=request.device,
        threads=torch.get_num_threads(),
        versions=versions(),
        input_sha256=sha256(picture),
        planes=tuple(plane or LEFT for plane in planes),
    )


def sha256(picture: Image) -> str:
    """Return the hash of the pixels, shape and type included."""
    digest = hashlib.sha256(f"{picture.array.shape} {picture.array.dtype.str}".encode())
    for piece in pieces(picture.array.shape):
        digest.update(picture.array[piece].tobytes())
        release(picture.array)
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    return {"untaught": __version__, "python": platform.python_version(), **_libraries()}


@cache
def _libraries() -> dict[str, str]:
    """Return those of the libraries; to read them takes as long as to restore a very small picture."""
    return {name: version(name) for name in ("torch", "numpy", "scipy", "scikit-image")}


def _fields(thing: object) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON will give them back: tuples as lists."""
    if not is_dataclass(thing) or isinstance(thing, type):
        return {}
    found: dict[str, Any] = json.loads(json.dumps(asdict(thing)))
    return found


def _holds(made: Any, saved: Any) -> bool:
    """Say whether what was made has all that was saved; what is newer than the recipe has its default."""
    if isinstance(saved, dict) and isinstance(made, dict):
        return all(name in made and _holds(made[name], value) for name, value in saved.items())
    if isinstance(saved, list | tuple) and isinstance(made, list | tuple):
        return len(made) == len(saved) and all(map(_holds, made, saved))
    return bool(made == saved)
