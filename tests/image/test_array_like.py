"""Whatever stands for an array is taken for one, with what it says of its axes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from untaught import InputError, denoise
from untaught.image.array_like import array_like, axes_of
from untaught.image.files import as_image

VALUES = np.random.default_rng(0).random((24, 32)).astype(np.float32)


class Wrapped:
    """Says by a method of its own that it is an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class Exchanged:
    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **asked):
        return self.array.__dlpack__(**asked)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("kind", [Wrapped, Exchanged, torch.from_numpy], ids=["array", "dlpack", "torch"])
def test_what_says_that_it_is_an_array_is_one(kind):
    assert np.array_equal(as_image(kind(VALUES)).array, VALUES)


def test_tensors_of_half_precision_are_widened():
    found = array_like(torch.from_numpy(VALUES).bfloat16().requires_grad_())
    assert found is not None
    assert found.array.dtype == np.float32


def test_pillow_pictures_are_taken_with_their_colours():
    colours = Pillow.fromarray((255 * np.stack([VALUES] * 3, -1)).astype(np.uint8))
    assert as_image(colours).axes == "YXS"
    assert as_image(colours.quantize(8)).axes == "YXS"
    assert as_image(colours.convert("L")).axes == "YX"


def test_names_of_dimensions_say_what_axes_are():
    assert axes_of(("time", "lat", "lon")) == "TYX"
    assert axes_of(("band", "y", "x")) == "CYX"
    assert axes_of(("run", "Z", "row", "column", "rgb")) == "PZYXS"
    assert axes_of(("a", "b")) is None


def test_labels_of_xarray_come_back():
    xarray = pytest.importorskip("xarray")
    given = xarray.DataArray(
        np.stack([VALUES] * 2),
        {"time": [3, 5], "lat": np.linspace(40, 41, 24)},
        ("time", "lat", "lon"),
        "temperature",
        {"units": "K"},
    )
    result = denoise(given, method="nlm", sigma=0.1)
    back = result.to_xarray()
    assert back.dims == given.dims
    assert back.attrs == given.attrs
    assert back.name == "temperature"
    assert np.array_equal(back["lat"], given["lat"])
    assert np.array_equal(back.values, result.image)
    assert denoise(VALUES, method="nlm", sigma=0.1).to_xarray().dims == ("Y", "X")


def test_dask_arrays_are_computed_block_by_block(monkeypatch):
    dask = pytest.importorskip("dask.array")
    lazy = dask.from_array(VALUES, chunks=(10, 16))
    assert np.array_equal(as_image(lazy).array, VALUES)
    monkeypatch.setattr("untaught.image.array_like.SMALL", 0)
    assert np.array_equal(as_image(lazy).array, VALUES)


def test_what_is_no_array_is_refused():
    with pytest.raises(InputError, match="not list"):
        denoise([[1, 2], [3, 4]])

    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise ValueError("no values here")

    with pytest.raises(InputError, match="no values here"):
        denoise(Broken())
