"""What an answer is called: as the command line would call it, so that the command that is shown can be run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from untaught.image.files import check_writable, read
from untaught.image.image import Image
from untaught.serve.answers import output_name, output_names

pytest.importorskip("fastapi")
VOLUME = Image.of(np.zeros((3, 16, 16), np.uint16), "ZYX")
PHOTO = Image.of(np.zeros((16, 16, 3), np.uint8), "YXS")


@pytest.mark.parametrize(
    ("name", "picture", "expected"),
    [
        ("a.png", PHOTO, "a-restored.png"),
        ("a.JPG", PHOTO, "a-restored.png"),
        ("a.b.tif", VOLUME, "a.b-restored.tif"),
        ("cells.ome.tif", VOLUME, "cells-restored.ome.tif"),
        ("cells.czi", VOLUME, "cells-restored.ome.tif"),
        ("photo.CR2", VOLUME, "photo-restored.tif"),
        ("photo.heic", PHOTO, "photo-restored.tif"),
        ("a.png", VOLUME, "a-restored.tif"),
        ("a.png", Image.of(np.zeros((16, 16), np.float64), "YX"), "a-restored.tif"),
        ("no ending", PHOTO, "no ending-restored.png"),
    ],
)
def test_the_answer_has_a_name_that_it_can_be_written_under(name: str, picture: Image, expected: str) -> None:
    assert output_name(picture, Path(name)) == expected
    check_writable(expected, picture)


def test_a_format_that_holds_no_other_size_or_no_colours_is_left_for_one_that_does(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    from tests.image.formats.test_dicom import made

    original = read(made(tmp_path / "a.dcm", np.zeros((16, 16), np.uint8)))
    assert output_names(original, Path("a.dcm")) == {
        "": "a-restored.dcm",
        "upscale": "a-restored.png",
        "demosaic": "a-restored.png",
    }


@pytest.mark.parametrize(("name", "library"), [("brain.nii.gz", "nibabel"), ("cells.ome.zarr", "zarr")])
def test_endings_of_two_parts_stay_whole(name: str, library: str) -> None:
    pytest.importorskip(library)
    stem, dot, rest = name.partition(".")
    assert output_name(VOLUME, Path(name)) == f"{stem}-restored{dot}{rest}"
