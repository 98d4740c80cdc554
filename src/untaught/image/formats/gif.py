"""GIF: its frames are times; it holds 256 colours a frame, so that a restored one is rounded to that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.base import PILLOW_ERRORS, CutOffError, Format, broken_by, flat, pillow
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import WHOLE, Reading

_END = b"\x3b"
_OPAQUE = 255
_NOTE = "a GIF holds 256 colours a frame, to which the result is rounded; a .tif keeps all of it"


@dataclass(frozen=True)
class Layout:
    """How long each frame is shown, in milliseconds, how often all are, and the comment."""

    durations: tuple[int, ...]
    loop: int | None
    comment: bytes


def read(path: Path, reading: Reading = WHOLE) -> Image:
    """Read every frame as it is shown, laid over those before it; grey where all colours are."""
    reading.refuse_others(path, "GIF")
    data = path.read_bytes()
    if not data.rstrip(b"\0").endswith(_END):
        raise CutOffError
    frames, durations = [], []
    with pillow(data, path, reading.memory) as opened:
        with broken_by(*PILLOW_ERRORS):
            count = int(getattr(opened, "n_frames", 1))
            refuse_to_hold(path, 3 * count * opened.height * opened.width, reading.memory)
            for number in range(count):
                opened.seek(number)
                durations.append(int(opened.info.get("duration", 0)))
                frames.append(np.asarray(opened.convert("RGBA")))
            opened.seek(0)
        loop, comment = opened.info.get("loop"), opened.info.get("comment", b"")
    array = np.stack(frames)
    clear = bool((array[..., 3] != _OPAQUE).any())
    grey = bool((array[..., :1] == array[..., 1:3]).all())
    array = np.ascontiguousarray(array[..., ([0] if grey else [0, 1, 2]) + [3] * clear])
    array, axes = (array, "TYXS") if array.shape[-1] > 1 else (array[..., 0], "TYX")
    if count == 1:
        array, axes = array[0], axes[1:]
    metadata: dict[str, Any] = {"gif": Layout(tuple(durations), loop, bytes(comment))}
    if count > 1 and len(set(durations)) == 1 and durations[0]:
        metadata["spacing"] = {"T": (float(durations[0]), "ms")}
    image = Image.of(array, axes, alpha=clear, metadata=metadata, source=path.absolute())
    return replace(image, file_notes=(_NOTE,))


def write(stream: IO[bytes], image: Image) -> None:
    """Write the frames with their durations, each with its own colours; a pixel is shown or not."""
    array = image.samples_last(image.array)
    frames = [_frame(one, image) for one in array.reshape(-1, *array.shape[-3:])]
    layout: Layout | None = image.metadata.get("gif")
    step, unit = image.metadata.get("spacing", {}).get("T", (0.0, ""))
    plain = round(step * {"s": 1000.0, "ms": 1.0}.get(unit, 0.0)) or 100
    options: dict[str, Any] = {"duration": plain, "loop": 0}
    if layout is not None:
        same = len(layout.durations) == len(frames)
        options["duration"] = list(layout.durations) if same and len(frames) > 1 else layout.durations[0]
        options["loop"], options["comment"] = layout.loop, layout.comment
    options = {name: value for name, value in options.items() if value not in (None, b"")}
    buffer = BytesIO()
    more = {"save_all": True, "append_images": frames[1:], "disposal": 2 if image.alpha else 1}
    frames[0].save(buffer, "GIF", **options, **(more if len(frames) > 1 else {}))
    stream.write(buffer.getbuffer())


def _frame(pixels: NDArray[Any], image: Image) -> Any:
    import PIL.Image

    one = flat(Image(pixels, "YXS", image.value_range, image.metadata, None, image.alpha))
    if one.ndim == 3 and one.shape[-1] == 2:
        one = one[..., [0, 0, 0, 1]]
    return PIL.Image.fromarray(one)


def objection(image: Image) -> str | None:
    """Say why GIF cannot hold `image`."""
    if image.array.dtype not in (np.uint8, np.bool_):
        return f"GIF cannot hold {image.array.dtype} values; write .tif or .npy instead"
    if image.size("S") - image.alpha not in (1, 3) or image.lead_axes.strip("TZ") or len(image.lead_axes) > 1:
        return f"GIF holds one film of grey or coloured frames, and no axes {image.axes}; write .tif instead"
    return None


GIF = Format("GIF", (".gif",), lambda header: header.startswith(b"GIF8"), read, write, objection)
