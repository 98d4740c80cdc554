"""A progress bar in a notebook, with the picture as it stands."""

from __future__ import annotations

import base64
import io
import time
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.fitting.progress import Progress

BETWEEN = 0.5
"""Seconds between two pictures, at the least ..."""
SHARE = 0.02
"""... and this share of the time is spent on them, at the most."""
LINES = 0.2
"""Seconds between two lines."""
STRETCH = (0.1, 99.9)  # percentiles; the far tails would cost the rest its contrast


def notebook_progress(preview: bool = True, side: int = 320) -> NotebookProgress:
    """Return an `on_progress` that shows a bar, and the picture as it stands, below a cell of a notebook.

        result = untaught.denoise(image, on_progress=untaught.notebook_progress())

    The notebook's own button for interrupting ends the fit and keeps the best so far. What was shown last stays;
    in a `with` block it is taken away at the end:

        with untaught.notebook_progress() as show:
            result = untaught.denoise(image, on_progress=show)

    Parameters
    ----------
    preview : bool
        Whether to show the picture.
    side : int
        Pixels of its longer side; it is reduced to that.

    Raises
    ------
    InputError
        Where IPython is missing.
    """
    return NotebookProgress(preview, side)


class NotebookProgress:
    """See `notebook_progress`."""

    def __init__(self, preview: bool, side: int) -> None:
        try:
            from IPython import get_ipython
            from IPython.display import HTML, display
        except ImportError as error:
            raise InputError(
                'progress in a notebook needs IPython; run pip install "untaught[notebook]"'
            ) from error
        self.html, self.display = HTML, display
        self.there = get_ipython() is not None  # else nothing is displayed that could be replaced
        self.preview, self.side = preview, side
        self.shown: Any = None  # the handle of what is displayed
        self.started = time.monotonic()
        self.next_line = self.next_picture = 0.0
        self.phase: tuple[str, int, int] | None = None
        self.notes: list[str] = []
        self.picture = ""
        self.done = 0.0

    def __enter__(self) -> NotebookProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.shown is not None:
            self.shown.update(self.html(""))

    def __call__(self, progress: Progress) -> None:
        """Show where a fit is; nothing outside of IPython."""
        if not self.there:
            return
        now = time.monotonic()
        phase = progress.phase, progress.plane, progress.part
        self.notes += [note for note in progress.notes if note not in self.notes]
        if now < self.next_line and phase == self.phase:
            return
        if self.preview and progress.parts == 1 and now >= self.next_picture:
            self.picture = drawn(progress.preview()[0].permute(1, 2, 0).float().cpu().numpy(), self.side)
            self.next_picture = now + max(BETWEEN, (time.monotonic() - now) / SHARE)
        self.phase, self.next_line = phase, now + LINES
        self.done = max(self.done, progress.planes_done / progress.planes)
        self._show(f"{progress.where}, {now - self.started:.0f} s")

    def _show(self, text: str) -> None:
        """Display a bar, a line, what is to be told, and the picture."""
        notes = "".join(f"<br>{escape(note)}" for note in self.notes)
        image = f'<img src="{self.picture}" alt="the picture as it stands">' if self.picture else ""
        content = self.html(
            f'<div class="untaught"><progress max="1" value="{self.done:.3f}" aria-label="progress"></progress> '
            f"{escape(text)}{notes}<div>{image}</div></div>"
        )
        if self.shown is None:
            self.shown = self.display(content, display_id=True)
        else:
            self.shown.update(content)


def drawn(values: NDArray[np.float32], side: int) -> str:
    """Return (H, W, C) as a JPEG in a data URI, no larger than `side`."""
    from PIL import Image as Pillow

    finite = values[np.isfinite(values)]
    low, high = (float(v) for v in np.percentile(finite, STRETCH)) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 1 and high - low > 0.5:  # an ordinary picture, whose black and white stay
        low, high = 0.0, 1.0
    levels = np.clip((np.nan_to_num(values) - low) / max(high - low, 1e-9), 0, 1)
    pixels = np.round(255 * levels).astype(np.uint8)
    picture = Pillow.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
    picture.thumbnail((side, side), Pillow.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
