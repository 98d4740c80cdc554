"""What a fit tells while it runs: where it is, at most some times a second, and the picture as it stands."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from untaught.serve.planes import as_shown
from untaught.serve.tiles import averaged, levels

if TYPE_CHECKING:
    from untaught.fitting.progress import Progress


class Flag(Protocol):
    """A flag that two processes see."""

    def is_set(self) -> bool:
        """Tell whether it is set."""
        ...


LARGEST = 768
"""Pixels on the longer side of a preview."""
BETWEEN = 0.4
"""Seconds between two previews, at the least ..."""
SHARE = 0.02
"""... and this share of the time is spent on them, at the most."""
LINES = 0.15
"""Seconds between two lines of progress."""


class Watch:
    """An `on_progress` that ends the fit when `stop` is set and tells where it is.

    Parameters
    ----------
    tell : callable
        Sends a message.
    stop, watched : Flag
        Whether the fit is to end with the best so far; whether anybody looks.
    value_range, contrast : tuple of float
        What 0 and 1 stand for in previews; what is drawn black and white.
    orientation : int
        How the picture is shown, as EXIF counts.
    """

    def __init__(
        self,
        tell: Callable[..., None],
        flags: tuple[Flag, Flag],
        value_range: tuple[float, float],
        contrast: tuple[float, float],
        orientation: int,
    ) -> None:
        self.tell, self.value_range, self.contrast, self.orientation = tell, value_range, contrast, orientation
        self.stop, self.watched = flags
        self.next_line = self.next_preview = 0.0
        self.phase: tuple[str, int, int] | None = None

    def __call__(self, progress: Progress) -> None:
        """Tell where a fit is."""
        if self.stop.is_set():
            raise KeyboardInterrupt
        now = time.monotonic()
        phase = (progress.phase, progress.plane, progress.part)
        if progress.notes:
            self.tell("warned", notes=list(progress.notes))
        if now < self.next_line and phase == self.phase:
            return
        self.next_line = now + LINES
        found = where(progress)
        if self.watched.is_set() and progress.parts == 1 and (now >= self.next_preview or phase != self.phase):
            found["picture"] = self.drawn(progress)
            self.next_preview = now + max(BETWEEN, (time.monotonic() - now) / SHARE)
        self.phase = phase
        self.tell("progress", **found)

    def drawn(self, progress: Progress) -> bytes:
        """Return the picture as it stands as a JPEG, no larger than `LARGEST`."""
        from PIL import Image as Pillow

        values = progress.preview()[0].permute(1, 2, 0).float().cpu().numpy()
        low, high = self.value_range
        small = averaged(values, max(1, math.ceil(max(values.shape[:2]) / LARGEST)))
        pixels = as_shown(
            levels(small * np.float32(high - low) + np.float32(low), *self.contrast), self.orientation
        )
        pixels = pixels[..., 0] if pixels.shape[-1] != 3 else pixels
        stream = io.BytesIO()
        Pillow.fromarray(np.ascontiguousarray(pixels)).save(stream, "JPEG", quality=90)
        return stream.getvalue()


def where(progress: Progress) -> dict[str, Any]:
    """Return where a fit is, with None where there is no number."""
    return {
        "phase": progress.phase,
        "step": progress.step,
        "steps": progress.steps,
        "loss": finite(progress.loss),
        "score": finite(progress.score),
        "score_name": progress.score_name,
        "plane": progress.plane,
        "planes": progress.planes,
        "part": progress.part,
        "parts": progress.parts,
        "left": finite(progress.most_left) if progress.step else None,
    }


def finite(value: float) -> float | None:
    """Return a number that JSON has, to five digits."""
    return float(f"{value:.5g}") if math.isfinite(value) else None
