"""Pictures to put into files, and pieces of files."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import PIL.Image
import PIL.ImageCms

from untaught.errors import InputError
from untaught.image.files import read

ICC = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()


def noise(shape, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    if dtype == np.bool_:
        return rng.random(shape) > 0.5
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def ramp(shape, dtype=np.uint8):
    size = int(np.prod(shape))
    return (np.arange(size) % 251).reshape(shape).astype(dtype)


def smooth(shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    picture = 128 + 60 * np.sin(rows / 9) + 50 * np.cos(columns / 7)
    return np.stack([picture, picture[::-1], picture[:, ::-1]], axis=-1).astype(np.uint8)


def again(image):
    """What restoring does to an image: its planes are taken out and put back."""
    return image.with_planes([p.values for p in image.planes()])


def refusal(path, **options):
    """The sentence that a file is refused with; where it is read, what is noted of it."""
    try:
        return " ".join(read(path, **options).notes)
    except InputError as error:
        return str(error)


def png_chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png_header(width, height):
    """An 8-bit RGB PNG of any size, with next to nothing in it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_header(width, height):
    """A JPEG that claims to be of any size, and is of 16 x 16 pixels."""
    buffer = BytesIO()
    PIL.Image.fromarray(smooth((16, 16))).save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def npy_header(shape):
    """The start of a .npy file of bytes, of any shape, with no data."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def exif(orientation=6):
    block = PIL.Image.Exif()
    block[0x0112], block[0x010F] = orientation, "a camera"
    return block.tobytes()
