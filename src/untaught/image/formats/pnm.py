"""PNM: PBM, PGM and PPM of 1 to 16 bits, plain or packed, PAM with opacity; and PFM, its floats.

The libraries that read these make 8 bits of 16-bit colours, so that the headers, four numbers, are parsed here.

References
----------
https://netpbm.sourceforge.net/doc/ppm.html; Debevec, https://www.pauldebevec.com/Research/HDR/PFM
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.base import BrokenError, CutOffError, Format, flat, flat_objection
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_SAMPLES = {1: 1, 2: 1, 3: 3, 4: 1, 5: 1, 6: 3}
_PLAIN = (1, 2, 3)
_BITS = (1, 4)
_PAM = 7
_WORD = re.compile(rb"(?:\s|#[^\n]*\n)*([^\s#]+)")  # a number, and the blanks and comments before it
_COMMENT = re.compile(rb"#[^\n]*\n")
_LONGEST = 2**16  # bytes of a header with its comments


@dataclass(frozen=True)
class Header:
    """Width, height, samples of a pixel, greatest value, where the pixels start, and the comments before them."""

    width: int
    height: int
    samples: int
    most: int
    start: int
    comments: bytes = b""


def is_pnm(*magics: bytes) -> Callable[[bytes], bool]:
    """Tell files that start with one of some words and a blank."""
    return lambda header: header[:2] in magics and header[2:3] in (b"\n", b" ", b"\t", b"\r", b"#")


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read the values as they are stored, of 8 or 16 bits; of 1 bit, True is white."""
    reading.refuse_others(path, "PNM")
    data = path.read_bytes()
    kind = int(data[1:2])
    header = _pam(data) if kind == _PAM else _header(data, 1 if kind in _BITS else 2, _SAMPLES[kind])
    if not 0 < header.most < 2**16 or header.samples < 1:
        raise BrokenError(f"its greatest value is {header.most}")
    shape = header.height, header.width, header.samples
    refuse_to_hold(path, prod(shape), reading.memory)
    array = _plain(data, header, kind in _BITS) if kind in _PLAIN else _packed(data, header, kind in _BITS)
    alpha = kind == _PAM and header.samples in (2, 4)
    metadata = {"pnm": header}
    array, axes = (array[..., 0], "YX") if header.samples == 1 else (array, "YXS")
    return Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())


def _header(data: bytes, numbers: int, samples: int) -> Header:
    """Parse width, height and, where there are three numbers, the greatest value."""
    at, found = 2, []
    for _ in range(numbers + 1):
        word = _WORD.match(data, at, _LONGEST)
        if word is None:
            raise CutOffError
        found.append(_whole(word[1]))
        at = word.end()
    width, height, most = (*found, 1)[:3]
    comments = b"".join(_COMMENT.findall(data[:at]))
    return Header(width, height, samples, most, at + 1, comments)


def _whole(word: bytes) -> int:
    if not word.isdigit() or len(word) > 10:
        raise BrokenError(f"{word[:20]!r} stands where a number should")
    return int(word)


def _pam(data: bytes) -> Header:
    """Parse the header of a PAM, lines of a word and a number."""
    end = data.find(b"ENDHDR\n", 0, _LONGEST)
    if end < 0:
        raise CutOffError
    lines = [line.split() for line in data[2:end].splitlines() if line.strip() and not line.startswith(b"#")]
    said = {line[0]: line[-1] for line in lines}
    if not {b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"} <= said.keys():
        raise BrokenError("its header is not complete")
    width, height, depth, most = (_whole(said[word]) for word in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    return Header(width, height, depth, most, end + len(b"ENDHDR\n"), b"".join(_COMMENT.findall(data[:end])))


def _packed(data: bytes, header: Header, bits: bool) -> NDArray[Any]:
    shape = header.height, header.width, header.samples
    if bits:
        row = (header.width + 7) // 8
        packed = _taken(data, header, row * header.height).reshape(header.height, row)
        return np.asarray(np.unpackbits(packed, axis=1, count=header.width)[..., None] == 0)  # 1 is ink
    kind = np.dtype(np.uint8 if header.most < 256 else ">u2")
    values = _taken(data, header, prod(shape) * kind.itemsize).view(kind).reshape(shape)
    return np.array(values, dtype=kind.newbyteorder("="))


def _taken(data: bytes, header: Header, count: int) -> NDArray[np.uint8]:
    if len(data) < header.start + count:
        raise CutOffError
    return np.frombuffer(data, np.uint8, count, header.start)


def _plain(data: bytes, header: Header, bits: bool) -> NDArray[Any]:
    shape = header.height, header.width, header.samples
    text = data[header.start - 1 :]
    words = list(text.translate(None, b" \t\r\n")[: prod(shape)]) if bits else text.split()[: prod(shape)]
    if len(words) < prod(shape):
        raise CutOffError
    try:
        values = np.asarray(words, dtype=np.int64) - (ord("0") if bits else 0)
    except (ValueError, OverflowError):
        raise BrokenError("there are values that are no numbers") from None
    if values.min() < 0 or values.max() > header.most:
        raise BrokenError("there are values beyond the greatest")
    array = values.reshape(shape)
    return array == 0 if bits else array.astype(np.uint8 if header.most < 256 else np.uint16)


def write(stream: IO[bytes], image: Image) -> None:
    """Write packed: PBM of 1 bit, else PGM or PPM, and PAM with opacity; greatest value and comments stay."""
    old: Header | None = image.metadata.get("pnm")
    comments = b"" if old is None else old.comments
    if image.array.dtype == np.bool_:
        rows = image.samples_last(image.array).reshape(image.height, image.width)
        if image.metadata.get("photometric") == "miniswhite":
            rows = ~rows
        stream.write(b"P4\n" + comments + b"%d %d\n" % (image.width, image.height))
        stream.write(np.packbits(~rows, axis=1).tobytes())
        return
    array = flat(image)
    full = int(np.iinfo(array.dtype).max)
    most = old.most if old is not None and (old.most < 256) == (full < 256) else full
    samples = 1 if array.ndim == 2 else array.shape[-1]
    size = image.width, image.height
    if image.alpha:
        kind = b"GRAYSCALE_ALPHA" if samples == 2 else b"RGB_ALPHA"
        form = b"WIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s\nENDHDR\n"
        stream.write(b"P7\n" + comments + form % (*size, samples, most, kind))
    else:
        stream.write((b"P5\n" if samples == 1 else b"P6\n") + comments + b"%d %d\n%d\n" % (*size, most))
    stream.write(np.minimum(array, most).astype(array.dtype.newbyteorder(">")).tobytes())


def objection(image: Image) -> str | None:
    """Say why PNM cannot hold `image`."""
    if image.array.dtype.kind == "f":
        return f"PNM cannot hold {image.array.dtype} values; write .pfm, .tif or .npy instead"
    return flat_objection(image, "PNM", (np.uint8, np.uint16, np.bool_))


def read_floats(path: Path, reading: Reading = WHOLE) -> Image:
    """Read a PFM, whose last row comes first in the file."""
    reading.refuse_others(path, "PFM")
    data = path.read_bytes()
    samples = 3 if data[1:2] == b"F" else 1
    header = _header(data, 1, samples)
    scale = _WORD.match(data, header.start - 1, _LONGEST)
    try:
        factor = float(scale[1]) if scale is not None else 0.0
    except ValueError:
        factor = 0.0
    if scale is None or not factor:
        raise BrokenError("its header does not say the order of bytes")
    shape = header.height, header.width, samples
    refuse_to_hold(path, prod(shape), reading.memory)
    start = scale.end() + 1
    if len(data) < start + 4 * prod(shape):
        raise CutOffError
    array = np.frombuffer(data, "<f4" if factor < 0 else ">f4", prod(shape), start).reshape(shape)[::-1]
    array, axes = (array[..., 0], "YX") if samples == 1 else (array, "YXS")
    return Image.of(np.array(array, np.float32, order="C"), axes, metadata={"pfm": factor}, source=path.absolute())


def write_floats(stream: IO[bytes], image: Image) -> None:
    """Write a PFM in the order of bytes that it had, with its scale."""
    factor = float(image.metadata.get("pfm", -1.0))
    array = image.samples_last(image.array).reshape(image.height, image.width, image.size("S"))[::-1]
    stream.write(b"%s\n%d %d\n%s\n" % (b"PF" if array.shape[-1] == 3 else b"Pf", image.width, image.height,
                                       repr(factor).encode()))  # fmt: skip
    stream.write(np.ascontiguousarray(array).astype("<f4" if factor < 0 else ">f4").tobytes())


def objection_to_floats(image: Image) -> str | None:
    """Say why PFM cannot hold `image`."""
    if image.alpha:
        return "PFM cannot hold transparency; write .tif instead"
    return flat_objection(image, "PFM", (np.float32, np.float16))


PNM = Format(
    "PNM",
    (".pnm", ".pgm", ".ppm", ".pbm", ".pam"),
    is_pnm(b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7"),
    read,
    write,
    objection,
)
PFM = Format("PFM", (".pfm",), is_pnm(b"Pf", b"PF"), read_floats, write_floats, objection_to_floats)
