"""Results as a restoration would answer them, for the pages that show them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from skimage import data

from untaught.image.image import Image, image_of_array
from untaught.method import Stopped
from untaught.noise import Gaussian
from untaught.pipeline.rerun_command import command_line
from untaught.results.recipe import PlaneRecipe, Recipe
from untaught.results.result import Result
from untaught.risk.estimate import Interval

SIGMA = 0.1


def a_plane(**changes: object) -> PlaneRecipe:
    entries = {"method": "r2r", "settings": {"alpha": 0.5}, "rule": "risk", "rule_settings": {}, "steps": 40}
    return PlaneRecipe(**{**entries, **changes})


def a_recipe(**changes: object) -> Recipe:
    entries = {
        "task": "denoise", "noise": "gaussian:25.5", "seed": 7, "device": "cpu",
        "planes": (a_plane(),), "threads": 2, "versions": {"untaught": "0.1", "torch": "2.13.0"},
        "input_sha256": "ab" * 32, "asked": {"method": "r2r"},
    }  # fmt: skip
    return Recipe(**{**entries, **changes})


def a_result(before: Image, after: np.ndarray | Image, **changes: object) -> Result:
    picture = after if isinstance(after, Image) else replace(before, array=after, source=None)
    entries = {
        "picture": picture, "input": before, "noise": Gaussian(sigma=SIGMA), "noise_found": True,
        "method": "r2r", "why": "It had the best estimated error of two.",
        "stopped": Stopped("risk", 40, "the estimated error had stopped falling"),
        "seconds": 12.3, "recipe": a_recipe(), "psnr": Interval(30.5, 30.0, 31.0, "the noise is white"),
        "psnr_input": 20.0,
    }  # fmt: skip
    entries |= changes
    command = command_line(entries["recipe"], before, bool(entries.get("interrupted")))
    return Result(**{"command": command, **entries})


def noisy_camera(size: int = 64, dtype: type = np.float32, **changes: object) -> Result:
    rng = np.random.default_rng(0)
    clean = data.camera()[64 : 64 + size, 96 : 96 + size] / 255
    noisy = clean + SIGMA * rng.standard_normal(clean.shape)
    if np.issubdtype(dtype, np.integer):
        top = np.iinfo(dtype).max
        noisy, clean = (np.clip(np.round(v * top), 0, top) for v in (noisy, clean))
    return a_result(image_of_array(noisy.astype(dtype)), clean.astype(dtype), **changes)
