"""`untaught demo`: a picture that ships with the package, noisy in, restored out, and the truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untaught.cli.app import Folder, Job, Quiet, app
from untaught.cli.signals import Interrupts
from untaught.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from untaught.fitting.progress import Progress
    from untaught.image.image import Image
    from untaught.image.metrics import Quality
    from untaught.results.result import Result

DATA = Path(str(files("untaught"))) / "data"
FILES = ("noisy.png", "restored.png", "clean.png", "strip.png", "report.html")
MARGIN, LABEL = 8, 22  # pixels around the pictures of the strip, and above each for its label


@app.command(short_help="Restore a picture that ships with the package.")
def demo(output: Folder = Path("untaught-demo"), quiet: Quiet = False) -> Job:
    """Restore a picture that ships with the package, in a few seconds."""

    def job(interrupts: Interrupts) -> int:
        return run_demo(output, quiet, interrupts)

    return job


def run_demo(folder: Path, quiet: bool, interrupts: Interrupts) -> int:
    """Restore the demo picture into a folder."""
    with interrupts.held():
        from untaught.cli.progress import Show
        from untaught.image.atomic import made_folder
        from untaught.pipeline.tasks.denoise import denoise  # noqa: F401 - brings torch, which must not be cut while it loads
    interrupts.check()
    made_folder(folder)
    check_folder(folder)
    with Show(interrupts, quiet) as show:
        result = restored(show)
    with interrupts.final():
        shown = save(result, folder)
    if not quiet:
        print(shown.describe())
    return interrupts.ended(f"{folder} holds the best picture so far")


@dataclass(frozen=True)
class Demo:
    """The demo's result, how near it comes to the truth, and how near the input did."""

    result: Result
    before: Quality
    after: Quality
    folder: Path

    def describe(self) -> str:
        """Return the outcome as lines for a person."""
        result = self.result
        estimate = "no estimate of the PSNR"
        if result.psnr is not None:
            estimate = f"estimated PSNR {result.psnr}, RMSE {result.rmse}"
        return "\n".join(
            [
                f"noise    {result.noise.describe()}",
                f"method   {result.method}: {result.why}",
                f"stopped  {result.stopped.reason}",
                f"before   {_scores(self.before)}",
                f"after    {_scores(self.after)}; {estimate}, made without the clean picture",
                f"time     {result.seconds:.0f} s",
                f"look at  {self.folder / 'strip.png'} and {self.folder / 'report.html'}",
            ]
        )


def _scores(quality: Quality) -> str:
    return f"PSNR {quality.psnr:.2f} dB, RMSE {quality.rmse:.1f}, SSIM {quality.ssim:.3f}"


def pictures() -> tuple[Image, Image]:
    """Return the noisy and the clean picture that ship with the package; data/README.md says what they are."""
    from untaught.image.files import read

    return read(DATA / "noisy.png"), read(DATA / "clean.png")


def check_folder(folder: Path) -> None:
    """Refuse a folder with files under the names of the demo's that an earlier demo did not write.

    Raises
    ------
    InputError
        Naming the first of them.
    """
    given = dict(zip(("noisy.png", "clean.png"), pictures(), strict=True))
    there = [name for name in FILES if (folder / name).exists()]
    own = [name for name, picture in given.items() if name in there and _holds(folder / name, picture)]
    foreign = [name for name in there if name not in own and (name in given or not own)]
    if foreign:
        raise InputError(f"{folder / foreign[0]} is not of the demo, which would replace it; give another folder")


def _holds(path: Path, picture: Image) -> bool:
    """Tell whether a file holds a picture; how it is compressed changes with the libraries."""
    import numpy as np

    from untaught.image.files import read

    try:
        return np.array_equal(read(path).array, picture.array)
    except InputError:
        return False


def restored(on_progress: Callable[[Progress], None] | None = None) -> Result:
    """Restore the noisy picture, nothing known of its noise, in what time it takes: a compiler may come first."""
    from untaught.pipeline.tasks.denoise import denoise

    return denoise(pictures()[0], on_progress=on_progress)


def save(result: Result, folder: Path) -> Demo:
    """Write the `FILES`.

    Raises
    ------
    OutputError
        When they cannot be written.
    """
    from untaught.image.files import write
    from untaught.image.image import Image
    from untaught.image.metrics import quality

    noisy, clean = pictures()
    before, after = quality(noisy, clean), quality(result.picture, clean)
    strip = strip_of(
        {
            f"before, {before.psnr:.1f} dB": noisy.array,
            f"after, {after.psnr:.1f} dB": result.image,
            "clean, which was not used": clean.array,
        }
    )
    *names, report = FILES
    for name, picture in zip(names, (noisy, result.picture, clean, Image.of(strip, "YXS")), strict=True):
        write(folder / name, picture)
    result.report(folder / report)
    return Demo(result, before, after, folder)


def strip_of(shown: dict[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """Return pictures of one size, 8-bit RGB, side by side with their names above: (H, W, 3) uint8."""
    import numpy as np
    from PIL import Image as Pillow
    from PIL import ImageDraw

    height, width = next(iter(shown.values())).shape[:2]
    size = (MARGIN + len(shown) * (width + MARGIN), LABEL + height + MARGIN)
    canvas = Pillow.new("RGB", size, (255, 255, 255))
    draw = ImageDraw.Draw(canvas)
    for k, (name, array) in enumerate(shown.items()):
        left = MARGIN + k * (width + MARGIN)
        draw.text((left, LABEL // 2), name, fill=(0, 0, 0), anchor="lm")
        canvas.paste(Pillow.fromarray(np.ascontiguousarray(array)), (left, LABEL))
    return np.asarray(canvas)
