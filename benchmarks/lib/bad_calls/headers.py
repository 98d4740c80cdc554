"""Hostile headers: good files that say they are of a thousand million pixels, of none, or of less than none."""

from __future__ import annotations

import json
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib.bad_calls.call import Call, Random
from lib.bad_calls.damage import png
from lib.bad_calls.files import asked_of
from lib.bad_calls.odd_json import odd

SIZES = (0, -1, 1, 2, 3, 23, 25, 255, 256, 32767, 32768, 65535, 65536, 100_000, 10**6, 2**31 - 1, -(2**31), 10**9)
FLOATS = (0.0, -1.0, float("nan"), float("inf"), 1e-320, 1e300, 1e9)
Fields = tuple[tuple[int, str], ...]
FIELDS: dict[str, Fields] = {
    "colour.bmp": ((10, "<I"), (14, "<I"), (18, "<i"), (22, "<i"), (26, "<H"), (28, "<H"), (30, "<I"), (46, "<I")),
    "frames.gif": ((6, "<H"), (8, "<H"), (10, "B")),
    "volume.nii": (
        *((40 + 2 * k, "<h") for k in range(8)),
        *((70, "<h"), (72, "<h"), (108, "<f"), (112, "<f"), (116, "<f"), (252, "<h"), (254, "<h"), (348, "<i")),
        *((76 + 4 * k, "<f") for k in range(8)),
    ),
    "map.mrc": (
        *((4 * k, "<i") for k in range(10)),
        *((40 + 4 * k, "<f") for k in range(6)),
        *((64, "<i"), (68, "<i"), (72, "<i"), (92, "<i"), (104, "<i"), (212, "<i")),
    ),
    "lossless.webp": ((4, "<I"), (16, "<I"), (21, "<I"), (24, "<I"), (27, "<I")),
    "lossy.webp": ((4, "<I"), (16, "<I"), (20, "<I"), (24, "<I"), (27, "<I")),
    "cells.czi": ((16, "<q"), (24, "<q"), (68, "<q"), (76, "<q"), (84, "<q")),
}
"""Where numbers stand in the heads of files whose places are fixed."""
MARKS: dict[str, tuple[tuple[bytes, Fields], ...]] = {
    "colour.jpg": ((b"\xff\xc0", ((2, ">H"), (4, "B"), (5, ">H"), (7, ">H"), (9, "B"))),),
    "steps.jpg": ((b"\xff\xc2", ((2, ">H"), (4, "B"), (5, ">H"), (7, ">H"), (9, "B"))),),
    "deep.jp2": (
        (b"ihdr", ((4, ">I"), (8, ">I"), (12, ">H"), (14, "B"))),
        (b"\xff\x51", ((2, ">H"), (6, ">I"), (10, ">I"), (14, ">I"), (22, ">I"), (26, ">I"), (38, ">H"))),
    ),
    "bare.j2k": (
        (b"\xff\x51", ((6, ">I"), (10, ">I"), (14, ">I"), (18, ">I"), (22, ">I"), (26, ">I"), (38, ">H"))),
    ),
    "colour.avif": ((b"ispe", ((8, ">I"), (12, ">I"))), (b"iloc", ((8, ">H"), (12, ">I"), (18, ">I")))),
    "pair.heic": ((b"ispe", ((8, ">I"), (12, ">I"))), (b"iloc", ((8, ">H"), (12, ">I"), (18, ">I")))),
    "half.exr": (
        (b"dataWindow\0box2i\0", tuple((k, "<i") for k in (16, 20, 24, 28, 32))),
        (b"displayWindow\0box2i\0", tuple((k, "<i") for k in (19, 23, 27, 31, 35))),
        (b"channels\0chlist\0", ((16, "<i"), (22, "<i"), (30, "<i"))),
    ),
}
"""Where they stand behind a mark."""


def bad_header(rng: Random, pool: Path) -> Call:
    """Return a call on a file whose header says what cannot be."""
    names = [name for name in (*FIELDS, *MARKS, *WAYS) if (pool / name).exists()]
    name = names[int(rng.integers(len(names)))]
    way = WAYS.get(name)
    if way is not None:
        said = way(rng, pool / name, Path(name))
    else:
        data = bytearray((pool / name).read_bytes())
        said = _numbers(rng, data, _fields(rng, name, bytes(data)))
        Path(name).write_bytes(data)
    return asked_of(rng, name, f"{name} {said}")


def _fields(rng: Random, name: str, data: bytes) -> Fields:
    if name in FIELDS:
        return FIELDS[name]
    mark, fields = MARKS[name][int(rng.integers(len(MARKS[name])))]
    at = data.find(mark)
    return tuple((at + place, form) for place, form in fields) if at >= 0 else ((16, "<I"),)


def _numbers(rng: Random, data: bytearray, fields: Fields, most: int = 3) -> str:
    """Put extreme numbers into some fields and say which."""
    said = []
    for _ in range(int(rng.integers(1, most + 1))):
        at, form = fields[int(rng.integers(len(fields)))]
        if at + struct.calcsize(form) > len(data):
            continue
        value: float = float(rng.choice(FLOATS)) if form[-1] == "f" else int(rng.choice(SIZES))
        if form[-1] != "f":
            bits = 8 * struct.calcsize(form)
            value = int(value) % 2**bits
            value -= 2**bits if form[-1] in "bhiq" and value >= 2 ** (bits - 1) else 0
        elif abs(value) > 3e38:
            value = float("inf")
        struct.pack_into(form, data, at, value)
        said.append(f"{at}={value}")
    return ", ".join(said)


def _png(rng: Random, good: Path, place: Path) -> str:
    head = bytearray(good.read_bytes()[16:29])
    said = _numbers(
        rng, head, ((0, ">I"), (4, ">I"), (0, ">I"), (4, ">I"), (8, "B"), (9, "B"), (10, "B"), (12, "B"))
    )
    rest = good.read_bytes()[33:]
    place.write_bytes(png([(b"IHDR", bytes(head))]) + rest)
    return said


def _tiff(rng: Random, good: Path, place: Path) -> str:
    """Change types, counts and values of tags, and where the next page is said to be."""
    data = bytearray(good.read_bytes())
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    at = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    first, size, number = (at + 8, 20, "Q") if big else (at + 2, 12, "I")
    count = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
    behind = first + size * count
    if rng.random() < 0.2:  # in a circle, or beyond the end
        there = int(rng.choice([at, first, 8, len(data) - 4, len(data) + 10, 2**31]))
        struct.pack_into(order + number, data, behind, there)
        said = f"next page at {there}"
    else:
        fields = [(at, order + "H")]
        for k in range(count):
            tag = first + size * k
            fields += [(tag + 2, order + "H"), (tag + 4, order + number), *[(tag + size - (8 if big else 4),
            order + f)
                       for f in (number, "H", number)]]  # fmt: skip
        said = _numbers(rng, data, tuple(fields))
    place.write_bytes(data)
    return said


def _text(pattern: bytes) -> Callable[[Random, Path, Path], str]:
    """Return what puts extreme numbers where a pattern finds some in the head."""

    def write(rng: Random, good: Path, place: Path) -> str:
        data, said = good.read_bytes(), []
        for _ in range(int(rng.integers(1, 4))):
            found = list(re.finditer(pattern, data[:8640]))
            if not found:
                break
            match = found[int(rng.integers(len(found)))]
            start, end = match.span(match.lastindex or 0)
            word = [*(str(size).encode() for size in SIZES), b"99999999999999999999", b"1e400", b"nan", b"", b"x"]
            new = word[int(rng.integers(len(word)))]
            if pattern is CARDS:
                new = (
                    new.rjust(end - start)[: max(end - start, 1)]
                    if len(new) <= end - start
                    else new[: end - start]
                )
            data = data[:start] + new + data[end:]
            said.append(f"{match.group()[:20]!r} is {new!r}")
        place.write_bytes(data)
        return ", ".join(said)

    return write


CARDS = (
    rb"(?:NAXIS\d?|BITPIX|PCOUNT|GCOUNT|BZERO|BSCALE|TFIELDS|ZNAXIS\d?|ZTILE\d|ZBITPIX|TFORM\d|THEAP)"
    rb"\s*=([ '\w.-]{21})"
)
NUMBERS = rb"-?\d+(?:\.\d+)?"


def _dicom(rng: Random, good: Path, place: Path) -> str:
    import warnings

    import pydicom

    names = ["Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"]
    names += ["NumberOfFrames", "RescaleSlope", "PixelSpacing", "PhotometricInterpretation", "PlanarConfiguration"]
    odd_ones: list[Any] = [
        0,
        1,
        2,
        7,
        12,
        16,
        33,
        64,
        65535,
        10**9,
        -1,
        "MONOCHROME1",
        "",
        "YBR_FULL_422",
        [1, 2, 3],
    ]
    said = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(good)
        for _ in range(int(rng.integers(1, 4))):
            name, value = names[int(rng.integers(len(names)))], odd_ones[int(rng.integers(len(odd_ones)))]
            try:
                setattr(dataset, name, value)
                dataset.save_as(place, enforce_file_format=True)
            except Exception:  # it does not write that: the rest is enough
                if name in dataset:
                    del dataset[name]
                continue
            said.append(f"{name}={value!r}")
    if not place.exists():
        shutil.copy(good, place)
    return ", ".join(said)


def _zarr(rng: Random, good: Path, place: Path) -> str:
    shutil.copytree(good, place)
    files = sorted(
        path for path in place.rglob("*") if path.name in (".zarray", ".zattrs", ".zgroup", "zarr.json")
    )
    path = files[int(rng.integers(len(files)))]
    content, said = odd(rng, json.loads(path.read_text()))
    path.write_text(json.dumps(content))
    return f"{path.relative_to(place)}: {said}"


WAYS: dict[str, Callable[[Random, Path, Path], str]] = {
    "grey.png": _png, "deep.png": _png, "indexed.png": _png,
    "strips.tif": _tiff, "lzw.tif": _tiff, "big.tif": _tiff, "turned.tif": _tiff, "imagej.tif": _tiff,
    "jpeg.tif": _tiff, "pyramid.ome.tif": _tiff, "camera.dng": _tiff, "deflate.tif": _tiff, "indexed.tif": _tiff,
    "grey.npy": _text(NUMBERS), "turned.npy": _text(NUMBERS), "grey.pgm": _text(NUMBERS),
    "deep.ppm": _text(NUMBERS),
    "opacity.pam": _text(NUMBERS), "floats.pfm": _text(NUMBERS), "bits.pbm": _text(NUMBERS),
    "plain.fits": _text(CARDS), "cube.fits": _text(CARDS), "packed.fits": _text(CARDS),
    "plain.dcm": _dicom, "frames.dcm": _dicom, "rle.dcm": _dicom, "cells.zarr": _zarr, "cells.ome.zarr": _zarr,
}  # fmt: skip
