"""The methods by name. Nothing here imports torch: a method's page is opened when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untaught.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from untaught.method import ClosedForm, Iterative


@dataclass(frozen=True)
class Entry:
    """Where a method's page is, and what it is in a line."""

    module: str
    attribute: str
    summary: str


METHODS: Mapping[str, Entry] = {
    "fusion": Entry("fusion", "Fusion", "several of those below, mixed so that the estimated error is least"),
    "dip": Entry("untrained.dip", "DIP", "deep image prior: a network fitted to the one picture, stopped in time"),
    "deep-decoder": Entry(
        "untrained.deep_decoder", "DeepDecoder", "deep decoder: too few weights to hold the noise"
    ),
    "r2r": Entry("self_supervised.r2r", "R2R", "recorrupted-to-recorrupted: corrects the non-local picture"),
    "gr2r": Entry(
        "self_supervised.gr2r", "GR2R", "recorrupted-to-recorrupted for every known noise, without a pilot"
    ),
    "n2v": Entry("self_supervised.noise2void", "Noise2Void", "a network asked for pixels that it is not shown"),
    "struct-n2v": Entry(
        "self_supervised.noise2void", "StructuredNoise2Void", "the same, for noise that neighbours share"
    ),
    "n2s": Entry("self_supervised.noise2self", "Noise2Self", "a network that never sees the pixel it predicts"),
    "neighbor2neighbor": Entry(
        "self_supervised.noise2noise", "Neighbor2Neighbor", "one neighbour predicted from another"
    ),
    "zs-n2n": Entry(
        "self_supervised.noise2noise",
        "ZeroShotNoise2Noise",
        "a tiny network, one half of the picture from the other",
    ),
    "noisier2noise": Entry(
        "self_supervised.noisier2noise", "Noisier2Noise", "the noisy picture from a noisier one, corrected"
    ),
    "noisy-as-clean": Entry(
        "self_supervised.noisy_as_clean", "NoisyAsClean", "the noisy picture from a noisier one; weak noise"
    ),
    "sure": Entry("self_supervised.sure", "SURE", "an unbiased estimate of the error made small"),
    "self2self": Entry("self_supervised.self2self", "Self2Self", "dropped values predicted from the others"),
    "nonlocal": Entry(
        "non_local.multiscale", "MultiScale", "similar patches combined at several resolutions, closed form"
    ),
    "nonlocal-thorough": Entry("thorough", "Thorough", "the same, slower: closer references, a wider search"),
    "impulse-fill": Entry(
        "inpainting.impulse_fill", "ImpulseFill", "salt and pepper filled in from similar patches, closed form"
    ),
    "fill": Entry("inpainting.fill", "Fill", "missing pixels filled in from similar patches, closed form"),
    "exemplar": Entry(
        "inpainting.exemplar", "Exemplar", "the same, and wide holes filled with copies of what is near"
    ),
    "pnp": Entry("plug_and_play", "PlugAndPlay", "any linear operator undone with similar patches as the prior"),
    "nlm": Entry("classical.nlm", "NLM", "non-local means"),
    "tv": Entry("classical.tv", "TV", "total variation"),
    "pixels": Entry(
        "untrained.pixels", "Pixels", "the pixels themselves fitted, without any prior; for comparison"
    ),
    "pixel-tv": Entry(
        "untrained.pixels", "PixelTV", "the pixels fitted with total variation as the prior, any operator"
    ),
    "wavelet": Entry("classical.wavelet", "Wavelet", "wavelet shrinkage"),
}


MODEL_SUFFIX = ".safetensors"
TUNED = "tuned:"  # before the path of a model that is fitted on
OF_PAIRS = {"n2n": "neighbor2neighbor and zs-n2n"}
"""Methods that learn from two observations of the same picture, and those that make a pair of one."""


def make(name: str, settings: Mapping[str, Any] | None = None) -> Iterative | ClosedForm:
    """Return the method called `name` with its defaults, or with `settings` in their place.

    'deep-decoder:512' is the deep decoder of 512 channels; 'n2v:2' is n2v on every second row and column, and
    'dip:resnet' DIP with another network; what ends in '.safetensors' is a trained model, and
    'tuned:MODEL.safetensors' one that is fitted on to the picture.

    Raises
    ------
    InputError
        For a name that is not in `METHODS`, or a setting the method does not have.
    """
    if name in OF_PAIRS:
        raise InputError(
            f"{name} needs two observations of the same picture, and this is one; train it on pairs of files or "
            f"on a stack, or choose {OF_PAIRS[name]}, which make a pair of one picture"
        )
    if name == "tuned" or name.startswith(TUNED):
        from untaught.methods.trained.tuned import Tuned

        return Tuned(**(settings or {"model": name.partition(":")[2]}))
    if name == "trained" or name.endswith(MODEL_SUFFIX):  # a model of the person's own; the word is of a recipe
        from untaught.methods.trained.trained import Trained

        return Trained(**(settings or {"model": name}))
    if name.startswith("deep-decoder:"):
        from untaught.methods.untrained.deep_decoder import DeepDecoder

        return DeepDecoder.of_width(name.partition(":")[2])
    if ":" in name and name.partition(":")[0] in METHODS:
        from untaught.methods.variants import variant

        return variant(name, settings)
    if name not in METHODS:
        hint = did_you_mean(name, [*METHODS, "auto"])
        raise InputError(f"there is no method {name!r}; {hint}choose auto, {', '.join(METHODS)}")
    method: Iterative | ClosedForm = built(name, (METHODS[name].module, METHODS[name].attribute), settings)
    return method


def model_of(name: str) -> Path | None:
    """Return the file of the trained model in a method's name, None where there is none."""
    path = name.removeprefix(TUNED)
    return Path(path) if path and (name.startswith(TUNED) or name.endswith(MODEL_SUFFIX)) else None


def built(name: str, place: tuple[str, str], settings: Mapping[str, Any] | None) -> Any:
    """Return the method at a place, a module of `untaught.methods` and a class, set up.

    Raises
    ------
    InputError
        For a setting it does not have.
    """
    module, attribute = place
    cls = getattr(import_module(f"untaught.methods.{module}"), attribute)
    try:
        return cls(**(settings or {}))
    except TypeError as error:
        raise InputError(f"method {name!r} cannot be set up with {dict(settings or {})}: {error}") from None
