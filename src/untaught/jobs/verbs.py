"""The public verbs: as in `pipeline.tasks`, and on many files where an output is named."""

from __future__ import annotations

import inspect as signatures
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Protocol, cast, overload

from untaught.errors import InputError
from untaught.image.atomic import path_of
from untaught.image.find_format import is_volume
from untaught.image.reading import Reading, memory_of
from untaught.jobs.asked import Asked, FolderResult
from untaught.jobs.check_options import check_options
from untaught.jobs.inputs import is_several, shard_of
from untaught.jobs.one_picture import Work, done
from untaught.jobs.outputs import Job, is_place_for_several, refuse_inputs
from untaught.jobs.run import named_files, restore_pictures
from untaught.jobs.workers import workers_of
from untaught.pipeline.tasks import deblur as _deblur
from untaught.pipeline.tasks import dejpeg as _dejpeg
from untaught.pipeline.tasks import demosaic as _demosaic
from untaught.pipeline.tasks import denoise as _denoise
from untaught.pipeline.tasks import descreen as _descreen
from untaught.pipeline.tasks import despeckle as _despeckle
from untaught.pipeline.tasks import inpaint as _inpaint
from untaught.pipeline.tasks import restore as _restore
from untaught.pipeline.tasks import upscale as _upscale
from untaught.results.result import Result

P = ParamSpec("P")
Files = str | Path | Sequence[str | Path]
ABOUT_MANY: tuple[str, ...] = ("recursive", "workers", "dask", "shard", "overwrite", "suffix", "volume")
MANY = """
    Other Parameters
    ----------------
    output : path
        Writes the answer, and lets `image` be a file, a folder, a pattern such as 'raw/*.tif', or a list of these.
        With more than one picture it is a folder. What is returned then is a `FolderResult` with a row a picture;
        a picture that fails is a row that says why. The same call goes on where one was broken off.
    recursive : bool
        Whether folders in folders are looked into.
    workers : int
        How many processes restore pictures at once, each with its share of the cores and of `memory`.
    dask : str
        The Dask cluster that does it: 'local', the address of a scheduler, or a file CONFIG.yaml; see
        docs/clusters.md. Several pictures go to it one by one, a single one that is denoised block by block.
    shard : str or tuple of int
        'I/N': every N-th picture, from the I-th on, for job arrays.
    overwrite : bool
        Whether files that others have put where an answer goes are written over; inputs never are.
    suffix : str
        The ending of the answers' names; as before by default.
    volume : bool
        Whether a folder of DICOM slices is one volume, written as such a folder again.
"""


class Verb(Protocol[P]):
    """A verb on one picture, and on many."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result: ...

    @overload
    def __call__(
        self,
        image: Files,
        *operands: Any,
        output: str | Path,
        recursive: bool = ...,
        workers: int = ...,
        dask: str | None = ...,
        shard: str | tuple[int, int] | None = ...,
        overwrite: bool = ...,
        suffix: str | None = ...,
        volume: bool = ...,
        **options: Any,
    ) -> FolderResult: ...


def _of_many(verb: Callable[P, Result]) -> Verb[P]:
    """Return a verb that takes many files, too."""
    own = signatures.signature(verb)
    first = next(iter(own.parameters))

    @wraps(verb)
    def either(*args: Any, output: str | Path | None = None, **options: Any) -> Result | FolderResult:
        many = {name: options.pop(name) for name in ABOUT_MANY if name in options}
        if output is None:
            _refuse_without_output(args[0] if args else options.get(first), many)
            return cast("Callable[..., Result]", verb)(*args, **options)
        given = own.bind(*args, **options).arguments
        files = given.pop(first)
        given |= given.pop("options", {})
        place = path_of(output, "the output's path")
        return _restored(verb.__name__, _files_of(files), (place, str(output)), given, many)

    text = verb.__doc__ or ""
    at = text.find("\n    Raises\n")
    either.__doc__ = text[:at] + MANY + text[at:] if at >= 0 else text + MANY
    return cast("Verb[P]", either)


def _refuse_without_output(image: object, many: dict[str, Any]) -> None:
    if many:
        raise InputError(f"{next(iter(many))} is about files that are written; give output, the folder for them")
    several = isinstance(image, list | tuple) and image and all(isinstance(path, str | Path) for path in image)
    if several or (isinstance(image, str | Path) and is_several(Path(image))):
        raise InputError("several pictures are written, not returned; give output, the folder for them")


def _files_of(files: object) -> tuple[Path, ...]:
    each = [files] if isinstance(files, str | Path) else files
    if not (isinstance(each, Sequence) and each and all(isinstance(path, str | Path) for path in each)):
        raise InputError(
            "output is for files, folders and patterns, and the picture is none; leave it out, and use result.save"
        )
    return tuple(Path(path) for path in each)


def _restored(
    name: str, files: tuple[Path, ...], place: tuple[Path, str], options: dict[str, Any], many: dict[str, Any]
) -> FolderResult:
    """Restore what was given; one file as it is said, several into a folder."""
    output, written = place
    on_progress = options.pop("on_progress", None)
    if options.get("checkpoint") is not None:
        raise InputError("a checkpoint is about one picture; leave output out, and use result.save")
    work = Work(name, {key: value for key, value in options.items() if value is not None})
    reading = Reading(memory=memory_of(options.get("memory")), volume=many.get("volume", False))
    work = replace(work, reading=reading)
    asked = Asked(
        files,
        output,
        work,
        many.get("recursive", False),
        workers_of(many.get("workers"), many.get("dask")),
        shard_of(many.get("shard")),
        many.get("overwrite", False),
        many.get("suffix"),
        many.get("dask"),
    )
    single = len(files) == 1 and not is_several(files[0], reading)
    slices = is_volume(files[0], reading)  # whose answer is a folder, and not in one
    if not single or (is_place_for_several(written) and not slices):
        return restore_pictures(asked, on_progress=on_progress)
    check_options(work)
    if asked.dask is not None:
        return _by_blocks(asked, on_progress)
    job = Job(files[0], output, Path(output.name))
    refuse_inputs([output], [files[0], *named_files(work.options)])
    return FolderResult((done(work, job, on_progress),), output)


def _by_blocks(asked: Asked, on_progress: Callable[[Any], None] | None) -> FolderResult:
    """Let a cluster restore one picture."""
    from untaught.jobs.by_blocks import by_blocks

    work, output = asked.work, asked.output
    job = Job(asked.inputs[0], output, Path(output.name))
    refuse_inputs([output], [asked.inputs[0], *named_files(work.options)])
    with by_blocks(work.verb, (asked.dask or "", asked.workers), output) as by:
        return FolderResult((done(work, job, on_progress, by),), output)


denoise = _of_many(_denoise.denoise)
inpaint = _of_many(_inpaint.inpaint)
upscale = _of_many(_upscale.upscale)
deblur = _of_many(_deblur.deblur)
demosaic = _of_many(_demosaic.demosaic)
dejpeg = _of_many(_dejpeg.dejpeg)
descreen = _of_many(_descreen.descreen)
despeckle = _of_many(_despeckle.despeckle)
restore = _of_many(_restore.restore)
