"""The sentences of the report, as plain text: verdict, rerun lines, values in the input's units."""

from __future__ import annotations

from untaught.results.restoration import Restoration, representative

NO_TRUTH = "Estimated from the degraded picture alone; no clean picture was used."
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
    return line + "."


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
    source = repr(str(result.input.source)) if result.input.source is not None else "array"
    chosen = "".join(f", {name}={value}" for name, value in result.input.reading.asked.items())
    source = f"untaught.read({source}{chosen})" if chosen else source
    return (
        "from pathlib import Path\n\n"
        "import untaught\n\n"
        'recipe = untaught.Recipe.model_validate_json(Path("recipe.json").read_text())  # what stands below\n'
        f"result = untaught.rerun(recipe, {source})"
    )
