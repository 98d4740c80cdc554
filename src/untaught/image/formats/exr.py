"""OpenEXR: halves, floats and whole numbers; all channels, parts and attributes come back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import CutOffError, Format, Library, broken_by, flat_objection
from untaught.image.formats.foreign import overheard, plainly_named
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_MAGIC = b"v/1\x01"
_ERRORS = (OSError, ValueError, TypeError, KeyError, RuntimeError)
_CHOICES = (("R", "G", "B", "A"), ("R", "G", "B"), ("Y", "A"), ("Y",))
_DIFFERENCES = ("RY", "BY")
_WEIGHTS = (0.2126, 0.7152, 0.0722)  # of red, green and blue in brightness, where the file has no other primaries
_LEFT_OUT = ("channels", "chunkCount", "name")


@dataclass(frozen=True)
class Layout:
    """Which channels of which part were read; kept in ``metadata["exr"]``.

    `header` is that of the part where the channels were made of others, which are not written.
    """

    part: int
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    header: dict[str, Any] | None = None


@contextmanager
def _parts(path: Path, memory: int | None) -> Iterator[Any]:
    import OpenEXR

    with plainly_named(path) as name, overheard() as said, broken_by(*_ERRORS):
        for part in OpenEXR.File(name, header_only=True).parts:
            (left, upper), (right, lower) = part.header["dataWindow"]
            refuse_to_hold(path, 4 * (int(lower) - int(upper) + 1) * (int(right) - int(left) + 1), memory)
        opened = OpenEXR.File(name, separate_channels=True)
    with opened:
        if said:
            raise CutOffError
        yield opened.parts


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read red, green, blue (and opacity) or brightness; else all channels of the largest size.

    Brightness with differences of colour becomes red, green and blue.
    """
    path.open("rb").close()  # what the disk has to say, in its own words
    with _parts(path, reading.memory) as parts:
        number = max(0, reading.refuse_pages(path, "OpenEXR", len(parts)))
        with broken_by(*_ERRORS):
            part = parts[number]
            header = {key: value for key, value in part.header.items() if key not in _LEFT_OUT}
            held = {name: np.asarray(channel.pixels) for name, channel in part.channels.items()}
        notes = []
        if len(parts) > 1:
            notes.append(f"part {number} of {len(parts)} is restored, the others left; '--series N' takes another")
    if not held or max(values.size for values in held.values()) == 0:
        raise InputError(f"{path} holds no channel that is a picture")
    converted = {"Y", *_DIFFERENCES} <= held.keys()
    if converted:
        held = _coloured(held)
        notes.append("brightness and differences of colour were made red, green and blue, which the result holds")
    names = _chosen(held)
    array = np.stack([held[name].astype(np.result_type(*(held[n] for n in names))) for name in names], axis=-1)
    alpha, known = names[-1] == "A" and len(names) in (2, 4), names in _CHOICES
    array, axes = (array[..., 0], "YX") if len(names) == 1 else (array, "YXS" if known else "YXC")
    metadata: dict[str, Any] = {"exr": Layout(number, names, array.shape, header if converted else None)}
    if not known:
        metadata["channels"] = names
    others = [name for name in held if name not in names]
    if others:
        notes.append(f"the channels {', '.join(others)} are left as they are")
    image = Image.of(array, axes, alpha=alpha, metadata=metadata, source=path.absolute())
    return replace(image, file_notes=tuple(notes))


def _coloured(held: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return red, green and blue of brightness and differences of colour, and all other channels.

    R = (RY + 1) Y,   B = (BY + 1) Y,   Y = w_R R + w_G G + w_B B
    """
    from skimage.transform import resize

    bright = held["Y"].astype(np.float32)
    red, blue = (
        (resize(held[name].astype(np.float32), bright.shape, order=1, mode="edge") + 1) * bright
        for name in _DIFFERENCES
    )
    green = (bright - _WEIGHTS[0] * red - _WEIGHTS[2] * blue) / _WEIGHTS[1]
    kind = held["Y"].dtype
    made = {name: values.astype(kind) for name, values in (("R", red), ("G", green), ("B", blue))}
    return made | {name: values for name, values in held.items() if name not in ("Y", *_DIFFERENCES)}


def _chosen(held: dict[str, NDArray[Any]]) -> tuple[str, ...]:
    for names in _CHOICES:
        if set(names) <= held.keys() and len({held[name].shape for name in names}) == 1:
            return names
    sizes = [values.shape for values in held.values() if values.ndim == 2]
    most = max(sizes, key=lambda shape: shape[0] * shape[1], default=None)
    return tuple(name for name, values in held.items() if values.shape == most)


def write(stream: IO[bytes], image: Image) -> None:
    """Write the file that was read with other numbers in the channels that were restored."""
    import OpenEXR

    layout: Layout | None = image.metadata.get("exr")
    planes = _planes(image)
    source = image.source
    if layout is None or layout.header is not None or image.array.shape != layout.shape:
        names = layout.channels if layout is not None else _CHOICES[[4, 3, 2, 1].index(len(planes))]
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        if layout is not None and layout.header is not None and image.array.shape == layout.shape:
            header = layout.header
        _save(OpenEXR.File(header, dict(zip(names, planes, strict=True))), stream)
    elif source is not None:
        with plainly_named(source) as name, broken_by(*_ERRORS), OpenEXR.File(name, separate_channels=True) as old:
            for name, values in zip(layout.channels, planes, strict=True):
                old.parts[layout.part].channels[name].pixels = values
            _save(old, stream)


def _planes(image: Image) -> list[NDArray[Any]]:
    """Return the channels, in numbers that the format has."""
    array = np.moveaxis(image.array, [image.axes.index(axis) for axis in "YX"], [0, 1])
    array = array.reshape(image.height, image.width, -1)
    kind = {"float64": np.float32, "uint32": np.uint32, "float16": np.float16}.get(
        image.array.dtype.name, np.float32
    )
    return [np.ascontiguousarray(array[..., k].astype(kind)) for k in range(array.shape[-1])]


def _save(made: Any, stream: IO[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:  # the library writes to names alone
        path = Path(folder) / "picture.exr"
        made.write(str(path))
        stream.write(path.read_bytes())


def objection(image: Image) -> str | None:
    """Say why OpenEXR cannot hold `image`."""
    if image.metadata.get("exr") is not None and image.array.dtype.kind in "fu":
        return None
    return flat_objection(image, "OpenEXR", (np.float16, np.float32, np.uint32))


EXR = Format("OpenEXR", (".exr",), lambda header: header.startswith(_MAGIC), read, write, objection,
             Library("OpenEXR", "photo"))  # fmt: skip
