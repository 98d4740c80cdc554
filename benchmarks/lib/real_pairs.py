"""Pictures with noise as instruments make it, each with a mean of many shots beside it, and what others reached.

Every set is found in the folder of data by the endings of its files. What others published was mostly measured on
more pictures of a set than lie there, and by protocols that can differ in details: beside ours, not against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Published:
    """What somebody else reached: mean PSNR in dB over `pictures`, as told by `source`."""

    method: str
    psnr: float
    pictures: str
    source: str


@dataclass(frozen=True)
class RealSet:
    """A set of pairs.

    Attributes
    ----------
    what : str
        What the pictures show and what made them.
    where : tuple of (folder, noisy, clean)
        Folders within the data, and how the stem of a file ends; of the noisy one, its beginning too, up to ``*``.
    published : tuple of Published
        What others reached.
    """

    what: str
    where: tuple[tuple[str, str, str], ...]
    published: tuple[Published, ...]


def _table(source: str, pictures: str, **reached: float) -> tuple[Published, ...]:
    return tuple(Published(name.replace("_", " "), psnr, pictures, source) for name, psnr in reached.items())


PAPERS = "papers, or computed from the pictures that they ship; collected in the README of the data"
SETS = {
    "cc": RealSet(
        "photographs of three cameras as JPEG, noise correlated",
        (("pairs/cc", "_real", "_mean"), ("real", "cc_*_noisy", "_clean")),
        _table(PAPERS, "all 15", noisy=33.41, MCWNNM=36.88),
    ),
    "polyu": RealSet(
        "photographs of five cameras as JPEG, crops of Pixel2Pixel",
        (("pairs/polyu", "_real", "_mean"), ("real", "polyu_*_noisy", "_clean")),
        _table(PAPERS, "all 40", **{"noisy": 35.29, "Pixel2Pixel": 36.11, "ZS-HPD": 36.24, "NLR": 36.29}),
    ),
    "fmd": RealSet(
        "confocal, two-photon and wide-field microscopes",
        (("pairs/fmd", "_raw", "_mean"),),
        (
            *_table(PAPERS, "every third of 48", noisy=27.41),
            *_table(PAPERS, "all", **{"BM3D": 31.80, "MASH": 33.71, "BSN-INS": 33.95}),
        ),
    ),
    "oct": RealSet(
        "retinal scans of optical coherence tomography, speckle",
        (("pairs/oct", "_test", "_average"),),
        _table(PAPERS, "01 03 05 07", **{"noisy": 17.55, "BM4D": 26.73, "BM4D of the log": 27.11, "SBSDI": 27.53}),
    ),
}


def pairs(data: Path, name: str) -> dict[str, tuple[Path, Path]]:
    """Return the (noisy, clean) files of a set by the picture's name; a picture that lies there twice is one."""
    found: dict[str, tuple[Path, Path]] = {}
    for folder, pattern, clean in SETS[name].where:
        start, _, noisy = pattern.rpartition("*")
        for path in sorted((data / folder).glob(f"{start}*{noisy}.*")):
            stem = path.stem.removesuffix(noisy)
            found.setdefault(stem.removeprefix(start), (path, path.with_name(stem + clean + path.suffix)))
    return found


def read_pair(data: Path, name: str, picture: str) -> tuple[Picture, Picture]:
    """Return (clean, noisy) of one picture, uint8: (H, W) where the file is grey, else (H, W, 3)."""
    noisy, clean = pairs(data, name)[picture]
    return _read(clean), _read(noisy)


def _read(path: Path) -> Picture:
    with Image.open(path) as picture:
        return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))
