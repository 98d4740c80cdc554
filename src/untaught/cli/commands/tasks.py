"""The commands of the tasks beside `denoise`: what they need beside the options of that."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from untaught.cli.app import Job, Noise, app
from untaught.cli.call import Call, range_of, region_of
from untaught.cli.commands.denoise import denoise, dispatched
from untaught.cli.several import Several
from untaught.cli.signals import Interrupts
from untaught.image.reading import Reading, memory_of

if TYPE_CHECKING:
    from untaught.image.image import Image
    from untaught.results.result import Result

ABLE = "auto, fill or exemplar (inpaint, demosaic), pnp, dip, deep-decoder, pixels or pixel-tv."

DENOISING = ("strength", "fixed_pattern", "flicker")  # options of `denoise` alone
# Options that are about many pictures.
SEVERAL = ("recursive", "workers", "shard", "overwrite", "suffix", "dask", "volume")

Guide = Annotated[
    Path | None,
    typer.Option("--guide", metavar="PICTURE", help="Another picture of the same scene, such as one with flash."),
]


@dataclass(frozen=True)
class TaskCall(Call):
    """What was asked for; `operands` are the arguments of the task in `untaught.pipeline.tasks.registry`."""

    operands: Mapping[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> dict[str, Any]:
        """See `Call`."""
        return {**self.operands, **self.options}

    @property
    def inputs(self) -> tuple[Path | None, ...]:
        """See `Call`."""
        given = {**self.operands, "guide": self.options.get("guide")}
        named = (Path(value) for value in given.values() if isinstance(value, str | Path))
        return (*super().inputs, *(path for path in named if path.is_file()))

    def frame(self, picture: Image) -> Image:
        """Return the answer's size and type, filled with what can be had at once."""
        from untaught.pipeline.request import Request
        from untaught.pipeline.tasks.output_image import framed, measurement
        from untaught.pipeline.tasks.registry import task_of
        from untaught.pipeline.tiles.through_operator import parts_for

        task = task_of(self.task, picture, **self.operands)
        parts = parts_for(picture, task, Request(memory=self.reading.memory))
        return framed(measurement(picture, task, parts), task, parts)

    def door(self, picture: Image) -> Callable[..., Result]:
        """Return the task as a function of the picture and the options."""
        from untaught.pipeline.tasks.registry import task_of
        from untaught.pipeline.tasks.run import run_task

        return partial(run_task, task=task_of(self.task, picture, **self.operands))


@dataclass(frozen=True)
class JpegCall(TaskCall):
    """The same for a JPEG file, which holds its own operator."""

    def frame(self, picture: Image) -> Image:
        """Return the picture that a decoder shows, unless its file cannot be used."""
        from untaught.pipeline.tasks.dejpeg import stored_of

        stored_of(picture)
        return picture

    def door(self, picture: Image) -> Callable[..., Result]:
        """See `Call`."""
        from untaught.pipeline.tasks.dejpeg import dejpeg

        return dejpeg


@dataclass(frozen=True)
class AloneCall(TaskCall):
    """The same for a task that needs nothing beside the picture, and gives one of the same size."""

    def frame(self, picture: Image) -> Image:
        """Return the picture."""
        return picture

    def door(self, picture: Image) -> Callable[..., Result]:
        """See `Call`."""
        import untaught.pipeline as pipeline

        door: Callable[..., Result] = getattr(pipeline, self.task)
        return door


@dataclass(frozen=True)
class MarkCall(TaskCall):
    """The same for a half-transparent mark, which is taken off before the rest is filled in."""

    @property
    def asked(self) -> dict[str, Any]:
        """See `Call`."""
        return {**super().asked, "translucent": True}

    def frame(self, picture: Image) -> Image:
        """Return the picture as it is, unless its mask cannot be used."""
        from untaught.pipeline.tasks.masks import mask_of

        if self.operands["mask"] is not None:
            mask_of(self.operands["mask"], picture, self.operands["mask_marks"] or "kept")
        return picture

    def door(self, picture: Image) -> Callable[..., Result]:
        """See `Call`."""
        from untaught.pipeline.tasks.inpaint import inpaint

        return partial(inpaint, **self.operands, translucent=True)


KINDS: dict[str, type[TaskCall]] = {"dejpeg": JpegCall, "descreen": AloneCall, "despeckle": AloneCall}


def with_options(function: Callable[..., dict[str, Any]]) -> Callable[..., Job]:
    """Give a command that returns its operands the options of `denoise`, and a guide."""
    own = parameters_of(function)
    guide = inspect.Parameter("guide", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Guide)
    method = Annotated[str, typer.Option(metavar="METHOD", help=ABLE)]
    both = parameters_of(denoise, method=method, noise=Noise)
    shared = [parameter for parameter in both if parameter.name not in DENOISING]

    def command(**given: Any) -> Job:
        operands = function(**{parameter.name: given.pop(parameter.name) for parameter in own})
        pictures, output = tuple(given.pop("pictures")), given.pop("output")
        several = Several(pictures, output, **{name: given.pop(name) for name in SEVERAL})
        call = call_of(function.__name__, operands, given | {"picture": pictures[0], "output": Path(output)})
        call = replace(call, reading=replace(call.reading, volume=several.volume))
        return lambda interrupts: _run(call, several, interrupts)

    return signed(command, function, [*shared[:2], *own, guide, *shared[2:]])


def parameters_of(function: Callable[..., Any], **annotations: Any) -> list[inspect.Parameter]:
    """Return the options of a command, some of them with other annotations."""
    hints = get_type_hints(function, include_extras=True) | annotations
    return [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(function).parameters.items()
    ]


def signed(
    command: Callable[..., Job], like: Callable[..., Any], parameters: list[inspect.Parameter]
) -> Callable[..., Job]:
    """Return a command that has the name and the text of another function, and these options."""
    command.__name__, command.__doc__ = like.__name__, like.__doc__
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def call_of(task: str, operands: dict[str, Any], given: dict[str, Any]) -> TaskCall:
    """Return what was asked for; `given` has the options of `denoise`."""
    about = {name: given.pop(name) for name in ("report", "recipe", "reference", "as_json", "quiet")}
    given["noise_region"], given["noise_from"] = region_of(given["noise_region"]), given["noise_from"] or None
    picture, output = given.pop("picture"), given.pop("output")
    kind = KINDS.get(task, MarkCall if operands.pop("translucent", False) else TaskCall)
    ends = range_of(given.pop("value_range"))
    reading = Reading(given.pop("series"), given.pop("page"), memory_of(given["memory"]), value_range=ends)
    return kind(picture, output, given, **about, task=task, operands=operands, reading=reading)


def _run(call: TaskCall, several: Several, interrupts: Interrupts) -> int:
    with interrupts.held():
        from untaught.pipeline.tasks import restore as reconstruct  # noqa: F401 - brings torch, which must not be cut while it loads
    interrupts.check()
    return dispatched(call, several, interrupts)


@app.command(short_help="Fill in what is missing from a picture.")
@with_options
def inpaint(
    mask: Annotated[
        str | None,
        typer.Option(metavar="MASK", help="Picture: nonzero keeps a pixel, zero marks it missing."),
    ] = None,
    missing_color: Annotated[
        str | None,
        typer.Option(metavar="COLOR", help="Pixels of this colour are missing: #ff00ff or 255,0,255."),
    ] = None,
    mask_marks: Annotated[
        str | None,
        typer.Option(metavar="WHAT", help="What nonzero marks in the mask: kept, or missing."),
    ] = None,
    translucent: Annotated[
        bool,
        typer.Option(
            "--translucent",
            help="The mask marks a half-transparent watermark: it is measured and taken off, not filled over.",
        ),
    ] = False,
) -> dict[str, Any]:
    """Fill in what is missing from a picture; without a mask, what is transparent or NaN."""
    return {"mask": mask, "missing_colour": missing_color, "mask_marks": mask_marks, "translucent": translucent}


@app.command(short_help="Enlarge a picture.")
@with_options
def upscale(
    factor: Annotated[int, typer.Option(metavar="N", help="2 to 16.", show_default=False)],
    kernel: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How it was made small: bicubic, lanczos2, lanczos3, box; aliased: nearest, linear, cubic.",
        ),
    ] = "bicubic",
) -> dict[str, Any]:
    """Enlarge a picture by a whole factor."""
    return {"factor": factor, "kernel": kernel}


@app.command(short_help="Undo a blur that is known.")
@with_options
def deblur(
    psf: Annotated[
        str,
        typer.Option(
            metavar="PSF",
            help="Point-spread function: a file, gaussian:SIGMA, disk:RADIUS or motion:LENGTH,ANGLE.",
            show_default=False,
        ),
    ],
    border: Annotated[
        str, typer.Option(metavar="NAME", help="Beyond the border: valid, reflect, replicate or circular.")
    ] = "valid",
) -> dict[str, Any]:
    """Undo a blur whose point-spread function is known."""
    return {"psf": psf, "border": border}


@app.command(short_help="Make colours of what a colour filter array saw.")
@with_options
def demosaic(
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="RGGB, BGGR, GRBG, GBRG or X-TRANS; by default what a raw file says, and else RGGB.",
        ),
    ] = None,
) -> dict[str, Any]:
    """Make a colour picture of the values behind a colour filter array."""
    return {"pattern": pattern}


@app.command(short_help="Restore a picture with the help of another one, such as one with flash.")
@with_options
def restore() -> dict[str, Any]:
    """Restore a picture with the help of another one of the same scene, such as one with flash: --guide."""
    return {}


@app.command(short_help="Take out the blocks of a JPEG that was compressed too much.")
@with_options
def dejpeg() -> dict[str, Any]:
    """Take the blocks and ripples out of a JPEG file that was compressed too much."""
    return {}


@app.command(short_help="Take off the dots of a print, moire, or streaks of a scanner.")
@with_options
def descreen() -> dict[str, Any]:
    """Take a regular pattern off a picture: the dots of a print (halftone), moire, streaks of a scanner."""
    return {}


@app.command(short_help="Take specks and pinholes out of a page of one bit.")
@with_options
def despeckle() -> dict[str, Any]:
    """Take specks out of a page in black and white, and fill pinholes: what is smaller than strokes and dots."""
    return {}
