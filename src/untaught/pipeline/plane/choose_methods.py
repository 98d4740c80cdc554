"""What a method needs, held against what was measured on the picture; and what `auto` tries."""

from __future__ import annotations

from dataclasses import dataclass
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
from untaught.method import ClosedForm, Iterative, Needs
from untaught.methods.self_supervised.learner import Learner
from untaught.noise import Correlated, NoiseModel
from untaught.noise.coloured_noise import shared
from untaught.noise.models.base import NOTHING, WHITE

if TYPE_CHECKING:
    from untaught.operators import Operator

FEW = 3 * 64 * 64  # values; on fewer a network's gain cannot be told from chance


@dataclass(frozen=True)
class Plan:
    """The methods `auto` tries, in order, and the reason."""

    methods: tuple[str, ...]
    why: str


def plan(noise: NoiseModel, values: int) -> Plan:
    """Choose what to try on a plane of so many values, from its noise."""
    if noise.kind == "impulse":
        return Plan(
            ("impulse-fill",),
            "the values that were hit are known; they are predicted from the others of their pixel, of its "
            "neighbours and of similar patches",
        )
    if noise.level < NOTHING:
        return Plan((), "no noise was found, so there is nothing to remove")
    if noise.kind in WHITE and values < FEW:
        return Plan(
            ("nonlocal",),
            "the noise is independent between pixels, which the combination of similar patches is made for; the "
            "picture is too small to tell whether a network would do better",
        )
    if noise.kind in WHITE:
        return Plan(
            ("nonlocal", "nonlocal-thorough", "dip"),
            "the noise is independent between pixels, which the combination of similar patches is made for, and "
            "whether a network adds to it can be measured",
        )
    return Plan(
        ("nonlocal",),
        "the noise is shared between neighbouring pixels, which rules out whatever assumes independent "
        "pixels; combining distant similar patches stays right",
    )


def objection(needs: Needs, noise: NoiseModel) -> str | None:
    """Say in a clause why a method is not right for this noise, or None."""
    if needs.white and noise.kind == "correlated":
        apart = max(shared(noise)) + 1 if isinstance(noise, Correlated) else 2
        return (
            "it needs noise that is independent between pixels, and here neighbours share theirs; struct-n2v "
            f"hides them together, n2v:{apart} learns from pixels {apart} apart, gr2r draws noise of that "
            "correlation, and nonlocal combines distant patches"
        )
    if needs.kinds and noise.kind not in needs.kinds:
        return f"it is made for {' or '.join(needs.kinds)} noise, and this is {noise.kind}"
    if needs.level and noise.level <= 0:
        return "it needs a noise level, and none was found"
    return None


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
    if whole and noise.kind in WHITE and noise.level >= NOTHING:
        return Recorrupted()
    independent = noise.kind in WHITE or noise.level < NOTHING
    if noise.kind == "impulse" or not whole or (operator is not None and independent):
        return HeldOut()
    return WindowedVariance(window=70, patience=200)


def _rule_of_learner(noise: NoiseModel) -> Rule:
    """Choose how to stop a network that learns from crops, of which a look costs as much as a step or two."""
    if noise.kind in (*WHITE, "correlated") and noise.level >= NOTHING:
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
    known = noise.level >= NOTHING and noise.kind != "impulse"
    if isinstance(rule, Recorrupted | CrossFitted) and not (known and noise.kind != "unknown"):
        return "it needs noise of a known law"
    if isinstance(rule, Discrepancy) and not known:
        return "it needs a noise level"
    return None
