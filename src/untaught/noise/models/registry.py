"""The laws of noise, and how people write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from untaught.errors import InputError
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.correlated import Correlated
from untaught.noise.models.gaussian import Gaussian, Unknown
from untaught.noise.models.impulse import Impulse
from untaught.noise.models.noise_map import NoiseMap
from untaught.noise.models.poisson_gaussian import PoissonGaussian
from untaught.noise.models.rician import Rician
from untaught.noise.models.speckle import Speckle
from untaught.noise.models.variance_curve import VarianceCurve
from untaught.noise.models.words import Words

MODELS: dict[str, type[NoiseModel]] = {
    law.kind: law
    for law in (Gaussian, PoissonGaussian, VarianceCurve, NoiseMap, Rician, Impulse, Speckle, Correlated, Unknown)
}
CLIPS = {
    "clipped": (True, True),
    "clipped-low": (True, False),
    "clipped-high": (False, True),
}
CHANNELS = "channels="


def parse_noise(text: str) -> NoiseModel | None:
    """Read a noise model as it is written on the command line.

    Parameters
    ----------
    text : str
        ``auto``; ``gaussian:25`` (standard deviation on the 0..255 scale, as all values here);
        ``poisson:GAIN,READ,OFFSET`` (grey levels per photo-electron, standard deviation of the read-out, and the
        grey level without light, which may be negative; the last two may be left out);
        ``curve:0 4.2/128 30/255 61`` (variances at several brightnesses; from a file of two columns as
        ``curve:FILE.csv``, which `pipeline.noise_files` reads); ``map:FILE`` (standard deviations at every pixel,
        from a picture that is read there too); ``rician:LEVEL,OFFSET`` (of magnitudes: standard deviation of the
        real part, and the grey level that stands for 0, if that is not 0); ``impulse:0.1`` (share of pixels hit;
        as ``impulse:0.1,PEPPER,SALT`` with their values, if these are not 0 and 255);
        ``speckle:0.2`` (standard deviation as a share of the value; as ``speckle:0.2,OFFSET`` of the value less
        that); ``correlated:25,WIDTH`` (standard deviation, and that of a Gaussian kernel in pixels, or the
        kernel's rows as numbers with spaces between, rows separated by ``/``); ``unknown:25``. A last
        ``,clipped``, ``,clipped-low`` or ``,clipped-high`` says that values were cut at 0 and 1, at 0, at 1;
        before that, ``,channels=0.9`` is the correlation of the noise of two of three channels.
        Levels end at 10 000, the share of speckle at 100.

    Returns
    -------
    NoiseModel or None
        None for ``auto``.

    Raises
    ------
    InputError
        If the text is none of these.
    """
    forms = ", ".join(("auto", *(law.form for law in MODELS.values())))
    if not isinstance(text, str):
        raise InputError(f"Noise is given as text, not as {text!r}; use one of: {forms}.")
    name, _, rest = text.strip().lower().partition(":")
    if name == "auto" and not rest:
        return None
    laws = {word: law for law in MODELS.values() for word in (law.kind, _word(law))}
    if name not in laws:
        raise InputError(f"There is no noise model {text!r}; use one of: {forms}.")
    words = [word.strip() for word in rest.split(",")] if rest.strip() else []
    clip = CLIPS[words.pop()] if words and words[-1] in CLIPS else (False, False)
    shared = _channels(words, text)
    takes = laws[name].takes
    if len(words) not in takes:
        wanted = " or ".join(str(n) for n in takes)
        raise InputError(
            f"{text!r} has {len(words)} number{'s' * (len(words) != 1)} where {name} noise takes "
            f"{wanted}; use one of: {forms}."
        )
    law = laws[name].parse(Words(text, tuple(words), clip, forms))
    return replace(law, channel_correlation=shared) if shared else law


def _channels(words: list[str], text: str) -> float:
    """Take the word on channels off the end, and return what it says."""
    if not (words and words[-1].startswith(CHANNELS)):
        return 0.0
    try:
        value = float(words.pop().removeprefix(CHANNELS))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InputError(f"{text!r} says that channels share what is no number from 0 to 1; write channels=0.9.")
    return value


def format_noise(model: NoiseModel | None, digits: int = 6) -> str:
    """Return the text from which `parse_noise` makes `model`, to so many digits; ``auto`` for None."""
    return "auto" if model is None else _text(model, model.written(digits))


def spellings(model: NoiseModel) -> Iterator[str]:
    """Yield the texts from which `parse_noise` makes `model`, or one near to it; the shortest first."""
    return (_text(model, numbers) for numbers in model.spellings())


def kinds(answer: str) -> tuple[str, ...]:
    """Return the laws that say yes: `kinds("white")` and so on."""
    return tuple(kind for kind, law in MODELS.items() if getattr(law, answer))


def _word(law: type[NoiseModel]) -> str:
    return law.form.partition(":")[0]


def _text(model: NoiseModel, numbers: str) -> str:
    ends = {flags: f",{name}" for name, flags in CLIPS.items()}.get(model.clip, "")
    shared = f",{CHANNELS}{model.channel_correlation:.6g}" if model.channel_correlation else ""
    return f"{_word(type(model))}:{numbers}{shared}{ends}"
