"""Before, after and residual at 1:1, whole or in crops, and the uncertainty map."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import islice

import numpy as np

from untaught.image.image import Image
from untaught.image.plane import Plane
from untaught.results import text as words
from untaught.results.display import (
    FULL_SAMPLES,
    FULL_SIDE,
    Box,
    Bytes,
    Pair,
    Stretch,
    before_after,
    crops,
    data_uri,
    gain_of,
    overview,
    residual_levels,
    stretch_of,
)
from untaught.results.plots import colour_bar, coloured
from untaught.results.restoration import Restoration, representative

SMALL = 192  # pictures smaller than this are drawn with enlarged pixels


def gallery(result: Restoration, shown: Sequence[Pair]) -> str:
    """Return the section with the pictures and what was done to show them."""
    stretch = stretch_of(result, shown)
    gain = gain_of(shown, stretch)
    parts = [f'<p class="soft">{escape(_how_shown(result, shown, stretch, gain))}</p>']
    for pair in shown:
        if pair.name:
            parts.append(f"<h3>{escape(pair.name)}</h3>")
        parts.append(_plane(pair, stretch, gain, len(shown)))
    return "<section>\n<h2>Before, after, and what was taken away</h2>\n" + "\n".join(parts) + "\n</section>"


def _how_shown(result: Restoration, shown: Sequence[Pair], stretch: Stretch, gain: float) -> str:
    low, _ = result.input.value_range
    said = ["On a screen one pixel of the picture is one pixel of the page, unless a caption says otherwise."]
    if stretch.applied:
        black, white = (words.number(low + words.in_units(result, v)) for v in (stretch.low, stretch.high))
        said.append(f"Before and after are drawn with the same contrast: black is {black}, white is {white}.")
    if shown[0].residual is not None:
        half = words.number(words.in_units(result, (stretch.high - stretch.low) / (2 * gain)))
        said.append(
            f"The residual (input minus result) is amplified {gain:g} times about mid grey: "
            f"grey is 0, black is −{half}, white is +{half}."
        )
    if any(pair.missing.any() for pair in shown):
        said.append("Pixels that were missing are orange.")
    return " ".join(said)


def _plane(pair: Pair, stretch: Stretch, gain: float, planes: int) -> str:
    before, after = before_after(pair, stretch)
    residual = residual_levels(pair, stretch, gain)
    if max(after.shape[:2]) <= FULL_SIDE and 3 * planes * after.size <= 3 * FULL_SAMPLES:
        return _strip(before, after, residual)
    if residual is None:
        wide = [figure(overview(p, ()), n, "reduced") for p, n in ((before, "before"), (after, "after"))]
        return f'<div class="strip">{"".join(wide)}</div>'
    found = crops(pair)
    boxes = [box for _, box in found]
    seen = "reduced to fit; averaging hides noise, so judge by the crops"
    parts = [
        '<div class="strip">'
        + figure(overview(before, boxes), "before", seen)
        + figure(overview(after, boxes), "after", seen)
        + "</div>"
    ]
    for letter, (name, box) in zip("ABC", found, strict=False):
        parts.append(f"<h3>{letter}: {escape(name)}, at 1:1</h3>")
        parts.append(_strip(_cut(before, box), _cut(after, box), _cut(residual, box)))
    return "\n".join(parts)


def _cut(levels: Bytes, box: Box) -> Bytes:
    top, left, height, width = box
    return levels[top : top + height, left : left + width]


def _strip(before: Bytes, after: Bytes, residual: Bytes | None) -> str:
    figures = [figure(before, "before"), figure(after, "after")]
    if residual is not None:
        figures.append(figure(residual, "residual", "amplified"))
    return f'<div class="strip">{"".join(figures)}</div>'


def figure(levels: Bytes, name: str, note: str = "") -> str:
    """Return one picture of 8-bit levels with its caption; small ones with whole-number enlargement."""
    height, width = levels.shape[:2]
    zoom = max(1, SMALL // max(height, width))
    remarks = [note] if note else []
    if zoom > 1:
        remarks.append(f"each pixel drawn {zoom} × {zoom}")
    caption = f"<b>{escape(name)}</b>" + (f" ({escape(', '.join(remarks))})" if remarks else "")
    return (
        f'<figure><div class="scroll"><img class="pixels" src="{data_uri(levels)}" '
        f'width="{width * zoom}" height="{height * zoom}" alt="{escape(name)}"></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def uncertainty(result: Restoration) -> str:
    """Return the section with the per-pixel standard deviation and its colour bar; empty without one."""
    if result.std is None:
        return ""
    name = words.plane_of(result)
    plane = _std_plane(result)
    values = np.where(plane.missing, np.nan, plane.values.mean(axis=-1))
    finite = values[np.isfinite(values)]
    low, high = (float(v) for v in np.percentile(finite, [1, 99])) if finite.size else (0.0, 1.0)
    levels = coloured(values, low, high)
    note = "standard deviation"
    if max(levels.shape[:2]) > 2 * FULL_SIDE:
        levels, note = overview(levels, ()), "standard deviation, reduced to fit"
    bar = (
        f'<div class="bar"><span>{words.number(low)}</span><img src="{data_uri(colour_bar())}" '
        f'alt="colour scale"><span>{words.number(high)}</span></div>'
    )
    text = (
        "How far the method's own answers differ from pixel to pixel, in the units of the input. It shows "
        "where the method is unsure; an error that all its answers share does not show."
    )
    more = f" Shown: {name}." if name else ""
    return (
        f"<section>\n<h2>Uncertainty</h2>\n<p>{escape(text + more)}</p>\n"
        f'<div class="strip">{figure(levels, "uncertainty", note)}</div>\n{bar}\n</section>'
    )


def _std_plane(result: Restoration) -> Plane:
    """Return the deviations, in the input's units, of the plane that the page is about."""
    picture, std = result.picture, np.asarray(result.std, dtype=np.float64)
    shown = representative(result.planes)
    planes = Image(std, picture.axes, (0.0, 1.0), alpha=picture.alpha).planes()
    return next(islice(planes, 0 if shown is None else shown.index, None))
