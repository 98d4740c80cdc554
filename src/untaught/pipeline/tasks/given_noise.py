"""Noise that a person says where to find: in a flat rectangle of the picture, or in other frames of the camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from untaught.errors import InputError
from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.noise import Gaussian, NoiseModel
from untaught.noise.estimation.photon_transfer import Transfer
from untaught.noise.estimation.region import region_noise
from untaught.noise.shares import percent
from untaught.operators import Operator
from untaught.operators.structure import sites
from untaught.pipeline.combine_planes import named_by_plane
from untaught.pipeline.noise_files import read_curve
from untaught.pipeline.options import Region
from untaught.pipeline.planes import Requests
from untaught.pipeline.tasks.noise_frames import transfer_of

CURVE = ".csv"
LEAST_SIDE = 8  # pixels
AT_THE_END = 0.02  # share of the values at black or at white from which on the noise is cut off there

Notes = tuple[str, ...]


def with_given_noise(
    requests: Requests, measured: Image | None = None, operator: Operator | None = None
) -> tuple[Requests, Notes]:
    """Return the requests with the noise that was told by a rectangle or by frames, and what to say of it.

    Parameters
    ----------
    requests : Requests
        What is asked; unchanged where nothing is told so, or a recipe has the law already.
    measured : Image, optional
        The picture that is restored, where it is another than the one that was given.
    operator : Operator, optional
        What was measured through: the sites of a colour filter array are taken apart.

    Raises
    ------
    InputError
        For a rectangle or frames that cannot be used.
    """
    shared, picture = requests.shared, measured or requests.picture
    if shared.noise is not None:
        return requests, ()
    if shared.noise_from is not None:
        law, notes, _ = law_from(shared.noise_from, picture)
        planes = tuple(each and replace(each, noise=law) for each in requests.planes)
        return replace(requests, shared=replace(shared, noise=law), planes=planes), notes
    if shared.noise_region is None:
        return requests, ()
    laws, said = zip(*region_laws(picture, shared.noise_region, operator), strict=True)
    planes = tuple(each and replace(each, noise=law) for each, law in zip(requests.planes, laws, strict=True))
    told = named_by_plane(list(zip(picture.labels, said, strict=True)), picture.n_planes)
    return replace(requests, planes=planes), tuple(told)


def law_from(sources: Sequence[Path], picture: Image) -> tuple[NoiseModel, Notes, Transfer | None]:
    """Return the law that frames, or a curve in the data's units, tell, what to say of it, and the frames' curve.

    Raises
    ------
    InputError
        For frames or a curve that cannot be used.
    """
    low, high = picture.value_range
    if len(sources) == 1 and sources[0].suffix.lower() == CURVE:
        law = read_curve(sources[0])  # as if its units were those of 8 bits
        return law.moved(255 / (high - low), -low / (high - low)), (), None
    transfer = transfer_of(sources)
    return transfer.law(picture.value_range), transfer.notes_for(picture.used_range), transfer


def region_laws(
    picture: Image, region: Region, operator: Operator | None = None
) -> Iterator[tuple[NoiseModel, Notes]]:
    """Yield the noise in a rectangle of every plane, and what to say of it.

    Raises
    ------
    InputError
        For a rectangle that is too small, not in the picture, or without noise.
    """
    x, y, width, height = region
    where = f"the rectangle {x},{y},{width},{height}"
    if min(width, height) < LEAST_SIDE:
        raise InputError(f"{where} is {width} x {height} pixels; mark at least {LEAST_SIDE} x {LEAST_SIDE}")
    if x + width > picture.width or y + height > picture.height:
        raise InputError(
            f"{where} (x, y, width, height) does not lie in {picture.name}, which is {picture.width} pixels wide "
            f"and {picture.height} high"
        )
    window = (slice(y, y + height), slice(x, x + width))
    for index in range(picture.n_planes):
        part = picture.plane(index, window)
        yield (Gaussian(0.0), ()) if _flat(picture, part) else _law(part, region, where, operator)


def _flat(picture: Image, part: Plane) -> bool:
    """Say whether the plane of which this is a part has one value, and is left as it is."""
    if part.values.max() > part.values.min():
        return False
    values = picture.plane(part.index).values
    return bool(values.max() == values.min())


def _law(part: Plane, region: Region, where: str, operator: Operator | None) -> tuple[NoiseModel, Notes]:
    """Return the noise of a rectangle, cut out, and what to say of it."""
    values, missing = part.values, part.missing
    ends = float(((values == 0) | (values == 1)).mean())
    gone = np.asarray(sites(missing[..., None], operator).any(-1), np.bool_)
    found = region_noise(sites(values, operator), gone)
    where = f"{where} of plane {part.label}" if part.label else where
    if found is None:
        raise InputError(f"hardly a pixel in {where} was measured; mark another")
    if found.sigma == 0:
        raise InputError(f"{where} has no noise: every value is the same; mark a flat place that shows some")
    notes = [f"the noise was measured in the rectangle {','.join(map(str, region))} alone"]
    if ends > AT_THE_END:
        notes.append(
            f"{percent(ends)} of the values there lie at black or at white, where noise is cut off, so the level "
            "is too low; mark a place of a medium shade"
        )
    if found.shared:
        notes.append(
            f"neighbouring values there agree (correlation {found.neighbours:+.2f}): either it is not flat or "
            "they share their noise, which a law of white noise leaves out"
        )
    return found.law(), tuple(notes)
