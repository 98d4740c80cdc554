"""The noise of every shade of a colour picture, from pairs of patches that are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untaught.noise.estimation.correlation import band
from untaught.noise.estimation.dct_patches import FREQUENCY, SIZE, Flags, Floats, Patches, kept_by_clipping
from untaught.noise.estimation.sigma import KEPT
from untaught.noise.opponent_colours import OPPONENT

SHADES = 5  # of brightness, equally many patches in each
PAIRS = 1500  # patches for each of which another like it is looked for; bounds the time
AT_ONCE = 256  # of them; bounds the memory
AWAY = 2 * SIZE  # pixels: patches this far apart do not share noise
ALIKE = 0.2  # share of a shade's pairs that is used; fewer are those whose noise JPEG has taken away
FEWEST = 40  # pairs of a shade that are used
LOUDER = 2.0  # deviation of grey over colours, for the scale on which patches are alike
RIVALS = 12_000  # patches among which the one most alike is looked for
FLATTEST = 0.05  # share of the patches of a quick look
ANCHORS = range(5, 9)  # i + j: where pairs hold little texture, and JPEG has left the noise
STEEPEST = 0.4  # by which the logarithm of a camera's spectrum rises at most towards lower i + j, a step
STEEPER = 0.1  # by which it may rise more a step below an anchor than above it
STEEPEST_COLOUR = 1.1  # the same for colours, which cameras smooth, from i + j = 2 to 1

Values = NDArray[np.float64]
COLOURS = np.array(OPPONENT)
TOLD: NDArray[np.bool_] = FREQUENCY > 0
CLASS = (2 * (np.arange(SIZE)[:, None] % 2) + np.arange(SIZE)[None, :] % 2).ravel()
CLASSES = 4


@dataclass(frozen=True)
class Shade:
    """The noise of one brightness.

    Attributes
    ----------
    mean : float
        The brightness, [0, 1] units.
    spectrum : ndarray
        Variance of the DCT coefficients in grey and the two colour differences, (3, 64), [0, 1] units squared.
    spread : tuple of float
        How unevenly energy lies over the patches, in grey and in the colour differences; noise lies evenly.
    """

    mean: float
    spectrum: Values
    spread: tuple[float, float]

    @property
    def variance(self) -> Values:
        """Variance of one pixel in each of the three colours, without the mean of the patch."""
        return np.asarray(self.spectrum[:, TOLD].mean(1))


def flattest_colours(patches: Patches) -> Values:
    """Return the spectrum (64,) of the colour differences in the patches that hold the least of them; quick."""
    dct = np.einsum("oc,ncf->nof", COLOURS[1:].astype(np.float32), patches.dct)
    power = np.square(dct).mean(1)
    count = min(len(power), max(FEWEST, int(FLATTEST * len(power))))
    spectrum = np.zeros(SIZE * SIZE)
    for parity in (0, 1):
        judge = (parity == FREQUENCY % 2) & TOLD
        flat = np.argpartition(power[:, judge].mean(1), count - 1)[:count]
        spectrum[~judge] = power[flat][:, ~judge].mean(0)
    return spectrum


def shades_of(patches: Patches, clip: tuple[bool, bool]) -> list[Shade]:
    """Measure the noise of every shade.

        E (p - q)^2 / 2 = Var n + (x_p - x_q)^2 / 2

    for a patch p and another q most like it: texture that the picture repeats cancels, the noise does not. The DCT
    coefficients fall into four classes by whether they are even or odd down and across, between which stationary
    noise has no correlation. Which patch is most like another, and which pairs are used, is judged by three
    classes, and the noise is measured in the fourth; each takes its turn. (By fewer a wave and its mirror image
    could not be told apart.)

    Parameters
    ----------
    patches : Patches
        Of three channels, with their corners.
    clip : tuple of bool
        Whether values were cut at 0 and at 1.
    """
    dct = np.einsum("oc,ncf->nof", COLOURS.astype(np.float32), patches.dct)
    assert patches.corner is not None
    seen = _unclipped(patches, dct, clip)
    dct, corner = dct[seen], patches.corner[seen]
    power = np.square(dct)
    unit = np.sqrt(np.quantile(power[:, :, TOLD].mean(2), 0.1, axis=0) + 1e-9).astype(np.float32)
    unit[0] = min(unit[0], LOUDER * unit[1:].mean())  # what grey has beyond that is texture, which has to be alike
    chosen = np.arange(0, len(dct), max(1, len(dct) // PAIRS))
    apart = [_differences(dct, unit[:, None], corner, chosen, _judges(turn)) for turn in range(CLASSES)]
    power, brightness = power[chosen], dct[chosen, 0, 0] / SIZE / np.sqrt(3)
    found = []
    for inside in np.array_split(np.argsort(brightness, kind="stable"), SHADES):
        spread = _spread(power[inside, 0]), _spread(power[inside, 1:].mean(1))
        found.append(Shade(float(brightness[inside].mean()), _spectrum(apart, inside), spread))
    return found


def _judges(turn: int) -> Flags:
    return np.asarray((turn != CLASS) & TOLD)


def _unclipped(patches: Patches, dct: Floats, clip: tuple[bool, bool]) -> Flags:
    """Return which patches clipping has left their noise; all of them if those are few."""
    level = float(np.sqrt(np.quantile(np.square(dct[:, 1:, TOLD]).mean((1, 2)), 0.1)))
    seen = kept_by_clipping(patches.mean, level, clip).min(1) > KEPT
    return np.asarray(seen if seen.sum() >= SHADES * FEWEST else np.ones_like(seen))


def _differences(
    dct: Floats, unit: Floats, corner: NDArray[np.intp], chosen: NDArray[np.intp], judge: Flags
) -> tuple[Floats, Floats]:
    """Return how much the chosen patches differ from those most like them, by `judge` and in every coefficient."""
    judged = (dct / unit)[:, :, judge].reshape(len(dct), -1)
    other = _alike(judged, corner, chosen)
    return np.square(judged[chosen] - judged[other]).mean(1), np.square(dct[chosen] - dct[other]) / 2


def _alike(judged: Floats, corner: NDArray[np.intp], chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for every chosen patch the one most like it that does not share its noise."""
    best = np.empty(len(chosen), np.intp)
    rivals = np.arange(0, len(judged), -(-len(judged) // RIVALS))
    known, place = judged[rivals], corner[rivals]
    length = np.square(known).sum(1)
    for start in range(0, len(chosen), AT_ONCE):
        part = chosen[start : start + AT_ONCE]
        distance = length[None] - 2 * judged[part] @ known.T
        for row, patch in enumerate(part):
            distance[row, (np.abs(place - corner[patch]) < AWAY).all(1)] = np.inf
        best[start : start + AT_ONCE] = rivals[distance.argmin(1)]
    return best


def _spectrum(apart: list[tuple[Floats, Floats]], inside: NDArray[np.intp]) -> Values:
    """Return the spectrum (3, 64) of the pairs of one shade that differ least."""
    spectrum = np.zeros((3, SIZE * SIZE))
    count = min(len(inside), max(FEWEST, int(ALIKE * len(inside))))
    for turn, (energy, difference) in enumerate(apart):
        least = inside[np.argpartition(energy[inside], count - 1)[:count]]
        spectrum[:, turn == CLASS] = difference[least][:, :, turn == CLASS].mean(0)
    for row in spectrum[1:]:
        steep = row[[1, SIZE]].mean() / max(band(row, (2, 3)), 1e-20)
        row[[1, SIZE]] *= min(1.0, np.exp(STEEPEST_COLOUR) / max(steep, 1e-9))
    return spectrum


def untextured(spectrum: Values) -> Values:
    """Return the spectrum (64,) of a grey patch with its low frequencies cut to what noise can have there.

    The logarithm of a camera's spectrum is nearly concave over the frequency, that of texture convex: so below an
    anchor it rises little faster than above it, and nowhere by more than `STEEPEST` a step.
    """
    step = np.arange(2 * SIZE - 1)
    log = np.array([np.log(spectrum[k == FREQUENCY].mean() + 1e-20) for k in step])
    pair = (log[:-1] + log[1:]) / 2
    most = np.full(len(log), np.inf)
    for a in ANCHORS:
        slope = np.clip((pair[a] - pair[a + 2]) / 2 + STEEPER, 0.0, STEEPEST)
        most = np.where(step < a, np.minimum(most, pair[a] + slope * (a + 0.5 - step)), most)
    return np.asarray(spectrum * np.exp(np.minimum(most - log, 0))[FREQUENCY])


def _spread(power: Values) -> float:
    """Return how unevenly energy lies over patches (N, 64)."""
    few, more = np.quantile(power[:, TOLD].mean(1), [0.05, 0.3])
    return float(more / max(few, 1e-20))
