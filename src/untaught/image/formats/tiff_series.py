"""Which pictures a TIFF holds, and which of them is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.image.formats.base import BrokenError, CutOffError, broken_by
from untaught.image.formats.tiff_layout import TIFFFILE_ERRORS, Other
from untaught.image.formats.tiff_pixels import is_readable
from untaught.image.reading import Reading

_ONE_PAGE = ("YX", "YXS", "SYX")
_MOST_NAMED = 6  # pictures that a note lists


@dataclass(frozen=True)
class Chosen:
    """What is read of a TIFF.

    Attributes
    ----------
    series : tuple
        tifffile's series; several, all alike, are a stack.
    page : TiffPage or None
        The page that is read alone.
    others : tuple of Other
        What belongs behind it when it is written.
    image : tuple of int
        Which of how many pictures in the file it is, or the first of it.
    notes : tuple of str
        What was left, and what can be asked for.
    """

    series: tuple[Any, ...]
    page: Any = None
    others: tuple[Other, ...] = ()
    image: tuple[int, int] = (0, 1)
    notes: tuple[str, ...] = ()

    @property
    def keyframe(self) -> Any:
        """The page that stands for all of them."""
        return self.page if self.page is not None else self.series[0].keyframe

    @property
    def kind(self) -> str:
        """Who wrote the file, in tifffile's word; a page alone is of no program's making."""
        return "generic" if self.page is not None else str(self.series[0].kind)

    @property
    def axes(self) -> str:
        """One letter for each dimension."""
        inner = str(self.page.axes if self.page is not None else self.series[0].axes)
        return inner if len(self.series) < 2 else "I" + inner

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        inner = tuple(self.page.shape if self.page is not None else self.series[0].shape)
        return inner if len(self.series) < 2 else (len(self.series), *inner)

    def pages(self) -> Iterator[Any]:
        """Yield the pages that are in the file; a page of a series may be missing, and is zero."""
        if self.page is not None:
            yield self.page
        for series in self.series:
            yield from (page for page in series.pages if page is not None)

    def asarray(self) -> NDArray[Any]:
        """Decode it."""
        if self.page is not None:
            return np.asarray(self.page.asarray())
        arrays = [series.asarray() for series in self.series]
        return np.asarray(arrays[0] if len(arrays) == 1 else np.stack(arrays))


def choose(tif: Any, path: Path, reading: Reading) -> Chosen:
    """Choose what is read: what was asked for, or the main picture.

    Raises
    ------
    InputError
        Where there is no such series or page.
    CutOffError, BrokenError
        Where nothing can be chosen.
    """
    with broken_by(*TIFFFILE_ERRORS):
        pages = len(tif.pages)
    if pages == 0:
        raise CutOffError
    if reading.series is None and reading.page is not None:
        return _one_page(tif.pages, reading.page, f"{path}")
    with broken_by(*TIFFFILE_ERRORS):
        series = list(tif.series)
    if not series or not all(prod(one.shape) for one in series):
        raise BrokenError("it has no picture")
    if reading.series is None:
        return _main(series)
    if reading.series >= len(series):
        raise InputError(f"{path} has {_counted(len(series), 'picture')}, so there is no series {reading.series}")
    if reading.page is not None:
        return _one_page(series[reading.series].pages, reading.page, f"series {reading.series} of {path}")
    one = series[reading.series]
    notes = [] if len(series) == 1 else [f"series {reading.series} was read; the others are not in the result"]
    return Chosen((one,), image=(reading.series, len(series)), notes=(*notes, *_levels_note(one.levels[1:])))


def _counted(count: int, what: str) -> str:
    """Return how many there are, and how they are counted."""
    return f"one {what}, number 0" if count == 1 else f"{count} {what}s, from 0 to {count - 1}"


def _one_page(pages: Any, index: int, where: str) -> Chosen:
    count = len(pages)
    if index >= count:
        raise InputError(f"{where} has {_counted(count, 'page')}, so there is no page {index}")
    with broken_by(*TIFFFILE_ERRORS):
        page = pages[index]
        if page is not None and not hasattr(page, "tags"):  # it shares the directory of another
            page = page.aspage()
    if page is None:
        raise InputError(f"page {index} of {where} holds no values; take another")
    note = f"page {index} was read alone; the others are not in the result"
    return Chosen((), page=page, notes=(note,) if count > 1 else ())


def _main(series: Sequence[Any]) -> Chosen:
    """Choose the largest picture, with those that are like it as a stack, and say what else there is."""
    pictures = [one for one in series if not one.keyframe.is_reduced] or series[:1]
    main = max(pictures, key=lambda one: prod(one.shape))
    taken = [main]
    if main.kind == "shaped" and main.axes in _ONE_PAGE:
        taken = [one for one in pictures if _alike(one, main)]
    copies = [one for one in series if one not in taken and _is_copy(one, main)]
    others = [one for one in series if one not in taken and one not in copies]
    kept = [one for one in others if main.kind != "imagej" and is_readable(one.keyframe)]
    notes = []
    if len(taken) > 1:
        notes.append(f"{len(taken)} pictures of one size and type were read as a stack; '--series N' takes one")
    if others:
        notes.append(
            f"the file holds {len(others) + len(taken)} pictures and the largest is restored, series "
            f"{series.index(main)} ({_size(main)}); left as they are: {_listed(series, kept)}"
            if kept == others
            else f"the largest of {len(others) + len(taken)} pictures in the file is restored, series "
            f"{series.index(main)} ({_size(main)}), without {_listed(series, others)}"
        )
        notes[-1] += "; '--series N' restores another"
    notes += _levels_note([*main.levels[1:], *copies])
    behind = tuple(Other(series.index(one), _n_pages(one), int(one.nbytes)) for one in kept)
    return Chosen(tuple(taken), None, behind, (series.index(main), len(series)), tuple(notes))


def _n_pages(series: Any) -> int:
    """Return how many pages a series takes, one for each place along the axes that a page does not have."""
    return prod(size for size, axis in zip(series.shape, series.axes, strict=True) if axis not in "YXS")


def _alike(one: Any, other: Any) -> bool:
    pages = [(s.shape, s.dtype, s.axes, s.keyframe.photometric, s.keyframe.extrasamples) for s in (one, other)]
    return pages[0] == pages[1]


def _is_copy(one: Any, main: Any) -> bool:
    """Tell a smaller copy of the main picture, which is stale beside the restored one: it says so and looks so."""
    if not (one.keyframe.is_reduced or one.name == "Thumbnail"):
        return False
    (h, w), (height, width) = _sides(one), _sides(main)
    return h <= height and w <= width and abs(h * width - w * height) <= max(height, width)


def _sides(series: Any) -> tuple[int, int]:
    page = series.keyframe
    return int(page.imagelength), int(page.imagewidth)


def _levels_note(copies: Sequence[Any]) -> list[str]:
    if not copies:
        return []
    sizes = ", ".join(_size(copy) for copy in copies)
    what = "a smaller copy" if len(copies) == 1 else f"{len(copies)} smaller copies"
    return [f"{what} of the picture in the file ({sizes}) {'is' if len(copies) == 1 else 'are'} not in the result"]


def _size(series: Any) -> str:
    return " x ".join(str(side) for side in series.shape)


def _listed(series: Sequence[Any], some: Sequence[Any]) -> str:
    words = []
    for one in some[:_MOST_NAMED]:
        name = f" {one.name!r}" if one.name else ""
        words.append(f"series {series.index(one)}{name} ({_size(one)})")
    more = len(some) - _MOST_NAMED
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")


def refuse_cut_off(chosen: Chosen) -> None:
    """Look before decoding whether the file reaches as far as its pages say."""
    with broken_by(*TIFFFILE_ERRORS):
        pages = [(page, prod(page.chunked)) for page in chosen.pages()]
    for page, pieces in pages:
        offsets, counts = page.dataoffsets, page.databytecounts
        if len(offsets) != len(counts):
            raise BrokenError("a page has more pieces than places")
        if len(offsets) < pieces:
            raise BrokenError("a page is larger than its pieces")
        if len(offsets) and max(map(sum, zip(offsets, counts, strict=True))) > page.parent.filehandle.size:
            raise CutOffError
