"""The methods by name. Nothing here imports torch: a method's page is opened when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untaught.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from untaught.method import Method


@dataclass(frozen=True)
class Entry:
    """Where a method's page is, what it is in a line, and what it costs.

    `seconds` is (a, b): it takes a + b megapixels of colour, with its error estimate and all its steps, on one
    core of an EPYC server, measured at 64 x 64 to 256 x 256 pixels; None where that was never measured. Rules
    mostly stop a fit earlier. `through_operator` names the constructor for measurements through an operator, where
    its defaults are for pictures that were measured themselves.
    """

    module: str
    attribute: str
    summary: str
    seconds: tuple[float, float] | None = None
    through_operator: str = ""

    def open(self) -> Any:
        """Return the class."""
        return getattr(import_module(f"untaught.methods.{self.module}"), self.attribute)


METHODS: Mapping[str, Entry] = {
    "fusion": Entry("fusion", "Fusion", "several of those below, mixed so that the estimated error is least"),
    "dip": Entry(
        "untrained.dip",
        "DIP",
        "deep image prior: a network fitted to the one picture, stopped in time",
        (8.0, 1700.0),
        "reconstruction",
    ),
    "deep-decoder": Entry(
        "untrained.deep_decoder", "DeepDecoder", "deep decoder: too few weights to hold the noise", (10.0, 1300.0)
    ),
    "r2r": Entry(
        "self_supervised.r2r", "R2R", "recorrupted-to-recorrupted: corrects the non-local picture", (35.0, 470.0)
    ),
    "gr2r": Entry(
        "self_supervised.gr2r",
        "GR2R",
        "recorrupted-to-recorrupted for every known noise, without a pilot",
        (35.0, 800.0),
    ),
    "n2v": Entry(
        "self_supervised.noise2void",
        "Noise2Void",
        "a network asked for pixels that it is not shown",
        (52.0, 260.0),
    ),
    "struct-n2v": Entry(
        "self_supervised.noise2void",
        "StructuredNoise2Void",
        "the same, for noise that neighbours share",
        (52.0, 260.0),
    ),
    "n2s": Entry(
        "self_supervised.noise2self",
        "Noise2Self",
        "a network that never sees the pixel it predicts",
        (54.0, 200.0),
    ),
    "neighbor2neighbor": Entry(
        "self_supervised.neighbor2neighbor",
        "Neighbor2Neighbor",
        "one neighbour predicted from another",
        (35.0, 59.0),
    ),
    "zs-n2n": Entry(
        "self_supervised.zs_noise2noise",
        "ZeroShotNoise2Noise",
        "a tiny network, one half of the picture from the other",
        (32.0, 110.0),
    ),
    "p2p": Entry(
        "self_supervised.pixel2pixel",
        "Pixel2Pixel",
        "pixel2pixel: a pixel predicted from others like it, further away; also for noise that neighbours share",
        (26.0, 140.0),
    ),
    "noisier2noise": Entry(
        "self_supervised.noisier2noise",
        "Noisier2Noise",
        "the noisy picture from a noisier one, corrected",
        (71.0, 100.0),
    ),
    "noisy-as-clean": Entry(
        "self_supervised.noisy_as_clean",
        "NoisyAsClean",
        "the noisy picture from a noisier one; weak noise",
        (71.0, 180.0),
    ),
    "sure": Entry("self_supervised.sure", "SURE", "an unbiased estimate of the error made small", (114.0, 220.0)),
    "self2self": Entry(
        "self_supervised.self2self", "Self2Self", "dropped values predicted from the others", (160.0, 2700.0)
    ),
    "nonlocal": Entry(
        "non_local.multiscale",
        "MultiScale",
        "similar patches combined at several resolutions, closed form",
        (0.3, 20.0),
    ),
    "nonlocal-quick": Entry(
        "non_local.multiscale",
        "Quick",
        "the same at one resolution, with a rougher estimate of the error",
        (0.2, 5.0),
    ),
    "nonlocal-thorough": Entry(
        "non_local.multiscale", "Thorough", "the same, slower: closer references, a wider search", (2.0, 110.0)
    ),
    "impulse-fill": Entry(
        "inpainting.impulse_fill", "ImpulseFill", "salt and pepper filled in from similar patches, closed form"
    ),
    "fill": Entry(
        "inpainting.fill", "Fill", "missing pixels filled in from similar patches, closed form", (0.3, 230.0)
    ),
    "exemplar": Entry(
        "inpainting.exemplar", "Exemplar", "the same, and wide holes filled with copies of what is near"
    ),
    "pnp": Entry(
        "plug_and_play",
        "PlugAndPlay",
        "any linear operator undone with similar patches as the prior",
        (0.5, 240.0),
    ),
    "nlm": Entry("classical.nlm", "NLM", "non-local means", (0.1, 2.6)),
    "tv": Entry("classical.tv", "TV", "total variation", (0.8, 7.0)),
    "pixels": Entry(
        "untrained.pixels", "Pixels", "the pixels themselves fitted, without any prior; for comparison"
    ),
    "pixel-tv": Entry(
        "untrained.pixels", "PixelTV", "the pixels fitted with total variation as the prior, any operator"
    ),
    "wavelet": Entry("classical.wavelet", "Wavelet", "wavelet shrinkage", (0.1, 3.2)),
}


@dataclass(frozen=True)
class Form:
    """Names with a prefix or a suffix: `factory` on the page `module` makes the method of the rest of the name.

    `word` is what recipes call such a method, whose settings say the rest.
    """

    module: str
    factory: str
    prefix: str = ""
    suffix: str = ""
    word: str | None = None

    def fits(self, name: str) -> bool:
        """Say whether a name is of this form."""
        return name == self.word or (name.startswith(self.prefix) and name.endswith(self.suffix))

    def make(self, name: str, settings: Mapping[str, Any] | None) -> Method:
        """Return the method of a name, or with `settings`."""
        factory: Callable[..., Method] = getattr(import_module(f"untaught.methods.{self.module}"), self.factory)
        rest = "" if self.prefix and name == self.word else name.removeprefix(self.prefix)
        return factory(rest, settings)


TUNED = Form("trained.tuned", "tuned", prefix="tuned:", word="tuned")
TRAINED = Form("trained.trained", "trained", suffix=".safetensors", word="trained")
FORMS = (TUNED, TRAINED, Form("untrained.deep_decoder", "of_width", prefix="deep-decoder:"))
OF_SERIES: Mapping[str, Entry] = {
    "n2n": Entry(
        "self_supervised.noise2noise",
        "Noise2Noise",
        "a plane of a stack predicted from those around it, where nothing has moved",
    )
}
"""Methods for planes that follow each other, which cannot take a plane alone."""


def make(name: str, settings: Mapping[str, Any] | None = None, through_operator: bool = False) -> Method:
    """Return the method called `name` with its defaults, or with `settings` in their place.

    'deep-decoder:512' is the deep decoder of 512 channels; 'n2v:2' is n2v on every second row and column, and
    'dip:resnet' DIP with another network; what ends in '.safetensors' is a trained model, and
    'tuned:MODEL.safetensors' one that is fitted on to the picture. The defaults are those for measurements through
    an operator if that is asked for.

    Raises
    ------
    InputError
        For a name that is not in `METHODS`, or a setting the method does not have.
    """
    for form in FORMS:
        if form.fits(name):
            return form.make(name, settings)
    base, colon, rest = name.partition(":")
    known = {**METHODS, **OF_SERIES}
    if base not in known:
        hint = did_you_mean(name, [*known, "auto"])
        raise InputError(f"there is no method {name!r}; {hint}choose auto, {', '.join(METHODS)}")
    if colon:
        variant = import_module("untaught.methods.variants").variant
        method: Method = variant(set_up(base, known[base].open(), None), rest, settings)
    else:
        entry = known[name]
        special = entry.through_operator if through_operator else ""
        method = set_up(name, getattr(entry.open(), special) if special else entry.open(), settings)
    return method


def set_up(name: str, cls: Callable[..., Any], settings: Mapping[str, Any] | None) -> Any:
    """Return the method `name` of a class, set up.

    Raises
    ------
    InputError
        For a setting it does not have.
    """
    try:
        return cls(**(settings or {}))
    except TypeError as error:
        raise InputError(f"method {name!r} cannot be set up with {dict(settings or {})}: {error}") from None


def model_of(name: str) -> Path | None:
    """Return the file of the trained model in a method's name, None where there is none."""
    path = name.removeprefix(TUNED.prefix)
    of_a_model = name.startswith(TUNED.prefix) or name.endswith(TRAINED.suffix)
    return Path(path) if path and of_a_model else None


def seconds_for(method: str, megapixels: float) -> float | None:
    """Return about how many seconds a method takes; None where that was never measured."""
    entry = METHODS.get(method)
    if entry is None or entry.seconds is None:
        return None
    start, each = entry.seconds
    return start + each * megapixels
