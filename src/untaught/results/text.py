"""The sentences of the report, as plain text: verdict, rerun lines, values in the input's units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from untaught.image.image import Image
from untaught.noise import NoiseModel
from untaught.results.restoration import Restoration, representative

NO_TRUTH = "Estimated from the degraded picture alone; no clean picture was used."
OF_255 = (0.0, 255.0)  # the value range of which levels are said to be anyway
UNITS = "in the data's units"
DIRECT = ("denoise", "inpaint")  # tasks whose residual is nothing but noise


def file_name(result: Restoration) -> str:
    """Return the name of the file restored, or "picture" for an array."""
    return result.input.source.name if result.input.source is not None else "picture"


def verdict(result: Restoration) -> str:
    """Return the one line: method, estimated PSNR with its interval, gain over the input, seconds."""
    head = f"Restored with {result.method} in {seconds(result.seconds)}"
    if result.interrupted:
        head += " (interrupted: this is the best picture until then)"
    if result.psnr is None:
        return f"{head}; there is no estimate of the error for this method and noise."
    line = f"{head}: estimated PSNR {result.psnr}"
    if result.psnr_input is not None:
        gain = result.psnr.value - result.psnr_input
        side = "above" if gain >= 0 else "below"
        line += f", {abs(gain):.1f} dB {side} the input ({result.psnr_input:.1f} dB)"
    before = "" if result.rmse_input is None else f", the input's {number(result.rmse_input)}"
    return f"{line}; estimated RMSE {result.rmse}{before} {UNITS}."


def quality(result: Restoration) -> str:
    """Return the estimated PSNR and RMSE of the result, and those of the input, as a sentence."""
    if result.psnr is None:
        return "There is no estimate of the error for this method and noise."
    before = ""
    if result.psnr_input is not None and result.rmse_input is not None:
        before = f"; the input's is {result.psnr_input:.1f} dB, RMSE {number(result.rmse_input)}"
    units = "" if result.input.value_range == OF_255 else f" ({UNITS})"
    return f"Estimated PSNR {result.psnr}, RMSE {result.rmse}{before}{units}."


def noise_sentence(noise: NoiseModel, value_range: tuple[float, float]) -> str:
    """Return what the noise is, with its level in the data's units too where these are not those of 8 bits."""
    said = sentence(noise.describe())
    if value_range == OF_255 or noise.replaces:
        return said
    low, high = value_range
    if noise.uniform:
        return f"{said} Level {number(noise.level * (high - low))} ({UNITS})."
    dark, bright = (number(float(v) * (high - low)) for v in np.asarray(noise.std(np.array([0.0, 1.0]))))
    return f"{said} Level {dark} at {number(low)} and {bright} at {number(high)} ({UNITS})."


def noise_dict(noise: NoiseModel, picture: Image) -> dict[str, Any]:
    """Return the noise for JSON, with its level in the data's units."""
    low, high = picture.value_range
    return noise.as_dict() | {"sigma_units": float(f"{noise.level * (high - low):.6g}")}


def with_units(text: str, value_range: tuple[float, float]) -> str:
    """Return a text in which levels that are said "(of 255)" are also said in the data's units."""
    if value_range == OF_255:
        return text
    scale = (value_range[1] - value_range[0]) / 255

    def both(match: re.Match[str]) -> str:
        moved = re.sub(r"\d+(?:\.\d+)?", lambda level: f"{float(level[0]) * scale:.3g}", match[1])
        return f"{match[1]} (of 255; {moved} {UNITS})"

    return re.sub(r"(\d+(?:\.\d+)?(?:(?:, | to | and )\d+(?:\.\d+)?)*) \(of 255\)", both, text)


def all_with_units(texts: Sequence[str], value_range: tuple[float, float]) -> tuple[str, ...]:
    """Return `with_units` of every text."""
    return tuple(with_units(text, value_range) for text in texts)


def plane_of(result: Restoration) -> str:
    """Return which plane of a stack the noise, the reason and the curves are of; empty for a single plane."""
    plane = representative(result.planes)
    return "" if plane is None else plane_name(plane.index, result.input.n_planes, plane.label)


def plane_name(index: int, count: int, label: str) -> str:
    """Return "Plane 1 of 12 (Z 1/12)", or nothing where there is only one."""
    return f"Plane {index + 1} of {count} ({label})" if count > 1 else ""


def seconds(value: float) -> str:
    """Return a duration as a person says it."""
    if value < 10:
        return f"{value:.2g} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{value // 60:.0f} min {value % 60:.0f} s"


def in_units(result: Restoration, share: float) -> float:
    """Return a difference given as a share of the value range in the input's units."""
    low, high = result.input.value_range
    return share * (high - low)


def number(value: float) -> str:
    """Return `value` to four significant digits, large ones whole rather than with an exponent."""
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:.4g}"


def sentence(text: str) -> str:
    """Return `text` with a full stop, and a capital unless it starts with a name such as r2r."""
    text = text.strip().rstrip(".") + "."
    first = text.split()[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text


def python_lines(result: Restoration) -> str:
    """Return the Python lines that follow the recipe to the same picture."""
    source = repr(result.input.address) if result.input.source is not None else "array"
    chosen = "".join(f", {name}={value}" for name, value in result.input.reading.asked.items())
    source = f"untaught.read({source}{chosen})" if chosen else source
    return (
        "from pathlib import Path\n\n"
        "import untaught\n\n"
        'recipe = untaught.Recipe.model_validate_json(Path("recipe.json").read_text())  # what stands below\n'
        f"result = untaught.rerun(recipe, {source})"
    )
