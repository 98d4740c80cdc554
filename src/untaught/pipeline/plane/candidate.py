"""What one method made of one plane, and what was decided from several: the one type of candidate."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from untaught.fitting.stopping import Rule, StepBudget, Watch
from untaught.method import History, Method, Stopped
from untaught.problem import Estimate
from untaught.results.recipe import PlaneRecipe
from untaught.results.restoration import Tried
from untaught.risk.estimate import Risk, to_interval
from untaught.risk.sure import Terms
from untaught.risk.tweedie import Shrinkage

EARLY = 200  # steps before which a network has drawn nothing but smears


@dataclass(frozen=True)
class Candidate:
    """A picture that was made of a problem, and what is known of it.

    Attributes
    ----------
    name : str
        The method; 'none' for the input, 'fusion' for a mixture by Stein's formula.
    picture : Tensor
        (1, C, H, W), [0, 1] units.
    judged : Estimate
        What `terms` and the watch are about: the same picture, or one made without what the rule kept back.
    stopped, history, notes, interrupted
        As the loop left them.
    method, rule : Method or None, Rule
        What made it; no method for the input and mixtures.
    watch : Watch or None
        The rule at work, with what it kept back.
    terms : Terms or None
        The risk a value, where it could be measured.
    risk : Risk or None
        Of the picture after the clipping is undone.
    shrinkage : Shrinkage or None
        How far Tweedie's formula is off for it, where more is known than the method says.
    pilot : Method or None
        The method whose picture has a part in this one, where that is another.
    recipe : PlaneRecipe or None
        How it is made again.
    """

    name: str
    picture: Tensor
    judged: Estimate
    stopped: Stopped
    method: Method | None = None
    rule: Rule = field(default_factory=StepBudget)
    watch: Watch | None = None
    history: History = field(default_factory=History)
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    seconds: float = 0.0
    terms: Terms | None = None
    risk: Risk | None = None
    shrinkage: Shrinkage | None = None
    pilot: Method | None = None
    recipe: PlaneRecipe | None = None

    @property
    def cut_short(self) -> bool:
        """Whether the clock or the person ended it."""
        return self.interrupted or self.stopped.rule == "time limit"

    @property
    def idle(self) -> bool:
        """Whether it was ended so before its first step: then its picture is not its own."""
        return self.stopped.step == 0 and self.stopped.rule in ("time limit", "interrupted")

    @property
    def smeared(self) -> bool:
        """Whether it was ended so before a network draws more than smears."""
        return self.cut_short and self.stopped.step < EARLY

    def row(self, note: str) -> Tried:
        """Return its line in the table of what was tried."""
        psnr = None if self.risk is None else to_interval(self.risk, 0.0, "").value
        return Tried(self.name, psnr, self.seconds, note)


@dataclass(frozen=True)
class Outcome:
    """What was decided on a plane: the candidate that answers, why, and the table of what was tried."""

    chosen: Candidate
    why: str
    tried: tuple[Tried, ...] = ()
    notes: tuple[str, ...] = ()
