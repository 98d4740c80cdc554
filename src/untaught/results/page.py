"""The page itself, section by section."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from untaught.results import text as words
from untaught.results.display import Pair, pairs, stretch_of
from untaught.results.gallery import gallery, uncertainty
from untaught.results.html import document, paragraph, section, table
from untaught.results.plots import curves
from untaught.results.residual_check import LAGS, ResidualCheck, check_residual
from untaught.results.restoration import Restoration
from untaught.results.stack_player import stack_player
from untaught.risk.estimate import rmse_of

MOST_PLANES = 60  # rows of the table of planes


def page(result: Restoration) -> str:
    """Return the whole page as one HTML document that loads nothing from anywhere."""
    shown = pairs(result)
    body = "\n".join(part for part in _sections(result, shown) if part)
    return document(f"{words.file_name(result)} · untaught", body)


def _sections(result: Restoration, shown: Sequence[Pair]) -> Iterator[str]:
    yield _head(result)
    yield gallery(result, shown)
    yield stack_player(result, shown[0], stretch_of(result, shown))
    yield _planes(result)
    yield _noise(result, shown[0])
    yield section("Why this method", paragraph(words.sentence(result.why)))
    yield _stop(result)
    yield _curves(result)
    yield _residual(result, shown[0])
    yield _candidates(result)
    yield uncertainty(result)
    if result.notes:
        items = "".join(f"<li>{escape(words.sentence(note))}</li>" for note in result.notes)
        yield section("Notes", f"<ul>{items}</ul>")
    yield _again(result)


def _planes(result: Restoration) -> str:
    """Return a table of the planes of a stack, evenly spread where there are many; empty for a single plane."""
    reached, count = result.planes, result.input.n_planes
    if count == 1 or not reached:
        return ""
    every = -(-len(reached) // MOST_PLANES)
    rows = [
        [
            str(plane.index + 1),
            plane.label,
            f"{plane.noise.kind}, {255 * plane.noise.level:.1f}",
            plane.method,
            f"{plane.stopped.rule}, step {plane.stopped.step}" if plane.stopped.step else plane.stopped.rule,
            str(plane.psnr or "–"),
            "–" if plane.psnr is None else str(plane.psnr.rmse(result.scale)),
            words.number(words.in_units(result, plane.noise.level)),
        ]
        for plane in reached[::every]
    ]
    errors = ["estimated PSNR", "RMSE", f"noise, {words.UNITS}"]
    heads = ["plane", "", "noise, of 255", "method", "stopped", *errors]
    few = f" {len(rows)} of them are listed." if every > 1 else ""
    return section(
        "The planes",
        paragraph(f"{len(reached)} of {count} planes were reached.{few}"),
        table(heads, rows, "n    ttn"),
        paragraph(
            f"What follows, down to what was tried, is about the first restored: {words.plane_of(result)}.", "soft"
        ),
    )


def _head(result: Restoration) -> str:
    array, picture = result.input.array, result.input
    what = f"{' × '.join(str(n) for n in array.shape)} ({picture.axes}), {array.dtype}"
    low, high = picture.value_range
    small = words.NO_TRUTH + (f" Assumes: {result.psnr.assumes.rstrip('.')}." if result.psnr else "")
    note = f"<small>{escape(small)}</small>" if result.psnr else ""
    return (
        f"<h1>{escape(words.file_name(result))}</h1>\n"
        + paragraph(f"{what}, value range {words.number(low)} to {words.number(high)}", "soft")
        + f'\n<p class="verdict">{escape(words.verdict(result))}{note}</p>'
    )


def _noise(result: Restoration, pair: Pair) -> str:
    noise = result.noise
    origin = "Measured on the picture." if result.noise_found else "Given, not measured."
    x = np.percentile(np.nan_to_num(pair.after.astype(np.float64)), [5, 50, 95])
    low, _ = result.input.value_range
    mean, variance = np.asarray(noise.mean(x)), np.asarray(noise.variance(x))
    scale = words.in_units(result, 1.0)
    rows = [
        [
            words.number(low + scale * float(value)),
            words.number(low + scale * float(m)),
            words.number(scale**2 * float(v)),
            words.number(scale * float(np.sqrt(v))),
        ]
        for value, m, v in zip(x, mean, variance, strict=True)
    ]
    head = ["clean value", "mean of what is measured", "variance", "standard deviation"]
    return section(
        "The noise",
        paragraph(f"{words.noise_sentence(noise, result.input.value_range)} {origin}"),
        table(head, rows, "nnnn"),
        paragraph("In the units of the input, at the 5th, 50th and 95th percentile of the result.", "soft"),
    )


def _stop(result: Restoration) -> str:
    stopped = result.stopped
    where = (
        "No fit: the answer is a closed formula."
        if stopped.step == 0 and not result.history.step
        else f"Step {stopped.step}, by the rule “{stopped.rule}”."
    )
    return section("Where the fit stopped, and why", paragraph(f"{where} {words.sentence(stopped.reason)}"))


def _curves(result: Restoration) -> str:
    drawn = curves(result.history, result.stopped)
    if drawn is None:
        return ""
    caption = "The dashed line is where the fit stopped." if result.stopped.step else ""
    return section(
        "The curves of the fit",
        f'<figure class="plot"><img src="{drawn}" alt="Loss and score against step">'
        f"<figcaption>{escape(caption)}</figcaption></figure>",
    )


def _residual(result: Restoration, pair: Pair) -> str:
    title = "Is the residual like noise?"
    if result.recipe.task not in words.DIRECT:
        reason = (
            f"Not checked: after {result.recipe.task} the residual is the work of the operator "
            "as well as of the noise."
        )
        return section(title, paragraph(reason, "soft"))
    law = result.noise if pair.shape is None else result.noise.part(pair.window, pair.shape)
    check = check_residual(pair, law)
    if check is None:
        return section(title, paragraph("Nothing to check: no pixel was measured or no noise found."))
    head = "Yes, as far as this check can tell." if check.alike else "Not quite."
    limits = (
        f"Input minus what the restored picture predicts, over the measured pixels, against the "
        "noise above. Correlations between independent values would stay within "
        f"±{check.bound:.2g} (95 %); a good restorer leaves a few hundredths. The check can show that "
        "detail was lost or noise kept; it cannot prove that neither happened."
    )
    return section(
        title,
        paragraph(" ".join([head, *check.sentences()])),
        _check_table(result, check),
        paragraph(limits, "soft"),
    )


def _check_table(result: Restoration, check: ResidualCheck) -> str:
    def units(share: float) -> str:
        return words.number(words.in_units(result, share))

    rows = [
        ["standard deviation", units(check.std), units(check.expected)],
        ["mean", units(check.mean), "0"],
    ]
    for down, right in LAGS:
        lag = (down, right)
        name = f"correlation at {down or right} px {'down' if down else 'across'}"
        rows.append(
            [
                name,
                f"{check.correlation[lag]:+.3f}",
                f"{check.predicted[lag]:+.3f}" if check.predicted[lag] else "0",
            ]
        )
    if check.structure is not None:
        rows.append(["strength of 5 × 5 means at edges", f"{check.structure:.2f}", "1"])
    return table(["", "residual", "noise"], rows, " nn")


def _candidates(result: Restoration) -> str:
    if not result.candidates:
        return ""
    rows = [
        [
            c.method,
            f"{c.psnr:.1f} dB" if c.psnr is not None else "–",
            words.number(rmse_of(c.psnr, result.scale)) if c.psnr is not None else "–",
            words.seconds(c.seconds) if c.seconds else "–",
            c.note,
        ]
        for c in result.candidates
    ]
    return section(
        "What was tried or refused",
        table(["method", "estimated PSNR", "RMSE", "time", "note"], rows, " nnnt"),
    )


def _again(result: Restoration) -> str:
    recipe = result.recipe.model_dump(mode="json")
    versions = ", ".join(f"{name} {version}" for name, version in result.recipe.versions.items())
    command = result.command
    line = () if command is None else (paragraph("The same call:"), f"<pre>{escape(command)}</pre>")
    return "\n".join(
        [
            section(
                "Run it again",
                *line,
                paragraph("Step for step, by the recipe:"),
                f"<pre>{escape(words.python_lines(result))}</pre>",
                "<h3>Recipe</h3>",
                f"<pre>{escape(json.dumps(recipe, indent=2, ensure_ascii=False, default=str))}</pre>",
            ),
            section("Versions", paragraph(versions)),
        ]
    )
