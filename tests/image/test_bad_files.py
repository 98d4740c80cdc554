"""Files that are cut, damaged, too large or no pictures: a sentence, and nothing printed."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import tifffile

from tests.helpers.files import exif, jpeg_header, noise, npy_header, png_header, smooth
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import read, write
from untaught.image.formats import tiff
from untaught.image.image import Image, image_of_array


def sample(folder, suffix):
    path = folder / f"good{suffix}"
    if suffix == ".jpg":
        PIL.Image.fromarray(smooth((64, 64))).save(path, quality=95, exif=exif())
    elif suffix == ".stack.tif":
        tifffile.imwrite(path, noise((4, 24, 24), np.uint16), photometric="minisblack", metadata=None)
    elif suffix == ".ij.tif":
        tifffile.imwrite(path, noise((4, 24, 24), np.uint16), imagej=True)
    elif suffix == ".ome.tif":
        tifffile.imwrite(path, noise((4, 24, 24), np.uint16), ome=True, compression="zlib")
    elif suffix == ".strips.tif":
        tifffile.imwrite(path, noise((64, 64)), compression="lzw", rowsperstrip=8)
    else:
        write(path, image_of_array(noise((32, 32, 3))))
    return path


def read_or_sentence(path):
    try:
        return read(path)
    except InputError as error:
        return str(error)


SAMPLES = [".png", ".jpg", ".webp", ".npy", ".tif", ".stack.tif", ".ij.tif", ".ome.tif"]


SAMPLES += [".strips.tif"]


@pytest.mark.parametrize("suffix", SAMPLES)
def test_a_file_cut_anywhere_is_refused_or_still_whole(tmp_path, suffix, capfd):
    path = sample(tmp_path, suffix)
    whole, data = read(path).array, path.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    lengths = {*range(1, 40), *range(40, len(data), len(data) // 40)}
    lengths |= set(range(len(data) - 30, len(data)))
    refused = 0
    for length in sorted(lengths):
        cut.write_bytes(data[:length])
        found = read_or_sentence(cut)
        if isinstance(found, str):
            refused += 1
        elif any("whole and were read" in note or "whole and was read" in note for note in found.notes):
            refused += 1  # but for whole pages of a stack
            np.testing.assert_array_equal(found.array, whole[: found.array.shape[0]])
        else:  # a byte of padding may go; a value may not
            np.testing.assert_array_equal(found.array, whole)
    assert refused >= len(lengths) - 30
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", SAMPLES)
def test_damage_inside_is_a_sentence_or_a_picture(tmp_path, suffix, capfd):
    data = bytearray(sample(tmp_path, suffix).read_bytes())
    rng = np.random.default_rng(0)
    bad = tmp_path / f"bad{suffix}"
    for _ in range(60):
        hurt = bytearray(data)
        for at in rng.integers(0, len(data), 4):
            hurt[at] = rng.integers(256)
        bad.write_bytes(hurt)
        found = read_or_sentence(bad)
        assert isinstance(found, Image) or "\n" not in found
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(30), "GIF"),
        (b"hello, this is a text\n" * 9, "text file"),
        (b"PK\x03\x04" + bytes(30), "ZIP"),
        (bytes(4) + b"ftypavif" + bytes(20), "AVIF"),
        (b"\x00\x01\x02\x03" * 20, "unknown type"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
        (b"\x89PN", "cut off"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"II*\x00", "TIFF"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "WebP"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, content, says):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["none.png", "", "a\x00b.png", "x" * 5000, "folder/none.png"])
def test_paths_that_lead_nowhere(tmp_path, name):
    with pytest.raises(InputError):
        read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="regular"):
        read(tmp_path / "pipe.png")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = write(tmp_path / "a.png", image_of_array(noise((8, 8))))

    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)
    with pytest.raises(InputError, match="permission denied"):
        read(path)


def huge_file(folder, kind):
    path = folder / f"huge.{kind}"
    if kind == "png":
        path.write_bytes(png_header(40000, 40000))
    elif kind == "jpg":
        path.write_bytes(jpeg_header(60000, 60000))
    elif kind == "tif":
        tifffile.imwrite(path, noise((16, 16)), metadata=None, compression="zlib")
        with tifffile.TiffFile(path, mode="r+b") as tif:
            for code in (256, 257, 278):
                tag = tif.pages[0].tags[code]
                tag.overwrite(60000, dtype=4)
    else:
        path.write_bytes(npy_header((40000, 40000)))
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does")
@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "npy"])
def test_a_huge_header_is_refused_without_room_for_it(tmp_path, kind):
    path = huge_file(tmp_path, kind)
    code = (
        "import resource, sys\n"
        "from untaught.errors import InputError\n"
        "from untaught.image.files import Reading, as_image\n"
        "import numpy, imagecodecs, tifffile, PIL.Image\n"
        "used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    as_image(sys.argv[1], None, Reading(memory=2**28))\n"
        "except InputError as error:\n    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used)\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    sentence, grown = run.stdout.splitlines()
    assert run.stderr == ""
    expected = {"npy": "cut off", "tif": "each of which has to be held whole"}
    assert expected.get(kind, "more than the 256 MiB of memory that may be used") in sentence
    assert int(grown) < 100_000  # kilobytes


def test_a_header_that_its_data_cannot_fill_is_refused(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png_header(16000, 16000))
    with pytest.raises(InputError, match="cut off"):
        read(path)
    path.write_bytes(jpeg_header(16000, 16000))
    with pytest.raises(InputError, match="cut off"):
        read(path)


def test_pictures_larger_than_pillow_likes_are_read_without_a_warning(tmp_path, monkeypatch):
    picture = smooth((64, 64))
    PIL.Image.fromarray(picture).save(tmp_path / "a.webp", lossless=True)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(read(tmp_path / "a.webp").array, picture)
    assert PIL.Image.MAX_IMAGE_PIXELS == 100


def test_pixels_that_would_need_guessing_are_refused(tmp_path):
    PIL.Image.fromarray(noise((16, 16, 4)), "CMYK").save(tmp_path / "cmyk.jpg")
    with pytest.raises(InputError, match="CMYK JPEG; convert it to RGB"):
        read(tmp_path / "cmyk.jpg")
    tifffile.imwrite(tmp_path / "cmyk.tif", noise((16, 16, 4)), photometric="separated")
    with pytest.raises(InputError, match="SEPARATED"):
        read(tmp_path / "cmyk.tif")
    tifffile.imwrite(tmp_path / "lab.tif", noise((16, 16, 3)), photometric="cielab")
    with pytest.raises(InputError, match="CIELAB"):
        read(tmp_path / "lab.tif")


def test_a_fault_of_the_program_is_not_put_down_to_the_file(tmp_path, monkeypatch):
    path = sample(tmp_path, ".tif")

    def fault(*_):
        raise AttributeError("'int' object has no attribute 'name'")

    monkeypatch.setattr(tiff, "metadata_of", fault)
    with pytest.raises(AttributeError):
        read(path)
    assert main(["inspect", str(path)]) == 1


@pytest.mark.parametrize("suffix", SAMPLES)
def test_what_a_disk_fails_at_is_not_put_down_to_the_file(tmp_path, suffix, monkeypatch):
    path = sample(tmp_path, suffix)

    def fail(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(type(path), "read_bytes", fail)
    monkeypatch.setattr(tifffile, "TiffFile", fail)
    monkeypatch.setattr(np, "load", fail)
    with pytest.raises(InputError, match="cannot be read: Input/output error"):
        read(path)


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_animations_are_refused(tmp_path, suffix):
    frames = [PIL.Image.fromarray(noise((16, 16, 3), seed=i)) for i in range(3)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="animation"):
        read(tmp_path / f"a{suffix}")


def test_pickles_are_not_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{1: 2}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError):
        read(tmp_path / "a.npy")


def test_the_log_of_tifffile_is_left_as_it_was(tmp_path):
    logger = logging.getLogger("tifffile")
    before = list(logger.handlers), logger.propagate
    (tmp_path / "a.tif").write_bytes(b"II*\x00\x08\x00\x00\x00")
    with pytest.raises(InputError):
        read(tmp_path / "a.tif")
    assert (list(logger.handlers), logger.propagate) == before
