"""The rule for a fit whose picture is to be mixed with another: stop when the mixture gains no more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from untaught.fitting.stopping.recorrupted import Recorrupted, RecorruptedWatch
from untaught.fitting.stopping.rule import Verdict, Watch
from untaught.problem import Problem, Response

STEPS = 120  # over which the gain has to grow
# Steps before that is asked for: a network has drawn more than smears then. Of seven pictures of Kodak and
# scikit-image at level 25, two gained .06 dB by step 300. At step 120 they had .004 dB, no more than the others;
# at 180 they had .025 and .032, the others .004 to .009.
FIRST = 180
FIRST_WARM = 60  # the same for a fit that begins with what the one to the plane before has learnt
LEAST = 0.02  # dB: less than this in so many steps is not worth their time


class AddingWatch(RecorruptedWatch):
    """Watches the risk of the fit's picture, and what its mixture with `picture` gains over that alone.

        gain of f_0 + c (f - f_0) = h^2 / G at c = h / G,   G = |f - f_0|^2,   h = <f - f_0, y - f_0> - C_f + C_0

    with C the divergence times the variance, by the recorruption for f: Stein's formula for one weight, as
    `risk.sure_let` has it for many.
    """

    def __init__(self, problem: Problem, rule: Adding, seed: int):
        super().__init__(problem, rule, seed)
        self.picture, self.mask, self.steps, self.first = rule.picture, problem.mask, rule.steps, rule.first
        self.left = (problem.y - self.picture) * self.mask
        self.cross = sum(float((r.probe * r.moved * self.mask).sum()) for r in rule.responses)
        variance = float((self.recorruption.kernel * self.mask).sum())
        self.risk = float(self.left.square().sum()) + 2 * self.cross - variance
        self.gains: list[tuple[int, float]] = []

    def update(self, step: int, estimate: Tensor, output: Tensor | None = None) -> Verdict:
        """See `Watch`."""
        verdict = super().update(step, estimate, output)
        self.gains.append((step, self.gain(estimate)))
        gain = self.gains[-1][1]
        before = next((g for s, g in reversed(self.gains) if s <= step - self.steps), 0.0)
        if verdict.stop or step < self.first or gain - before >= LEAST:
            return verdict
        reason = f"mixing it in gains {gain:.2f} dB, and {self.steps} steps added less than {LEAST} dB to that"
        return Verdict(verdict.score, verdict.best, stop=True, reason=reason)

    def state_dict(self) -> dict[str, Any]:
        """See `Watch`."""
        return {**super().state_dict(), "gains": list(self.gains)}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """See `Watch`."""
        super().load_state_dict(saved)
        self.gains = list(saved["gains"])

    def gain(self, estimate: Tensor) -> float:
        """Return what the best mixture with `estimate`, (1, C, H, W), is expected to gain, in dB."""
        change = (estimate - self.picture) * self.mask
        response = self.recorruption.response(estimate)
        cross = float((response.probe * response.moved * self.mask).sum())
        h = float((change * self.left).sum()) - cross + self.cross
        gained = max(h, 0.0) ** 2 / max(float(change.square().sum()), 1e-12)
        return 10 * math.log10(self.risk / (self.risk - gained)) if 0 <= gained < self.risk else 0.0


class Adding(Recorrupted):
    """`Recorrupted`, stopped earlier where the mixture with another picture of y gains no more.

    In a recipe it is `Recorrupted`: the answer is the same after the steps that were taken.

    Parameters
    ----------
    picture : Tensor
        What the fit's picture will be mixed with, (1, C, H, W).
    responses : sequence of Response
        How that moves with the noise.
    steps : int
        Steps over which the gain has to grow.
    first : int
        Steps before that is asked for.
    """

    picture: Tensor
    responses: tuple[Response, ...]
    steps: int
    first: int

    def __init__(self, picture: Tensor, responses: Sequence[Response], steps: int = STEPS, first: int = FIRST):
        super().__init__()
        own = {"picture": picture.detach(), "responses": tuple(responses), "steps": steps, "first": first}
        for name, value in own.items():  # frozen, and no fields of the dataclass: a recipe does not hold them
            object.__setattr__(self, name, value)

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        with torch.no_grad():
            return AddingWatch(problem, self, seed)
