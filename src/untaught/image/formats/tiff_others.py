"""The other pictures of a TIFF, written unchanged behind the one that was restored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.formats.exif import DESCRIPTION
from untaught.image.formats.tiff_pixels import photometric

_PROGRAMS = ("ome", "imagej", "shaped")  # what these say in a description is of the pages of their own file


def write_others(tif: Any, source: Path | None, others: tuple[int, ...]) -> None:
    """Write the series `others` of the file `source` with tifffile's writer, without loss.

    They are read again now, one by one, so that they never are in memory all at once; where the file is gone,
    there is nothing to write.
    """
    if not others or source is None or not source.is_file():
        return
    for array, options in _others(source, others):
        tif.write(array, compression="ADOBE_DEFLATE", **options)


def _others(source: Path, others: tuple[int, ...]) -> Iterator[tuple[NDArray[Any], dict[str, Any]]]:
    import tifffile

    with tifffile.TiffFile(source) as tif:
        for index in others:
            series = tif.series[index]
            yield np.asarray(series.asarray()), _options(series)


def _options(series: Any) -> dict[str, Any]:
    """Say what the values of a series are, as its own pages do."""
    page = series.keyframe
    name = photometric(page)
    options: dict[str, Any] = {"photometric": "RGB" if name == "YCBCR" else name, "metadata": None}
    if name == "PALETTE":
        options["colormap"] = page.colormap
    if "S" in series.axes:
        options["planarconfig"] = "contig" if series.axes.endswith("S") else "separate"
        if page.extrasamples:
            options["extrasamples"] = page.extrasamples
    if DESCRIPTION in page.tags and series.kind not in _PROGRAMS:
        options["description"] = str(page.description).encode()
    elif len(series.shape) > 3:
        options["metadata"] = {"axes": series.axes}
    return options
