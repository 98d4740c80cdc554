"""The planes of a folder's stacks with their neighbours, for a network that sees these too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.method import runs_of
from untaught.methods.self_supervised.learner import Learner
from untaught.methods.self_supervised.neighbours import places_around
from untaught.methods.self_supervised.noise2noise import Noise2Noise, ways_from
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.pipeline.stacks.find_series import find_series
from untaught.training.dataset import Folder, Page


def learner_beside(learner: Learner, neighbours: int) -> OnePicture:
    """Return a learner for planes with so many neighbours on each side.

    Raises
    ------
    InputError
        If it has no use for them.
    """
    if not (isinstance(learner, OnePicture) and runs_of(learner).shared):
        raise InputError(
            f"{learner.name} learns from one plane alone, without neighbours; leave them out, or choose another "
            "method, such as r2r, n2v or n2n"
        )
    return replace(learner, neighbours=neighbours)


def with_neighbours(found: Folder, learner: OnePicture) -> Folder:
    """Return the folder with the planes that follow others of the same scene, and with those that they follow.

    A plane that is to be predicted from others is there once for every one that it may be.

    Raises
    ------
    InputError
        If there are none.
    """
    kept: list[Page] = []
    left_out: list[str] = []
    for path in dict.fromkeys(page.path for page in found.pages):
        pages = {page.index: page for page in found.pages if page.path == path}
        more = [page for series in _series(path) for page in _of(series, pages, learner)]
        kept += more
        if not more:
            left_out.append(f"{path} has no planes that follow each other and show the same")
    if not kept:
        raise InputError(
            f"{found.path} holds no stack whose planes follow each other along T or Z and show the same; give "
            "stacks, or leave the neighbours out"
        )
    return replace(found, pages=tuple(kept), left_out=(*found.left_out, *left_out))


def _series(path: Path) -> list[tuple[int, ...]]:
    return [one.planes for one in find_series(as_image(path), "auto").series]


def _of(series: tuple[int, ...], pages: dict[int, Page], learner: OnePicture) -> list[Page]:
    count, made = len(series), []
    for place, index in enumerate(series):
        page = replace(pages[index], series=series)
        if isinstance(learner, Noise2Noise):
            for way in ways_from(place, count):
                around = tuple(series[at] for at in learner.around(place, way, count))
                made.append(replace(page, around=around, second=series[place + way], other=None))
        else:
            around = tuple(series[at] for at in places_around(place, count, learner.neighbours))
            made.append(replace(page, around=around))
    return made
