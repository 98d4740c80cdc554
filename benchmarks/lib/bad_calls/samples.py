"""Small good files of every format, made by the formats' own libraries; what is then damaged."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.bad_calls.samples_science import science

Values = NDArray[Any]


def values(shape: tuple[int, ...], dtype: Any = np.uint8, seed: int = 0) -> Values:
    """Return smooth waves with noise over most of a type's range."""
    rows, columns = np.indices(shape[:2] if shape[-1] in (2, 3, 4) and len(shape) > 2 else shape[-2:])
    waves = 0.5 + 0.2 * np.sin(rows / 3) + 0.15 * np.cos(columns / 2)
    noise = 0.05 * np.random.default_rng(seed).standard_normal(shape)
    found = np.clip(noise + (waves[..., None] if len(shape) > 2 and shape[-1] in (2, 3, 4) else waves), 0, 1)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return np.asarray(found.astype(kind))
    if kind.kind == "b":
        return np.asarray(found > 0.5)
    ends = np.iinfo(kind)
    return np.asarray((found * min(ends.max, 60000)).astype(kind))


def make(folder: Path) -> dict[str, Path]:
    """Write the samples into a folder and return them by name; what a machine lacks a library for is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}
    for family in (_png, _pillow, _tiff, _plain, _codecs, science):
        for name, write in family().items():
            path = folder / name
            try:
                write(path)
            except ImportError:
                continue
            made[name] = path
    return made


def _png() -> dict[str, Callable[[Path], object]]:
    import imagecodecs
    import PIL.Image

    def indexed(path: Path) -> None:
        PIL.Image.fromarray(values((20, 24, 3))).quantize(9).save(path, transparency=0)

    def told(path: Path) -> None:
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_text("Title", "a picture")
        info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
        info.add_text("Packed", "text " * 20, zip=True)
        exif = PIL.Image.Exif()
        exif[274], exif[271] = 6, "a camera"
        PIL.Image.fromarray(values((20, 24))).save(path, pnginfo=info, exif=exif, dpi=(300, 300))

    encode: Any = imagecodecs.png_encode
    return {
        "grey.png": lambda path: path.write_bytes(encode(values((20, 24)))),
        "deep.png": lambda path: path.write_bytes(encode(values((20, 24, 3), np.uint16))),
        "opacity.png": lambda path: path.write_bytes(encode(values((20, 24, 4)))),
        "indexed.png": indexed,
        "bits.png": lambda path: PIL.Image.fromarray(values((20, 24), bool)).save(path),
        "told.png": told,
    }


def _pillow() -> dict[str, Callable[[Path], object]]:
    import PIL.Image

    def saved(array: Values, mode: str | None = None, **options: Any) -> Callable[[Path], object]:
        picture = PIL.Image.fromarray(array)
        return lambda path: (picture.convert(mode) if mode else picture).save(path, **options)

    def animated(path: Path) -> None:
        first, *rest = (PIL.Image.fromarray(values((20, 24), seed=k)) for k in range(3))
        first.save(path, save_all=True, append_images=rest, duration=40, loop=0)

    def heic(path: Path) -> None:
        import pillow_heif

        pillow_heif.from_pillow(PIL.Image.fromarray(values((64, 64, 3)))).save(path, quality=50)

    exif = PIL.Image.Exif()
    exif[274], exif[271] = 6, "a camera"
    colour = values((24, 24, 3))
    return {
        "grey.jpg": saved(values((24, 24))),
        "colour.jpg": saved(colour, exif=exif, dpi=(72, 72), comment=b"seen"),
        "steps.jpg": saved(colour, progressive=True, quality=30),
        "ink.jpg": saved(colour, "CMYK"),
        "lossless.webp": saved(colour, lossless=True, exif=exif),
        "lossy.webp": saved(values((24, 24, 4)), quality=60),
        "colour.bmp": saved(colour),
        "indexed.bmp": saved(colour, "P"),
        "bits.bmp": saved(values((24, 24), bool)),
        "frames.gif": animated,
        "pair.heic": heic,
        "pillow.jp2": saved(colour),
        "colour.avif": saved(colour, exif=exif),
    }


def _tiff() -> dict[str, Callable[[Path], object]]:
    import tifffile

    def written(array: Values, **options: Any) -> Callable[[Path], object]:
        return lambda path: tifffile.imwrite(path, array, **options)

    def pyramid(path: Path) -> None:
        with tifffile.TiffWriter(path, ome=True) as tif:
            whole = values((2, 32, 32), np.uint16)
            tif.write(whole, subifds=1, metadata={"axes": "CYX"}, tile=(16, 16))
            tif.write(whole[:, ::2, ::2], subfiletype=1, tile=(16, 16))

    def several(path: Path) -> None:
        with tifffile.TiffWriter(path) as tif:
            for side in (24, 20, 16):
                tif.write(values((side, side)), metadata=None)

    def raw(path: Path) -> None:
        tags = [
            (50706, 1, 4, b"\x01\x04\x00\x00", True), (271, 2, 0, "ours", True), (50708, 2, 0, "a camera", True),
            (33421, 3, 2, (2, 2), True), (33422, 1, 4, bytes((0, 1, 1, 2)), True), (50714, 4, 1, 64, True),
            (50717, 4, 1, 4000, True), (50728, 5, 3, (4, 10, 1, 1, 6, 10), True),
            (50721, 10, 9, (13, 10, -2, 10, 0, 1, -4, 10, 12, 10, 1, 10, 0, 1, 1, 10, 6, 10), True),
        ]  # fmt: skip
        array = values((32, 32), np.uint16) >> 4
        tifffile.imwrite(path, array, photometric="cfa", metadata=None, extratags=tags)

    grey, stack = values((24, 24)), values((5, 20, 24), np.uint16)
    return {
        "strips.tif": written(grey, rowsperstrip=5, metadata=None),
        "lzw.tif": written(values((24, 24, 3)), compression="lzw", predictor=True, tile=(16, 16)),
        "deflate.tif": written(stack, compression="zlib", photometric="minisblack", metadata=None),
        "zstd.tif": written(values((24, 24), np.float32), compression="zstd"),
        "jpeg.tif": written(values((32, 32, 3)), compression="jpeg"),
        "packbits.tif": written(grey, compression="packbits", photometric="miniswhite"),
        "big.tif": written(stack, bigtiff=True, photometric="minisblack"),
        "turned.tif": written(values((24, 24), np.int16), byteorder=">"),
        "planes.tif": written(np.moveaxis(values((24, 24, 3)), -1, 0), planarconfig="separate", photometric="rgb"),
        "indexed.tif": written(grey >> 4, photometric="palette", colormap=np.zeros((3, 256), np.uint16)),
        "bits.tif": written(values((24, 24), bool)),
        "imagej.tif": written(stack[None], imagej=True, metadata={"axes": "TZYX", "fps": 7.0, "spacing": 2.0}),
        "cells.ome.tif": written(stack[:4].reshape(2, 2, 20, 24), ome=True, metadata={"axes": "ZCYX"}),
        "pyramid.ome.tif": pyramid,
        "several.tif": several,
        "camera.dng": raw,
    }


def _plain() -> dict[str, Callable[[Path], object]]:
    def text(head: bytes, body: bytes) -> Callable[[Path], object]:
        return lambda path: path.write_bytes(head + body)

    grey, deep = values((20, 24)), values((20, 24, 3), ">u2")
    plain = b"\n".join(b" ".join(str(v).encode() for v in row) for row in grey)
    floats = values((20, 24), "<f4")
    opacity = b"P7\nWIDTH 24\nHEIGHT 20\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    return {
        "grey.npy": lambda path: np.save(path, grey),
        "turned.npy": lambda path: np.save(path, values((24, 20), ">f8").T),
        "stack.npy": lambda path: np.save(path, values((4, 20, 24), np.uint16)),
        "grey.pgm": text(b"P5\n24 20\n255\n", grey.tobytes()),
        "plain.pgm": text(b"P2\n# said\n24 20\n255\n", plain),
        "deep.ppm": text(b"P6\n24 20\n65535\n", deep.tobytes()),
        "bits.pbm": text(b"P4\n24 20\n", np.packbits(grey > 99, axis=1).tobytes()),
        "opacity.pam": text(opacity, values((20, 24, 4)).tobytes()),
        "floats.pfm": text(b"Pf\n24 20\n-1.0\n", floats.tobytes()),
    }


def _codecs() -> dict[str, Callable[[Path], object]]:
    import imagecodecs

    any_codec: Any = imagecodecs
    grey, colour = values((24, 24), np.uint16), values((24, 24, 3))
    return {
        "deep.jp2": lambda path: path.write_bytes(
            any_codec.jpeg2k_encode(grey, codecformat="JP2", reversible=True)
        ),
        "bare.j2k": lambda path: path.write_bytes(any_codec.jpeg2k_encode(colour, codecformat="J2K")),
        "colour.jxl": lambda path: path.write_bytes(any_codec.jpegxl_encode(colour, usecontainer=True)),
        "floats.jxl": lambda path: path.write_bytes(any_codec.jpegxl_encode(values((24, 24), np.float32))),
        "deep.avif": lambda path: path.write_bytes(any_codec.avif_encode(grey >> 4, bitspersample=12, level=100)),
    }


def packed(data: bytes) -> bytes:
    """Return a gzip archive of bytes."""
    held = BytesIO()
    with gzip.GzipFile("", "wb", 6, held, 0) as archive:
        archive.write(data)
    return held.getvalue()
