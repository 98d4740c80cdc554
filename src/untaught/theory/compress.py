"""One picture in few numbers by several coders, side by side: what `untaught compress` does."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught._version import __version__
from untaught.errors import InputError, quoted
from untaught.fitting.progress import Progress
from untaught.image.atomic import made_folder, write_text
from untaught.image.files import as_image, write
from untaught.image.image import Image
from untaught.noise.shares import GAPS, part
from untaught.pipeline.options import listener_of, seconds_of, seed_of
from untaught.results.display import data_uri
from untaught.results.html import document, paragraph, section, table
from untaught.theory.coders import Array, Compressed, compress, jpeg, wavelet

PAGE, VALUES = "compression.html", "compression.json"
CODERS = ("deep-decoder", "wavelet", "jpeg")
FACTOR = 31.0  # the higher of the two in the deep decoder's paper, where it was ahead of wavelets
CROP = 256


@dataclass(frozen=True)
class Coded:
    """A picture by several coders, each with at most the decoder's count of numbers where it can.

    Attributes
    ----------
    name, source : str, Path or None
        The file, or 'the picture' and None.
    picture : ndarray
        What was coded, (H, W, C), in [0, 1].
    rows : tuple of Compressed
        'deep-decoder', 'wavelet' and 'jpeg', in this order.
    seconds : float
        For all.
    seed : int
        Which the decoder's code is drawn from.
    notes : tuple of str
        What was done to the picture first, in sentences.
    """

    name: str
    source: Path | None
    picture: Array
    rows: tuple[Compressed, ...]
    seconds: float
    seed: int
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the findings for JSON."""
        return {
            "input": self.name,
            "values": int(self.picture.size),
            "coders": [
                {
                    "coder": name,
                    "setting": row.method,
                    "numbers": row.numbers,
                    "factor": round(row.factor, 3),
                    "psnr": round(row.psnr, 4),
                }
                for name, row in zip(CODERS, self.rows, strict=True)
            ],
            "seconds": round(self.seconds, 3),
            "seed": self.seed,
            "version": __version__,
            "notes": list(self.notes),
        }

    def describe(self) -> str:
        """Return the findings as lines for a person."""
        lines = [
            f"{r.method:<24}{r.numbers:>9} numbers, factor {r.factor:6.1f}: {r.psnr:.2f} dB" for r in self.rows
        ]
        return "\n".join([*lines, self.verdict()])

    def verdict(self) -> str:
        """Say in a sentence how the decoder does against the others."""
        ours = self.rows[0]
        parts = []
        for name, row in zip(CODERS[1:], self.rows[1:], strict=True):
            ahead = ours.psnr - row.psnr
            count = (
                "" if row.numbers <= ours.numbers else f", which needs {row.numbers} numbers even at its coarsest"
            )
            parts.append(f"{abs(ahead):.1f} dB {'above' if ahead >= 0 else 'below'} {name}{count}")
        return f"With {ours.numbers} numbers the deep decoder is {' and '.join(parts)}."

    def save(self, folder: str | Path) -> Path:
        """Write compression.html, compression.json and an 8-bit PNG by every coder; return the page.

        Raises
        ------
        InputError, OutputError
            See `check_folder`.
        """
        folder = check_folder(folder, self.source)
        for name, row in zip(CODERS, self.rows, strict=True):
            image = _levels(row.image)
            write(folder / f"{name}.png", Image.of(image.squeeze(), "YX" if image.shape[2] == 1 else "YXS"))
        write_text(folder / VALUES, json.dumps(self.as_dict(), indent=2, allow_nan=False) + "\n")
        write_text(folder / PAGE, _page(self))
        return folder / PAGE


def code(
    image: str | Path | Image | NDArray[Any],
    *,
    axes: str | None = None,
    factor: float = FACTOR,
    seed: int = 0,
    time_limit: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Coded:
    """Turn a picture into few numbers: the weights of a deep decoder, wavelet and JPEG coefficients.

        factor = values of the picture / numbers

    Parameters
    ----------
    image : path, Image or ndarray
        One picture, as clean as there is.
    axes : str, optional
        What the axes of the picture are, as in `untaught.denoise`.
    factor : float
        Above 1.
    seed : int
        The decoder's code is drawn from it and costs nothing.
    time_limit : float, optional
        Seconds for the decoder's fit.
    on_progress : callable, optional
        Called with a `fitting.progress.Progress` now and then.

    Raises
    ------
    InputError
        For a stack, a factor that leaves no numbers or is not above 1, or a time limit too short for one step.

    References
    ----------
    Heckel, Hand, "Deep Decoder", ICLR 2019, section on compression.
    """
    started = time.monotonic()
    seed, limit = seed_of(seed), seconds_of(time_limit)
    factor, on_progress = _factor(factor), listener_of(on_progress)
    picture = as_image(image, axes)
    if picture.n_planes > 1:
        raise InputError(f"{picture.name} has {picture.n_planes} planes; give one picture, grey or in colours")
    plane = next(picture.planes())
    notes = picture.notes
    if plane.missing.any():
        notes += (part(int(plane.missing.sum()), plane.missing.size, "pixel", GAPS),)
    values = np.clip(plane.values, 0, 1)
    ours = compress(
        values, int(values.size / factor), seed=seed, seconds=limit, on_progress=listener_of(on_progress)
    )
    rows = (ours, wavelet(values, ours.numbers), jpeg(values, ours.numbers))
    return Coded(picture.name, picture.source, values, rows, time.monotonic() - started, seed, notes)


def _factor(factor: Any) -> float:
    if not (isinstance(factor, Real) and math.isfinite(factor) and float(factor) > 1):
        raise InputError(f"the factor is {quoted(factor)}; give a number above 1, such as {FACTOR:g}")
    return float(factor)


def check_folder(folder: str | Path, source: Path | None) -> Path:
    """Make the folder, if need be, and refuse one that cannot be written to, or where a file is the input.

    Raises
    ------
    InputError, OutputError
        One sentence about what is wrong.
    """
    return made_folder(folder, (PAGE, VALUES, *(f"{coder}.png" for coder in CODERS)), (source,))


def _levels(values: Array) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.rint(255 * values).astype(np.uint8)
    return levels


def _page(coded: Coded) -> str:
    name = coded.source.name if coded.source is not None else coded.name
    rows = [[r.method, f"{r.numbers}", f"{r.factor:.1f}", f"{r.psnr:.2f} dB"] for r in coded.rows]
    head = ["coder", "numbers", "values for each", "PSNR"]
    about = (
        "A picture as few numbers. The deep decoder draws it from weights alone; wavelets and JPEG keep so many "
        "coefficients that are not zero. How many bits a number takes is another matter, and not counted here."
    )
    notes = "".join(paragraph(f"{note[:1].upper()}{note[1:]}.", "soft") for note in coded.notes)
    parts = [
        f"<h1>{escape(name)} in {coded.rows[0].numbers} numbers</h1>",
        paragraph(about, "soft"),
        f'<p class="verdict">{escape(coded.verdict())}</p>',
        notes,
        section("The coders", table(head, rows, " nnn")),
        section("The middle of the picture, 1:1", _strip(coded)),
    ]
    return document(f"{name} · compressed · untaught", "\n".join(parts))


def _strip(coded: Coded) -> str:
    height, width = coded.picture.shape[:2]
    h, w = min(CROP, height), min(CROP, width)
    top, left = (height - h) // 2, (width - w) // 2
    shown = {"the picture": coded.picture} | {row.method: row.image for row in coded.rows}
    figures = [
        f'<figure><img class="pixels" src="{data_uri(_levels(image[top:, left:][:h, :w]))}" width="{w}" '
        f'height="{h}" alt="{escape(name)}"><figcaption><b>{escape(name)}</b></figcaption></figure>'
        for name, image in shown.items()
    ]
    return f'<div class="strip">{"".join(figures)}</div>'
