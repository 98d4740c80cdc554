"""The page about a picture's noise: advice, curve, spectrum, patches of the residual, methods."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from untaught.results import text as words
from untaught.results.display import Pair, png_uri
from untaught.results.gallery import figure
from untaught.results.html import document, paragraph, section, table
from untaught.results.inspection import Inspected, option_words
from untaught.results.noise_plot import noise_plot
from untaught.results.residual_check import check_residual
from untaught.results.residual_patches import patch_strips

STRIPS = (
    "What a quick non-local picture takes out of a piece of it, amplified about mid grey: first where there is "
    "least detail, then where there is most. Both should look like noise. Lines and shapes among the busiest "
    "patches are detail that would go out with the noise; what is smooth in the flattest is noise that would stay."
)
PLOT = (
    "Left, the variance of the noise against brightness, in the data's units: points are measured, lines are the "
    "law. Right, its power from slow waves to fast ones: level where pixels are independent, falling where "
    "neighbours share their noise."
)


def noise_page(found: Inspected, pilot: Pair | None) -> str:
    """Return the page as one HTML document that loads nothing from anywhere.

    Parameters
    ----------
    found : Inspected
        What was measured.
    pilot : Pair or None
        A piece of the first plane before and after quick denoising; None where there is nothing to take out.
    """
    body = "\n".join(_sections(found, pilot))
    return document(f"{_name(found)} · noise · untaught", body)


def _name(found: Inspected) -> str:
    return found.picture.source.name if found.picture.source is not None else "picture"


def _sections(found: Inspected, pilot: Pair | None) -> Iterator[str]:
    size = " × ".join(str(n) for n in found.shape)
    low, high = (words.number(v) for v in found.value_range)
    yield f"<h1>{escape(_name(found))}: its noise</h1>"
    yield paragraph(f"{size} ({found.axes}), {found.dtype}, value range {low} to {high}", "soft")
    yield f'<p class="verdict">{escape(found.advice)}</p>'
    yield section("The noise", *_noise(found))
    yield section("Curve and spectrum", _plot(found), paragraph(PLOT, "soft"))
    yield section("What would be taken out", *_strips(found, pilot))
    if found.notes:
        notes = "".join(f"<li>{escape(words.sentence(note))}</li>" for note in found.notes)
        yield section("Notes", f"<ul>{notes}</ul>")
    rows = [[option.method, option_words(option)] for option in found.options]
    yield section("Methods, and what they cost", table(["method", ""], rows, " t"))


def _noise(found: Inspected) -> Iterator[str]:
    for plane in found.planes:
        name = words.plane_name(plane.index, found.n_planes, plane.label)
        said = words.noise_sentence(plane.report.model, found.value_range)
        yield paragraph(f"{name}: {said}" if name else said)
    if found.transfer is not None:
        yield paragraph(found.transfer.describe())
    if found.temporal is not None:
        yield paragraph(words.with_units(found.temporal.describe(), found.value_range))


def _plot(found: Inspected) -> str:
    reports = {plane.label: plane.report for plane in found.planes}
    png = noise_plot(reports, found.temporal, found.spectrum, found.transfer, found.value_range)
    alt = "Variance against brightness, and power against frequency"
    return f'<figure class="plot"><img src="{png_uri(png)}" alt="{alt}"></figure>'


def _strips(found: Inspected, pilot: Pair | None) -> Iterator[str]:
    strips = None if pilot is None else patch_strips(pilot)
    if pilot is None or strips is None:
        yield paragraph("Nothing: no noise was found that could be taken out.", "soft")
        return
    flat, busy = strips
    yield f'<div class="strip">{figure(flat, "flattest patches")}{figure(busy, "busiest patches")}</div>'
    yield paragraph(STRIPS, "soft")
    check = check_residual(pilot, found.planes[0].report.model)
    if check is not None:
        yield paragraph(" ".join(check.sentences()))
