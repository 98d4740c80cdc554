"""What is tried on a noisy plane; what a method needs, held against what was measured on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from untaught.method import ClosedForm, Method, Needs, runs_of
from untaught.methods.fusion import Fusion
from untaught.methods.registry import make
from untaught.noise import NoiseModel
from untaught.pipeline.plane.asked import LEFT, asked, left_alone, made_again
from untaught.pipeline.plane.pilot import pilot_for, with_pilot
from untaught.pipeline.plane.plan import Plan
from untaught.pipeline.plane.run_method import in_time, quickened
from untaught.pipeline.plane.selection import select
from untaught.pipeline.request import Request
from untaught.problem import Problem

QUICK = "nonlocal-quick"
BY_EFFORT = {("nonlocal", "quick"): QUICK, ("nonlocal", "best"): "nonlocal-thorough"}
FEW = 3 * 64 * 64  # values; on fewer a network's gain cannot be told from chance


@dataclass(frozen=True)
class Advice:
    """The methods `auto` tries, in order, and the reason."""

    methods: tuple[str, ...]
    why: str


def choose_denoising(problem: Problem, request: Request) -> Plan:
    """Choose what to try on a plane that was measured itself."""
    advice = advise(problem.noise, problem.y.numel(), request.effort)
    if request.method == "auto" and problem.noise.negligible and problem.complete:
        return Plan((), advice.why, left_alone)
    if request.parts:
        return _guided(
            Plan(tuple(method for method, _ in request.parts), "a recipe asked for it", made_again),
            problem,
            request,
        )
    fusion = Fusion() if request.method == Fusion.name else request.method
    if isinstance(fusion, Fusion):
        parts = tuple(make(part) if isinstance(part, str) else part for part in fusion.parts)
        return _guided(Plan(parts, "a fusion was asked for", select), problem, request)
    if fusion == "auto":
        chosen = tuple(map(make, advice.methods))
        hurried = _hurried(chosen[0], advice.why, problem, request) if chosen else None
        if hurried is not None:
            return hurried
        if len(chosen) == 1 and runs_of(chosen[0]).sampled:  # a pilot would take longer than it does
            return Plan(chosen, advice.why, asked)
        return _guided(Plan(chosen, advice.why, select), problem, request)
    method = made(fusion, request.effort)
    reason = objection(method.needs, problem.noise, min(problem.y.shape[-2:]))
    notes = (f"{method.name} was asked for, but {reason}; look twice at the result",) if reason else ()
    plan = Plan((method,), "it was asked for", asked, notes=notes)
    hurried = _hurried(method, plan.why, problem, request)
    if hurried is not None:
        return replace(hurried, notes=(*notes, *hurried.notes))
    if runs_of(method).sampled:
        return plan
    alone = isinstance(method, ClosedForm) and request.noise is not None and not request.noise.relative_error
    return plan if alone and request.pilot is None else _guided(plan, problem, request)


def _hurried(method: Method, why: str, problem: Problem, request: Request) -> Plan | None:
    """Return the plan for another method, which takes less time, where that is too short for one; else None."""
    if request.seconds is None:
        return None
    fitting = in_time(method, problem, request.seconds)
    if fitting is None:
        return Plan((), f"there was no time for {method.name}", left_alone, notes=(LEFT,))
    if fitting.name == method.name:
        return None
    return Plan((fitting,), why, asked, notes=quickened(method, fitting))


def made(method: str | Method, effort: str) -> Method:
    """Return a method that was asked for, by its name as the effort has it."""
    return make(BY_EFFORT.get((method, effort), method)) if isinstance(method, str) else method


def _guided(plan: Plan, problem: Problem, request: Request) -> Plan:
    """Return the plan with a pilot, if the noise is such that one can guide and be judged."""
    if problem.noise.leaves_clean:
        return plan
    name = request.pilot or pilot_for(problem, request.seconds, plan.methods)
    return plan if name is None else replace(plan, pilot=make(name), guide=with_pilot)


def advise(noise: NoiseModel, values: int, effort: str = "normal") -> Advice:
    """Choose what to try on a plane of so many values, from its noise.

    On 81 crops with Gaussian noise, shot noise and speckle of three strengths each, a network and a wider search
    gained .02 dB on average over `nonlocal` and .28 at most, in twenty times its time: that is the best effort.
    """
    if noise.replaces:
        return Advice(
            ("impulse-fill",),
            "the values that were hit are known; they are predicted from the others of their pixel, of its "
            "neighbours and of similar patches",
        )
    if noise.negligible:
        return Advice((), "no noise was found, so there is nothing to remove")
    if effort == "quick":
        return Advice(
            (QUICK,), "it combines similar patches in one pass over the picture, which is what is quickest"
        )
    if noise.white and effort == "normal":
        return Advice(
            ("nonlocal",),
            "the noise is independent between pixels, which the combination of similar patches is made for",
        )
    if noise.white and values < FEW:
        return Advice(
            ("nonlocal",),
            "the noise is independent between pixels, which the combination of similar patches is made for; the "
            "picture is too small to tell whether a network would do better",
        )
    if noise.white:
        return Advice(
            ("nonlocal", "nonlocal-thorough", "dip"),
            "the noise is independent between pixels, which the combination of similar patches is made for, and "
            "whether a network adds to it can be measured",
        )
    return Advice(
        ("nonlocal",),
        "the noise is shared between neighbouring pixels, which rules out whatever assumes independent "
        "pixels; combining distant similar patches stays right",
    )


def objection(needs: Needs, noise: NoiseModel, side: int | None = None) -> str | None:
    """Say in a clause why a method is not right for this noise, or a picture of this shorter side; or None."""
    if noise.endless and (needs.white or needs.bounded):
        return (
            "here pixels share their noise as far as it can be measured, as where it runs along whole rows or "
            "columns, and no blind spot or drawn noise is as wide; nonlocal combines distant patches"
        )
    if needs.white and noise.shared:
        apart = max(noise.reach) + 1
        return (
            "it needs noise that is independent between pixels, and here neighbours share theirs; struct-n2v "
            f"hides them together, n2v:{apart} learns from pixels {apart} apart, gr2r draws noise of that "
            "correlation, and nonlocal combines distant patches"
        )
    if needs.kinds and noise.kind not in needs.kinds:
        return f"it is made for {' or '.join(needs.kinds)} noise, and this is {noise.kind}"
    if needs.level and noise.level <= 0:
        return "it needs a noise level, and none was found"
    if needs.complete and (needs.level or needs.white) and noise.negligible:
        return "no noise was found, so it can only blur; auto leaves such a picture as it is"
    if needs.most and noise.level > needs.most:
        return (
            f"it is made for noise of {needs.most:.0%} of the picture's range at most, and this is of "
            f"{noise.level:.0%}; gr2r and nonlocal take any"
        )
    if side is not None and side < needs.side:
        return f"it learns from sides of {needs.side} pixels or more, and here one has {side}; nonlocal takes any"
    return None
