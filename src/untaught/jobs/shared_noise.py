"""One law of noise for all files of a camera, measured on squares that are spread over them.

    v = (w - low) / (high - low),   w in units of the files, low and high of the file that a law is told for

Files of one size, axes, type and camera are a class. Of some of its files, evenly spread, squares are put together
to one plane, as `tiles.survey` does with squares of one large plane; its noise is that of all. Then a denoiser
looks at a few of the files, and what it leaves corrects the level, as it does for a single picture. Where values
are cut off, one of the files may tell for all.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.atomic import made_folder, write_text
from untaught.image.files import as_image
from untaught.image.formats.jpeg import compression_notes
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.image.reading import Reading
from untaught.image.spread import BLOCK
from untaught.image.working import Scale
from untaught.noise import Gaussian, NoiseModel
from untaught.pipeline.plane.cut_off import Ends, cut_of
from untaught.pipeline.plane.make_problem import NoGreyError
from untaught.pipeline.plane.refine_noise import mean_factor
from untaught.pipeline.plane.working_scale import WorkingScale, measured
from untaught.pipeline.planes import Requests
from untaught.pipeline.recipes import law_of, law_text
from untaught.pipeline.request import Cut, Request, request_of
from untaught.pipeline.tasks.denoise import denoise_plane, denoise_planes
from untaught.pipeline.tiles.survey import SAMPLED

if TYPE_CHECKING:
    from untaught.fitting.progress import Progress
    from untaught.results.result import Result

FILES = 16  # of a class that are looked at; 2^20 values are 16 squares of 256 x 256
REFINED = 5  # of them that a denoiser looks at
PILOT = "nonlocal"
LARGEST = 512  # pixels: side of what it sees of a file
MAKE, MODEL = 0x010F, 0x0110  # tags of EXIF
Part = tuple[NDArray[Any], NDArray[np.bool_]]
Member = tuple[Path, tuple[Ends | None, ...]]  # of a class: a file, and what each of its channels ends with


@dataclass(frozen=True)
class SharedLaw:
    """The noise of a class of files.

    Attributes
    ----------
    laws : tuple of NoiseModel
        A law a channel that is restored apart; they do not say whether values are cut off.
    value_range : tuple of float
        What they are told on, in units of the files.
    cuts : tuple
        For each of them, the least and the greatest value there can be; None where values are not cut off.
    """

    laws: tuple[NoiseModel, ...]
    value_range: tuple[float, float]
    cuts: tuple[Cut, ...]

    def on(self, value_range: tuple[float, float]) -> tuple[NoiseModel, ...]:
        """Return the laws on the range of another file."""
        (low, high), (to_low, to_high) = self.value_range, value_range
        factor, shift = (high - low) / (to_high - to_low), (low - to_low) / (to_high - to_low)
        return tuple(law if (factor, shift) == (1, 0) else law.moved(factor, shift) for law in self.laws)


def class_of(picture: Image) -> str:
    """Return what files of one camera have in common, as text: size, axes, type, and what the metadata call it."""
    stack = [picture.axes, picture.array.dtype, picture.height, picture.width, channels(picture)]
    return " ".join(map(str, (*stack, *_camera(picture))))


def channels(picture: Image) -> int:
    """Return how many planes a picture has at one place of a stack."""
    return picture.n_planes // prod(picture.lead_shape)


def _camera(picture: Image) -> tuple[str, ...]:
    """Return make and model of the camera, as far as EXIF tells them."""
    block = picture.metadata.get("exif")
    if not isinstance(block, bytes):
        return ()
    from PIL import Image as Pillow

    exif = Pillow.Exif()
    try:
        exif.load(block)
        return tuple(str(exif[tag]) for tag in (MAKE, MODEL) if tag in exif)
    except Exception:  # Pillow fails in many ways over a broken block, which says nothing then
        return ()


def denoised(
    laws: Mapping[str, SharedLaw],
    picture: Image,
    options: Mapping[str, Any],
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Remove the noise that a picture shares with others of its class; see `untaught.denoise`.

    Raises
    ------
    InputError
        For a picture of a class of which no law was measured.
    """
    found = laws.get(class_of(picture))
    if found is None:
        raise InputError(
            f"{picture.name} is of another size, type or camera than the files that the shared noise was measured "
            "on; restore it by itself"
        )
    request = request_of({**options, "on_progress": on_progress})  # type: ignore[arg-type]
    each = [
        replace(request, noise=law, cut=cut)
        for law, cut in zip(found.on(picture.value_range), found.cuts, strict=True)
    ]
    planes = tuple(each[index % len(each)] for index in range(picture.n_planes))
    shared = each[0] if len(each) == 1 else request
    result = denoise_planes(Requests(picture, shared, planes, time.monotonic()))
    return replace(result, notes=result.notes + compression_notes(picture))


def shared_laws(paths: Sequence[Path], record: Path, reading: Reading, axes: str | None) -> dict[str, SharedLaw]:
    """Return the noise of every class of files; what was measured before is read again and stays.

    Parameters
    ----------
    paths : sequence of Path
        The files; those that cannot be read are passed over.
    record : Path
        Where laws are kept, so that all shards and later calls have the same.
    reading : Reading
        Which picture of a file.
    axes : str, optional
        What their axes are.
    """
    laws, seen = _kept(record)
    classes: dict[str, list[Member]] = {}
    fresh = [path for path in paths if str(path) not in seen]
    for path in fresh:
        with suppress(InputError):  # said when it is to be restored
            picture = as_image(path, axes, reading)
            name = class_of(picture)
            if name not in laws:
                ends = tuple(Ends.of(pooled([picture], channel)) for channel in range(channels(picture)))
                classes.setdefault(name, []).append((path, ends))
    for name, members in classes.items():
        laws[name] = _measured(members, reading, axes)
    if fresh:
        _keep(record, laws, [*seen, *map(str, fresh)])
    return laws


def _measured(members: Sequence[Member], reading: Reading, axes: str | None) -> SharedLaw:
    """Return the noise of files of one class."""
    chosen = [members[at][0] for at in np.unique(np.linspace(0, len(members) - 1, FILES).astype(int))]
    pictures = [as_image(path, axes, reading) for path in chosen]
    found = []
    for channel in range(channels(pictures[0])):
        cut = cut_of([ends[channel] for _, ends in members])
        law = SharedLaw((_law(pictures, channel),), pictures[0].value_range, (cut,))
        found.append((_refined(law, pictures, channel), cut))
    laws, cuts = zip(*found, strict=True)
    return SharedLaw(laws, pictures[0].value_range, cuts)


def _kept(record: Path) -> tuple[dict[str, SharedLaw], list[str]]:
    """Return the laws that were kept, and the files that were looked at for them."""
    if not record.exists():
        return {}, []
    try:
        told = json.loads(record.read_bytes())
        found = {}
        for name, one in told["classes"].items():
            laws = tuple(law for law in map(law_of, one["laws"]) if law is not None)
            low, high = one["value_range"]
            found[name] = SharedLaw(laws, (low, high), tuple((least, most) for least, most in one["cuts"]))
        return found, list(told["files"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{record} cannot be read, which holds the shared noise; remove it to measure it anew"
        ) from error


def _keep(record: Path, laws: Mapping[str, SharedLaw], files: Sequence[str]) -> None:
    classes = {
        name: {"laws": [law_text(law) for law in one.laws], "value_range": one.value_range, "cuts": one.cuts}
        for name, one in laws.items()
    }
    made_folder(record.parent)
    write_text(record, json.dumps({"classes": classes, "files": list(files)}) + "\n")


def _law(pictures: Sequence[Image], channel: int) -> NoiseModel:
    """Return the noise of one channel of some pictures, on the range of the first."""
    plane = pooled(pictures, channel)
    own = plane.working
    if own.gone.all() or own.values.max() == own.values.min():
        return Gaussian(0.0)
    law = WorkingScale.of(plane).noise_back(measured(plane).model)
    return replace(law, clip=(False, False))  # said by the cut


def pooled(pictures: Sequence[Image], channel: int) -> Plane:
    """Return squares of all pictures, put together to one plane on one scale.

    Parameters
    ----------
    pictures : sequence of Image
        Of one size, axes and type.
    channel : int
        Which of the planes at a place of a stack; of a stack, places that are spread over it are taken.
    """
    parts = [part for picture in pictures for part in _squares(picture, channel, len(pictures))]
    columns = max(1, round(len(parts) ** 0.5))
    rows = len(parts) // columns
    parts = parts[: rows * columns]
    raw, missing = (
        np.concatenate([np.concatenate([p[k] for p in parts[r::rows]], axis=1) for r in range(rows)], axis=0)
        for k in (0, 1)
    )
    value_range = pictures[0].value_range
    scale = Scale.of((raw, missing), [(raw, missing)], value_range)
    plane = Plane(np.zeros(raw.shape, np.float32), missing, 0, "", raw, value_range, scale)
    return replace(plane, values=plane.working.values)


def _squares(picture: Image, channel: int, files: int) -> Iterator[Part]:
    """Yield squares of a picture in units of the file, as many as its share of what is measured on."""
    side = min(BLOCK, picture.height, picture.width)
    count = max(1, SAMPLED // (files * side * side * len(picture.group(channel))))
    down = max(1, min(round(count**0.5), picture.height // side))
    right = max(1, min(count // down, picture.width // side))
    places = prod(picture.lead_shape)
    tops, lefts = (
        np.linspace(0, n - side, k).astype(int) for n, k in ((picture.height, down), (picture.width, right))
    )
    for number, (top, left) in enumerate((t, le) for t in tops for le in lefts):
        index = channel + channels(picture) * ((number * places) // (down * right))
        part = picture.plane(index, (slice(top, top + side), slice(left, left + side)))
        assert part.raw is not None
        yield part.raw, part.missing


def _refined(shared: SharedLaw, pictures: Sequence[Image], channel: int) -> NoiseModel:
    """Return the law with the level that a denoiser finds in a few of the files: the mean, weighted by errors."""
    (law,), (cut,), told = shared.laws, shared.cuts, []
    if not (law.white and law.relative_error > 0) or law.leaves_clean:
        return law
    for picture in pictures[:: max(1, len(pictures) // REFINED)][:REFINED]:
        (here,) = shared.on(picture.value_range)
        found = _left_in(picture, channel, here, cut)
        if found is not None and found.relative_error > 0:
            told.append((found.level**2 / here.level**2, found.relative_error))
    return law.scaled(*mean_factor(told)) if told else law


def _left_in(picture: Image, channel: int, law: NoiseModel, cut: Cut) -> NoiseModel | None:
    """Return the law with the level that a denoiser finds in the middle of a picture; None where it finds none."""
    middle = (_middle(picture.height), _middle(picture.width))
    plane = picture.plane(channel, middle)
    if plane.missing.all() or plane.values.max() == plane.values.min():
        return None
    try:
        answer = denoise_plane(plane, Request(method=PILOT, surveyed=law, cut=cut))
    except NoGreyError:
        return None
    if answer.interrupted:
        raise KeyboardInterrupt
    return answer.noise


def _middle(length: int) -> slice:
    side = min(length, LARGEST)
    return slice((length - side) // 2, (length - side) // 2 + side)
