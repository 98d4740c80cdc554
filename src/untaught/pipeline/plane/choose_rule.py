"""Which stopping rule suits a method and its noise, and which cannot be used."""

from __future__ import annotations

from untaught.fitting.stopping import CrossFitted, HeldOut, Recorrupted, Rule, StepBudget, WindowedVariance
from untaught.fitting.stopping.rule import Demanding
from untaught.method import ClosedForm, Method, runs_of
from untaught.noise import NoiseModel
from untaught.operators import Operator


def rule_for(method: Method, noise: NoiseModel, operator: Operator | None = None, whole: bool = True) -> Rule:
    """Choose how to stop: the recorrupted rule where its noise model holds, else what needs less.

    `whole` says that no measurement is missing from a task that is there to fill in what is.
    """
    runs = runs_of(method)
    if isinstance(method, ClosedForm) or runs.settles:
        return StepBudget()
    if operator is not None and not operator.linear:
        return WindowedVariance(window=70, patience=200)
    if runs.patience is not None and runs.every is not None:
        drawn = noise.recorruptible and not noise.negligible
        return (Recorrupted if drawn else HeldOut)(patience=runs.patience, every=runs.every)
    if runs.recorruption is not None:
        return CrossFitted(alpha=runs.recorruption)
    if whole and noise.white and not noise.negligible:
        return Recorrupted()
    independent = noise.white or noise.negligible
    if noise.replaces or not whole or (operator is not None and independent):
        return HeldOut()
    return WindowedVariance(window=70, patience=200)


def refusal(rule: Rule | None, noise: NoiseModel, operator: Operator | None = None) -> str | None:
    """Say that a stopping rule was asked for and why it cannot be used, or None where it can, or none was."""
    if rule is None or not isinstance(rule, Demanding):
        return None
    reason = rule.objection(noise, operator)
    return None if reason is None else f"the stopping rule {rule.name} was asked for, but {reason}"
