"""A layer of a JPEG file is restored by the steps in the file; one that is none is refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import clean
from tests.helpers.command import levels
from tests.napari.test_session import heard
from untaught import Image
from untaught.napari.jpeg import NO_FILE
from untaught.napari.layers import picture_of
from untaught.napari.reader import read_layers
from untaught.napari.session import Asked, Session, Told

HEIGHT, WIDTH = 48, 64


def jpeg(path: Path, orientation: int = 1, channels: int = 3) -> Path:
    picture = Pillow.fromarray(levels(clean(HEIGHT, WIDTH, channels)).squeeze())
    exif = picture.getexif()
    exif[274] = orientation
    picture.save(path, quality=15, exif=exif)
    return path


def asked_of(given: Image, path: Path | None) -> Told:
    """Return what comes of `dejpeg` for a layer."""
    session = Session()
    session.start(given, Asked(task="dejpeg", effort="quick", path=None if path is None else str(path)))
    return next(each for each in heard(session) if each.kind in ("restored", "refused"))


@pytest.mark.parametrize(("orientation", "channels"), [(1, 3), (1, 1), (6, 3), (3, 3)])
def test_the_layer_of_a_jpeg_is_restored_as_it_lies(tmp_path: Path, orientation: int, channels: int) -> None:
    path = jpeg(tmp_path / "a.jpg", orientation, channels)
    [(data, meta, _)] = read_layers(str(path))
    layer = picture_of(data, meta)
    for known in (path, None):  # napari knows the file, or only our reader has noted it
        told = asked_of(layer, known)
        assert told.result is not None, told.text
        assert told.result.image.shape == layer.array.shape
        np.testing.assert_array_equal(told.result.input.array, layer.array)
        upright = levels(clean(HEIGHT, WIDTH, channels)).squeeze().astype(float)
        true = {1: upright, 3: upright[::-1, ::-1], 6: np.rot90(upright, -1)}[orientation]
        before, after = (np.square(values - true).mean() for values in (layer.array, told.result.image))
        assert after < before


def test_a_layer_without_a_jpeg_is_refused_and_told_why(tmp_path: Path) -> None:
    values: Any = levels(clean(HEIGHT, WIDTH, 3))
    told = asked_of(Image.of(values, "YXS"), None)
    assert (told.kind, told.text) == ("refused", NO_FILE)
    Pillow.fromarray(values).save(tmp_path / "a.png")
    assert asked_of(Image.of(values, "YXS"), tmp_path / "a.png").text == NO_FILE
    assert asked_of(Image.of(values, "YXS"), tmp_path / "gone.jpg").text == NO_FILE


def test_a_layer_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg")
    [(data, meta, _)] = read_layers(str(path))
    for changed in (data[:, ::-1], data[8:], data.astype(np.float32)):
        told = asked_of(picture_of(changed, meta), path)
        assert told.kind == "refused"
        assert "does not show what a.jpg holds" in told.text
