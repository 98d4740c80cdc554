"""What one plane came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.method import History, Stopped
from untaught.noise import NoiseModel
from untaught.problem import Weights
from untaught.results.recipe import PlaneRecipe
from untaught.results.restoration import Tried
from untaught.risk.doubt import Doubt
from untaught.risk.estimate import Risk


@dataclass(frozen=True)
class Answer:
    """One plane's answer, still in [0, 1] units: `values` and `std` (H, W, C), floats.

    Where `kept`, bool (H, W), is True, the picture stays exactly as it is, whatever `values` hold. Where others
    have made numbers of the picture's type of them already, these are `numbers`, `rounding` is the error that they
    got by that, and `values` are none.
    """

    values: NDArray[np.floating]
    noise: NoiseModel
    method: str
    why: str
    stopped: Stopped
    std: NDArray[np.float32] | None = None
    risk: Risk | None = None
    variance: float = 0.0
    doubt: Doubt | None = None
    history: History = field(default_factory=History)
    candidates: tuple[Tried, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    recipe: PlaneRecipe | None = None
    weights: Weights | None = None
    kept: NDArray[np.bool_] | None = None
    together: bool = False  # whether neighbouring planes have a part in it
    completed: bool = False  # whether what was missing was filled in though the picture is otherwise the input
    numbers: NDArray[Any] | None = None
    rounding: float | None = None

    def placed(self, same: bool = True) -> bool:
        """Say whether it has other values than its place: the input, if that is the `same` picture."""
        return self.method != "none" or (same and self.completed)
