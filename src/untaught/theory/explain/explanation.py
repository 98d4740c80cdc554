"""Why an untrained network restores a picture, and when to stop it: the instruments of `theory` on a picture."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from untaught.errors import InputError, quoted
from untaught.fitting.progress import Progress
from untaught.image.atomic import made_folder, whole_file
from untaught.image.files import as_image
from untaught.image.image import Image
from untaught.noise import NoiseModel
from untaught.pipeline.options import listener_of, noise_of, seconds_of, seed_of
from untaught.theory.explain.experiments import Experiment, Work
from untaught.theory.explain.findings import Findings
from untaught.theory.explain.page import PLOTS, page
from untaught.theory.explain.plots import plots, png
from untaught.theory.explain.subject import subject_of
from untaught.theory.explain.text import sentences, summary, tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, VALUES = "explanation.html", "explanation.json"


@dataclass(frozen=True)
class Explanation(Findings):
    """What was found, in words, plots and on a page; see `Findings` for the numbers."""

    def as_dict(self, curves: bool = True) -> dict[str, Any]:
        """Return the findings for JSON; `curves` says whether with the curves."""
        return summary(self) | (tables(self) if curves else {})

    def describe(self) -> str:
        """Return the findings as lines for a person."""
        return "\n\n".join(sentences(self).values())

    def plots(self) -> dict[str, Figure]:
        """Return the plots by file name, without extension."""
        return plots(self)

    def save(self, folder: str | Path) -> Path:
        """Write explanation.html, explanation.json and a PNG of every plot; return the page.

        Raises
        ------
        InputError, OutputError
            See `check_folder`.
        """
        folder = check_folder(folder, self.source)
        pictures = {f"{name}.png": png(figure) for name, figure in self.plots().items()}
        text = json.dumps(self.as_dict(), indent=2, allow_nan=False) + "\n"
        files = pictures | {VALUES: text.encode(), PAGE: page(self, pictures).encode(errors="replace")}
        for name, content in files.items():
            with whole_file(folder / name) as stream:
                stream.write(content)
        return folder / PAGE


def check_folder(folder: str | Path, source: Path | None) -> Path:
    """Make a folder for an explanation, if need be, and refuse it before there is anything to write.

    Raises
    ------
    InputError, OutputError
        When a file cannot be written there, or is `source`, the picture to be explained.
    """
    return made_folder(folder, (PAGE, VALUES, *(f"{plot}.png" for plot in PLOTS)), (source,))


def explain(
    image: str | Path | Image | NDArray[Any],
    *,
    axes: str | None = None,
    noise: str | NoiseModel = "auto",
    seed: int = 0,
    time_limit: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    experiment: Experiment | None = None,
) -> Explanation:
    """Show on a picture why an untrained network restores it, and where it has to be stopped.

    The picture is cut and reduced (`Experiment.side`), noise is added to it, so that the truth is known, and one
    network is fitted to the picture, the noisy picture, the picture's pixels shuffled, and noise.

    Parameters
    ----------
    image : path, Image or ndarray
        As in `untaught.denoise`.
    axes : str, optional
        What the axes of the picture are, as in `untaught.denoise`.
    noise : str or NoiseModel
        How strong the noise is that is added: 'auto' is as strong as was measured in the picture, or 25 of 255
        where there is none; or 'gaussian:25' and so on. It is always white and Gaussian, which the theory is for.
    seed : int
        Same seed, same explanation.
    time_limit : float, optional
        Seconds; with fewer than are needed there are fewer steps and singular vectors.
    on_progress : callable, optional
        Called with a `fitting.progress.Progress` now and then.
    experiment : Experiment, optional
        Other numbers, or another method, such as `Experiment(method=DIP())`.

    Returns
    -------
    Explanation
        `save(folder)` writes a page with plots, `as_dict()` is for programs.

    Raises
    ------
    InputError
        If the picture cannot be used, or the time is too short.

    References
    ----------
    Heckel, Soltanolkotabi, "Denoising and Regularization via Exploiting the Structural Bias of Convolutional
    Generators", ICLR 2020; Ulyanov, Vedaldi, Lempitsky, "Deep Image Prior", CVPR 2018, for the impedance.
    """
    began = time.monotonic()
    given = noise_of(noise, None)
    seed, limit = seed_of(seed), seconds_of(time_limit)
    on_progress = listener_of(on_progress)
    if experiment is not None and not isinstance(experiment, Experiment):
        raise InputError(f"experiment is {quoted(experiment)}; give one such as Experiment(method=DIP())")
    experiment = experiment or Experiment()
    picture = as_image(image, axes)
    work = Work(experiment, subject_of(picture, given, experiment.side), seed, limit, on_progress)
    start = work.before()
    found, stops = work.fits(start.predicted)
    return Explanation(
        name=picture.name,
        source=picture.source,
        subject=work.subject,
        start=start,
        impedance=found,
        stops=stops,
        steps=experiment.method.steps,
        weights=work.weights,
        seconds=time.monotonic() - began,
    )
