"""The planes of a stack on one page: a slider over some of them, before and after, and cuts along the stack."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from untaught.image.image import Image
from untaught.image.lazy import release
from untaught.image.plane import Window
from untaught.results import text as words
from untaught.results.display import Bytes, Pair, Stretch, data_uri, jpeg_of, jpeg_uri, middle, overview
from untaught.results.html import paragraph, section
from untaught.results.restoration import Restoration

FRAMES = 32  # planes that the slider goes over, evenly spread
SIDE = 288  # pixels of one, at most
SHOWN = 400  # and of the page, at most, where its pixels are enlarged
QUALITY = 85
LEAST_CUT, MOST_CUT = 4, 512  # planes of a cut
LEAST_HEIGHT = 160  # pixels of the page that a cut is high, at least
MOST_ZOOM = 8

# The slider is an input of the browser, so arrows, Home, End and PageUp work; nothing is loaded.
SCRIPT = """
(() => {
  const player = document.querySelector('.player'), slider = player.querySelector('input');
  const said = player.querySelector('output'), button = player.querySelector('button');
  const frames = [...player.querySelectorAll('figure')].map((figure) => [...figure.querySelectorAll('img')]);
  let timer = null;
  const show = () => {
    frames.forEach((images) => images.forEach((image, k) => { image.hidden = k !== slider.valueAsNumber; }));
    said.value = frames[0][slider.valueAsNumber].dataset.place;
    slider.setAttribute('aria-valuetext', said.value);
  };
  const stop = () => { clearInterval(timer); timer = null; button.textContent = 'Play'; };
  slider.addEventListener('input', () => { stop(); show(); });
  button.addEventListener('click', () => {
    if (timer !== null) return stop();
    button.textContent = 'Pause';
    timer = setInterval(() => { slider.value = (slider.valueAsNumber + 1) % frames[0].length; show(); }, 120);
  });
  slider.disabled = button.disabled = false;
  show();
})();
"""


@dataclass(frozen=True)
class Line:
    """The planes along the axis of a stack that is shown, at one place on all others."""

    axis: str
    planes: tuple[int, ...]

    @classmethod
    def of(cls, picture: Image, through: int) -> Line | None:
        """Return the line through a plane: along T, or Z, or else the longest axis; None of a single plane."""
        axes = [axis for axis in picture.lead_axes if picture.size(axis) > 1]
        if not axes:
            return None
        axis = max(axes, key=lambda one: (one in "TZ", picture.size(one)))
        numbers = np.arange(picture.n_planes).reshape(*picture.lead_shape, len(picture.groups))
        at = np.argwhere(numbers == through)[0].tolist()
        place = picture.lead_axes.index(axis)
        along = numbers[(*at[:place], slice(None), *at[place + 1 :])]
        return cls(axis, tuple(along.tolist()))

    def thinned(self, most: int) -> tuple[int, ...]:
        """Return at most so many of them, evenly spread, with the first and the last."""
        places = np.unique(np.linspace(0, len(self.planes) - 1, most).round().astype(int))
        return tuple(self.planes[at] for at in places)


def stack_player(result: Restoration, shown: Pair, stretch: Stretch) -> str:
    """Return the section with the slider and the cuts; empty for a picture of one plane.

    Parameters
    ----------
    result : Restoration
        The stack.
    shown : Pair
        A plane of the line that is shown.
    stretch : Stretch
        How values are drawn, before and after alike.
    """
    line = Line.of(result.picture, shown.index)
    if line is None or result.input.n_planes != result.picture.n_planes:
        return ""
    frames = line.thinned(FRAMES)
    few = "" if len(frames) == len(line.planes) else f" {len(frames)} of {len(line.planes)} planes are shown."
    return section(
        "Through the stack",
        paragraph(
            f"Move through the planes along {line.axis} with the slider, or with the arrow keys once it is "
            f"chosen; Play shows them as a film.{few}",
            "soft",
        ),
        _player(result, frames, stretch),
        _cuts(result, line, shown, stretch),
        f"<script>{SCRIPT}</script>",
    )


def _player(result: Restoration, frames: tuple[int, ...], stretch: Stretch) -> str:
    labels = result.input.labels
    figures = []
    for name, picture in (("before", result.input), ("after", result.picture)):
        first, *others = (_frame(picture, (name, labels[index]), index, stretch) for index in frames)
        hidden = "".join(f"{each} hidden>" for each in others)
        figures.append(f"<figure>{first}>{hidden}<figcaption><b>{name}</b></figcaption></figure>")
    return (
        '<div class="player">\n<p><label for="plane">Plane</label> '
        f'<input id="plane" type="range" min="0" max="{len(frames) - 1}" value="0" step="1" disabled> '
        f'<output for="plane">{escape(labels[frames[0]])}</output> '
        '<button type="button" disabled>Play</button></p>\n'
        f'<div class="strip">{"".join(figures)}</div>\n</div>'
    )


def _frame(picture: Image, named: tuple[str, str], index: int, stretch: Stretch) -> str:
    """Return the picture of a plane but for its last bracket."""
    levels = stretch(picture.plane(index, (middle(picture.height), middle(picture.width))).values)
    release(picture.array)
    small = overview(levels, (), SIDE)
    zoom = max(1, min(MOST_ZOOM, SHOWN // max(small.shape[:2])))
    name, label = named
    shown = small if levels.shape[-1] == 3 else small[..., :1]
    return (
        f'<img class="pixels" src="{jpeg_uri(jpeg_of(shown, QUALITY))}" '
        f'width="{small.shape[1] * zoom}" height="{small.shape[0] * zoom}" data-place="{escape(label)}" '
        f'alt="{name}, {escape(label)}"'
    )


def _cuts(result: Restoration, line: Line, shown: Pair, stretch: Stretch) -> str:
    """Return the cuts along x and along the stack, at the row where the plane shows most."""
    if len(line.planes) < LEAST_CUT:
        return ""
    planes, share = line.thinned(MOST_CUT), _liveliest(shown.after)
    axis = line.axis.lower()
    few = "" if len(planes) == len(line.planes) else f", every {len(line.planes) / len(planes):.3g}th plane"
    figures, row = [], 0
    for name, picture in (("before", result.input), ("after", result.picture)):
        rows, columns = middle(picture.height), middle(picture.width)
        row = rows.start + int(share * (rows.stop - rows.start))
        levels = _cut(picture, planes, (slice(row, row + 1), columns), stretch)
        zoom = max(1, min(MOST_ZOOM, LEAST_HEIGHT // len(levels)))
        figures.append(
            f'<figure><div class="scroll"><img class="pixels" src="{data_uri(np.repeat(levels, zoom, 0))}" '
            f'width="{levels.shape[1]}" height="{levels.shape[0] * zoom}" alt="x-{axis} cut, {name}"></div>'
            f"<figcaption><b>{name}</b></figcaption></figure>"
        )
    said = (
        f"Row {row} of every plane, {words.number(len(planes))} of them one below the other{few}: x runs across, "
        f"{axis} down. What stands still is a vertical line; a beat between planes would be stripes across."
    )
    return f'<h3>x-{axis} cut</h3>\n{paragraph(said, "soft")}\n<div class="strip">{"".join(figures)}</div>'


def _liveliest(values: NDArray[np.float32]) -> float:
    """Return where the row of greatest contrast is, as a share of the height, not at the edges."""
    spread = np.nan_to_num(values).mean(-1).std(1)
    edge = len(spread) // 8
    inner = spread[edge : len(spread) - edge]
    return float((edge + int(np.argmax(inner)) + 0.5) / len(spread))


def _cut(picture: Image, planes: tuple[int, ...], window: Window, stretch: Stretch) -> Bytes:
    rows = []
    for index in planes:
        rows.append(stretch(picture.plane(index, window).values))
        release(picture.array)
    return np.concatenate(rows)
