"""A folder of noisy pictures: what lies in it, what of it can be learned from, and what is kept back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod
from pathlib import Path

import numpy as np

from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.image.find_format import SUFFIXES, is_named_as_picture
from untaught.image.image import Image
from untaught.image.plane import Plane

KEPT_BACK = 0.05  # share of the pictures that is judged by and not learned from
MOST_KEPT_BACK = 16
MOST_NAMED = 3  # files that a note names


@dataclass(frozen=True)
class Page:
    """One plane of a file, of a size and a number of channels.

    `second` is another exposure of it, or None: a plane of the same file, or of `other` where that is given.
    `around` are the planes that are seen with it, and `series` those that it is one of, where there are any.
    """

    path: Path
    index: int
    height: int
    width: int
    channels: int
    second: int | None = None
    other: Path | None = None
    around: tuple[int, ...] = ()
    series: tuple[int, ...] = ()


@dataclass(frozen=True)
class Folder:
    """What was found in a folder.

    Attributes
    ----------
    path : Path
        The folder.
    pages : tuple of Page
        The planes that can be learned from, in the order of their names.
    ranges : tuple of (float, float)
        The value ranges of the pictures, each once.
    axes, types : tuple of str
        Their axes and number types, each once.
    left_out : tuple of str
        A sentence for every file that cannot be used.
    sha256 : str
        Hash of the names and sizes of the files.
    """

    path: Path
    pages: tuple[Page, ...]
    ranges: tuple[tuple[float, float], ...]
    axes: tuple[str, ...]
    types: tuple[str, ...]
    left_out: tuple[str, ...]
    sha256: str

    @property
    def channels(self) -> int:
        """Channels of every plane."""
        return self.pages[0].channels

    def split(self, seed: int) -> tuple[tuple[Page, ...], tuple[Page, ...]]:
        """Return the pages to learn from and those to judge by: whole files, or planes where there is one file.

        Raises
        ------
        InputError
            Where there is only one plane.
        """
        files = list(dict.fromkeys(page.path for page in self.pages))
        planes = list(dict.fromkeys((page.path, page.index) for page in self.pages))
        units: Sequence[object] = files if len(files) > 1 else planes
        if len(units) < 2:
            raise InputError(
                f"{self.path} holds one picture that can be used; give at least two, for one is kept back to be "
                "judged by, or restore it with 'untaught denoise'"
            )
        count = min(MOST_KEPT_BACK, max(1, round(KEPT_BACK * len(units))))
        chosen = np.random.default_rng(seed).permutation(len(units))[:count]
        kept = {units[i] for i in chosen}
        back = [page.path in kept or (page.path, page.index) in kept for page in self.pages]
        judged = [page for page, out in zip(self.pages, back, strict=True) if out]
        learned = tuple(page for page, out in zip(self.pages, back, strict=True) if not out)
        step = -(-len(judged) // MOST_KEPT_BACK)
        return learned, tuple(judged[::step])


def scan(path: Path, side: int, second: Path | None = None) -> Folder:
    """Look at every picture in a folder and the folders in it; only what is no picture at all is passed over.

    Parameters
    ----------
    path : Path
        The folder.
    side : int
        Pixels that a picture must have on each side.
    second : Path, optional
        Another folder, with another exposure of every picture under the same name.

    Raises
    ------
    InputError
        Where there is no folder, or nothing in it can be used, or its pictures have different channels.
    """
    files = _files(path)
    pages: list[Page] = []
    left_out: list[str] = []
    seen: dict[str, dict[object, None]] = {"ranges": {}, "axes": {}, "types": {}}
    for file in files:
        try:
            image = as_image(file)
            found = _pages(file, image, side)
            pages += found if second is None else _paired(found, image, second / file.relative_to(path))
        except InputError as error:
            left_out.append(str(error))
            continue
        for name, value in (
            ("ranges", image.value_range),
            ("axes", image.axes),
            ("types", str(image.array.dtype)),
        ):
            seen[name][value] = None
    if not pages:
        first = f" ({left_out[0]})" if left_out else ""
        raise InputError(f"no picture in {path} can be learned from{first}")
    _refuse_mixed(path, pages)
    return Folder(
        path,
        tuple(pages),
        ranges=tuple(seen["ranges"]),  # type: ignore[arg-type]
        axes=tuple(seen["axes"]),  # type: ignore[arg-type]
        types=tuple(seen["types"]),  # type: ignore[arg-type]
        left_out=tuple(left_out),
        sha256=_sha256(path, files) if second is None else _sha256_of_both(path, second, files),
    )


def _files(path: Path) -> list[Path]:
    try:
        if not path.exists():
            raise InputError(f"{path} does not exist; check the name")
        if not path.is_dir():
            raise InputError(f"{path} is not a folder; give one that holds noisy pictures")
        found = sorted(file for file in path.rglob("*") if is_named_as_picture(file) and file.is_file())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    files = [file for file in found if not file.name.startswith(".")]
    if not files:
        raise InputError(f"{path} holds no picture; those that are read end in {', '.join(SUFFIXES)}")
    return files


def _pages(file: Path, image: Image, side: int) -> list[Page]:
    if min(image.height, image.width) < side:
        raise InputError(
            f"{file} is {image.width} x {image.height} pixels, smaller than a patch; "
            f"give larger pictures, or patches of fewer than {side} pixels on a side"
        )
    groups = image.n_planes // prod(image.lead_shape)
    pages = []
    for index in range(image.n_planes):
        channels = window(image, index % groups, 0, 0, 1).values.shape[-1]
        after = index + groups if index + groups < image.n_planes else index - groups
        pages.append(Page(file, index, image.height, image.width, channels, after if after >= 0 else None))
    return pages


def _paired(pages: Sequence[Page], image: Image, other: Path) -> list[Page]:
    """Return the pages with those of another file as their second exposures."""
    found = as_image(other)
    if not found.matches(image):
        raise InputError(
            f"{other} is not of the same size and axes as {pages[0].path}, of which it is to be a pair"
        )
    return [replace(page, second=page.index, other=other) for page in pages]


def _refuse_mixed(path: Path, pages: Sequence[Page]) -> None:
    first = {page.channels: page for page in reversed(pages)}
    if len(first) > 1:
        found = " and ".join(f"{count} ({first[count].path.name})" for count in sorted(first))
        raise InputError(
            f"{path} holds pictures with different numbers of channels, {found}; put them into two folders"
        )


def _sha256(path: Path, files: Sequence[Path]) -> str:
    lines = [f"{file.relative_to(path).as_posix()} {file.stat().st_size}\n" for file in files]
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def _sha256_of_both(path: Path, second: Path, files: Sequence[Path]) -> str:
    others = [second / file.relative_to(path) for file in files]
    both = _sha256(path, files) + _sha256(second, [other for other in others if other.is_file()])
    return hashlib.sha256(both.encode()).hexdigest()


def window(image: Image, index: int, top: int, left: int, side: int) -> Plane:
    """Return a square of one plane, less where the picture ends, as `Image.planes` would give it."""
    groups = image.n_planes // prod(image.lead_shape)
    where = np.unravel_index(index // groups, image.lead_shape)
    cut = {axis: slice(int(at), int(at) + 1) for axis, at in zip(image.lead_axes, where, strict=True)}
    cut |= {"Y": slice(top, top + side), "X": slice(left, left + side)}
    array = image.array[tuple(cut.get(axis, slice(None)) for axis in image.axes)]
    return next(islice(replace(image, array=array).planes(), index % groups, None))


def named(sentences: Sequence[str], what: str) -> str:
    """Return a note about several files, the first of them in full."""
    few = "; ".join(sentences[:MOST_NAMED])
    more = len(sentences) - MOST_NAMED
    return f"{what}: {few}" + (f"; and {more} more" if more > 0 else "")
