"""Kinds of files that are known but not read: how to tell one, what it is called, and what to do about it.

A kind that comes to be read moves from this table to a page of its own; one that is read only with an extra says
in `advice` which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from untaught.image.formats.packed import unpacked_header

HEADER = 512
"""How many of a file's first bytes tell its kind."""

CONVERT = "convert it to TIFF or .npy"
_PICTURE = "convert it to PNG or TIFF"
_FRAMES = "save its frames as a TIFF stack or a .npy array"


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name : str
        What people call it, with its article.
    matches : callable
        Whether the first bytes of a file are of this kind.
    advice : str
        What to do, as the end of a sentence.
    """

    name: str
    matches: Callable[[bytes], bool]
    advice: str = CONVERT


def _starts(*magics: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda header: any(header[at : at + len(magic)] == magic for magic in magics)


def _is_analyze(header: bytes) -> bool:
    return header[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c") and header[38:39] == b"r"


def _is_box(*brands: bytes) -> Callable[[bytes], bool]:
    return lambda header: header[4:8] == b"ftyp" and (not brands or header[8:12] in brands)


def _is_dm(header: bytes) -> bool:
    return (
        header[:4] in (b"\0\0\0\3", b"\0\0\0\4") and header[4:16].count(b"\0") > 5 and b"\0\0\0\1" in header[8:16]
    )


KINDS: tuple[Kind, ...] = (
    Kind("an Analyze volume", _is_analyze),
    Kind(
        "an Olympus or Zeiss file (OIB, ZVI) or an old Office document",
        _starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ),
    Kind("a Gatan DigitalMicrograph file", _is_dm),
    Kind("an NRRD volume", _starts(b"NRRD000")),
    Kind("a MetaImage header", _starts(b"ObjectType =", b"NDims =")),
    Kind("a netCDF file", _starts(b"CDF\x01", b"CDF\x02", b"CDF\x05"), "save the picture in it as TIFF or .npy"),
    Kind("a MATLAB file", _starts(b"MATLAB 5.0"), "save the picture in it as TIFF or .npy"),
    Kind("a video", _is_box(), _FRAMES),
    Kind("a video", _starts(b"\x1a\x45\xdf\xa3", b"\0\0\x01\xba"), _FRAMES),
    Kind("a video", lambda header: header[:4] == b"RIFF" and header[8:12] == b"AVI ", _FRAMES),
    Kind("a Photoshop file", _starts(b"8BPS"), "save it as a TIFF without layers"),
    Kind("a DirectDraw surface", _starts(b"DDS "), _PICTURE),
    Kind("an icon", _starts(b"\0\0\x01\0", b"icns"), _PICTURE),
    Kind("a Radiance HDR picture", _starts(b"#?RADIANCE", b"#?RGBE"), "convert it to a TIFF of floats or .npy"),
    Kind("a PDF document", _starts(b"%PDF"), "save the picture in it as PNG or TIFF"),
    Kind("a ZIP archive (or .npz)", _starts(b"PK\x03\x04"), "unpack it and give one picture in it"),
    Kind("an SVG drawing", _starts(b"<svg"), "draw it as PNG"),
    Kind("an XML document", _starts(b"<?xml"), "give the picture itself"),
    Kind("a program", _starts(b"\x7fELF", b"MZ\x90\0", b"\xcf\xfa\xed\xfe", b"#!/"), "give a picture"),
    Kind("a gzip archive", _starts(b"\x1f\x8b"), "unpack it and give the picture in it"),
)
"""The kinds; the first that matches counts."""


def kind_of(header: bytes) -> Kind | None:
    """Return the kind of a file by its first bytes, looking into a gzip archive; None where it is unknown."""
    inside = unpacked_header(header, HEADER)
    return next((kind for one in (inside, header) for kind in KINDS if kind.matches(one)), None)
