"""The page of many pictures: what was done, a table of what failed, and each before and after."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from untaught.errors import legible
from untaught.results.html import document, paragraph, section, table
from untaught.results.picture_table import Row
from untaught.results.thumbnails import KINDS, SIDE, thumbnail_name

SHOWN = "Each shows the middle at 1:1, before and after in the same contrast; its name leads to the file."


def folder_page(rows: Sequence[Row], folder: Path, thumbnails: Path, title: str) -> str:
    """Return the page as HTML, which loads the small pictures from beside it.

    Parameters
    ----------
    rows : sequence of Row
        What became of the pictures.
    folder : Path
        Where the page is to lie, and the outputs below it.
    thumbnails : Path
        Where the small pictures lie.
    title : str
        What to call it.
    """
    counts = Counter(row.status for row in rows)
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    shown = [row for row in rows if row.status in ("done", "kept")]
    body = [f"<h1>{escape(title)}</h1>", paragraph(f"{len(rows)} pictures: {told}.", "verdict")]
    missed = [row for row in rows if row.status not in ("done", "kept")]
    if missed:
        cells = [[legible(row.input), row.status, legible(row.note)] for row in missed]
        body.append(section("Not restored", table(["picture", "status", "why"], cells, "  t")))
    if shown:
        figures = "\n".join(_figure(row, folder, thumbnails) for row in shown)
        body.append(section("Restored", paragraph(SHOWN, "soft"), f'<div class="strip">{figures}</div>'))
    return document(f"{title} · untaught", "\n".join(body))


def _figure(row: Row, folder: Path, thumbnails: Path) -> str:
    place = os.path.relpath(row.output, folder)
    images = "".join(
        f'<img class="pixels" loading="lazy" width="{SIDE}" alt="{kind}" '
        f'src="{_link(os.path.relpath(thumbnails / thumbnail_name(place, kind), folder))}">'
        for kind in KINDS
    )
    estimate = "no estimate" if row.psnr is None else f"{row.psnr:.1f} dB"
    if row.low is not None and row.high is not None:
        estimate += f" ({row.low:.1f} to {row.high:.1f})"
    words = escape(f"{row.method}, {estimate}. {row.noise}")
    return (
        f'<figure style="max-width:{2 * SIDE}px"><div style="display:flex;gap:2px">{images}</div>'
        f'<figcaption><b><a href="{_link(place)}">{escape(legible(place))}</a></b> {words}</figcaption></figure>'
    )


def _link(path: str) -> str:
    """Return a relative path as a link, byte by byte: a name need not be text."""
    return quote(os.fsencode(path.replace(os.sep, "/")))
