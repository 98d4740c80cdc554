"""Axes: what a person says, what a file says, what a shape says by itself, and that a doubt is a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.conftest import clean, noisy
from tests.helpers.files import noise, ramp
from untaught import Image, InputError, read, write
from untaught.image.axes import checked_axes, example_axes, guessed
from untaught.image.files import as_image, beside
from untaught.image.image import image_of_array


@pytest.mark.parametrize(
    ("shape", "axes", "note"),
    [
        ((64, 64), "YX", ""),
        ((64, 64, 1), "YXS", ""),
        ((64, 64, 2), "YXS", ""),
        ((64, 64, 3), "YXS", ""),
        ((64, 64, 4), "YXS", "alpha=True"),
        ((64, 64, 6), "YXC", "axes='YXZ' (--axes YXZ)"),
        ((6, 20, 24), "ZYX", ""),
        ((31, 64, 64), "ZYX", ""),
        ((93, 64, 64), "ZYX", ""),
        ((1, 64, 64), "ZYX", ""),
        ((3, 64, 64), "ZYX", "axes='SYX' (--axes SYX)"),
        ((300, 30, 40), "ZYX", "axes='YXC' (--axes YXC)"),
        ((91, 109, 91), "ZYX", "axes='YXC' (--axes YXC)"),
        ((64, 64, 64), "ZYX", "axes='YXC' (--axes YXC)"),
    ],
)
def test_what_a_shape_says_by_itself(shape: tuple[int, ...], axes: str, note: str) -> None:
    guess = guessed(shape, "the array")
    assert guess.axes == axes
    assert bool(guess.note) == bool(note)
    assert note in guess.note


@pytest.mark.parametrize(
    ("shape", "ways"),
    [
        ((64, 64, 31), ("YXC", "ZYX")),
        ((610, 340, 103), ("YXC", "ZYX")),
        ((145, 145, 200), ("YXC", "ZYX")),
        ((64, 3, 64), ("YCX",)),
        ((3, 2, 64, 64), ("ZCYX",)),
        ((5, 64, 64, 3), ("TYXS",)),
        ((64, 64, 31, 5), ("ZYXC",)),
        ((2, 3, 4, 32, 32), ("TZCYX",)),
        ((2, 2, 3, 4, 32, 32), ("RTZCYX",)),
    ],
)
def test_a_doubt_is_one_sentence_and_what_it_advises_works(shape: tuple[int, ...], ways: tuple[str, ...]) -> None:
    array = noise(shape)
    with pytest.raises(InputError) as caught:
        as_image(array)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str(shape) in sentence
    for axes in ways:
        assert f"axes='{axes}' (--axes {axes})" in sentence
        assert as_image(array, axes).axes == axes


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ("TZCYX", "name 5 dimensions where there are 4"),
        ("QQYX", "Q stands twice"),
        ("TZYS", "they lack X"),
        ("TZCS", "they lack Y and X"),
        ("T-YX", "not all letters"),
        (("T", "Z", "Y", "X"), "no text"),
        (4, "no text"),
    ],
)
def test_axes_that_do_not_fit_are_refused_with_an_example_that_does(axes: object, words: str) -> None:
    array = noise((3, 2, 16, 16))
    for call in (
        lambda: as_image(array, axes),
        lambda: Image.of(array, axes),
        lambda: checked_axes(axes, array.shape, "it"),
    ):
        with pytest.raises(InputError, match="axes='ZCYX'") as caught:
            call()
        assert words in str(caught.value)
        assert "(3, 2, 16, 16)" in str(caught.value)


def test_examples_have_sides_that_can_be_restored() -> None:
    assert example_axes((64, 64, 5)) == "YXC"
    assert example_axes((64, 5, 64)) == "YCX"
    assert example_axes((9,)) is None
    assert example_axes((3, 4, 5)) is None


def test_letters_may_be_small() -> None:
    assert as_image(noise((16, 16, 12)), "yxc").axes == "YXC"


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_fourth_channel_of_an_array_is_restored_like_the_others(dtype: type) -> None:
    image = as_image(noise((16, 16, 4), dtype))
    assert not image.alpha
    assert image.n_planes == 4
    assert as_image(Image.of(noise((16, 16, 4), dtype), "YXS", alpha=True)).n_planes == 1


def test_alpha_is_what_a_file_says_and_a_channel_where_a_person_says_so(tmp_path: Path) -> None:
    opacity = Image.of(noise((16, 16, 4)), "YXS", alpha=True)
    for name in ("a.png", "a.tif"):
        assert read(write(tmp_path / name, opacity)).alpha
        assert read(tmp_path / name, axes="YXS").alpha
        told = read(tmp_path / name, axes="YXC")
        assert (told.alpha, told.n_planes) == (False, 4)
    tifffile.imwrite(
        tmp_path / "f.tif", noise((16, 16, 4), np.float32), photometric="rgb", extrasamples=["unassalpha"]
    )
    found = read(tmp_path / "f.tif")
    assert found.alpha
    assert "--axes YXC" in found.notes[0]
    tifffile.imwrite(tmp_path / "s.tif", noise((16, 16, 4)), photometric="rgb", extrasamples=["unspecified"])
    assert not read(tmp_path / "s.tif").alpha


@pytest.mark.parametrize("suffix", [".npy", ".tif"])
def test_axes_override_what_a_file_says(tmp_path: Path, suffix: str) -> None:
    array = noise((16, 16, 12), np.uint16)
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    else:
        tifffile.imwrite(path, array, photometric="minisblack", metadata={"axes": "ZYX"})
    image = read(path, axes="YXC")
    assert (image.axes, image.axes_given, image.n_planes, image.height) == ("YXC", True, 12, 16)
    again = read(write(tmp_path / f"b{suffix}", image), axes=None if suffix == ".tif" else "YXC")
    assert again.axes == "YXC"
    np.testing.assert_array_equal(again.array, array)


def test_an_image_is_read_otherwise_by_the_axes_that_are_named() -> None:
    image = Image.of(noise((16, 16, 3)), "YXS")
    told = as_image(image, "YXC")
    assert (image.n_planes, told.n_planes) == (1, 3)
    assert as_image(told, "YXC") is told
    by_hand = Image(noise((16, 16, 3), np.uint16), "YXS", (0.0, 4095.0))
    assert as_image(by_hand, "YXC").value_range == (0.0, 4095.0)


def film(count: int, shift: int) -> np.ndarray:
    """Return noisy frames of a face that moves."""
    face = clean(64 + count * shift, 64, 1)[..., 0]
    return np.stack([noisy(face[k * shift : k * shift + 64], 0.2, k) for k in range(count)])


def channels(count: int) -> np.ndarray:
    """Return noisy planes that show different things."""
    parts = [np.roll(clean(64, 64, 1)[..., 0], 23 * k, k % 2)[:: (-1) ** k] for k in range(count)]
    return np.stack([noisy(part, 0.1, k) for k, part in enumerate(parts)])


UNKNOWN = {
    "film": (film(6, 2), "QYX", "ZYX"),
    "channels": (channels(3), "QYX", "CYX"),
    "film of channels": (np.stack([channels(2)] * 5), "QQYX", "ZCYX"),
    "channels of a film": (np.stack([film(5, 1), film(5, 1)[:, ::-1]]), "QQYX", "CZYX"),
    "films": (np.stack([film(4, 1)] * 3), "QQYX", "TZYX"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_letters_that_a_file_does_not_know_are_what_the_picture_shows(tmp_path: Path, case: str) -> None:
    array, letters, expected = UNKNOWN[case]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array.astype(np.float32), photometric="minisblack", metadata={"axes": letters})
    image = read(path)
    assert image.axes == expected
    (note,) = image.notes
    assert expected in note
    assert "--axes" in note
    write(tmp_path / "b.tif", image)
    with tifffile.TiffFile(tmp_path / "b.tif") as back:
        assert back.series[0].axes == letters  # a guess is not written as if it were known
    told = read(path, axes="PRYX"[-array.ndim :])
    assert told.notes == ()
    write(tmp_path / "c.tif", told)
    with tifffile.TiffFile(tmp_path / "c.tif") as back:
        assert back.series[0].axes == told.axes


def test_pages_of_one_plane_need_no_note(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", noise((1, 1, 16, 16)), photometric="minisblack", metadata={"axes": "QQYX"}
    )
    assert read(tmp_path / "a.tif").notes == ()


def test_what_goes_with_a_picture_has_its_axes(tmp_path: Path) -> None:
    array = ramp((16, 16, 12), np.float32)
    picture = as_image(noise((16, 16, 12), np.float32), "YXC")
    np.save(tmp_path / "truth.npy", array)
    for truth in (array, tmp_path / "truth.npy"):
        assert beside(truth, picture).axes == "YXC"
    with pytest.raises(InputError, match="list"):
        beside([1], picture)


def test_naming_the_axes_of_an_image_settles_what_was_assumed_of_them() -> None:
    assumed = image_of_array(noise((16, 16, 4)))
    assert "opacity" in assumed.notes[0]
    assert as_image(assumed, "YXS").notes == ()
    left = replace(assumed, file_notes=("one picture was left",))
    assert as_image(left, "YXC").notes == left.file_notes
