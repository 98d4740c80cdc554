"""The other pictures of a TIFF, written unchanged behind the one that was restored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from untaught.image.formats.exif import DESCRIPTION
from untaught.image.formats.tiff_layout import TIFFFILE_ERRORS, Other
from untaught.image.formats.tiff_pixels import photometric

_PROGRAMS = ("ome", "imagej", "shaped")  # what these say in a description is of the pages of their own file


def write_others(tif: Any, source: Path | None, others: Sequence[Other]) -> None:
    """Write the pictures `others` of the file `source` with tifffile's writer, without loss.

    They are read again now, one by one, so that they never are in memory all at once. Where the file is gone,
    there is nothing to write; one that is damaged is black, for it is no reason to lose the one that was restored.
    """
    import tifffile

    if not others or source is None or not source.is_file():
        return
    with tifffile.TiffFile(source) as read:
        for other in others:
            series = read.series[other.index]
            try:
                array = np.asarray(series.asarray())
            except TIFFFILE_ERRORS:
                array = np.zeros(series.shape, series.dtype)
            if not array.size:  # broken: nothing of it can be written
                continue
            tif.write(array, compression="ADOBE_DEFLATE", **_options(series))


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
