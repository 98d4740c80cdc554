"""Several methods on one picture, side by side."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from untaught.errors import InputError, OutputError, quoted
from untaught.image.atomic import made_folder, write_text
from untaught.image.files import as_image, beside, check_writable, write
from untaught.image.image import Image
from untaught.image.metrics import check_reference, quality
from untaught.image.orientation import laid_as
from untaught.image.output_type import output_type_of
from untaught.methods.registry import TUNED, make
from untaught.noise import NoiseModel
from untaught.pipeline.options import Listener, device_of, listener_of, noise_of, seconds_of, seed_of
from untaught.pipeline.tasks.denoise import denoise
from untaught.results.comparison import Compared, Row
from untaught.results.comparison_page import page

FALLBACK = ".tif"  # holds every picture, where the input's own extension does not


@dataclass(frozen=True)
class Comparison(Compared):
    """Rows in the order asked for, which can be saved; see `Compared` for what is there."""

    def save(self, folder: str | Path) -> Path:
        """Write `<stem>.<method>.<ext>` for every method, `comparison.html` and `comparison.json`.

        Parameters
        ----------
        folder : str or Path
            Where; it is made if need be. The pictures have the format of the input.

        Returns
        -------
        Path
            The HTML page.

        Raises
        ------
        InputError, OutputError
            When a file cannot be written, or is an input.
        """
        folder = made_folder(folder)
        protect = None if self.reference is None else self.reference.source
        pictures = [result.picture for result in self.results.values()]
        targets = places(folder, pictures[0] if pictures else self.input, [row.method for row in self.rows])
        for method, result in self.results.items():
            write(targets[method], result.picture, protect=protect)
        texts = {
            "comparison.json": json.dumps(self.as_dict(), indent=2, default=str) + "\n",
            "comparison.html": page(self),
        }
        for name, text in texts.items():
            write_text(folder / name, text, (self.input.source, protect))
        return folder / "comparison.html"


def compare(
    image: str | Path | Image | NDArray[Any],
    methods: Sequence[str],
    *,
    axes: str | None = None,
    reference: str | Path | Image | NDArray[Any] | None = None,
    noise: str | NoiseModel = "auto",
    seed: int = 0,
    time_limit: float | None = None,
    device: str = "auto",
    output_type: str = "same",
    on_progress: Listener | None = None,
) -> Comparison:
    """Run several methods on one picture.

    Parameters
    ----------
    image : path, Image or ndarray
        As in `untaught.denoise`.
    methods : sequence of str
        Names from `untaught.methods.METHODS`, or 'auto'; one named twice is run once.
    axes : str, optional
        What the axes of the picture are, as in `untaught.denoise`.
    reference : path, Image or ndarray, optional
        The clean picture, for the true PSNR and SSIM; of any type, see `untaught.image.metrics.quality`.
    noise : str or noise model
    seed : int
    device : str
    output_type : str
    on_progress : callable, optional
        As in `untaught.denoise`.
    time_limit : float, optional
        Seconds for each of the methods.

    Returns
    -------
    Comparison
        A method that could not be run has a row that says why.

    Raises
    ------
    InputError
        If the picture, the reference, a name or an option cannot be used.
    """
    picture = as_image(image, axes)
    clean = None if reference is None else laid_as(beside(reference, picture), picture, alike=True)
    if clean is not None:
        check_reference(picture, clean)
    names = checked_names(methods)
    settings = {
        "noise": noise_of(noise, None) or "auto",
        "seed": seed_of(seed),
        "time_limit": seconds_of(time_limit),
        "device": device_of(device),
        "output_type": output_type_of(output_type),
        "on_progress": listener_of(on_progress),
    }
    rows: list[Row] = []
    for row in _rows(picture, names, clean, settings):
        rows.append(row)
    interrupted = any(row.result is not None and row.result.interrupted for row in rows) or len(rows) < len(names)
    rows += [Row(name, reason="it was not reached: interrupted") for name in names[len(rows) :]]
    before = None if clean is None else quality(picture, clean)
    return Comparison(picture, tuple(rows), clean, before, interrupted)


def checked_names(methods: Sequence[str]) -> list[str]:
    """Return the names without doubles.

    Raises
    ------
    InputError
        When there is none, or one that is not a method; for names that are no list.
    """
    if isinstance(methods, str) or not isinstance(methods, Sequence):
        raise InputError(f"methods is {quoted(methods)}; give a list of names, such as ['nonlocal', 'r2r']")
    for name in methods:
        if not isinstance(name, str):
            raise InputError(f"a method to compare is given by its name, and {quoted(name)} is no text")
    names = list(dict.fromkeys(name.strip() for name in methods if name.strip()))
    if not names:
        raise InputError("no methods were named; write for example nonlocal,r2r")
    for name in names:
        if name != "auto":
            make(name)
    return names


def places(folder: Path, picture: Image, methods: Iterable[str]) -> dict[str, Path]:
    """Return where each method's picture goes, `<stem>.<method>.<ext>`; of a model, the file's name is the method.

    The extension is the input's, .tif where that cannot hold the picture. Models of one name are numbered.
    """
    found: dict[str, Path] = {}
    taken: set[str] = set()
    for method in methods:
        label = again = _label(method)
        number = 1
        while again.casefold() in taken:  # what differs in its case alone is one file on some systems
            number += 1
            again = f"{label}-{number}"
        taken.add(again.casefold())
        found[method] = _place(folder, picture, again)
    return found


def _label(method: str) -> str:
    """Return a method's name without the folders that a model lies in."""
    kind = TUNED.prefix if method.startswith(TUNED.prefix) else ""
    return kind + re.split(r"[/\\]", method)[-1].removeprefix(kind)


def _place(folder: Path, picture: Image, label: str) -> Path:
    name = picture.source.name if picture.source is not None else "picture"
    stem, dot, extension = name.rpartition(".")
    path = folder / (f"{stem}.{label}.{extension}" if dot and stem else f"{name}.{label}{FALLBACK}")
    try:
        check_writable(path, picture)
    except InputError:
        return path.with_suffix(FALLBACK)
    except OutputError:  # the folder's fault, not the extension's: let the writing say so
        return path
    return path


def _rows(picture: Image, names: Sequence[str], clean: Image | None, settings: dict[str, Any]) -> Iterator[Row]:
    """Yield a row a method, until there is no more or Ctrl-C comes."""
    for name in names:
        started = time.monotonic()
        try:
            result = denoise(picture, method=name, **settings)
            scores = None if clean is None else quality(result.picture, clean)
        except InputError as error:
            yield Row(name, reason=str(error), seconds=time.monotonic() - started)
            continue
        except KeyboardInterrupt:
            return
        if result.interrupted and result.method == "none":
            return
        yield Row(name, result, scores, seconds=result.seconds)
        if result.interrupted:
            return
