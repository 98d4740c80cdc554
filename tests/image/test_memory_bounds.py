"""What a file takes unpacked is told before it is unpacked: not much more and not much less than it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.files import noise
from untaught.errors import InputError
from untaught.image import files as io
from untaught.image.files import as_image, write
from untaught.image.find_format import format_for
from untaught.image.image import Image
from untaught.image.reading import Reading

WRITTEN = [
    f for f in io.FORMATS if f.write is not None and not f.folder and (f.library is None or f.library.there)
]
IN_PIECES = ("TIFF", "NumPy .npy")  # which are mapped, or unpacked into a file
SHAPE = (96, 128)


@pytest.mark.parametrize("suffix", [f.suffixes[0] for f in WRITTEN if f.suffixes])
def test_a_file_is_held_where_there_is_room_and_refused_where_there_is_not(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    candidates = [
        (noise((*SHAPE, 3)), "YXS"),
        (noise((*SHAPE, 3), np.float32), "YXS"),
        (noise(SHAPE, np.float32), "YX"),
    ]
    images = [Image.of(array, axes) for array, axes in candidates]
    fmt = format_for(path)
    image = next((one for one in images if fmt.objection(one) is None), None)
    if image is None:
        pytest.skip("written only where it was read from a file of its kind")
    write(path, image)
    held = int(np.asarray(image.array).nbytes)
    assert as_image(path, None, Reading(memory=2 * held)).array.size == image.array.size
    if fmt.name in IN_PIECES:
        assert as_image(path, None, Reading(memory=held // 2)).array.size == image.array.size
        return
    with pytest.raises(InputError, match=r"takes .* unpacked, more than the .* of memory that may be used"):
        as_image(path, None, Reading(memory=held // 5))
