"""Writing: what cannot be held is said before, outputs are whole or not there, inputs are safe."""

from __future__ import annotations

import errno
import os

import imagecodecs
import numpy as np
import pytest
import tifffile

from tests.helpers.files import again, noise, smooth
from untaught.errors import InputError, OutputError, UntaughtError
from untaught.image import files as io
from untaught.image import passing
from untaught.image.files import check_writable, read, write
from untaught.image.find_format import format_for
from untaught.image.image import Image, image_of_array


@pytest.mark.parametrize(
    ("name", "array", "axes", "alpha", "says"),
    [
        ("a.png", noise((16, 16), np.float32), "YX", False, "float32.*npy"),
        ("a.jpg", noise((16, 16), np.float32), "YX", False, "float32"),
        ("a.jpg", noise((16, 16), np.uint16), "YX", False, "uint16.*png"),
        ("a.webp", noise((16, 16), np.uint16), "YX", False, "uint16"),
        ("a.png", noise((16, 16), np.int16), "YX", False, "int16"),
        ("a.png", noise((3, 16, 16)), "ZYX", False, "stack of 3"),
        ("a.jpg", noise((16, 16, 4)), "YXS", True, "transparency"),
        ("a.png", noise((16, 16, 5)), "YXS", False, "5 channels"),
        ("a.xyz", noise((16, 16)), "YX", False, r"\.png"),
        ("a", noise((16, 16)), "YX", False, "no extension"),
        ("a.webp", np.zeros((1, 16384), np.uint8), "YX", False, "16383"),
        ("a.jpg", np.zeros((65501, 1), np.uint8), "YX", False, "65500"),
    ],
)
def test_what_a_format_cannot_hold_is_said_before(tmp_path, name, array, axes, alpha, says):
    image = Image.of(array, axes, alpha=alpha)
    for act in (check_writable, write):
        with pytest.raises(InputError, match=says) as caught:
            act(tmp_path / name, image)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


WRITTEN = [f for f in io.FORMATS if f.write is not None and (f.library is None or f.library.there)]


@pytest.mark.parametrize("suffix", [s for f in WRITTEN for s in f.suffixes])
def test_every_known_extension_is_written_and_read(tmp_path, suffix):
    path = tmp_path / f"A{suffix.upper()}"
    colours, grey = image_of_array(smooth((32, 32))), image_of_array(smooth((32, 32))[..., 0])
    floats = image_of_array(np.asarray(grey.array, np.float32))
    image = next((one for one in (colours, grey, floats) if format_for(path).objection(one) is None), None)
    if image is None:
        pytest.skip("written only where it was read from a file of its kind")
    check_writable(path, image)
    assert write(str(path), image) == path
    back = read(path)
    assert sorted(back.array.shape) == sorted(image.array.shape)
    assert back.array.flags.writeable
    assert back.array.flags.c_contiguous
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_places_that_cannot_be_written_to(tmp_path):
    image = image_of_array(noise((16, 16)))
    (tmp_path / "folder.png").mkdir()
    cases = [
        (tmp_path / "none" / "a.png", "does not exist"),
        (tmp_path / "folder.png", "is a folder"),
        (tmp_path / ("x" * 300 + ".png"), "cannot be written"),
        (tmp_path / "a\x00b.png", "cannot be written"),
    ]
    for path, says in cases:
        with pytest.raises(OutputError, match=says):
            write(path, image)


def test_closed_folders_and_files(tmp_path, monkeypatch):
    image = image_of_array(noise((16, 16)))
    old = write(tmp_path / "old.png", image)
    closed = {str(old)}
    # root may write anywhere, so the system is not asked
    monkeypatch.setattr(os, "access", lambda path, _: str(path) not in closed)
    with pytest.raises(OutputError, match="write-protected"):
        check_writable(old, image)
    check_writable(tmp_path / "new.png", image)
    closed.add(str(tmp_path))
    with pytest.raises(OutputError, match="not writable"):
        check_writable(tmp_path / "new.png", image)


def test_never_over_an_input_under_any_name(tmp_path):
    image = image_of_array(noise((16, 16)))
    source = write(tmp_path / "in.png", image)
    before = source.read_bytes()
    (tmp_path / "soft.png").symlink_to(source)
    os.link(source, tmp_path / "hard.png")
    (tmp_path / "sub").mkdir()
    names = ["in.png", "soft.png", "hard.png", "sub/../in.png"]
    for name in names:
        with pytest.raises(InputError, match="input"):
            write(tmp_path / name, image, protect=source)
        with pytest.raises(InputError, match="input"):
            check_writable(tmp_path / name, read(source))
    assert source.read_bytes() == before
    write(tmp_path / "out.png", read(source), protect=source)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("no")])
@pytest.mark.parametrize("at", ["encode", "sync", "replace"])
def test_a_failure_leaves_the_old_output_and_nothing_else(tmp_path, monkeypatch, error, at):
    image = image_of_array(noise((16, 16, 3)))
    path = write(tmp_path / "a.png", image)
    before = path.read_bytes()

    def fail(*_, **__):
        raise error

    where = {"encode": (imagecodecs, "png_encode"), "sync": (os, "fsync"), "replace": (os, "replace")}
    monkeypatch.setattr(*where[at], fail)
    with pytest.raises(OutputError, match=r"a\.png could not be"):
        write(path, again(image))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("at", ["encode", "sync"])
def test_an_interruption_leaves_nothing_and_passes_on(tmp_path, monkeypatch, at):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(*((tifffile.TiffWriter, "write") if at == "encode" else (os, "fsync")), interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.tif", image_of_array(noise((16, 16, 3))))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".npy"])
def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch, suffix):
    real = open

    def full(name, *arguments):
        handle = real(name, *arguments)
        os.dup2(os.open("/dev/full", os.O_RDWR), handle.fileno())
        return handle

    monkeypatch.setattr(passing, "open", full, raising=False)
    with pytest.raises(OutputError, match="No space left"):
        write(tmp_path / f"a{suffix}", image_of_array(noise((200, 200, 3))))
    assert not list(tmp_path.iterdir())


def test_the_result_has_ordinary_permissions_and_links_lead_on(tmp_path):
    image = image_of_array(noise((16, 16)))
    (tmp_path / "plain").touch()
    path = write(tmp_path / "a.png", image)
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    path.chmod(0o640)
    (tmp_path / "link.png").symlink_to(path)
    other = image_of_array(noise((16, 16), seed=1))
    write(tmp_path / "link.png", other)
    assert (tmp_path / "link.png").is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    np.testing.assert_array_equal(read(path).array, other.array)


def test_errors_are_what_a_caller_catches():
    assert issubclass(InputError, UntaughtError)
    assert issubclass(OutputError, OSError)
