"""What each effort would try on a picture, and about how long that takes here and now."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.methods.registry import make, seconds_for
from untaught.noise import Gaussian, NoiseModel
from untaught.pipeline.options import EFFORTS
from untaught.pipeline.plane.choose_methods import QUICK, advise
from untaught.problem import Problem, tensor
from untaught.results.inspection import Effort

SIDE = 160  # pixels of the part of the picture that is denoised to see how quick the machine is
LEVEL = 0.1  # of the noise that it is said to have; the time does not depend on it
# Seconds over those of the quick formula for as many pixels, with the error and the refined level; on 512 x 512
# colour pixels in two threads.
TIMES = {QUICK: 1.8, "nonlocal": 4.4, "nonlocal-thorough": 12.0}


def efforts_of(noises: Sequence[NoiseModel], plane: Plane, picture: Image, measuring: float) -> tuple[Effort, ...]:
    """Return what every effort would try on the noisiest plane, and seconds for the whole picture.

    Parameters
    ----------
    noises : sequence of NoiseModel
        Of the planes that were measured.
    plane : Plane
        One of them, or what stands for a larger one.
    picture : Image
        What they are of.
    measuring : float
        Seconds that it took to measure one.
    """
    worst, count = max(noises, key=lambda noise: (noise.replaces, noise.level)), picture.n_planes
    values = picture.height * picture.width * plane.values.shape[2]
    tried = {effort: advise(worst, values, effort).methods for effort in EFFORTS}
    if not any(tried.values()):
        return tuple(Effort(effort, (), count * measuring) for effort in EFFORTS)
    pace = _pace(plane)
    found = []
    for effort, methods in tried.items():
        costs = [
            pace * values * TIMES[name] if name in TIMES else seconds_for(name, values / 3e6) for name in methods
        ]
        known = [cost for cost in costs if cost is not None]
        seconds = count * (measuring + sum(known)) if len(known) == len(costs) else None
        found.append(Effort(effort, methods, seconds))
    return tuple(found)


def _pace(plane: Plane) -> float:
    """Return how many seconds the quick formula takes for a value of the plane."""
    part = np.nan_to_num(plane.values[:SIDE, :SIDE])
    y = tensor(np.ascontiguousarray(part, dtype=np.float32))
    problem = Problem(y, y.new_ones(1, 1, *y.shape[2:]), Gaussian(LEVEL))
    method = make(QUICK)
    spent = []
    for _ in range(3):  # the first may have to compile, or load, the code
        started = time.perf_counter()
        method.solve(problem, 0)  # type: ignore[union-attr]
        spent.append(time.perf_counter() - started)
    return min(spent) / y.numel()
