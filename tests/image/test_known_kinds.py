"""Files of other kinds: each is named by its content, whatever its name, and the sentence says what to do."""

from __future__ import annotations

import gzip

import pytest

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
