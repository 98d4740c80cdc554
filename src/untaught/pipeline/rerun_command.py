"""The command that makes a result again, where one does."""

from __future__ import annotations

import shlex

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.image.output_type import SAME
from untaught.method import ClosedForm
from untaught.methods.registry import FORMS, TUNED, make, model_of
from untaught.pipeline.recipes import RULES_ALONE, method_of
from untaught.results.recipe import PlaneRecipe, Recipe

ALONE = ("denoise", "dejpeg", "descreen", "despeckle")  # tasks that need nothing beside the picture
PILOT = "nonlocal"  # what a formula's noise level is refined with, where there is no time limit


def command_line(recipe: Recipe, picture: Image, interrupted: bool) -> str | None:
    """Return the command that restores the picture again, or None where no command is known to do the same."""
    operands = {} if recipe.task in ALONE else recipe.operands
    method = _method(recipe)
    noise = _noise(recipe)
    if interrupted or operands is None or method is None or noise is None:
        return None
    given = picture.reading.value_range
    natural = Image.of(picture.array, picture.axes, alpha=picture.alpha).value_range
    if given is None and picture.value_range != natural:
        return None  # it was set by hand
    source = picture.address or "INPUT"
    chosen = {name: str(value) for name, value in picture.reading.asked.items()}
    named = {} if recipe.axes is None else {"axes": recipe.axes}
    typed = {} if recipe.output_type == SAME else {"output-type": recipe.output_type}
    stripes = {} if recipe.stripes is None else {"stripes": recipe.stripes}
    memory = {} if recipe.memory is None else {"memory": str(recipe.memory)}
    together = {} if recipe.together == "auto" or picture.n_planes == 1 else {"together": recipe.together}
    if given is not None:
        named["value-range"] = ",".join(map(repr, given))
    sensor = {
        **({} if recipe.fixed_pattern == "auto" else {"fixed-pattern": recipe.fixed_pattern}),
        **({} if recipe.flicker == "keep" else {"flicker": recipe.flicker}),
    }
    before = [*chosen.items(), *named.items(), *operands.items(), *method.items(), *noise, *stripes.items()]
    if recipe.strength != 1:
        together["strength"] = repr(recipe.strength)
    how = [("seed", str(recipe.seed)), ("device", recipe.device), *typed.items()]
    options = [
        *before,
        *how,
        *memory.items(),
        *together.items(),
        *(sensor.items() if picture.n_planes > 1 and recipe.task == "denoise" else ()),
    ]
    written = [word for name, value in options for word in (f"--{name}", value)]
    return shlex.join(["untaught", recipe.task, source, "-o", "OUTPUT", *written])


def _noise(recipe: Recipe) -> list[tuple[str, str]] | None:
    """Return the options that tell the noise, or None where none do."""
    if recipe.noise_from is not None:
        return [("noise-from", path) for path in recipe.noise_from]
    if recipe.noise_region is not None:
        return [("noise-region", ",".join(map(str, recipe.noise_region)))]
    return None if recipe.noise.startswith("{") else [("noise", recipe.noise)]


def _method(recipe: Recipe) -> dict[str, str] | None:
    """Return the options that name the method: the formula that answered, or else what was asked for."""
    if recipe.task in RULES_ALONE:
        return {"method": "auto"}
    different = {(plane.method, plane.pilot, repr(plane.settings)): plane for plane in recipe.planes}
    names = {_formula(plane) for plane in different.values()}
    name = names.pop() if len(names) == 1 else None
    found = recipe.asked if name is None else {"method": name}
    return None if found is None else {**found, "method": _located(found["method"])}


def _formula(plane: PlaneRecipe) -> str | None:
    """Return how a formula with these settings is written, or None where it is none or they have no name."""
    if plane.pilot not in (None, PILOT):
        return None
    model = str(plane.settings.get("model", ""))
    text = {form.word: form.prefix + model for form in FORMS}.get(plane.method, plane.method)
    try:
        method = method_of(plane)
        return text if isinstance(method, ClosedForm) and make(text) == method else None
    except (InputError, ValueError):  # none and fusion are no methods to be set up
        return None


def _located(method: str) -> str:
    """Return a method with the path of its model from the root, as that of the picture is."""
    model = model_of(method)
    if model is None:
        return method
    return f"{TUNED.prefix if method.startswith(TUNED.prefix) else ''}{model.absolute()}"
