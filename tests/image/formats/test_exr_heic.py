"""OpenEXR, made by its own library, and HEIC, made by pillow-heif; both are skipped where these are not there."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from tests.helpers.files import ICC, again, exif, noise, refusal, smooth
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.formats.exif import exif_orientation
from untaught.image.image import Image
from untaught.image.output_type import typed


@pytest.fixture
def exr():
    return pytest.importorskip("OpenEXR", reason="needs OpenEXR, which .exr is read with")


@pytest.fixture
def heif():
    return pytest.importorskip("pillow_heif", reason="needs pillow-heif, which HEIC is read with")


def rendered(exr, path, dtype=np.float16):
    """A file of two parts: a picture with depth beside it, and a mask."""
    channels = {name: noise((20, 24), dtype, seed=k) for k, name in enumerate("RGB")}
    channels["Z"] = noise((20, 24), np.float32)
    header = {"compression": exr.PIZ_COMPRESSION, "type": exr.scanlineimage, "owner": "we"}
    beauty = exr.Part(header, channels, "beauty")
    mask = exr.Part({"type": exr.scanlineimage}, {"mask": noise((20, 24), np.float32, seed=9)}, "mask")
    exr.File([beauty, mask]).write(str(path))
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_other_channels_and_parts_come_back(tmp_path, exr, dtype):
    path = rendered(exr, tmp_path / "a.exr", dtype)
    image = read(path)
    assert (image.axes, image.array.dtype) == ("YXS", dtype)
    assert "the channels Z are left" in image.notes[1]
    write(tmp_path / "b.exr", Image.of(image.array / 2, "YXS", metadata=image.metadata, source=image.source))
    with (
        exr.File(str(path), separate_channels=True) as old,
        exr.File(str(tmp_path / "b.exr"), separate_channels=True) as new,
    ):
        assert [part.name() for part in new.parts] == ["beauty", "mask"]
        (first, mask), (was, mask_was) = new.parts, old.parts
        np.testing.assert_array_equal(first.channels["G"].pixels, image.array[..., 1] / 2)
        np.testing.assert_array_equal(first.channels["Z"].pixels, was.channels["Z"].pixels)
        np.testing.assert_array_equal(mask.channels["mask"].pixels, mask_was.channels["mask"].pixels)
        assert (first.header["owner"], first.header["compression"]) == ("we", exr.PIZ_COMPRESSION)
    assert read(path, series=1).metadata["exr"].channels == ("mask",)


def test_brightness_and_differences_of_colour_become_rgb(tmp_path, exr):
    grey = noise((20, 24), np.float32) + 1
    channels = {"Y": exr.Channel("Y", grey, 1, 1), "RY": exr.Channel("RY", np.zeros_like(grey), 1, 1)}
    channels["BY"] = exr.Channel("BY", np.zeros_like(grey), 1, 1)
    exr.File({"type": exr.scanlineimage, "owner": "we"}, channels).write(str(tmp_path / "a.exr"))
    image = read(tmp_path / "a.exr")
    np.testing.assert_allclose(image.array, np.repeat(grey[..., None], 3, 2), rtol=1e-5)
    write(tmp_path / "b.exr", again(image))
    with exr.File(str(tmp_path / "b.exr"), separate_channels=True) as new:
        assert sorted(new.channels()) == ["B", "G", "R"]
        assert new.header()["owner"] == "we"


def test_pictures_from_elsewhere_and_other_types(tmp_path, exr):
    for axes, alpha in (("YX", False), ("YXS", True)):
        image = Image.of(noise((20, 24, 4)[: len(axes)], np.float32), axes, alpha=alpha)
        back = read(write(tmp_path / "a.exr", image))
        np.testing.assert_array_equal(back.array, image.array)
        assert back.alpha == alpha
    half = read(rendered(exr, tmp_path / "h.exr"))
    assert read(write(tmp_path / "f.exr", typed(half, "float32"))).array.dtype == np.float32
    with pytest.raises(InputError, match="uint8"):
        check_writable(tmp_path / "a.exr", Image.of(noise((20, 24)), "YX"))


def test_cut_off_exr_is_a_sentence(tmp_path, exr):
    data = rendered(exr, tmp_path / "a.exr").read_bytes()
    for length in (30, len(data) // 2, len(data) - 9):
        (tmp_path / "c.exr").write_bytes(data[:length])
        assert "cut" in refusal(tmp_path / "c.exr"), length


def test_a_huge_exr_is_refused(tmp_path, exr):
    data = bytearray(rendered(exr, tmp_path / "a.exr").read_bytes())
    at = data.index(b"dataWindow\0box2i\0") + 21
    data[at + 8 : at + 16] = (49999).to_bytes(4, "little") * 2
    (tmp_path / "h.exr").write_bytes(data)
    assert "of memory that may be used" in refusal(tmp_path / "h.exr")


def test_heic_is_read_upright_with_its_bits(tmp_path, heif):
    import PIL.Image

    file = heif.from_pillow(PIL.Image.fromarray(smooth((64, 80))))
    file.save(tmp_path / "a.heic", quality=-1, chroma=444, exif=exif(6), icc_profile=ICC)
    image = read(tmp_path / "a.heic")
    assert image.array.shape == (80, 64, 3)
    assert np.abs(image.array - np.rot90(smooth((64, 80)), -1).astype(int)).mean() < 2
    assert image.metadata["icc"] == ICC
    assert exif_orientation(image.metadata["exif"]) == 1
    assert image.file_notes == ()
    deep = heif.from_bytes("I;16", (80, 64), (noise((64, 80), np.uint16)).tobytes())
    deep.save(tmp_path / "b.heic", quality=-1)
    assert read(tmp_path / "b.heic").used_range[1] < 4096
    with pytest.raises(InputError, match=r"HEIC files are only read; write \.tif"):
        check_writable(tmp_path / "c.heic", image)


def test_several_pictures_and_cut_off_heic(tmp_path, heif):
    import PIL.Image

    file = heif.from_pillow(PIL.Image.fromarray(smooth((64, 80))))
    file.add_from_pillow(PIL.Image.fromarray(smooth((64, 64))))
    file.save(tmp_path / "a.heic")
    assert read(tmp_path / "a.heic", series=1).array.shape == (64, 64, 3)
    assert "holds 2 pictures" in refusal(tmp_path / "a.heic")
    assert "from 0 to 1" in refusal(tmp_path / "a.heic", series=2)
    data = (tmp_path / "a.heic").read_bytes()
    for length in (40, len(data) // 2, len(data) - 9):
        (tmp_path / "c.heic").write_bytes(data[:length])
        assert "cut" in refusal(tmp_path / "c.heic"), length


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_a_name_that_is_no_text_is_read_and_written(tmp_path, exr):
    path = rendered(exr, tmp_path / "a.exr").rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.exr"))
    back = read(write(os.fsdecode(os.fsencode(tmp_path) + b"/\xfe.exr"), read(path)))
    np.testing.assert_array_equal(back.array, read(path).array)
