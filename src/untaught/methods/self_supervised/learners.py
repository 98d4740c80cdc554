"""The learners by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from untaught.errors import InputError, did_you_mean
from untaught.methods.registry import set_up
from untaught.methods.self_supervised.gr2r import GR2R
from untaught.methods.self_supervised.learner import Learner
from untaught.methods.self_supervised.neighbor2neighbor import Neighbor2Neighbor
from untaught.methods.self_supervised.noise2noise import Noise2Noise
from untaught.methods.self_supervised.noise2self import Noise2Self
from untaught.methods.self_supervised.noise2void import Noise2Void, StructuredNoise2Void
from untaught.methods.self_supervised.noisier2noise import Noisier2Noise
from untaught.methods.self_supervised.noisy_as_clean import NoisyAsClean
from untaught.methods.self_supervised.self2self import Self2Self
from untaught.methods.self_supervised.sure import SURE
from untaught.methods.self_supervised.zs_noise2noise import ZeroShotNoise2Noise

OF_ONE_PICTURE: Mapping[str, type[Learner]] = {
    cls.name: cls
    for cls in (
        *(Noise2Void, StructuredNoise2Void, Noise2Self, Neighbor2Neighbor, ZeroShotNoise2Noise),
        *(Noisier2Noise, NoisyAsClean, SURE, Self2Self),
    )
}
LEARNERS: Mapping[str, type[Learner]] = {GR2R.name: GR2R, Noise2Noise.name: Noise2Noise, **OF_ONE_PICTURE}
"""The learners by name; those of one picture have versions for every n-th pixel, see `subsampled`."""


def learner(name: str, settings: Mapping[str, Any] | None = None) -> Learner:
    """Return the learner called `name` with its defaults, or with `settings` in their place.

    Raises
    ------
    InputError
        For a name that is not in `LEARNERS`, or a setting the learner does not have.
    """
    if name not in LEARNERS:
        hint = did_you_mean(name, LEARNERS)
        raise InputError(f"{name!r} does not learn from noisy pictures; {hint}choose {', '.join(LEARNERS)}")
    found: Learner = set_up(name, LEARNERS[name], settings)
    return found
