"""Drawing from torch's own generator, which all threads share: networks draw their first weights from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock

import torch

_ONE_AT_A_TIME = RLock()


@contextmanager
def seeded(seed: int, devices: Sequence[torch.device | int] = ()) -> Iterator[None]:
    """Let what is drawn inside follow from a seed alone, in whatever thread, and leave the generator as it was.

    Parameters
    ----------
    seed : int
        The seed.
    devices : sequence of device
        Whose generators are used beside the processor's.
    """
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed)
        yield
