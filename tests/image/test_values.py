"""What arrays and their values mean, and which pictures are refused."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.files import ramp
from untaught import denoise
from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.image.image import Image, image_of_array
from untaught.image.values import value_range_of


def test_sixteen_bits_have_their_range_where_they_use_it():
    array = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    assert Image.of(array, "YX").value_range == (0.0, 65535.0)


def test_twelve_bits_in_sixteen_have_the_range_they_use():
    array = np.linspace(100, 4095, 4096, dtype=np.uint16).reshape(64, 64)
    low, high = Image.of(array, "YX").value_range
    assert (low, high) == pytest.approx((100, 4095), abs=5)
    assert Image.of(array, "YX").used_range == (100.0, 4095.0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 255]], np.int64), (0, 255)),
        (np.array([[3, 4000]], np.int16), (3, 4000)),
        (np.array([[-5, 10]], np.int32), (-5, 10)),
        (np.array([[-0.1, 1.2]]), (0, 1)),
        (np.array([[0.0, 0.01]]), (0, 0.01)),
        (np.array([[10.0, 300.0]]), (10, 300)),
        (np.array([[np.nan, np.inf]]), (0, 1)),
        (np.array([[5.0, 5.0]]), (5, 10)),
    ],
)
def test_value_ranges(values, expected):
    found = value_range_of(np.tile(values, (2, 8))[..., None])
    assert found == pytest.approx(expected)
    assert found[1] > found[0]


def test_a_hot_pixel_does_not_set_the_range():
    values = np.random.default_rng(0).normal(100, 5, (64, 64, 1))
    values[3, 3] = 1e6
    low, high = value_range_of(values)
    assert low < 100 < high < 200


@pytest.mark.parametrize("unit", [1.0, 1e-3, 300.0])
@pytest.mark.parametrize("share", [0.001, 0.3, 0.9])
def test_fill_values_far_beyond_the_rest_are_missing_and_do_not_set_the_range(unit, share):
    rng = np.random.default_rng(0)
    values = (unit * rng.uniform(0.2, 0.8, (40, 40))).astype(np.float32)
    filled = rng.random(values.shape) < share
    filled[3, 3] = True
    for marker in (1e20, -1e18):
        image = image_of_array(np.where(filled, np.float32(marker), values))
        (plane,) = image.planes()
        assert np.array_equal(plane.missing, filled)
        assert np.abs(plane.values).max() <= 2
        assert image.used_range == (values[~filled].min(), values[~filled].max())


@pytest.mark.parametrize("unit", [1e-20, 1e20, 1e23])
def test_no_value_is_missing_for_its_unit_alone(unit):
    values = unit * np.random.default_rng(0).normal(1, 0.5, (40, 40))
    values[5, 5] = 1e6 * unit  # nor for being hot
    (plane,) = image_of_array(values).planes()
    assert not plane.missing.any()


def test_a_number_no_square_of_which_can_be_held_is_missing_in_any_unit():
    values = 1e-6 * np.random.default_rng(0).random((40, 40))
    values[5, 5] = 1e13
    (plane,) = image_of_array(values).planes()
    assert np.argwhere(plane.missing).tolist() == [[5, 5]]


@pytest.mark.parametrize("marker", [1e18, 1e20])
def test_a_picture_with_a_fill_value_is_restored(marker):
    values = np.random.default_rng(0).normal(0.5, 0.1, (24, 24))
    values[9, 9] = marker
    found = denoise(values, method="nonlocal", noise="gaussian:25.5")
    assert abs(found.image[9, 9] - 0.5) < 0.3
    assert any("held no measurement" in note for note in found.notes)


@pytest.mark.parametrize(
    ("shape", "axes", "alpha"),
    [
        ((9, 10), "YX", False),
        ((9, 10, 1), "YXS", False),
        ((9, 10, 2), "YXS", False),
        ((9, 10, 3), "YXS", False),
        ((9, 10, 4), "YXS", False),
        ((3, 9, 10), "ZYX", False),
        ((9, 10, 5), "YXC", False),
    ],
)
def test_what_arrays_mean(shape, axes, alpha):
    image = image_of_array(ramp(shape))
    assert (image.axes, image.alpha, image.array.shape) == (axes, alpha, shape)


@pytest.mark.parametrize(
    ("obj", "says"),
    [
        (np.zeros((0, 9)), "empty"),
        (np.zeros((9, 9, 0)), "empty"),
        (np.ones((1, 1)), "too small"),
        (np.ones((7, 100)), "too small"),
        (ramp(64), "shape"),
        (ramp((2, 2, 8, 8)), "shape"),
        (np.array(3.0), "shape"),
        (ramp((9, 9), np.complex64), "complex64"),
        (np.full((9, 9), None), "object"),
        (np.full((9, 9), "a"), "U1"),
        (ramp((9, 9)).astype("M8[s]"), "datetime"),
        (np.ma.masked_array(ramp((9, 9)), False), "masked"),
        (np.full((9, 9), np.nan), "no number"),
        (np.full((9, 9), np.inf), "no number"),
        (np.full((9, 9, 3), 7, np.uint8), "everywhere"),
        ([[1, 2], [3, 4]], "list"),
        (None, "not None"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(obj, says):
    with pytest.raises(InputError, match=says) as caught:
        as_image(obj)
    assert "\n" not in str(caught.value)


def test_a_constant_colour_with_varying_alpha_is_constant():
    array = ramp((9, 9, 4))
    array[..., :3] = 7
    with pytest.raises(InputError, match="everywhere"):
        as_image(Image.of(array, "YXS", alpha=True))


@pytest.mark.parametrize("axes", ["Y", "YXS", "YY", "ZX"])
def test_axes_must_fit(axes):
    with pytest.raises(InputError, match="axes"):
        Image.of(ramp((8, 8)), axes)


def test_byte_order_becomes_native():
    array = ramp((8, 8)).astype(">u2")
    image = as_image(array)
    assert image.array.dtype == np.uint16
    np.testing.assert_array_equal(image.array, array)


def test_a_picture_is_called_by_its_path_from_here(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    np.save(tmp_path / "there" / "a.npy", ramp((9, 9)))
    monkeypatch.chdir(tmp_path)
    image = as_image("there/a.npy")
    assert image.name == "there/a.npy"
    assert image.source == tmp_path / "there" / "a.npy"
    monkeypatch.chdir(tmp_path / "there")
    assert image.name == "a.npy"
    monkeypatch.chdir("/")
    assert as_image(ramp((9, 9))).name == "the picture"


def test_as_image_takes_paths_images_and_arrays(tmp_path):
    array = ramp((9, 9))
    np.save(tmp_path / "a.npy", array)
    image = as_image(array)
    assert as_image(image) is image
    for path in (tmp_path / "a.npy", str(tmp_path / "a.npy")):
        np.testing.assert_array_equal(as_image(path).array, array)


@pytest.mark.parametrize(
    ("picture", "absurd"),
    [
        (np.random.default_rng(0).integers(0, 4000, (40, 40)).astype(np.uint16), [65535]),
        (np.random.default_rng(0).integers(0, 200, (40, 40)).astype(np.int32), [2**31 - 1, -(2**31)]),
        (np.random.default_rng(0).random((40, 40)).astype(np.float32), [1e8, -1e12]),
        (np.random.default_rng(0).normal(300, 20, (40, 40)), [1e8, -1e12]),
    ],
    ids=["12 bits", "8 bits", "floats on [0, 1]", "floats"],
)
def test_one_absurd_pixel_does_not_set_any_range(picture, absurd):
    before = image_of_array(picture)
    for value in absurd:
        spoilt = picture.copy()
        spoilt[7, 9] = value
        after = image_of_array(spoilt)
        assert after.value_range == pytest.approx(before.value_range)
        (one,), (other,) = before.planes(), after.planes()
        ours, theirs = ((plane.working.factor, plane.working.shift) for plane in (one, other))
        assert theirs == pytest.approx(ours)
        assert np.argwhere(other.working.stuck).tolist() == [[7, 9]]
        assert np.abs(other.working.values).max() <= 1.5


def test_a_plane_of_a_stack_is_worked_on_in_its_own_range():
    rng = np.random.default_rng(0)
    dim, bright = rng.integers(10, 60, (30, 30)), rng.integers(0, 60000, (30, 30))
    planes = list(image_of_array(np.stack([dim, bright]).astype(np.uint16), axes="ZYX").planes())
    for plane, array in zip(planes, (dim, bright), strict=True):
        own = plane.working
        expected = (array - array.min()) / (array.max() - array.min())
        np.testing.assert_allclose(own.values[..., 0], expected, atol=1e-6)
        np.testing.assert_allclose(own.factor * plane.values + own.shift, own.values, atol=1e-4)


def test_a_plane_of_one_value_stays_on_the_range_of_the_picture():
    flat, _ = image_of_array(np.stack([np.full((9, 9), 7), np.arange(81).reshape(9, 9)]), axes="ZYX").planes()
    assert (flat.working.factor, flat.working.shift) == (1, 0)
    np.testing.assert_array_equal(flat.working.values, flat.values)
