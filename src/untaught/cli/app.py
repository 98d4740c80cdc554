"""The program and the options that commands share; `parse` imports the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from untaught._version import __version__
from untaught.cli.signals import Interrupts
from untaught.errors import InputError

Job = Callable[[Interrupts], int]

app = typer.Typer(
    name="untaught",
    help="Restore images with networks that nobody taught: a noisy file in, a file to trust out.",
    epilog="Pictures: PNG, JPEG, WebP, TIFF (stacks too), NumPy .npy, JPEG 2000, JPEG XL, AVIF, HEIC, BMP, GIF, "
    "PNM, PFM, OpenEXR, DNG, camera raw; FITS, DICOM, NIfTI, MRC, HDF5, OME-Zarr (.zarr), CZI, ND2, LIF. "
    "'untaught formats' says what is needed for which; 'untaught COMMAND --help' has the options.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Picture = Annotated[Path, typer.Argument(metavar="IN", help="The picture.", show_default=False)]
Pictures = Annotated[
    list[Path],
    typer.Argument(
        metavar="IN",
        help="The picture; or several, folders of them, patterns such as 'raw/*.tif'.",
        show_default=False,
    ),
]
Output = Annotated[
    str,
    typer.Option("--output", "-o", metavar="OUT", help="Where to write the result; of several, a folder."),
]
Recursive = Annotated[bool, typer.Option("--recursive", help="Look into the folders in a folder, too.")]
Workers = Annotated[
    int | None, typer.Option(metavar="N", help="Restore several pictures at once, in so many processes.")
]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="WHERE",
        help="Let a Dask cluster do it: local (processes of this machine, --workers of them), the address of a "
        "scheduler, or a file CONFIG.yaml. Folders go file by file, one volume block by block.",
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="I/N", help="Of several pictures, those of part I of N, for job arrays: 3/16."),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Of several pictures, also write over what others have put there."),
]
Suffix = Annotated[
    str | None,
    typer.Option(metavar=".EXT", help="Of several pictures, the ending of the results' names."),
]
Series = Annotated[
    int | None,
    typer.Option(metavar="N", help="Of a file with several pictures (TIFF, FITS, CZI ...): which, from 0."),
]
Page = Annotated[
    int | None,
    typer.Option(metavar="N", help="Of a TIFF (or of its --series): this page alone, from 0, as tifffile counts."),
]
Volume = Annotated[
    bool, typer.Option("--volume", help="Take a folder of DICOM slices as one volume, and write such a folder.")
]
Axes = Annotated[
    str | None,
    typer.Option(
        metavar="LETTERS",
        help="What the axes of the picture are, whatever the file says, one letter each: Y rows, X columns, "
        "S colours, C channels, Z, T, others; such as TZCYX or YXC.",
    ),
]
ValueRange = Annotated[
    str | None,
    typer.Option(
        metavar="LOW,HIGH",
        help="What levels of noise and a PSNR are relative to, such as 0,4095; by default the type's range, or "
        "that of the values.",
    ),
]
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")]
LAWS = (
    "gaussian:25, poisson:GAIN,READ,OFFSET, rician:LEVEL, impulse:0.1, speckle:0.2, correlated:25,WIDTH, "
    "curve:FILE.csv, map:FILE (levels on the 0..255 scale)."
)
Noise = Annotated[str, typer.Option(metavar="MODEL", help=f"auto measures it; or {LAWS}")]
SharedNoise = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help=f"auto measures it; shared measures one law for all files of a camera; or {LAWS}",
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        metavar="X,Y,W,H",
        help="Measure the noise in this rectangle alone, which shows one flat shade: left, top, width and height "
        "in pixels.",
    ),
]
Frames = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="PATH",
        help="Take the noise from dark and flat frames of the same camera, in the picture's units: a folder or a "
        "file, given again for more. Frames of equal exposure are pairs; names with 'dark' or 'bias' are dark.",
    ),
]
OutputType = Annotated[
    str,
    typer.Option(
        metavar="TYPE",
        help="same keeps the type of the picture; float32 or float64: the answer in the picture's own units, not "
        "rounded and not cut off (TIFF, .npy and all formats that hold floats).",
    ),
]
Stripes = Annotated[
    str | None,
    typer.Option(
        metavar="WHICH",
        help="Take out an offset that each of the rows or columns has of its own, before all else: rows, columns, "
        "or auto for what is certainly one.",
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        help="How much memory may be used, such as 2GiB; half of what is free by default. Planes that need "
        "more are restored in parts.",
    ),
]
FixedPattern = Annotated[
    str,
    typer.Option(
        metavar="HOW",
        help="What a sensor adds to the same pixels of all planes of a stack: auto takes out what surely is that, "
        "remove also what may be the picture's own, keep nothing.",
    ),
]
Flicker = Annotated[
    str,
    typer.Option(
        metavar="HOW",
        help="Of planes that bleach or flicker: keep gives each its own brightness, remove that of the first.",
    ),
]
Together = Annotated[
    str,
    typer.Option(
        metavar="WHICH",
        help="Which planes of a stack help each other: auto, those along T or Z that show the same; none; T; Z; "
        "or TZ, along whichever they are more alike.",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Same seed, same picture.")]
Limit = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="At most so long; then the best so far is the answer."),
]
Device = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu or cuda.")]
Reference = Annotated[
    Path | None,
    typer.Option(metavar="CLEAN", help="The clean picture, to report the true PSNR and SSIM."),
]
Report = Annotated[
    Path | None, typer.Option(metavar="OUT.html", help="Write a report, one self-contained HTML page.")
]
RecipeFile = Annotated[
    Path | None, typer.Option(metavar="OUT.json", help="Write the recipe that makes the result again.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"untaught {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        raise InputError("no command was given; see 'untaught --help'")
