"""The page of a comparison: a table, and the same place of every picture at 1:1."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import numpy as np

from untaught.image.image import Image
from untaught.results import text as words
from untaught.results.comparison import Compared
from untaught.results.display import Pair, Stretch, crops, data_uri, stretch_of
from untaught.results.html import paragraph, section, table
from untaught.results.style import CSS


def page(comparison: Compared) -> str:
    """Return the whole page as one HTML document that loads nothing from anywhere."""
    name = words.file_name(next(iter(comparison.results.values()))) if comparison.results else "picture"
    title = f"{name} · methods compared · untaught"
    body = (
        f"<h1>{escape(name)}: methods compared</h1>\n{_noise(comparison)}{_table(comparison)}{_places(comparison)}"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _noise(comparison: Compared) -> str:
    first = next(iter(comparison.results.values()), None)
    return (
        "" if first is None else paragraph(words.noise_sentence(first.noise, comparison.input.value_range), "soft")
    )


def _table(comparison: Compared) -> str:
    numbers = "nnn" if comparison.reference is not None else ""
    return section("The methods", table(comparison.heads(), comparison.cells(), f" nn{numbers}nt"))


def _places(comparison: Compared) -> str:
    results = comparison.results
    if not results:
        return ""
    pictures: dict[str, Image] = {"input": comparison.input} | {n: r.picture for n, r in results.items()}
    if comparison.reference is not None:
        pictures["reference"] = replace(comparison.reference, value_range=comparison.input.value_range)
        if comparison.reference.array.dtype != comparison.input.array.dtype:
            pictures["reference"] = comparison.reference
    shown = {name: next(picture.planes()) for name, picture in pictures.items()}
    first = next(iter(results))
    pair = Pair("", shown["input"].values, shown[first].values, shown["input"].missing)
    stretch = stretch_of(results[first], [pair])
    which = f" of plane 1 of {comparison.input.n_planes}" if comparison.input.n_planes > 1 else ""
    return "".join(
        section(
            f"The {place if box[2:] != pair.after.shape[:2] else 'whole'}{which}, 1:1",
            _strip({n: p.values for n, p in shown.items()}, box, stretch),
        )
        for place, box in crops(pair)
    )


def _strip(shown: dict[str, object], box: tuple[int, int, int, int], stretch: Stretch) -> str:
    top, left, height, width = box
    figures = []
    for name, values in shown.items():
        levels = stretch(np.asarray(values)[top : top + height, left : left + width])
        figures.append(
            f'<figure><img class="pixels" src="{data_uri(levels)}" width="{width}" height="{height}" '
            f'alt="{escape(name)}"><figcaption><b>{escape(name)}</b></figcaption></figure>'
        )
    return f'<div class="strip">{"".join(figures)}</div>'
