"""Everything about the noise of one picture, and the model that fits it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from untaught.errors import InputError
from untaught.noise.belief import CAMERA, believed
from untaught.noise.estimation.camera_noise import camera_noise
from untaught.noise.estimation.channel_correlation import ChannelCorrelation, channel_correlation
from untaught.noise.estimation.clipping import Clipping, clipping, grey_step
from untaught.noise.estimation.counts import COUNTED_ERROR, counted
from untaught.noise.estimation.dct_patches import HIGH, Flags, Floats, Patches, collect
from untaught.noise.estimation.drawings import drawing_noise
from untaught.noise.estimation.field_variance import with_field
from untaught.noise.estimation.impulses import Impulses, impulses
from untaught.noise.estimation.mean_variance import Grid, curve_of
from untaught.noise.estimation.noise_report import NoiseReport
from untaught.noise.estimation.pattern import pattern_of
from untaught.noise.estimation.remembered import once
from untaught.noise.estimation.rician import rician_of
from untaught.noise.estimation.shared_noise import Shared, by_brightness, shared_noise
from untaught.noise.estimation.sigma import Level, level_of, sigma_of_differences, strength
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.correlated import Correlated
from untaught.noise.models.gaussian import Gaussian
from untaught.noise.models.impulse import Impulse
from untaught.noise.models.variance_curve import VarianceCurve
from untaught.noise.shares import percent

TEXTURED = 3.0  # low- over high-frequency energy of the flattest patches: none of them is flat
COARSE = (
    "The noise is shared between neighbours, and what of it is coarser than some 8 pixels cannot be told from the "
    "picture: the true PSNR may be lower than estimated."
)
DRAWN = (
    "No noise was found: large parts repeat one value exactly, as drawings do; give the noise if there is some."
)
PATTERN = "No noise was found: what is finest in the picture is a regular pattern."
FAINT = 0.5 / 255  # level that stands for rounding: no noise, but more than none
PAPER = 0.1  # share of values at the ends of the range
ROUNDED = "Hardly any noise was found: no more than the rounding to its few grey levels leaves."
DRAWING = "The picture has hardly a flat patch, so the level was measured on neighbours that differ little."
SHARED_LEAST = 1 / 3  # of a camera's level that neighbours differ by: .5 and more in 16 pictures of cameras
SHARED = 0.5  # correlation between channels from which on they are measured one by one


def measure(values: Floats, missing: Flags | None = None, step: float = 0.0, zero: float = 0.0) -> NoiseReport:
    """Find out what the noise of one picture is.

    Parameters
    ----------
    values : ndarray
        float32, shape (H, W, C) or (H, W), [0, 1] units.
    missing : ndarray, optional
        bool, shape (H, W), True where there is no measurement.
    step : float
        The distance of the grey levels, [0, 1] units; 0 where they are continuous.
    zero : float
        The data's zero, where there is no light and noise that is a share of the value is none, [0, 1] units.

    Returns
    -------
    NoiseReport

    Raises
    ------
    InputError
        If `values` is not such an array, or no value of it is finite.

    Notes
    -----
    In this order: salt and pepper; counts, however few; magnitudes (Rician); noise shared between neighbours;
    variance that follows brightness (Poisson-Gaussian), its square (speckle) or a free curve; else white Gaussian
    noise. Of white noise, last, whether its level varies over the picture.
    """
    values, missing = _checked(values, missing)

    def find() -> NoiseReport:
        with threadpool_limits(1, "blas"):  # small matrices: threads wait for each other longer than they work
            return _measured(values, missing, step, zero)

    return once(find, values, missing, step, zero)


def _measured(values: Floats, missing: Flags | None, step: float, zero: float) -> NoiseReport:
    cut, salt = clipping(values, missing), impulses(values, missing)
    patches = collect(values, missing)
    if patches is None:
        return _without_patches(values, missing, cut, salt)
    known = None if salt.found else counted(values, missing, step, zero) or rician_of(values, missing, zero)
    if known is not None:
        return _recognised(known, patches, cut)
    level, channels, together = _levels(patches, cut)
    start = Gaussian(level.sigma, relative_error=level.relative_error, clip=cut.clip)
    # Of a camera's noise the flattest patches hold too little, and what is left seems white by rounding.
    camera = camera_noise(values, missing, start.clip) if patches.dct.shape[1] == 3 else None
    curve = curve_of(patches, start, zero)
    shared, common = shared_noise(patches, start, camera)
    said: tuple[str, ...] = ()
    if sum(cut.fractions) < PAPER:  # what is cut off is skewed by that, and its shades are paper and ink
        common, said = by_brightness(
            patches.take(level.chosen), Shared(patches, start, shared, common), curve, zero
        )
    law = curve.law(start, Grid(step or grey_step(values, missing), zero)) if curve else None
    model, notes = _choose(start, salt, (common, law), patches, together.value > 0)
    notes += said if model is common else ()
    told = _contradicted(values, missing, model, level.texture < TEXTURED, step)
    if told is None and not model.replaces and _rounded(rms(model, patches), step):
        told = replace(start, sigma=min(start.sigma, FAINT)), ROUNDED
    if told is not None:
        (model, note), curve = told, None
        notes, channels = [note], (model.level,) * len(channels)
    base = start if isinstance(model, VarianceCurve) else model  # a free curve may follow what follows the place
    field = with_field(base, start, patches, values.shape[:2]) if _white(model) and told is None else None
    if field is not None:
        model, notes = field[0], [*notes, field[1]]
    notes += _remarks(model, level if told is None else None, cut, channels)
    if together.value and not model.replaces and not (isinstance(model, Correlated) and model.colours):
        model = replace(model, channel_correlation=together.value)
    return NoiseReport(
        model=model,
        sigma=model.level,
        relative_error=model.relative_error,
        curve=curve,
        correlation=None if told else shared,
        white=not model.shared,
        clipping=cut,
        impulse_fraction=salt.fraction,
        channels=channels,
        notes=tuple(notes),
    )


def _rounded(level: float, step: float) -> bool:
    """Say whether a level is no more than the rounding to grey levels that are few in the picture's range."""
    return 255 * step > 1 and not believed(level / (255 * step), CAMERA)


def _recognised(law: NoiseModel, patches: Patches, cut: Clipping) -> NoiseReport:
    """Return the report on noise whose law the values themselves give away."""
    level, ends = law.level, replace(cut, clip=law.clip)
    channels = (level,) * patches.dct.shape[1]
    return NoiseReport(law, level, law.relative_error, None, None, True, ends, 0.0, channels, ())


def _white(model: NoiseModel) -> bool:
    """Say whether the noise is white and strong enough that its level can vary."""
    return model.white and not model.replaces and believed(model.level, CAMERA)


def _checked(values: Floats, missing: Flags | None) -> tuple[Floats, Flags | None]:
    v = np.asarray(values, dtype=np.float32)
    v = v[:, :, None] if v.ndim == 2 else v
    if v.ndim != 3 or not v.size:
        raise InputError(
            f"Noise is measured on an array (height, width, channels), not on one of shape {v.shape}."
        )
    gone: Flags = np.asarray(~np.isfinite(v).all(2))
    if missing is not None:
        gone = np.logical_or(gone, missing)
    if gone.all():
        raise InputError("No pixel of the picture holds a finite value, so there is no noise to find.")
    if not gone.any():
        return _once(v), None
    return _once(np.where(gone[:, :, None], np.float32(np.median(v[~gone])), v)), gone


def _once(v: Floats) -> Floats:
    """Keep one channel of a grey picture that is stored as colours."""
    grey = v.shape[2] > 1 and bool((v == v[:, :, :1]).all())
    return v[:, :, :1] if grey else v


def _levels(patches: Patches, cut: Clipping) -> tuple[Level, tuple[float, ...], ChannelCorrelation]:
    """Measure all channels together, and each alone, and what they share; trust the latter when they do."""
    level = level_of(patches, cut.clip)
    count = patches.dct.shape[1]
    if count == 1:
        return level, (level.sigma,), ChannelCorrelation()
    single = tuple(level_of(patches.channel(c), cut.clip).sigma for c in range(count))
    together = float(np.sqrt(np.mean(np.square(single))))
    correlation = channel_correlation(patches) if count == 3 else ChannelCorrelation()
    if correlation.value:
        return replace(level, sigma=together, relative_error=correlation.relative_error), single, correlation
    high = patches.dct[level.chosen][:, :, HIGH].swapaxes(0, 1).reshape(count, -1)
    scale = np.sqrt(np.square(high).mean(1)) + 1e-12
    shared = (high @ high.T) / high.shape[1] / np.outer(scale, scale)
    if np.abs(shared[~np.eye(count, dtype=bool)]).max() > SHARED:
        level = replace(level, sigma=together, relative_error=max(0.1, level.relative_error))
    return level, single, correlation


def _choose(
    start: Gaussian,
    salt: Impulses,
    laws: tuple[Correlated | None, NoiseModel | None],
    patches: Patches,
    alone: bool,
) -> tuple[NoiseModel, list[str]]:
    common, law = laws
    if salt.found:
        error = 1 / np.sqrt(1e4 * max(salt.fraction, 1e-4))
        return Impulse(min(salt.fraction, 0.99), relative_error=float(error)), []
    if common is not None:
        grows = law is not None and common.uniform
        notes = ["The noise also grows with brightness, which this model leaves out."] if grows else []
        return common, [*notes, COARSE] if common.colours else notes
    law = law and _strengthened(patches, law, alone)
    if law is not None and believed(rms(law, patches), CAMERA):
        return law, []
    return start, [] if believed(start.sigma, CAMERA) else [_hardly(start)]


def rms(law: NoiseModel, patches: Patches) -> float:
    """Return the level of noise where the picture is, not where a law says what it says of mid-tones."""
    return float(np.sqrt(np.square(np.asarray(law.std(law.unclip(patches.mean)))).mean()))


def _hardly(noise: NoiseModel) -> str:
    """Return the note on noise that is weaker than what is called so; not all of it is left alone."""
    if noise.negligible:
        return "No noise was found."
    return "Hardly any noise was found: no more than rounding or a camera leaves."


def _strengthened(patches: Patches, law: NoiseModel, alone: bool) -> NoiseModel:
    """Return the law with its strength measured on all shades together, the flattest patches first.

    Of channels that share their noise each is measured `alone`.
    """
    if law.relative_error <= COUNTED_ERROR:
        return law
    parts = [patches.channel(c) for c in range(patches.dct.shape[1])] if alone else [patches]
    found = [one for one in (strength(part, law) for part in parts) if one is not None]
    if not found:
        return law
    factor = float(np.mean([one.sigma**2 for one in found]))
    return law.scaled(factor, max(one.relative_error for one in found))


def _contradicted(
    values: Floats, missing: Flags | None, model: NoiseModel, flat: bool, step: float
) -> tuple[NoiseModel, str] | None:
    """Return another law and what to say of it, where the picture as a whole shows that it is not noise."""
    if np.unique(values).size > 2 if model.replaces else not believed(model.level, CAMERA):
        return None
    told = drawing_noise(model, values, missing, flat, step)
    pattern = None if told is not None and told.negligible else pattern_of(values, missing)
    if pattern is not None and pattern.printed:
        return Gaussian(0.0, clip=model.clip), PATTERN
    smooth = isinstance(model, Correlated) and bool(model.colours)  # neighbours that share it so far differ little
    if smooth and told is not None and told.level > SHARED_LEAST * model.level:
        return None
    return None if told is None else (told, DRAWN if told.negligible else DRAWING)


def _remarks(model: NoiseModel, level: Level | None, cut: Clipping, channels: tuple[float, ...]) -> list[str]:
    notes = []
    low, high = cut.fractions
    if any(cut.clip) and (level is not None or not model.negligible):  # paper is no value that was cut off
        notes.append(f"Values were cut off: {percent(low)} lie at black and {percent(high)} at white.")
    if level and model.white and model.uniform and level.texture > TEXTURED and believed(level.sigma, CAMERA):
        notes.append("The picture has hardly a flat spot, so the level may be too high.")
    if believed(min(channels), CAMERA) and max(channels) > 1.25 * min(channels):
        shares = ", ".join(f"{s / max(channels):.0%}" for s in channels)
        notes.append(f"The channels are not equally noisy: {shares} of the noisiest.")
    return notes


def _without_patches(values: Floats, missing: Flags | None, cut: Clipping, salt: Impulses) -> NoiseReport:
    sigma, error = sigma_of_differences(values, missing)
    model: NoiseModel = Gaussian(sigma, relative_error=error, clip=cut.clip)
    if salt.found:
        model = Impulse(min(salt.fraction, 0.99), relative_error=0.1)
    notes = ["Too few whole patches to tell the kind of noise; its level is rough."]
    if not believed(sigma, CAMERA) and not salt.found:
        notes = [_hardly(model)]
    return NoiseReport(
        model,
        model.level,
        error,
        None,
        None,
        True,
        cut,
        salt.fraction,
        (sigma,) * values.shape[2],
        tuple(notes),
    )
