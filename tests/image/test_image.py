"""Image: planes and back, and nothing is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.helpers.files import ramp
from untaught.errors import InputError
from untaught.image.image import Image

EXACT = [np.bool_, np.uint8, np.int8, np.uint16, np.int16]


FLOATS = [np.float16, np.float32, np.float64]


AXES = ["YX", "YXS", "SYX", "CYX", "TZCYX", "YXC", "XY", "ZYXS"]


@st.composite
def images(draw, dtypes):
    axes = draw(st.sampled_from(AXES))
    sizes = {"S": st.integers(1, 5), "Y": st.integers(1, 9), "X": st.integers(1, 9)}
    shape = tuple(draw(sizes.get(axis, st.integers(1, 3))) for axis in axes)
    dtype = draw(st.sampled_from(dtypes))
    elements = None
    if np.dtype(dtype).kind == "f":
        bound = 6e4 if dtype == np.float16 else 2.0**40
        width = np.dtype(dtype).itemsize * 8
        elements = st.floats(-bound, bound, width=width) if width > 16 else None
        if width == 16:
            elements = st.floats(-60000, 60000, width=16)
    array = draw(hnp.arrays(dtype, shape, elements=elements))
    samples = shape[axes.index("S")] if "S" in axes else 1
    alpha = samples in (2, 4) and draw(st.booleans())
    return Image.of(array, axes, alpha=alpha)


@given(images(EXACT))
@settings(max_examples=150, deadline=None)
def test_planes_and_back_is_exact_for_integers(image):
    back = image.with_planes([p.values for p in image.planes()])
    assert back.array.dtype == image.array.dtype
    np.testing.assert_array_equal(back.array, image.array)


@given(images(FLOATS))
@settings(max_examples=150, deadline=None)
def test_planes_and_back_is_within_rounding_for_floats(image):
    planes = list(image.planes())
    gone = [plane.missing for plane in planes]  # a value 1e15 ranges beyond the rest is no measurement
    back = image.with_planes([p.values for p in planes], gone)
    assert back.array.dtype == image.array.dtype
    low, high = image.value_range
    array = image.array.astype(np.float64)
    slack = 1e-6 * np.maximum(high - low, np.abs(array - low))
    slack += np.abs(array) * np.finfo(image.array.dtype).eps
    assert (np.abs(back.array.astype(np.float64) - array) <= slack).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_every_value_of_a_small_integer_type_survives(dtype):
    info = np.iinfo(dtype)
    array = np.arange(info.min, info.max + 1, dtype=np.int64).astype(dtype).reshape(-1, 16)
    image = Image.of(array, "YX")
    back = image.with_planes([p.values for p in image.planes()])
    np.testing.assert_array_equal(back.array, array)


@given(images([*EXACT, *FLOATS]))
@settings(max_examples=80, deadline=None)
def test_planes_are_finite_float32_and_as_many_as_said(image):
    planes = list(image.planes())
    assert len(planes) == image.n_planes == len(image)
    assert [p.index for p in planes] == list(range(len(planes)))
    for plane in planes:
        assert plane.values.dtype == np.float32
        assert plane.values.shape[:2] == plane.missing.shape == (image.height, image.width)
        assert np.isfinite(plane.values).all()


@pytest.mark.parametrize(
    ("shape", "axes", "alpha", "channels"),
    [
        ((9, 8), "YX", False, [1]),
        ((9, 8, 3), "YXS", False, [3]),
        ((3, 9, 8), "SYX", False, [3]),
        ((9, 8, 4), "YXS", True, [3]),
        ((9, 8, 2), "YXS", True, [1]),
        ((9, 8, 2), "YXS", False, [1, 1]),
        ((9, 8, 5), "YXS", False, [1] * 5),
        ((3, 9, 8), "CYX", False, [1] * 3),
        ((2, 9, 8, 3), "ZYXS", False, [3, 3]),
        ((2, 3, 2, 9, 8), "TZCYX", False, [1] * 12),
    ],
)
def test_what_is_restored_together(shape, axes, alpha, channels):
    image = Image.of(ramp(shape), axes, alpha=alpha)
    assert [p.values.shape[-1] for p in image.planes()] == channels


def test_extra_samples_of_an_rgb_picture_are_planes_of_their_own():
    image = Image.of(ramp((9, 8, 4)), "YXS", metadata={"photometric": "rgb"})
    assert [p.values.shape[-1] for p in image.planes()] == [3, 1]
    assert [p.label for p in image.planes()] == ["S 1/2", "S 2/2"]


def test_planes_hold_the_right_pixels_and_say_where_they_lie():
    array = ramp((2, 3, 9, 8), np.uint16)
    image = Image.of(array, "TCYX")
    planes = list(image.planes())
    low, high = image.value_range
    assert [p.label for p in planes][:4] == ["T 1/2, C 1/3", "T 1/2, C 2/3", "T 1/2, C 3/3", "T 2/2, C 1/3"]
    np.testing.assert_allclose(low + planes[4].values[..., 0] * (high - low), array[1, 1], atol=0.01)


def test_alpha_is_untouched_and_out_of_the_range():
    array = ramp((9, 8, 4), np.float32) / 255
    array[..., 3] = 7.0
    image = Image.of(array, "YXS", alpha=True)
    assert image.value_range == (0.0, 1.0)
    back = image.with_planes([np.full((9, 8, 3), 0.25, np.float32)])
    np.testing.assert_array_equal(back.array[..., 3], array[..., 3])
    np.testing.assert_allclose(back.array[..., :3], 0.25)


def test_integers_are_rounded_and_clipped():
    image = Image.of(ramp((8, 8)), "YX")
    values = np.full((8, 8), 100.4 / 255, np.float32)
    values[0, :3] = -0.5, 1.5, 100.6 / 255
    back = image.with_planes([values])
    assert back.array[0, :4].tolist() == [0, 255, 101, 100]


@pytest.mark.parametrize("dtype", [np.uint64, np.int64, np.float16])
def test_what_a_type_cannot_hold_is_clipped_silently(dtype):
    image = Image.of(ramp((8, 8), dtype), "YX")
    back = image.with_planes([np.full((8, 8), 1e30, np.float32)])
    info = np.finfo(dtype) if dtype == np.float16 else np.iinfo(dtype)
    assert (back.array.astype(float) >= 0.999 * float(info.max)).all()


def test_floats_are_not_clipped():
    image = Image.of(np.linspace(-0.4, 1.4, 64).reshape(8, 8), "YX")
    (plane,) = image.planes()
    assert plane.values.min() < -0.39
    assert plane.values.max() > 1.39


def test_none_leaves_a_plane_as_it_is():
    image = Image.of(ramp((2, 8, 8)), "ZYX")
    back = image.with_planes([None, np.zeros((8, 8, 1))])
    np.testing.assert_array_equal(back.array[0], image.array[0])
    assert not back.array[1].any()


def test_with_planes_keeps_the_rest_and_leaves_the_original_alone():
    array = ramp((8, 8, 3))
    image = Image.of(array, "YXS", metadata={"icc": b"x"})
    before = array.copy()
    back = image.with_planes([np.zeros((8, 8, 3))])
    assert (back.axes, back.metadata, back.value_range) == ("YXS", {"icc": b"x"}, (0.0, 255.0))
    np.testing.assert_array_equal(image.array, before)


@pytest.mark.parametrize(
    "planes",
    [[], [np.zeros((8, 8, 3))] * 2, [np.zeros((8, 9, 3))], [np.full((8, 8, 3), np.nan)]],
)
def test_wrong_planes_are_refused(planes):
    with pytest.raises(InputError):
        Image.of(ramp((8, 8, 3)), "YXS").with_planes(planes)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -3.4e38])
@pytest.mark.parametrize("dtype", FLOATS)
def test_missing_values_are_marked_and_filled_from_the_nearest(bad, dtype):
    if dtype == np.float16 and bad == -3.4e38:
        bad = -np.inf
    array = np.linspace(0, 1, 300).reshape(10, 10, 3).astype(dtype)
    array[4, 5, 1] = bad
    (plane,) = Image.of(array, "YXS").planes()
    assert np.argwhere(plane.missing).tolist() == [[4, 5]]
    neighbours = [plane.values[r, c] for r, c in ((3, 5), (5, 5), (4, 4), (4, 6))]
    assert any(np.array_equal(plane.values[4, 5], n) for n in neighbours)


def test_a_plane_with_nothing_measured_is_finite_and_all_missing():
    array = np.random.default_rng(0).random((2, 8, 8))
    array[1] = np.nan
    first, second = Image.of(array, "ZYX").planes()
    assert not first.missing.any()
    assert second.missing.all()
    assert np.isfinite(second.values).all()
