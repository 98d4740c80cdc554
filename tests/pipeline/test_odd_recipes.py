"""Recipes that somebody has changed: one sentence that says where, whatever was written in them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

import untaught
from untaught.errors import InputError
from untaught.operators import Mask
from untaught.operators.serialize import operator_of, written
from untaught.pipeline.recipes import parts_of
from untaught.results.recipe import PlaneRecipe

Y = np.random.default_rng(0).random((16, 16)).astype(np.float32)
HOLES = np.indices((16, 16)).sum(0) % 5 > 0


@cache
def recipe(verb: str) -> str:
    made = {
        "denoise": lambda: untaught.denoise(Y, method="nonlocal-quick", noise="gaussian:5"),
        "inpaint": lambda: untaught.inpaint(Y, HOLES, method="pixel-tv", noise="gaussian:5", time_limit=0.2),
    }
    return made[verb]().recipe.model_dump_json()


def changed(verb: str, *place: str | int, to: Any) -> untaught.Recipe:
    content = json.loads(recipe(verb))
    holder = content
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = to
    return untaught.Recipe.model_validate(content)


PLANE = ("planes", 0)
LAW = '{"kind": "%s"}'
ODD: dict[str, tuple[str, tuple[str | int, ...], Any]] = {
    "a setting of another type": ("denoise", (*PLANE, "settings", "stages"), "nan"),
    "a number that nobody counts to": ("denoise", (*PLANE, "settings", "more"), 10**30),
    "a setting that there is not": ("denoise", (*PLANE, "settings", "more"), 1),
    "settings of a rule that there are not": ("inpaint", (*PLANE, "rule_settings"), {"more": 3}),
    "a setting of a rule of another type": ("inpaint", (*PLANE, "rule_settings"), {"every": [1]}),
    "a rule that there is not": ("inpaint", (*PLANE, "rule"), "never"),
    "no method": ("denoise", (*PLANE, "method"), "../../etc/passwd"),
    "a law that there is not": ("denoise", ("noise",), LAW % "none"),
    "a law of another type": ("denoise", ("noise",), '{"kind": ["x"]}'),
    "a law that is no JSON": ("denoise", ("noise",), "{"),
    "an operator that there is not": ("inpaint", ("operator", "kind"), ["Mask"]),
    "an operator of other settings": ("inpaint", ("operator", "more"), 1),
    "an operator without settings": ("inpaint", ("operator",), {"kind": "Mask"}),
    "a tensor of no type": ("inpaint", ("operator", "mask", "type"), "O"),
    "a tensor of a list": ("inpaint", ("operator", "mask", "shape"), [[1], [2, 3]]),
    "a tensor of terabytes": ("inpaint", ("operator", "mask", "shape"), [10**6, 10**6, 10**6]),
    "a tensor of another length": ("inpaint", ("operator", "mask", "shape"), [1, 1, 99, 99]),
    "a tensor that does not unpack": ("inpaint", ("operator", "mask", "tensor"), "none"),
    "a tensor that is a number": ("inpaint", ("operator", "mask", "tensor"), 1.5),
}


@pytest.mark.parametrize("case", ODD)
def test_a_recipe_of_odd_settings_is_one_sentence(case: str) -> None:
    verb, place, value = ODD[case]
    with pytest.raises(InputError) as caught:
        untaught.rerun(changed(verb, *place, to=value), Y)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert 20 < len(sentence) < 400
    assert "validation error" not in sentence


@pytest.mark.parametrize("settings", [{}, {"parts": 3}, {"parts": [1, 2]}, {"parts": [{"method": "dip"}]}])
def test_a_fusion_of_what_is_none_is_one_sentence(settings: dict[str, Any]) -> None:
    plane = PlaneRecipe(method="fusion", settings=settings, rule="steps", rule_settings={}, steps=1)
    with pytest.raises(InputError, match="fusion"):
        parts_of(plane)


def test_what_a_tensor_unpacks_to_is_bounded_by_its_shape() -> None:
    import torch

    saved = written(Mask(torch.ones(1, 1, 64, 64)))
    assert saved is not None
    saved["mask"]["shape"] = [1, 1, 8, 8]
    assert operator_of(saved).mask.shape == (1, 1, 8, 8)


ODD_ARGUMENTS = {
    "metadata is an array": lambda: untaught.Image.of(Y, "YX", metadata=Y),
    "alpha is an array": lambda: untaught.Image.of(Y, "YX", alpha=Y),
    "source is a number": lambda: untaught.Image.of(Y, "YX", source=5),
    "mask is empty": lambda: untaught.inpaint(Y, np.zeros((16, 0))),
    "psf is empty": lambda: untaught.deblur(Y, np.zeros((0, 3))),
    "name has a line break": lambda: untaught.denoise("a\nb.png"),
    "memory is an iterator": lambda: untaught.inspect(Y, memory=iter([])),
}


@pytest.mark.parametrize("case", ODD_ARGUMENTS)
def test_odd_arguments_are_one_sentence(case: str) -> None:
    with pytest.raises(InputError) as caught:
        ODD_ARGUMENTS[case]()
    assert "\n" not in str(caught.value)
    assert " at 0x" not in str(caught.value)


def test_whole_numbers_of_64_bits_have_a_step() -> None:
    ends = np.where(HOLES, 0, np.iinfo(np.uint64).max).astype(np.uint64)
    assert untaught.inspect(ends) is not None
