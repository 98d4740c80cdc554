"""Recipes: what has to be written down so that a picture can be made again."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from untaught._version import __version__
from untaught.errors import InputError
from untaught.image import Image
from untaught.methods import make
from untaught.methods.base import ClosedForm, Iterative
from untaught.noise import format_noise
from untaught.result import PlaneRecipe, Recipe
from untaught.stopping import RULES, Rule

if TYPE_CHECKING:
    from untaught.plane import Request


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
    """Set the method up again, its steps cut to where the answer was."""
    from pydantic import TypeAdapter

    default = make(recipe.method)
    method = TypeAdapter(type(default)).validate_python(recipe.settings)
    if isinstance(method, Iterative) and is_dataclass(method):
        method = replace(method, steps=recipe.steps)  # type: ignore[unreachable]
    return method


def rule_of(recipe: PlaneRecipe) -> Rule:
    """Set the stopping rule up again."""
    if recipe.rule not in RULES:
        raise InputError(f"the recipe names a stopping rule {recipe.rule!r} that this version does not have")
    rule: Rule = RULES[recipe.rule](**recipe.rule_settings)
    return rule


def make_recipe(picture: Image, planes: Sequence[PlaneRecipe], request: Request) -> Recipe:
    """Join the planes' recipes with what they share."""
    import torch

    return Recipe(
        task="denoise",
        noise="auto" if request.noise is None else format_noise(request.noise),
        seed=request.seed,
        device=request.device,
        threads=torch.get_num_threads(),
        versions=versions(),
        input_sha256=sha256(picture),
        planes=tuple(planes),
    )


def sha256(picture: Image) -> str:
    """Return the hash of the pixels, shape and type included."""
    digest = hashlib.sha256(f"{picture.array.shape} {picture.array.dtype.str}".encode())
    digest.update(picture.array.tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    names = ("torch", "numpy", "scipy", "scikit-image")
    return {"untaught": __version__, "python": platform.python_version(), **{n: version(n) for n in names}}


def _fields(thing: object) -> dict[str, Any]:
    return asdict(thing) if is_dataclass(thing) and not isinstance(thing, type) else {}
