"""Which stopping rule suits a method and its noise, and which cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from untaught.fitting.stopping import (
    CrossFitted,
    Discrepancy,
    HeldOut,
    Recorrupted,
    Rule,
    StepBudget,
    WindowedVariance,
)
from untaught.method import ClosedForm, Iterative
from untaught.methods.self_supervised.learner import Learner
from untaught.noise import NoiseModel

if TYPE_CHECKING:
    from untaught.operators import Operator


def rule_for(
    method: Iterative | ClosedForm, noise: NoiseModel, operator: Operator | None = None, whole: bool = True
) -> Rule:
    """Choose how to stop: the recorrupted rule where its noise model holds, else what needs less.

    `whole` says that no measurement is missing from a task that is there to fill in what is.
    """
    if isinstance(method, ClosedForm) or getattr(method, "settles", False):
        return StepBudget()
    if operator is not None and not operator.linear:
        return WindowedVariance(window=70, patience=200)
    if isinstance(method, Learner):
        return _rule_of_learner(noise)
    if method.needs.level:
        return CrossFitted(alpha=getattr(method, "alpha", CrossFitted.alpha))
    if whole and noise.white and not noise.negligible:
        return Recorrupted()
    independent = noise.white or noise.negligible
    if noise.replaces or not whole or (operator is not None and independent):
        return HeldOut()
    return WindowedVariance(window=70, patience=200)


def _rule_of_learner(noise: NoiseModel) -> Rule:
    """Choose how to stop a network that learns from crops, of which a look costs as much as a step or two."""
    if noise.recorruptible and not noise.negligible:
        return Recorrupted(patience=300, every=20)
    return HeldOut(patience=300, every=20)


def refusal(rule: Rule | None, noise: NoiseModel, operator: Operator | None = None) -> str | None:
    """Say that a stopping rule was asked for and why it cannot be used, or None where it can, or none was."""
    reason = None if rule is None else rule_objection(rule, noise, operator)
    return None if rule is None or reason is None else f"the stopping rule {rule.name} was asked for, but {reason}"


def rule_objection(rule: Rule, noise: NoiseModel, operator: Operator | None) -> str | None:
    """Say in a clause why a stopping rule cannot be used with an operator and its noise, or None."""
    if isinstance(rule, CrossFitted) and operator is not None:
        return f"it needs the picture itself to be measured, and {operator.name} measures something else"
    if isinstance(rule, Recorrupted | HeldOut) and operator is not None and not operator.linear:
        return f"it needs measurements that are linear in the picture, and {operator.name} is not known to be"
    known = not noise.negligible and not noise.replaces
    if isinstance(rule, Recorrupted | CrossFitted) and not (known and noise.kind != "unknown"):
        return "it needs noise of a known law"
    if isinstance(rule, Discrepancy) and not known:
        return "it needs a noise level"
    return None
