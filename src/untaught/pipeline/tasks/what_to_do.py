"""What to do about a picture: the command that does it, and nothing that a command would refuse."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass

from untaught.image.formats.jpeg import COARSE, dejpegs, mean_step
from untaught.image.image import Image
from untaught.noise import NoiseModel
from untaught.noise.belief import CAMERA, believed
from untaught.noise.estimation.pattern import Pattern
from untaught.noise.estimation.specks import Specks
from untaught.pipeline.plane.choose_methods import Advice

Options = tuple[tuple[str, str], ...]  # by which the noise is told, as the command has them
TAKEN = 1.5  # level over that of a pattern, up to which it may be the pattern that was taken for noise


@dataclass(frozen=True)
class Looks:
    """What was seen in a picture beside its noise.

    Attributes
    ----------
    specks : Specks or None
        Of a page in two colours; None for other pictures.
    pattern : Pattern or None
        A regular pattern.
    gaps : bool
        Whether pixels were not measured.
    """

    specks: Specks | None = None
    pattern: Pattern | None = None
    gaps: bool = False


def what_to_do(picture: Image, looks: Looks, noise: NoiseModel, advice: Advice, options: Options) -> str:
    """Return a command and why, or why the picture is best left as it is.

    Parameters
    ----------
    picture : Image
        The picture.
    looks : Looks
        What was seen in it beside noise.
    noise : NoiseModel
        Of its noisiest plane.
    advice : Advice
        What `auto` would try on that.
    options : tuple of (str, str)
        Options that a command on the picture needs: which of a file's pictures, axes, what noise was told by.
    """
    where = "IN" if picture.source is None else shlex.quote(picture.name)

    def command(verb: str, given: Options = ()) -> str:
        words = "".join(f" --{name} {shlex.quote(value)}" for name, value in (*options, *given))
        return f"`untaught {verb} {where}{words} -o OUT`"

    own = _of_its_kind(picture, looks, noise, command)
    if own is not None:
        return own
    if not advice.methods:
        return f"leave it as it is: {advice.why}"
    run = f"run {command('denoise')}"
    if not believed(noise.level, CAMERA) and not noise.replaces:
        weak = f"which takes out what has that level of {255 * noise.level:.1f} (of 255)"
        return f"leave it as it is, for it has next to no noise; or {run}, {weak}"
    pattern = _mosaic(picture)
    beside = (
        "" if looks.pattern is None else f"; {command('descreen')} takes off the pattern, if it is not the scene's"
    )
    after = f"; then `untaught demosaic OUT --pattern {pattern} -o PICTURE` makes colours of it" if pattern else ""
    return f"{run}: {advice.why}{beside}{after}"


def _of_its_kind(picture: Image, looks: Looks, noise: NoiseModel, command: object) -> str | None:
    """Return what is to be done about something else than noise; None where noise is what there is."""
    assert callable(command)
    specks, pattern = looks.specks, looks.pattern
    if pattern is not None and pattern.printed:
        return f"run {command('descreen')}: it is made of dots, of which that makes a picture"
    if specks is not None:
        if not specks.any.any():
            return "leave it as it is: it has two colours and no specks that are smaller than its strokes"
        return f"run {command('despeckle')}: it has {specks.counts[0]} specks and {specks.counts[1]} pinholes"
    if _compressed(picture, noise):
        return f"run {command('dejpeg')}: no noise was found but what the compression left"
    weak = not noise.replaces and not believed(noise.level, CAMERA)
    if pattern is not None and not noise.replaces and (weak or noise.level < TAKEN * pattern.level):
        return (
            f"run {command('descreen')}, if the regular pattern is none of the scene's own; what noise there is "
            "is better told then"
        )
    if noise.negligible and looks.gaps:
        return f"run {command('inpaint')}: pixels that were not measured are filled in, and no noise was found"
    mosaic = _mosaic(picture)
    if weak and mosaic:
        return (
            f"run {command('demosaic', (('pattern', mosaic),))}: there is next to no noise in what the camera saw"
        )
    return None


def _compressed(picture: Image, noise: NoiseModel) -> bool:
    """Say whether the compression of a JPEG file can have left what was found, and can be undone."""
    step = None if picture.source is None else mean_step(picture.source)
    if picture.source is None or step is None or step < COARSE or noise.replaces or not dejpegs(picture.source):
        return False
    return 255 * noise.level < step / math.sqrt(12)  # what rounding to such steps leaves


def _mosaic(picture: Image) -> str:
    """Return the filter of a camera's raw file, before which its values still lie."""
    raw = picture.metadata.get("raw")
    return "" if raw is None or "S" in picture.axes else str(getattr(raw, "pattern", ""))
