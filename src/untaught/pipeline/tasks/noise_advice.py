"""What a person would do about a picture's noise, in a paragraph: the law, whether it is believed, a command."""

from __future__ import annotations

from collections.abc import Sequence

from untaught.image.image import Image
from untaught.noise import NoiseModel
from untaught.noise.belief import CAMERA, DOUBTFUL, believed
from untaught.pipeline.plane.choose_methods import advise
from untaught.pipeline.tasks.what_to_do import Looks, Options, what_to_do
from untaught.results.text import with_units

BARE = Looks()
NAMES = {
    "gaussian": "white Gaussian noise",
    "poisson-gaussian": "noise of photons and of the read-out, which grows with brightness",
    "curve": "noise that follows a measured curve of brightness",
    "speckle": "speckle, noise that grows as the picture does",
    "correlated": "noise that neighbouring pixels share",
    "rician": "noise of magnitudes (Rician)",
    "impulse": "salt and pepper",
    "unknown": "noise of an unknown kind",
}


def advice_of(
    noises: Sequence[NoiseModel], values: int, picture: Image, told: Options = (), looks: Looks = BARE
) -> tuple[tuple[str, ...], str]:
    """Return what `denoise` would try on the noisiest plane, and a paragraph of advice.

    Parameters
    ----------
    noises : sequence of NoiseModel
        Of the planes that were measured.
    values : int
        Numbers in a plane.
    picture : Image
        What was measured.
    told : tuple of (str, str)
        Options by which a person said where the noise is to be measured.
    looks : Looks
        What was seen beside noise.
    """
    worst = max(noises, key=lambda noise: (noise.replaces, noise.level))
    advice = advise(worst, values)
    do = what_to_do(picture, looks, worst, advice, (*_reading(picture), *told))
    law = "" if looks.specks else f"{_law(worst, len(noises) > 1)} {_belief(worst, bool(told))} "
    return () if looks.specks else advice.methods, with_units(f"{law}What to do: {do}", picture.value_range)


def _law(noise: NoiseModel, several: bool) -> str:
    of = "The noisiest plane has" if several else "The picture has"
    level = "" if noise.replaces else f", of level {255 * noise.level:.1f} (of 255)"
    return f"{of} {NAMES.get(noise.kind, noise.kind)}{level}."


def _belief(noise: NoiseModel, told: bool) -> str:
    """Say whether a law is believed, and why."""
    good = f"its level is good to {50 * noise.relative_error:.1f} %"
    if told:
        return f"That was measured where you said, so it is believed as far as that holds; {good}."
    if noise.replaces:
        return "That is believed: no picture has so many single black and white values."
    if noise.negligible:
        return "That is as weak as rounding leaves, so it is not believed to be noise."
    if not believed(noise.level, CAMERA):
        return "That is not believed: rounding, compression or a camera that has smoothed its noise leave as much."
    if noise.relative_error > DOUBTFUL:
        return (
            f"That is half believed: {good}, for texture or smoothing can pass for it; a flat place "
            "(--noise-region) or frames of the camera (--noise-from) tell it better."
        )
    return f"That is believed: it is well above what rounding and texture leave, and {good}."


def _reading(picture: Image) -> Options:
    """Return the options that say which picture it is, and what its axes are, where these were named."""
    asked = tuple((name, str(value)) for name, value in picture.reading.asked.items())
    return (*asked, *((("axes", picture.axes),) if picture.axes_given else ()))
