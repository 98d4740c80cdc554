"""What was measured already is not measured again, where somebody asks for that."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager

from untaught.noise.estimation.dct_patches import Flags, Floats
from untaught.noise.estimation.noise_report import NoiseReport

Known = MutableMapping[bytes, NoiseReport]
"""Reports by what they were measured on."""

_known: list[Known] = []


@contextmanager
def remembering(known: Known) -> Iterator[None]:
    """Let `measure` look a picture up before it measures, and note what it finds, in all threads of this process.

    A page that has shown the noise of a picture starts at once to restore it, by the very same report.
    """
    _known.append(known)
    try:
        yield
    finally:
        _known.remove(known)


def once(
    measure: Callable[[], NoiseReport], values: Floats, missing: Flags | None, step: float, zero: float
) -> NoiseReport:
    """Return what `measure` finds, or has found before, on these values and what goes with them."""
    if not _known:
        return measure()
    key, known = _digest(values, missing, step, zero), _known[-1]
    if key not in known:
        known[key] = measure()
    return known[key]


def _digest(values: Floats, missing: Flags | None, step: float, zero: float) -> bytes:
    about = repr((values.shape, values.dtype.str, missing is None, step, zero))
    found = hashlib.blake2b(about.encode(), digest_size=16)
    for part in (values, missing):
        if part is not None:
            found.update(part.tobytes())
    return found.digest()
