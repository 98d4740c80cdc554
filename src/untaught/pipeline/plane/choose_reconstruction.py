"""What is tried on a measurement, by its operator and by the holes in it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from untaught.errors import InputError
from untaught.method import ClosedForm, Iterative, Method, runs_of
from untaught.methods.inpainting.exemplar import Exemplar
from untaught.methods.inpainting.fill import Fill
from untaught.methods.plug_and_play import PlugAndPlay
from untaught.methods.registry import METHODS, make
from untaught.methods.untrained.dip import DIP
from untaught.methods.untrained.pixels import PixelTV
from untaught.operators.structure import Bounded, outermost, traits_of
from untaught.pipeline.plane.choose_methods import objection
from untaught.pipeline.plane.mixture import alone, inlaid, mixed
from untaught.pipeline.plane.pilot import measured_by, unguided
from untaught.pipeline.plane.plan import Plan
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import Problem

SIMILAR = "combinations of similar patches are a prior for any linear operator, in closed form"


@runtime_checkable
class FillsHoles(Protocol):
    """A method that fills in what is missing, and leaves holes that are too wide for it to others."""

    def too_wide(self, problem: Problem) -> Tensor:
        """Return 1 in those holes, (1, 1, H, W)."""
        ...


def checked(method: object, task: Task) -> Method:
    """Return the method that was asked for, or the network that auto may take.

    Raises
    ------
    InputError
        For a method that is not made for the operator.
    """
    if isinstance(method, str):
        method = make(DIP.name if method == "auto" else method, through_operator=True)
    if isinstance(method, Iterative | ClosedForm) and _able(method, task):
        return method
    able = [name for name in METHODS if _able(make(name), task)]
    raise InputError(
        f"{getattr(method, 'name', method)} needs a picture of which every pixel was measured, so it cannot "
        f"{task.name}; choose auto, {', '.join(able)}"
    )


def _able(method: Method, task: Task) -> bool:
    """Say whether a method can do a task, noise apart."""
    operator, mask = task.folded
    if traits_of(operator).selects:
        return not method.needs.complete
    return not method.needs.identity if operator is not None else mask is None or not method.needs.complete


def choose_reconstruction(problem: Problem, task: Task, request: Request) -> Plan:
    """Choose what to try on a measurement.

    Raises
    ------
    InputError
        For a method that is not made for the operator, or not for the noise.
    """
    method = checked(request.method, task)
    plan = _asked(method, problem, request) if request.method != "auto" else _best(method, problem)
    last = plan.methods[-1]
    reason = objection(last.needs, problem.noise)
    if reason:
        raise InputError(f"{last.name} cannot {task.name} this picture: {reason}; choose auto")
    return plan


def _asked(method: Method, problem: Problem, request: Request) -> Plan:
    """Return the plan for a method that was asked for, with the first picture that it draws from."""
    draws = runs_of(method).piloted and problem.guide_image is None
    first = make(request.pilot) if request.pilot else _formula(problem)[0] if draws else None
    return _of_two(first, method, problem, "it was asked for")


def _of_two(first: Method | None, method: Method, problem: Problem, why: str) -> Plan:
    """Return the plan to mix two pictures, or to lay that of a method into the holes that the first one leaves."""
    if first is None:
        return Plan((method,), why, alone)
    holes = first.too_wide(problem) if isinstance(first, FillsHoles) else None
    if holes is not None and bool(holes.any()):
        return Plan((method,), why, inlaid, first, unguided, holes)
    return Plan((method,), why, mixed, first, measured_by)


def _best(method: Method, problem: Problem) -> Plan:
    """Return the plan that suits an operator and what is missing; `method` is the network that may be taken."""
    if problem.guide_image is not None:
        return Plan((method,), "the guide is what the network draws from", alone)
    formula, why = _formula(problem)
    if why is None:
        return _of_two(formula, method, problem, "a network's own structure is a prior for any operator")
    wide = formula.too_wide(problem) if isinstance(formula, FillsHoles) else None
    if wide is not None and bool(wide.any()):
        return _of_holes(formula, problem, wide)
    return Plan((formula,), why, alone)


def _of_holes(formula: Method, problem: Problem, wide: Tensor) -> Plan:
    """Choose what fills wide holes: copies within a texture, a network elsewhere."""
    near = "similar patches fill in what is near to what was measured"
    copies = "pixels are copied into wide holes from the texture around them"
    suited = Exemplar().suited(problem)
    drawn = wide - suited
    if not drawn.any():
        return Plan((Exemplar(),), f"{near}, and {copies}", alone)
    if suited.any():
        why = f"{near}, {copies}, and a network draws what is in the others"
        return Plan((DIP.for_holes(),), why, inlaid, Exemplar(), unguided, drawn)
    why = f"{near}, and a network draws what is in wide holes"
    return Plan((DIP.for_holes(),), why, inlaid, formula, unguided, drawn)


def _formula(problem: Problem) -> tuple[Method, str | None]:
    """Return the method without a network for an operator, and why it is enough; None where it is not."""
    operator = problem.operator
    if operator is None:
        return Fill(), SIMILAR
    if not (operator.linear and operator.adjoint) or traits_of(outermost(operator)).aliases:
        return PixelTV(), None
    if isinstance(operator, Bounded):
        return PlugAndPlay(steps=operator.rounds), operator.why
    return PlugAndPlay(), SIMILAR
