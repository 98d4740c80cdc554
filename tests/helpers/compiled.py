"""Compile what the tests need, `python -m tests.helpers.compiled`: once, and not in each of their processes.

`make test` does it beside `make lint`. What is compiled is kept beside the package; tests that come first without
it compile it themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from tests.helpers.quick import crop
from untaught import Image, denoise


def calls() -> Iterator[Callable[[], object]]:
    """Yield calls that have all kernels compiled, for white noise and for such as neighbours share."""
    salted = np.where(np.random.default_rng(0).random((24, 24)) < 0.05, np.float32(1), crop(24)[..., 0])
    yield lambda: denoise(salted, method="impulse-fill", noise="impulse:0.1")
    film = Image.of(np.stack([crop(32, seed)[..., 0] for seed in range(4)]), "TYX")
    for noise in ("gaussian:25", "correlated:25,1"):
        yield lambda noise=noise: denoise(crop(32), method="nonlocal", noise=noise)
        yield lambda noise=noise: denoise(film, method="nonlocal", noise=noise)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for call in calls():
        call()
