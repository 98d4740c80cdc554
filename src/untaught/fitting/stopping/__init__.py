"""Stopping rules: when to end a fit, which iterate to keep, and the sentence that says why.

A rule is a few numbers. `rule.watch(problem, seed)` starts it on a problem and returns a `Watch`: what the
fit may see (some rules keep something back), and the judge of every estimate. A rule that fires ends the loop.
"""

from __future__ import annotations

from typing import Any

from untaught.fitting.stopping.cross_fitted import CrossFitted
from untaught.fitting.stopping.discrepancy import Discrepancy
from untaught.fitting.stopping.held_out import HeldOut
from untaught.fitting.stopping.recorrupted import Recorrupted
from untaught.fitting.stopping.rule import Rule, StepBudget, Verdict, Watch
from untaught.fitting.stopping.variance import ExponentialVariance, WindowedVariance

RULES: dict[str, type[Any]] = {
    rule.name: rule
    for rule in (
        StepBudget,
        WindowedVariance,
        ExponentialVariance,
        Discrepancy,
        HeldOut,
        Recorrupted,
        CrossFitted,
    )
}

__all__ = [
    "RULES",
    "CrossFitted",
    "Discrepancy",
    "ExponentialVariance",
    "HeldOut",
    "Recorrupted",
    "Rule",
    "StepBudget",
    "Verdict",
    "Watch",
    "WindowedVariance",
]
