"""Of a stack whose file is cut off, the pages that are whole are read, and a note says how many of how many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import read, write
from untaught.image.lazy import is_mapped

PAGES = 10
STACK = np.random.default_rng(0).integers(0, 256, (PAGES, 24, 20), dtype=np.uint8)


def written(path: Path, kind: str) -> bytes:
    options: dict[str, Any] = {"photometric": "minisblack"}
    if kind == "separate":
        with tifffile.TiffWriter(path) as tif:
            for page in STACK:
                tif.write(page, contiguous=False, metadata=None, compression="zlib", **options)
        return path.read_bytes()
    if kind == "imagej":
        options["imagej"] = True
    if kind == "ome":
        options["ome"] = True
    options["metadata"] = None if kind == "plain" else {"axes": "TYX"}
    if kind == "packed":
        options["compression"] = "zlib"
    tifffile.imwrite(path, STACK, **options)
    return path.read_bytes()


def cut(tmp_path: Path, kind: str, share: float) -> Path:
    data = written(tmp_path / "whole.tif", kind)
    path = tmp_path / ("cut.ome.tif" if kind == "ome" else "cut.tif")
    path.write_bytes(data[: int(share * len(data))])
    return path


@pytest.mark.parametrize("kind", ["plain", "shaped", "packed", "imagej", "ome", "separate"])
@pytest.mark.parametrize("share", [0.35, 0.6])
def test_whole_pages_are_read(kind: str, share: float, tmp_path: Path) -> None:
    image = read(cut(tmp_path, kind, share), axes="TYX")
    count = len(image.array)
    assert PAGES * share - 2.5 < count < PAGES
    np.testing.assert_array_equal(image.array, STACK[:count])
    (note,) = (note for note in image.notes if "cut off" in note)
    assert f"the first {count}" in note
    assert ("of 10 pages" in note) == (kind != "separate")


def test_the_axes_that_the_file_states_are_kept(tmp_path: Path) -> None:
    assert read(cut(tmp_path, "shaped", 0.6)).axes == "TYX"
    assert read(cut(tmp_path, "imagej", 0.6)).axes == "TYX"
    two = STACK.reshape(5, 2, 24, 20)
    tifffile.imwrite(tmp_path / "two.tif", two, photometric="minisblack", metadata={"axes": "TZYX"})
    data = (tmp_path / "two.tif").read_bytes()
    (tmp_path / "two.tif").write_bytes(data[: 300 + 7 * 480])
    image = read(tmp_path / "two.tif")
    assert (image.axes, image.array.shape) == ("TZYX", (3, 2, 24, 20))
    np.testing.assert_array_equal(image.array, two[:3])
    assert "the first 7 of 10 pages are whole, and the 6 of them that make up whole steps" in image.notes[0]


def test_what_cannot_be_unpacked_ends_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "broken.tif"
    written(path, "separate")
    with tifffile.TiffFile(path) as tif:
        start = tif.pages[4].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    np.testing.assert_array_equal(read(path, axes="TYX").array, STACK[:4])


def test_what_is_no_stack_stays_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.tif"
    tifffile.imwrite(path, STACK[0], photometric="minisblack", metadata=None)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(InputError, match="cut off"):
        read(path)
    with tifffile.TiffWriter(path) as tif:  # a small copy before a picture, which is cut off
        tif.write(STACK[0, :8, :8], photometric="minisblack", metadata=None)
        tif.write(STACK[0], photometric="minisblack", metadata=None)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="cut off"):
        read(path)
    early = cut(tmp_path, "shaped", 0.05)
    with pytest.raises(InputError, match="cut-off"):
        read(early)


def test_large_ones_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.image.formats.tiff_whole_pages.SMALL", 100)
    image = read(cut(tmp_path, "shaped", 0.6))
    assert is_mapped(image.array)
    np.testing.assert_array_equal(image.array, STACK[: len(image.array)])


def test_the_command_restores_what_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = cut(tmp_path, "shaped", 0.4), tmp_path / "out.tif"
    before = path.read_bytes()
    assert main(["denoise", str(path), "-o", str(out), "--method", "nlm", "--noise", "gaussian:20"]) == 0
    assert "the first 4 of 10 pages are whole" in capsys.readouterr().out
    assert path.read_bytes() == before
    answer = read(out)
    assert (answer.axes, answer.array.shape) == ("TYX", (4, 24, 20))
    write(tmp_path / "again.tif", read(path))
    np.testing.assert_array_equal(read(tmp_path / "again.tif").array, STACK[:4])
