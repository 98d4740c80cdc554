"""The page of an explanation: a sentence and a plot for each question."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from untaught.results import text as words
from untaught.results.display import png_uri
from untaught.results.html import document, paragraph, section, table
from untaught.theory.explain.findings import Findings
from untaught.theory.explain.text import LEVELS, NAMES, sentences

PLOTS = {  # heading, and what is drawn
    "targets": (
        "What was fitted",
        "Above, what the network was to draw; below, what it had drawn on the way.",
    ),
    "impedance": (
        "A picture is easy, noise is hard",
        "How much of each target was not fitted yet, in percent of its variance; both axes are logarithmic.",
    ),
    "patterns": (
        "What the network draws most easily",
        "The first left-singular vectors of the network's Jacobian before the first step, fastest first; mid grey "
        "is zero. Above each is the share of its energy in its ten largest cosine waves.",
    ),
    "spectrum": (
        "Picture and noise in these patterns",
        "Left: the share of the energy along each of the first patterns. Right: the share that lies along "
        "directions learned at least so fast; the speed of a direction is its singular value squared.",
    ),
    "frequencies": (
        "Coarse before fine",
        "How much of each octave of detail was not fitted yet; the lighter the line, the coarser the detail. At "
        "first it can be more than all, for the network's first guess has details of its own.",
    ),
    "stop": (
        "When to stop",
        "Left: the distance of the fit to the noisy picture, which anybody can measure. Right: the likeness to "
        "the picture without noise, which only an experiment can. Marks: where to stop, by theory, rule, truth.",
    ),
}


def page(found: Findings, pictures: Mapping[str, bytes]) -> str:
    """Return the whole page as one HTML document that loads nothing from anywhere.

    Parameters
    ----------
    found : Explanation
        What it is about.
    pictures : mapping of str to bytes
        The plots as PNG, by file name.
    """
    name = found.source.name if found.source is not None else found.name
    said = sentences(found)
    parts = [_head(found, name)]
    for plot, (title, caption) in PLOTS.items():
        extra = _table(found) if plot == "impedance" else ""
        parts.append(section(title, paragraph(said[plot]), extra, _figure(pictures[f"{plot}.png"], caption)))
    parts.append(_how(found))
    return document(f"{name} · explained · untaught", "\n".join(parts))


def _head(found: Findings, name: str) -> str:
    items = "".join(f"<li>{escape(words.sentence(note))}</li>" for note in found.subject.notes)
    return (
        f"<h1>{escape(name)}: why an untaught network restores it</h1>\n"
        + paragraph(
            "A network that has never seen a picture is fitted to this one. If it draws the picture before it "
            "draws the noise, whoever stops it in time has the picture without the noise. Whether it does, and "
            "why, was measured here on your picture."
        )
        + f"\n<ul>{items}</ul>"
    )


def _figure(png: bytes, caption: str) -> str:
    return (
        f'<figure class="plot"><img src="{png_uri(png)}" alt="{escape(caption)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _table(found: Findings) -> str:
    """Return the steps that each fit needs to given errors."""
    head = ["", *(f"steps to {100 * level:.0f} %" for level in LEVELS), "left at the end"]
    rows = []
    for name, curve in found.impedance.curves.items():
        steps = [curve.steps_to(level) for level in LEVELS]
        left = f"{100 * curve.error[-1]:.1f} %"
        rows.append([NAMES[name], *("–" if step is None else str(step) for step in steps), left])
    return table(head, rows, " " + "n" * (len(LEVELS) + 1))


def _how(found: Findings) -> str:
    items = "".join(f"<li>{escape(words.sentence(note))}</li>" for note in found.notes)
    method = f"Method {found.impedance.method}, seed {found.impedance.seed}, {words.seconds(found.seconds)}. "
    source = (
        "Experiments: Ulyanov, Vedaldi, Lempitsky, Deep Image Prior (2018); Heckel, Soltanolkotabi, Denoising and "
        "Regularization via Exploiting the Structural Bias of Convolutional Generators (2020)."
    )
    more = f"<ul>{items}</ul>" if items else ""
    return section("How this was made", paragraph(method + source), more)
