"""Recipes of strangers: what cannot be followed is said in a sentence, and nothing else comes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.conftest import clean, noisy
from untaught import InputError, Recipe, denoise, rerun

Y = noisy(clean(16, 16))


@pytest.fixture(scope="module")
def saved() -> dict[str, Any]:
    """Return a recipe as it is saved."""
    found: dict[str, Any] = denoise(Y, method="wavelet", noise="gaussian:25").recipe.model_dump(mode="json")
    return found


def with_plane(**more: Any) -> Any:
    return lambda saved: {**saved, "planes": [{**saved["planes"][0], **more}]}


@pytest.mark.parametrize(
    "damage",
    [
        lambda saved: {**saved, "noise": "{1}"},
        lambda saved: {**saved, "noise": '{"kind": "gaussian", "more": 1}'},
        lambda saved: {**saved, "noise": '{"kind": "nothing"}'},
        lambda saved: {**saved, "task": "reconstruct", "operator": {"name": "blur"}},
        lambda saved: {**saved, "task": "reconstruct", "operator": {"name": "downsample", "factor": "many"}},
        with_plane(rule_settings={"more": 1}),
        with_plane(rule="nothing"),
        with_plane(method="nothing"),
        with_plane(settings={"shifts": "some"}),
        with_plane(settings={"wavelet": "os.system"}),
        with_plane(method="fusion", settings={}),
        with_plane(method="fusion", settings={"parts": [{"method": 3}]}),
    ],
)
def test_what_cannot_be_followed_is_said(saved: dict[str, Any], damage: Any) -> None:
    recipe = Recipe.model_validate(damage(saved))
    with pytest.raises(InputError):
        rerun(recipe, Y)


def test_what_can_be_is_followed(saved: dict[str, Any]) -> None:
    again = rerun(Recipe.model_validate(saved), Y)
    np.testing.assert_array_equal(again.image, denoise(Y, method="wavelet", noise="gaussian:25").image)
