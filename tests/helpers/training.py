"""Folders of small noisy pictures, and trainings that take a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.conftest import noisy
from untaught.training.result import TrainingResult
from untaught.training.train import train

QUICK: dict[str, Any] = {
    "network": "dncnn:3,6",
    "noise": "gaussian:25",
    "patch": 24,
    "batch": 4,
    "epochs": 10,
    "device": "cpu",
    "bfloat16": False,
}


def scene(number: int, height: int = 48, width: int = 48) -> NDArray[np.float32]:
    """Return a grey picture of a few smooth shapes, (H, W), in [0.1, 0.9]."""
    rows, columns = np.mgrid[:height, :width]
    rng = np.random.default_rng(number)
    across, down, phase = rng.uniform(8, 20, 3)
    waves = np.sin(rows / down + phase) + np.sign(np.sin(columns / across + phase))
    return (0.5 + 0.2 * waves).astype(np.float32)


def fill(folder: Path, count: int = 6, height: int = 48, width: int = 48, channels: int = 1) -> Path:
    """Put noisy scenes into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        planes = [noisy(scene(10 * i + c, height, width), seed=10 * i + c) for c in range(channels)]
        np.save(folder / f"{i}.npy", planes[0] if channels == 1 else np.stack(planes, axis=-1))
    return folder


def quick(folder: Path, output: Path, **options: Any) -> TrainingResult:
    """Train for a moment."""
    return train(folder, output, **(QUICK | options))


def stop_at(step: int) -> Callable[[Any], None]:
    """Return an `on_progress` that presses Ctrl-C at a step."""

    def look(progress: Any) -> None:
        if progress.step >= step:
            raise KeyboardInterrupt

    return look
