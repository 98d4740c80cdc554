"""Files into layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from untaught.errors import UntaughtError
from untaught.image.files import read
from untaught.image.find_format import format_of
from untaught.image.formats.exif import turned_block
from untaught.image.orientation import UPRIGHT, upright
from untaught.napari.layers import LayerData, layers_of


def get_reader(path: str | list[str]) -> Callable[[str], list[LayerData]] | None:
    """Return what reads a file into layers; None for a file that is not read here, and for several as one stack.

    Parameters
    ----------
    path : str or list of str
        What was dropped or opened.
    """
    if isinstance(path, list):
        return None
    try:
        format_of(Path(path), None)
    except UntaughtError:
        return None
    return read_layers


def read_layers(path: str) -> list[LayerData]:
    """Return the layers of a file, as it is shown: turned where its EXIF says so.

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    picture = upright(read(path))
    if "exif" in picture.metadata:
        exif = turned_block(picture.metadata["exif"], UPRIGHT)
        picture = replace(picture, metadata=picture.metadata | {"exif": exif})
    return layers_of(picture, Path(path).name)
