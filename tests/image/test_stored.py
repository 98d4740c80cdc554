"""A picture that is read plane by plane is the picture: same planes, same parts of them, elsewhere too."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from untaught.image.image import Image
from untaught.image.stored import Stored


def pictures() -> list[Image]:
    rng = np.random.default_rng(0)
    with_gap = rng.random((3, 12, 10))
    with_gap[1, 2, 3] = np.nan
    marked = rng.random((12, 10)).astype(np.float32)
    marked[5, 5] = -3.4e38  # a marker for no data, which the whole tells
    return [
        Image.of(rng.integers(0, 4000, (2, 3, 12, 10), np.uint16), "TZYX"),
        Image.of(rng.integers(0, 255, (12, 10, 3), np.uint8), "YXS"),
        Image.of(rng.integers(0, 255, (4, 12, 2, 10), np.uint8), "SYTX", alpha=True),
        Image.of(rng.integers(0, 255, (12, 10, 5), np.uint8), "YXC"),
        Image.of(with_gap, "ZYX"),
        Image.of(marked, "YX"),
    ]


@pytest.mark.parametrize("picture", pictures(), ids=lambda picture: picture.axes)
def test_planes_and_windows_are_those_of_the_picture(picture: Image) -> None:
    shell = pickle.loads(pickle.dumps(Stored.shell(picture)))
    stored = shell.filled(lambda where: picture.array[where])
    assert stored.labels == picture.labels
    assert (stored.n_planes, stored.groups, stored.array.dtype) == (
        picture.n_planes,
        picture.groups,
        picture.array.dtype,
    )
    windows = (
        (slice(None), slice(None)),
        (slice(2, 9), slice(1, 10)),
        (slice(None, None, 3), slice(None, None, 2)),
    )
    for index in range(picture.n_planes):
        for window in windows:
            one, other = picture.plane(index, window), stored.plane(index, window)
            for name in ("values", "missing", "raw"):
                np.testing.assert_array_equal(getattr(other, name), getattr(one, name))
            assert (other.label, other.value_range) == (one.label, one.value_range)


def test_a_shell_takes_no_room_in_memory_or_on_the_way() -> None:
    picture = Image.of(np.arange(2**20, dtype=np.uint16).reshape(4, 512, 512), "ZYX")
    shell = Stored.shell(picture)
    assert shell.array.strides == (0, 0, 0)
    assert len(pickle.dumps(shell)) < 2000


@pytest.mark.parametrize("picture", pictures(), ids=lambda picture: picture.axes)
def test_numbers_of_planes_are_what_goes_into_the_picture(picture: Image) -> None:
    rng = np.random.default_rng(1)
    planes = [plane.values + 0.01 * rng.standard_normal(plane.values.shape) for plane in picture.planes()]
    kept = [rng.random((12, 10)) < 0.2 for _ in planes]
    whole = picture.with_planes(planes, kept)
    each = {k: picture.numbers(k, plane, same) for k, (plane, same) in enumerate(zip(planes, kept, strict=True))}
    assert {numbers.dtype for numbers in each.values()} == {picture.array.dtype}
    nothing = [None] * picture.n_planes
    np.testing.assert_array_equal(picture.with_planes(nothing, None, each).array, whole.array)
