"""How much a JPEG file was compressed, from its tables alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from untaught.image.image import Image

COARSE = 10.0  # grey levels; the libraries' tables are this coarse below a quality of about 60
MAGIC = b"\xff\xd8\xff"
LOWEST = 3  # cosines down and across whose steps are looked at: what blocks and ripples are made of


def compression_notes(picture: Image) -> tuple[str, ...]:
    """Return a note about what to do if a picture was read from a JPEG file with coarse steps; else nothing."""
    step = None if picture.source is None else mean_step(picture.source)
    if step is None or step < COARSE:
        return ()
    return (
        f"this JPEG was strongly compressed, its brightness rounded in steps of {step:.0f} grey levels; "
        "'untaught dejpeg' takes blocks and ripples out",
    )


def mean_step(path: Path) -> float | None:
    """Return the mean step of the lowest cosines of brightness, in grey levels; None for another file."""
    import PIL.Image

    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return None
            file.seek(0)
            with PIL.Image.open(file, formats=("JPEG",)) as opened:
                table = opened.quantization[opened.layer[0][3]]  # type: ignore[attr-defined]
    except (OSError, AttributeError, LookupError, ValueError):  # not there any more, or a kind without tables
        return None
    return float(np.mean(np.reshape(table, (8, 8))[:LOWEST, :LOWEST]))
