"""Files made to do harm: small, and unpacking to terabytes; in circles; of numbers that contradict each other."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from lib.bad_calls.bombs_science import science_bombs
from lib.bad_calls.call import Call, Random
from lib.bad_calls.damage import png
from lib.bad_calls.files import asked_of

ZEROS = 2**27
TIFF_SIZES = {"H": 2, "I": 4, "Q": 8, "s": 1, "B": 1}


def bomb(rng: Random, pool: Path) -> Call:
    """Return a call on one of them."""
    ways = {**BOMBS, **science_bombs(pool)}
    name = sorted(ways)[int(rng.integers(len(ways)))]
    suffix = name[name.index(".") :]
    said = ways[name](rng, Path(f"in{suffix}"))
    return asked_of(rng, f"in{suffix}", f"{name} {said or ''}")


@cache
def zeros(size: int = ZEROS) -> bytes:
    """Return a zlib stream of so many zeros."""
    packer = zlib.compressobj(9)
    piece = bytes(2**20)
    return b"".join(packer.compress(piece) for _ in range(size // 2**20)) + packer.flush()


@cache
def gzip_zeros(members: int = 1) -> bytes:
    """Return a gzip archive of `ZEROS` zeros, so many times."""
    held = BytesIO()
    with gzip.GzipFile("", "wb", 9, held, 0) as archive:
        for _ in range(ZEROS // 2**20):
            archive.write(bytes(2**20))
    return held.getvalue() * members


def _png_pixels(rng: Random, path: Path) -> str:
    side = int(rng.choice([1000, 11000, 40000, 2**31 - 1]))
    head = struct.pack(">IIBBBBB", side, side, int(rng.choice([1, 8, 16])), int(rng.choice([0, 2, 6])), 0, 0, 0)
    path.write_bytes(png([(b"IHDR", head), (b"IDAT", zeros()), (b"IEND", b"")]))
    return f"of {side} x {side}"


def _png_text(rng: Random, path: Path) -> str:
    """Bombs in what is said beside the pixels: profile, text, XMP, palette."""
    head = struct.pack(">IIBBBBB", 24, 24, 8, 0, 0, 0, 0)
    kind = [b"iCCP", b"zTXt", b"iTXt", b"eXIf", b"PLTE", b"tRNS", b"pHYs", b"acTL"][int(rng.integers(8))]
    content = {
        b"iCCP": b"p\0\0" + zeros(),
        b"zTXt": b"t\0\0" + zeros(),
        b"iTXt": b"XML:com.adobe.xmp\0\1\0\0\0" + zeros(),
        b"pHYs": struct.pack(">IIB", 2**32 - 1, 0, 9),
    }.get(kind, rng.bytes(int(rng.choice([0, 1, 3, 768, 5000]))))
    pixels = zlib.compress(bytes((np.arange(25 * 24) % 25 * 3).astype(np.uint8) * (np.arange(600) % 25 > 0)))
    path.write_bytes(png([(b"IHDR", head), (kind, content), (b"IDAT", pixels), (b"IEND", b"")]))
    return kind.decode()


def tiff_bytes(
    pages: list[list[tuple[int, str, tuple[Any, ...]]]], data: bytes, next_page: int | None = None
) -> bytes:
    """Return a little-endian TIFF of pages of tags (code, type, values), with `data` from byte 8 on.

    The last page is followed by `next_page`: an offset, or -1 for the first page again.
    """
    codes = {"B": 1, "s": 2, "H": 3, "I": 4, "Q": 16}
    made, places = bytearray(b"II*\0\0\0\0\0" + data), []
    links = [4]
    for tags in pages:
        entries = b""
        for code, kind, values in tags:
            content = values[0] if kind == "s" else struct.pack(f"<{len(values)}{kind}", *values)
            count = len(content) // TIFF_SIZES[kind]
            if len(content) > 4:
                place = struct.pack("<I", len(made))
                made += content + b"\0" * (len(content) % 2)
            else:
                place = content.ljust(4, b"\0")
            entries += struct.pack("<HHI", code, codes[kind], count) + place
        places.append(len(made))
        struct.pack_into("<I", made, links[-1], len(made))
        made += struct.pack("<H", len(tags)) + entries
        links.append(len(made))
        made += b"\0\0\0\0"
    if next_page is not None:
        struct.pack_into("<I", made, links[-1], places[0] if next_page < 0 else next_page)
    return bytes(made)


def page(width: int, height: int, **changes: Any) -> list[tuple[int, str, tuple[Any, ...]]]:
    """Return the tags of a page of one strip from byte 8 on; `changes` by names below."""
    own = {
        "width": width, "height": height, "bits": 8, "compression": 1, "photometric": 1, "description": b"",
        "at": 8,
        "samples": 1, "rows": height, "bytes": width * height,
    } | changes  # fmt: skip
    text = [(270, "s", (own["description"] + b"\0",))] if own["description"] else []
    return [
        (256, "I", (own["width"],)), (257, "I", (own["height"],)), (258, "H", (own["bits"],)),
        (259, "H", (own["compression"],)), (262, "H", (own["photometric"],)), *text, (273, "I", (own["at"],)),
        (277, "H", (own["samples"],)), (278, "I", (own["rows"],)), (279, "I", (min(own["bytes"], 2**32 - 1),)),
    ]  # fmt: skip


def _tiff_deflated(rng: Random, path: Path) -> str:
    side = int(rng.choice([24, 11585, 31622, 65535, 2**31 - 1]))
    rows = int(rng.choice([side, 8, 2**32 - 1]))
    path.write_bytes(tiff_bytes([page(side, side, compression=8, rows=rows, bytes=len(zeros()))], zeros()))
    return f"of {side} x {side}, {rows} rows a strip"


def _tiff_circle(rng: Random, path: Path) -> str:
    count = int(rng.choice([1, 2, 5]))
    path.write_bytes(tiff_bytes([page(24, 24) for _ in range(count)], bytes(range(256)) * 3, -1))
    return f"{count} pages in a circle"


def _tiff_pages(rng: Random, path: Path) -> str:
    count = int(rng.choice([100, 500]))
    path.write_bytes(tiff_bytes([page(8, 8)] * count, bytes(range(64))))
    return f"{count} pages"


def _tiff_sub_circle(rng: Random, path: Path) -> str:
    data = bytes(range(256)) * 3
    at = 8 + len(data)  # the first page: no tag of it is kept elsewhere
    tags = sorted([*page(24, 24), (int(rng.choice([330, 34665, 34853, 400])), "I", (at,))])
    path.write_bytes(tiff_bytes([tags], data))
    return "a page below itself"


def _tiff_said(rng: Random, path: Path) -> str:
    """Descriptions in which programs say what the pages are: of too many, of too few, in circles."""
    n = str(rng.choice(["-1", "0", "3", "1000000000", "99999999999999999999", "x", "1.5"]))
    laugh = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    ome = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{}</OME>'
    pixels = (
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="{}" Type="{}" SizeX="24" SizeY="24" SizeC="{}" '
        'SizeZ="{}" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="{}"/>{}</Pixels></Image>'
    )
    data = "<TiffData{}/>"
    file = '<TiffData><UUID FileName="{}">urn:uuid:1</UUID></TiffData>'
    texts = [
        f"ImageJ=1.53\nimages={n}\nslices={n}\n",
        f"ImageJ=1.53\nimages=3\nchannels={n}\nframes={n}\nhyperstack=true\n",
        f'{{"shape": [{n}, 24, 24]}}' if n != "x" else '{"shape": "x"}',
        '{"shape": [24, 24], "axes": 7}',
        "{" * 3000,
        f"<?xml version='1.0'?><!DOCTYPE o [{laugh}]>" + ome.format("&k;"),
        "<?xml version='1.0'?><!DOCTYPE o [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + ome.format("&a;"),
        ome.format(pixels.format("XYZCT", "uint8", n, 1, 1, data.format(""))),
        ome.format(pixels.format("XYZCT", "uint8", 1, n, 1, data.format(f' IFD="{n}" PlaneCount="{n}"'))),
        ome.format(pixels.format("XYYXX", "complex", 1, 1, n, data.format(""))),
        ome.format(pixels.format("XYCZT", "uint8", 1, 2, 1,
        file.format("in.ome.tif") + file.format("/etc/passwd"))),
        ome.format(pixels.format("XYCZT", "uint8", 1, 2, 1, file.format("in.ome.tif\0"))),
        ome.format(pixels.format("", "", "", "", "", "")),
        ome.format("<Image/>" * 2000),
        ome.format("<a>" * 5000),
        "<OME", "<MetaData></MetaData>", "SCANIMAGE\nstate.acq.numberOfFrames=" + n, "MicroManager\0" + n,
    ]  # fmt: skip
    text = texts[int(rng.integers(len(texts)))]
    count = int(rng.choice([1, 3]))
    first = page(24, 24, description=text.encode())
    path.write_bytes(tiff_bytes([first, *[page(24, 24)] * (count - 1)], bytes(range(256)) * 3))
    return f"{count} pages, described {text[:70]!r}"


def _tiff_numbers(rng: Random, path: Path) -> str:
    names = ("width", "height", "bits", "compression", "photometric", "at", "samples", "rows", "bytes")
    values = (
        0,
        1,
        2,
        3,
        5,
        7,
        8,
        12,
        24,
        32,
        64,
        100,
        255,
        32773,
        34712,
        34925,
        50000,
        50001,
        65535,
        10**9,
        2**32 - 1,
    )
    changes = {str(rng.choice(names)): int(rng.choice(values)) for _ in range(int(rng.integers(1, 4)))}
    shorts = {
        n: v % 65536 if n in ("bits", "compression", "photometric", "samples") else v for n, v in changes.items()
    }
    sides = shorts.pop("width", 24), shorts.pop("height", 24)
    path.write_bytes(tiff_bytes([page(*sides, **shorts)] * int(rng.choice([1, 3])), bytes(range(256)) * 3))
    return f"{sides}, {shorts}"


def _npy(rng: Random, path: Path) -> str:
    shapes = ["(1000000000, 1000000000)", "(-1, 24)", "(0,)", "()", "(24, 24" + ", 1" * 40 + ")", "24", "None",
              "(2.5, 3)",
              "(99999999999999999999, 2)", "(True, 24)"]  # fmt: skip
    types = ["'|u1'", "'|O'", "'<c16'", "'<M8[s]'", "'<U9'", "[('a', '<f4'), ('b', '<f4')]", "'<f16'", "'|V9'",
             "'x'", "3",
             "'|u1,|u1'", "('<f4', (2, 2))", "'<f8'", "'|S0'", "'|V0'"]  # fmt: skip
    shape = shapes[int(rng.integers(len(shapes)))] if rng.random() < 0.5 else "(24, 24)"
    kind = types[int(rng.integers(len(types)))]
    text = f"{{'descr': {kind}, 'fortran_order': {rng.choice(['False', 'True', 'None'])}, 'shape': {shape}, }}"
    if rng.random() < 0.2:
        text = str(
            rng.choice(["(" * 9000, "{", "[]", "{'descr': '|u1'}", "1" * 20000, "__import__('os').abort()"])
        )
    version = int(rng.choice([1, 2, 3, 9]))
    head = text.encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(head) % 65536 if rng.random() < 0.9 else 65535)
    path.write_bytes(b"\x93NUMPY" + bytes([version, 0]) + length + head + bytes(range(256)) * 40)
    return text[:90]


def _packed(rng: Random, path: Path) -> str:
    members = int(rng.choice([1, 3, 8, 40]))
    path.write_bytes(gzip_zeros(members))
    return f"{members} times {ZEROS} zeros"


def _nifti_packed(rng: Random, path: Path) -> str:
    head = bytearray(352)
    dims = [(3, 24, 24, 10), (3, 32767, 32767, 1), (4, 32767, 32767, 32767), (7, *[32767] * 7), (2, 11585, 11585)]
    dim = dims[int(rng.integers(len(dims)))]
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into(f"<{len(dim)}h", head, 40, *dim)
    struct.pack_into("<hh", head, 70, 2, 8)
    struct.pack_into("<f", head, 108, 352)
    head[344:348] = b"n+1\0"
    members = int(rng.choice([1, 3, 8, 40]))
    path.write_bytes(gzip.compress(bytes(head), 6) + gzip_zeros(members))
    return f"dims {dim}, {members} times {ZEROS} zeros"


def _jpeg(rng: Random, path: Path) -> str:
    import PIL.Image

    held = BytesIO()
    PIL.Image.fromarray(np.arange(576, dtype=np.uint8).reshape(24, 24)).save(held, "JPEG")
    data = held.getvalue()
    kind = int(rng.integers(3))
    blocks = [b"\xff\xe1" + struct.pack(">H", 65535) + b"Exif\0\0" + rng.bytes(65527), b"\xff" * 70000,
              b"\xff\xed\0\x02" * 20000]  # fmt: skip
    path.write_bytes(data[:2] + blocks[kind] + data[2:])
    return ["random EXIF", "filling bytes", "empty segments"][kind]


def _gif(rng: Random, path: Path) -> str:
    side, count = int(rng.choice([8, 65535])), int(rng.choice([3, 2000, 30000]))
    frame = b"!\xf9\x04\0\x01\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x07\x02\x80\x01\x01\0"
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + frame * count + b";")
    return f"{count} frames of {side} x {side}"


def _pnm(rng: Random, path: Path) -> str:
    heads = [b"P5\n1000000000 1000000000\n255\n", b"P5\n-24 24\n255\n", b"P6\n24 24\n0\n", b"P6 24 24 70000\n",
             b"P4 0 0\n",
             b"P5\n#" + b"c" * 10**6 + b"\n24 24\n255\n", b"P2\n24 24\n255\n" + b"9" * 10**6,
             b"P2\n24 24\n255\n-1 x 300 ",
             b"P7\nWIDTH 24\nWIDTH 24\nDEPTH 0\nMAXVAL 1\nENDHDR\n", b"P7\n" + b"X\n" * 10**5, b"PF\n24 24\nnan\n",
             b"Pf\n24 24\n0\n", b"Pf\n1e9 24\n1\n", b"P3\n100000 100000\n65535\n1 2 3\n",
             b"P1\n24 24\n" + b"012" * 300]  # fmt: skip
    head = heads[int(rng.integers(len(heads)))]
    path.write_bytes(head + bytes(range(256)) * 20)
    return str(head[:40])


BOMBS: dict[str, Callable[[Random, Path], str]] = {
    "pixels.png": _png_pixels, "text.png": _png_text, "deflated.tif": _tiff_deflated, "circle.tif": _tiff_circle,
    "pages.tif": _tiff_pages, "below.tif": _tiff_sub_circle, "said.tif": _tiff_said, "said.ome.tif": _tiff_said,
    "numbers.tif": _tiff_numbers, "shape.npy": _npy, "shape2.npy": _npy, "zeros.nii.gz": _nifti_packed,
    "zeros.fits.gz": _packed, "segments.jpg": _jpeg, "frames.gif": _gif, "heads.pnm": _pnm, "heads.pgm": _pnm,
}  # fmt: skip
