"""One picture of many: read, restored, written, and what became of it as a row. This runs in the workers."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from untaught.errors import UntaughtError, explained
from untaught.image.reading import WHOLE, Reading
from untaught.jobs.outputs import Job
from untaught.results.picture_table import Row

if TYPE_CHECKING:
    from untaught.fitting.progress import Progress
    from untaught.image.image import Image
    from untaught.jobs.shared_noise import SharedLaw
    from untaught.results.result import Result

FULL = (errno.ENOSPC, errno.EDQUOT)
Told = Callable[["Result", Mapping[str, Path]], Mapping[str, Any]]


@dataclass(frozen=True)
class Work:
    """What is asked of every picture.

    Attributes
    ----------
    verb : str
        Name of a public verb: 'denoise', 'upscale' ..., or 'inspect'.
    options : mapping
        What it is called with beside the picture.
    reading : Reading
        Which picture of a file.
    laws : mapping
        Laws of noise that files share, by the class of a file; empty where none are.
    thumbnails : Path or None
        The folder for small pictures.
    report, recipe : Path or None
        The folders for a page and a recipe a picture.
    told : callable or None
        What makes the details of a row of a result; a function that other processes can import.
    function : str
        Where the verb is, 'module:name'; empty for those of `pipeline.tasks`.
    """

    verb: str
    options: Mapping[str, Any] = field(default_factory=dict)
    reading: Reading = WHOLE
    laws: Mapping[str, SharedLaw] = field(default_factory=dict)
    thumbnails: Path | None = None
    report: Path | None = None
    recipe: Path | None = None
    told: Told | None = None
    function: str = ""

    @property
    def call(self) -> Callable[..., Any]:
        """The verb."""
        return verb_of(self.verb, self.function)


class By(Protocol):
    """Whoever removes the noise of a picture and writes it, other than this process alone."""

    def denoise(
        self, picture: Image, on_progress: Callable[[Progress], None] | None = None, **options: Any
    ) -> Result:
        """Do as `untaught.denoise`."""

    def write(self, path: Path, image: Image) -> Path:
        """Do as `untaught.write`."""


def done(work: Work, job: Job, on_progress: Callable[[Progress], None] | None = None, by: By | None = None) -> Row:
    """Do what is asked of one picture; whatever goes wrong with it is a row that says so.

    Raises
    ------
    KeyboardInterrupt
        Where it was interrupted; nothing was written then.
    """
    started = time.monotonic()
    try:
        if work.verb == "inspect":
            return _looked_at(work, job, started)
        return _restored(work, job, started, (on_progress, by))
    except Exception as error:
        if os.environ.get("UNTAUGHT_DEBUG") and not isinstance(error, UntaughtError):
            raise
        return failed(job, error, time.monotonic() - started)


def failed(job: Job, error: Exception, seconds: float | None = None) -> Row:
    """Return the row of a picture that an error was about."""
    note = " ".join(explained(error)[1].split())
    return Row(job.input, job.output, "failed", seconds=seconds, note=note, final=is_full(error))


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error comes of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__
    return False


def verb_of(name: str, function: str = "") -> Callable[..., Any]:
    """Return a verb by its name, or by the place that it has elsewhere, 'module:name'."""
    from importlib import import_module

    module, _, attribute = (function or f"untaught.pipeline.tasks.{name}:{name}").partition(":")
    found: Callable[..., Any] = getattr(import_module(module), attribute)
    return found


def _looked_at(work: Work, job: Job, started: float) -> Row:
    from untaught.image.files import as_image

    options = dict(work.options)
    found = work.call(as_image(job.input, options.pop("axes", None), work.reading), **options)
    noise = found.planes[0].report.model if found.planes else None
    return Row(
        job.input,
        job.output,
        "done",
        noise="" if noise is None else noise.describe(),
        seconds=time.monotonic() - started,
        details=found.as_dict(),
        text=found.describe(),
    )


def _restored(
    work: Work, job: Job, started: float, how: tuple[Callable[[Progress], None] | None, By | None]
) -> Row:
    from untaught.image.files import as_image, check_place, check_writable, write
    from untaught.image.output_type import typed

    options, (on_progress, by) = dict(work.options), how
    axes = options.pop("axes", None)
    picture = as_image(job.input, axes, work.reading)
    job.output.parent.mkdir(parents=True, exist_ok=True)
    check_place(job.output, (picture.source,), work.reading.volume)
    if work.verb in (
        "denoise",
        "inpaint",
        "dejpeg",
        "descreen",
        "despeckle",
        "apply",
    ):  # what is written is of the picture's own size
        check_writable(job.output, typed(picture, options.get("output_type", "same")))
    if by is not None:
        result = by.denoise(picture, on_progress, axes=axes, **options)
    elif work.laws:
        from untaught.jobs.shared_noise import denoised

        result = denoised(work.laws, picture, options, on_progress)
    else:
        result = work.call(picture, **options, on_progress=on_progress)
    if result.interrupted:
        raise KeyboardInterrupt
    (write if by is None else by.write)(job.staged or job.output, result.picture)
    return _row(work, job, result, _beside(work, job, result), time.monotonic() - started)


def _beside(work: Work, job: Job, result: Result) -> dict[str, Path]:
    """Write what goes with the answer; return the files."""
    from untaught.image.atomic import write_text

    files = {"input": job.input, "output": job.output}
    for name, folder, ending in (("report", work.report, ".html"), ("recipe", work.recipe, ".json")):
        if folder is None:
            continue
        files[name] = path = folder / job.place.with_name(job.place.name + ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == "report":
            result.report(path)
        else:
            write_text(path, result.recipe.model_dump_json(indent=2) + "\n")
    if work.thumbnails is not None:
        from untaught.results.thumbnails import write_thumbnails

        write_thumbnails(result, work.thumbnails, str(job.place))
    return files


def _row(work: Work, job: Job, result: Result, files: Mapping[str, Path], seconds: float) -> Row:
    from untaught.results.text import noise_sentence, sentence

    psnr = result.psnr
    return Row(
        job.input,
        job.output,
        "done",
        noise=noise_sentence(result.noise, result.input.value_range),
        method=result.method,
        psnr=None if psnr is None else psnr.value,
        low=None if psnr is None else psnr.low,
        high=None if psnr is None else psnr.high,
        seconds=seconds,
        note=" ".join(sentence(note) for note in result.notes),
        details={} if work.told is None else work.told(result, files),
    )
