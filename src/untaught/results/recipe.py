"""Recipes: what has to be written down so that a picture can be made again."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class PlaneRecipe(BaseModel):
    """How one plane was made: method and rule with their settings, steps taken, method of the pilot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    settings: dict[str, Any]
    rule: str
    rule_settings: dict[str, Any]
    steps: int
    pilot: str | None = None
    measured_on: int = 0  # pixels that the noise was measured on, where there was no time for all: 0


class Recipe(BaseModel):
    """All that is needed to run again and get the same picture on the same machine: `untaught.rerun`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    noise: str
    seed: int
    device: str
    threads: int
    versions: dict[str, str]
    input_sha256: str
    planes: tuple[PlaneRecipe, ...]
    operator: dict[str, Any] | None = None  # of any task but denoising, see `operators.serialize`
    guide_sha256: str = ""
    operands: dict[str, str] | None = (
        None  # what these were made of, by options of the command; None: no options do
    )
    value_range: tuple[float, float] | None = None  # where it was given
    strength: float = 1.0  # of the answer in a mixture with the input
    axes: str | None = None  # of the picture, where they were named; None: the picture says
    asked: dict[str, str] | None = None  # method and rule as they were asked for; None where no options say that
    output_type: str = "same"  # of the answer's numbers, see `image.output_type`
    stripes: str | None = None  # that were taken out beforehand: rows, columns, auto
    memory: int | None = None  # bytes, where planes were cut to keep to it
    together: str = "none"  # which planes were to help each other; in recipes before there was a choice, none
    fixed_pattern: str = "keep"  # of the sensor: what was done with it; in older recipes nothing
    flicker: str = "keep"  # whether planes kept their own brightness
    cut: tuple[float | None, float | None] | None = None  # where values are cut off, as other pictures told
    noise_region: tuple[int, int, int, int] | None = None  # where alone the noise was measured
    noise_from: tuple[str, ...] | None = None  # the frames that told it; `noise` has what they told
