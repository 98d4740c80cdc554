"""How a fit is asked for, what it tells on the way, and what it ends with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from untaught.fitting.stopping import Rule, StepBudget, Watch
from untaught.method import History, Stopped
from untaught.problem import Estimate


@dataclass(frozen=True)
class Progress:
    """What `on_progress` is told: where the fit is, and a function that gives the picture as it stands.

    `score` is what the stopping rule watches (`score_name` says what that is), NaN while there is none;
    `notes` are what a person has to be told before the run begins, at its very first look.
    `part` of `parts` says which window of a large plane it is.
    `seconds_left` is the most that can be left, not a promise. `preview()` returns (1, C, H, W) on [0, 1].
    """

    phase: str
    step: int
    steps: int
    loss: float
    score: float
    score_name: str
    seconds: float
    seconds_left: float
    preview: Callable[[], Tensor]
    plane: int = 0
    planes: int = 1
    part: int = 0
    parts: int = 1
    notes: tuple[str, ...] = ()

    @property
    def planes_done(self) -> float:
        """How many planes are done, parts of one counted."""
        return self.plane + (self.part + self.step / self.steps) / self.parts

    @property
    def most_left(self) -> float:
        """Seconds that can be left at most, those of the parts and planes behind this one counted."""
        behind = (self.planes - self.plane) * self.parts - self.part - 1
        return self.seconds_left + behind * (self.seconds + self.seconds_left)

    @property
    def where(self) -> str:
        """Where the work is, in a line."""
        said = [self.phase]
        for name, at, count in (("plane", self.plane, self.planes), ("part", self.part, self.parts)):
            if count > 1:
                said.append(f"{name} {at + 1} of {count}")
        if self.steps > 1:
            said.append(f"step {self.step} of {self.steps}")
        if math.isfinite(self.score):
            said.append(f"{self.score_name} {self.score:.4g}")
        return ", ".join(said)

    @classmethod
    def before(cls, phase: str, preview: Callable[[], Tensor], notes: tuple[str, ...] = ()) -> Progress:
        """Return what is told before a formula, which has one step, or anything else of which no step is done."""
        nan = float("nan")
        return cls(phase, 0, 1, nan, nan, "", 0.0, 0.0, preview, notes=notes)


@dataclass(frozen=True)
class Options:
    """How to run a fit, apart from what it fits.

    Attributes
    ----------
    rule : Rule
        Decides when to stop.
    seconds : float or None
        Time limit; the best iterate so far is the answer when it is reached.
    on_progress : callable or None
        Called with a `Progress` at every look; what it raises ends the fit.
    checkpoint : Path or None
        Where the state is kept; an existing file of the same fit is gone on with, and removed at the end.
    checkpoint_every : int
        Steps between two checkpoints.
    phase : str
        What the progress bar calls this fit.
    """

    rule: Rule = field(default_factory=StepBudget)
    seconds: float | None = None
    on_progress: Callable[[Progress], None] | None = None
    checkpoint: Path | None = None
    checkpoint_every: int = 100
    phase: str = "fitting"


@dataclass(frozen=True)
class Fitted:
    """What a fit ended with. `watch.problem` is what it was allowed to see."""

    estimate: Estimate
    stopped: Stopped
    history: History
    watch: Watch
    notes: tuple[str, ...] = ()
    interrupted: bool = False
