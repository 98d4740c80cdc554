"""What a notebook shows of a result: before and after under a slider, the residual, the noise and the estimate."""

from __future__ import annotations

from html import escape

from untaught.results import text as words
from untaught.results.display import (
    Bytes,
    Pair,
    Stretch,
    before_after,
    gain_of,
    jpeg_of,
    jpeg_uri,
    pairs,
    png_of,
    png_uri,
    residual_levels,
    stretch_of,
)
from untaught.results.restoration import Restoration

SIDE = 320
"""Pixels of the longer side; of a larger picture the middle is shown at 1:1, as reducing it hides the noise."""
SMALL = 192  # pictures smaller than this are drawn with enlarged pixels
MOST_BYTES = 75_000
"""Of one picture in the notebook, which keeps all that it shows."""
QUALITIES = (90, 75, 60, 40, 20)
FILL = "position:absolute;left:0;top:0;width:100%;height:100%;max-width:none;margin:0;image-rendering:pixelated"


def notebook_view(result: Restoration) -> str:
    """Return HTML of at most 400 kB that loads nothing and asks for no script but that of its slider."""
    whole = pairs(result)[:1]
    stretch = stretch_of(result, whole)
    gain = gain_of(whole, stretch)
    shown, cut = _middle(whole[0])
    height, width = shown.after.shape[:2]
    zoom = max(1, SMALL // max(height, width))
    size = width * zoom, height * zoom
    figures = [_compared(shown, stretch, size, cut)]
    residual = residual_levels(shown, stretch, gain)
    if residual is not None:
        about = f"before minus after, {gain:g} times, about mid grey"
        figures.append(_figure(_picture(residual, "residual", size, FILL), size, about))
    return (
        '<div class="untaught"><div style="display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start">'
        f'{"".join(figures)}</div><p style="max-width:46em">{_said(result)}</p></div>'
    )


def _said(result: Restoration) -> str:
    noise = words.noise_sentence(result.noise, result.input.value_range)
    lines = [f"{words.verdict(result)} {words.NO_TRUTH if result.psnr else ''}".strip()]
    lines.append(f"{words.plane_of(result)} {noise} {words.sentence(result.why)}".strip())
    return "<br>".join(map(escape, lines))


def _middle(pair: Pair) -> tuple[Pair, str]:
    """Return the part that is shown, and what to say of that; of a result of another size the same part."""
    height, width = pair.after.shape[:2]
    if max(height, width) <= SIDE:
        return pair, ""
    parts = []
    for values in (pair.before, pair.after):
        sizes = [round(SIDE * n / whole) for n, whole in zip(values.shape[:2], (height, width), strict=True)]
        spans = [(max(0, (n - size) // 2), min(n, size)) for n, size in zip(values.shape[:2], sizes, strict=True)]
        parts.append(tuple(slice(start, start + size) for start, size in spans))
    before, after = parts
    cut = Pair(pair.name, pair.before[before], pair.after[after], pair.missing[before])
    shown = " × ".join(str(n) for n in cut.after.shape[1::-1])
    return cut, f"; the middle, {shown} pixels"


def _compared(pair: Pair, stretch: Stretch, size: tuple[int, int], cut: str) -> str:
    """Return before and after, one over the other, with the line between them where the slider is."""
    before, after = before_after(pair, stretch)
    kept = f"{FILL};clip-path:inset(0 calc(100% - var(--cut)) 0 0)"
    line = (
        '<span style="position:absolute;top:0;bottom:0;left:var(--cut);width:2px;margin-left:-1px;background:#fff;'
        'box-shadow:0 0 0 1px #000"></span>'
    )
    inside = _picture(after, "after", size, FILL) + _picture(before, "before", size, kept) + line
    slider = (
        f'<input type="range" value="50" style="width:{size[0]}px;max-width:100%;margin:4px 0 0" '
        'aria-label="where before ends and after begins" '
        "oninput=\"this.parentNode.style.setProperty('--cut',this.value+'%')\">"
    )
    return _figure(inside, size, f"before | after{cut}", slider)


def _figure(inside: str, size: tuple[int, int], caption: str, below: str = "") -> str:
    width, height = size
    return (
        f'<figure style="margin:0;--cut:50%;width:{width}px;max-width:100%"><div style="position:relative;'
        f'overflow:hidden;aspect-ratio:{width}/{height}">{inside}</div>{below}'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _picture(levels: Bytes, name: str, size: tuple[int, int], style: str) -> str:
    return (
        f'<img src="{_bounded(levels)}" width="{size[0]}" height="{size[1]}" alt="{escape(name)}" style="{style}">'
    )


def _bounded(levels: Bytes) -> str:
    """Return a picture as a data URI: without loss where that is small, else as a JPEG that is."""
    png = png_of(levels)
    if len(png) <= MOST_BYTES:
        return png_uri(png)
    jpeg = b""
    for quality in QUALITIES:
        jpeg = jpeg_of(levels, quality, subsampling=0)
        if len(jpeg) <= MOST_BYTES:
            break
    return jpeg_uri(jpeg)
