"""Files of other kinds: each is named by its content, whatever its name, and the sentence says what to do."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import tifffile

from tests.helpers.files import noise
from untaught.errors import InputError
from untaught.image.files import read

FILES = {
    "gzip": gzip.compress(b"anything else" * 9),
    "video": bytes(4) + b"ftypisom",
    "Photoshop": b"8BPS",
    "PDF": b"%PDF-1.4",
    "netCDF": b"CDF\x01",
    "MATLAB": b"MATLAB 5.0 MAT-file",
    "NRRD": b"NRRD0004",
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_another_kind_is_named_and_the_sentence_says_what_to_do(tmp_path, kind):
    content, name = FILES[kind] if isinstance(FILES[kind], tuple) else (FILES[kind], kind)
    path = tmp_path / "a.tif"
    path.write_bytes(content + bytes(100))
    with pytest.raises(InputError, match=rf"is .*{name}.*, which is not read; \w+") as caught:
        read(path)
    assert "corrupt" not in str(caught.value)


def raw_file(path, *, dng, nested):
    """A camera's raw file: a preview, and the values, behind it or hung below it."""
    tags = [(50706, 1, 4, b"\x01\x04\x00\x00", True)] if dng else []
    values = noise((64, 64), np.uint16)
    with tifffile.TiffWriter(path) as tif:
        tif.write(noise((16, 16, 3)), photometric="rgb", metadata=None, extratags=tags, subifds=int(nested))
        tif.write(values, photometric="minisblack" if dng else "cfa", metadata=None)
    return path


@pytest.mark.parametrize("dng", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_a_raw_file_is_not_restored_as_its_preview(tmp_path, dng, nested):
    with pytest.raises(InputError, match=r"a camera's raw file: .* colour filter array; develop it"):
        read(raw_file(tmp_path / "a.dng", dng=dng, nested=nested))


def test_the_preview_of_a_raw_file_can_be_asked_for(tmp_path):
    path = raw_file(tmp_path / "a.dng", dng=True, nested=False)
    assert read(path, page=0).array.shape == (16, 16, 3)
