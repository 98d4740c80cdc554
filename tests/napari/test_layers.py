"""Layers become pictures and come back in their place, with their steps and units; napari itself is not needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from untaught import Image, InputError, denoise
from untaught.napari.layers import (
    OURS,
    layer_axes,
    layers_of,
    picture_of,
    preview_layer,
    restored_layer,
    uncertainty_layer,
)

GREY = np.random.default_rng(0).integers(60, 190, (24, 32)).astype(np.uint8)
STACK = np.stack([GREY] * 3)
PLACE: dict[str, Any] = {
    "name": "cells",
    "scale": [2.0, 0.5, 0.25],
    "translate": [10.0, -3.0, 7.0],
    "units": ("micrometer",) * 3,
    "axis_labels": ("-3", "-2", "-1"),
    "metadata": {},
}


@pytest.mark.parametrize(
    ("shape", "meta", "axes"),
    [
        ((8, 9), {}, "YX"),
        ((5, 8, 9), {}, "ZYX"),
        ((5, 8, 9), {"units": ("second", "pixel", "pixel")}, "TYX"),
        ((5, 4, 8, 9), {}, "TZYX"),
        ((5, 4, 8, 9), {"units": ("micrometer", "second", "micrometer", "micrometer")}, "ZTYX"),
        ((5, 8, 9), {"axis_labels": ("channel", "y", "x")}, "CYX"),
        ((8, 9, 3), {"rgb": True}, "YXS"),
        ((5, 8, 9, 4), {"rgb": True, "axis_labels": ("time", "y", "x")}, "TYXS"),
        ((5, 8, 9), {"metadata": {OURS: {"axes": "CYX"}}, "axis_labels": ("z", "y", "x")}, "CYX"),
    ],
)
def test_axes_of_a_layer_are_what_it_says(shape: tuple[int, ...], meta: dict[str, Any], axes: str) -> None:
    assert layer_axes(shape, meta) == axes


def test_axes_that_a_person_names_count_and_bad_ones_are_refused() -> None:
    assert picture_of(STACK, PLACE, "tyx").axes == "TYX"
    assert picture_of(np.stack([GREY] * 3, -1), {"rgb": True}, "YX").axes == "YXS"
    with pytest.raises(InputError, match=r"rows and columns last.*'ZYX'"):
        picture_of(STACK, PLACE, "YXZ")
    with pytest.raises(InputError, match="one letter each"):
        picture_of(STACK, PLACE, "YX")


def test_steps_and_units_become_those_of_the_picture() -> None:
    spacing = picture_of(STACK, PLACE).metadata["spacing"]
    assert spacing == {"Z": (2.0, "um"), "Y": (0.5, "um"), "X": (0.25, "um")}
    assert "spacing" not in picture_of(GREY, {"scale": [1, 1], "units": ("pixel", "pixel")}).metadata


def test_the_finest_of_several_resolutions_is_taken() -> None:
    assert picture_of([STACK, STACK[:, ::2, ::2]], PLACE | {"multiscale": True}).array.shape == STACK.shape


def test_a_result_lies_where_its_layer_lies() -> None:
    result = denoise(picture_of(STACK, PLACE | {"contrast_limits": [0, 200]}), method="nlm", sigma=0.1)
    data, meta, kind = restored_layer(result, PLACE | {"contrast_limits": [0, 200]})
    assert kind == "image"
    assert data.shape == STACK.shape
    assert {key: meta[key] for key in ("scale", "translate", "units", "contrast_limits")} == {
        **{key: PLACE[key] for key in ("scale", "translate", "units")},
        "contrast_limits": [0, 200],
    }
    assert uncertainty_layer(result, PLACE) is None


def test_a_larger_result_covers_the_same_place() -> None:
    meta = {"scale": [0.5, 0.25], "translate": [4.0, 8.0], "name": "a"}
    result = denoise(picture_of(GREY, meta), method="nlm", sigma=0.1)
    larger = Image.of(GREY.repeat(2, 0).repeat(2, 1), "YX")  # as 'upscale' by 2 has it
    _, new, _ = restored_layer(replace(result, picture=larger), meta)
    assert new["scale"] == [0.25, 0.125]
    # the first pixel was from 3.75 to 4.25; so the first of two in it is about 3.875
    assert new["translate"] == [3.875, 7.9375]


def test_a_preview_lies_on_its_plane() -> None:
    picture = picture_of(STACK, PLACE)
    values = np.full((24, 32, 1), 100, np.float32)
    data, meta, _ = preview_layer(values, 2, picture, PLACE)
    assert data.shape == (1, 24, 32)
    assert meta["translate"] == [10.0 + 2 * 2.0, -3.0, 7.0]
    turned = PLACE | {"rotate": [[0, -1, 0], [1, 0, 0], [0, 0, 1]]}
    assert preview_layer(values, 2, picture, turned)[1]["translate"] == [10.0, -3.0 + 2 * 2.0, 7.0]
    colours = picture_of(np.stack([STACK] * 3, -1), PLACE | {"rgb": True})
    data, meta, _ = preview_layer(np.repeat(values, 3, -1), 1, colours, PLACE)
    assert meta["rgb"]
    assert data.shape == (1, 24, 32, 3)
    assert np.allclose(data, 100 / 255)


def test_few_channels_are_layers_and_many_stay_one() -> None:
    spacing = {"spacing": {"Z": (3.0, "um"), "Y": (0.5, "um"), "X": (0.5, "um")}, "channels": ["dna", "actin"]}
    picture = Image.of(np.stack([STACK, STACK[::-1]], 1), "ZCYX", metadata=spacing)
    dna, actin = layers_of(picture, "cells")
    assert [dna[1]["name"], actin[1]["name"]] == ["cells dna", "cells actin"]
    assert np.array_equal(actin[0], STACK[::-1])
    assert actin[1]["scale"] == [3.0, 0.5, 0.5]
    assert actin[1]["units"] == ["micrometer"] * 3
    assert picture_of(actin[0], actin[1]).axes == "ZYX"
    [many] = layers_of(Image.of(np.stack([GREY] * 6), "CYX"), "bands")
    assert picture_of(many[0], many[1]).axes == "CYX"


def test_uncertainty_is_a_layer_of_grey() -> None:
    colours = np.stack([GREY] * 3, -1)
    result = denoise(Image.of(colours, "YXS"), method="nlm", sigma=0.1)
    result.std = np.dstack([np.full(GREY.shape, level) for level in (1, 2, 3)])
    found = uncertainty_layer(result, {"name": "a", "rgb": True})
    assert found is not None
    assert not found[1]["rgb"]
    assert np.array_equal(found[0], np.full(GREY.shape, 2.0))
