"""What to try for an operator and for holes, and what must be said of that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from untaught.errors import InputError
from untaught.method import ClosedForm, Iterative, Method
from untaught.methods.inpainting.exemplar import DEEP, Exemplar, wide_holes
from untaught.methods.inpainting.fill import Fill
from untaught.methods.networks.codes import Code
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.plug_and_play import PlugAndPlay
from untaught.methods.registry import METHODS, make
from untaught.methods.untrained.dip import DIP
from untaught.methods.untrained.pixels import PixelTV
from untaught.operators import Fourier, Jpeg, Mosaic
from untaught.operators.structure import outermost
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import Problem

INVENTED = (
    "what is in wide holes was copied from around them: it looks likely, but it is invented, and there is no "
    "estimate of its error"
)


def for_holes() -> DIP:
    """Return the network that draws what is in wide holes.

    Without skips and with a slow code it cannot repeat at the bottom of a hole what it has learned of fine texture
    elsewhere. In holes of 32 x 28 pixels in four crops of Kodak pictures this is worth 2.7 dB.
    """
    shape = HourglassShape(width=48, depth=5, skip=0)
    return replace(DIP.reconstruction(), shape=shape, code=Code(random=0, octaves=3))


def apart_from(first: Method | None, problem: Problem) -> Tensor | None:
    """Return the holes that are too wide for a first method, (1, 1, H, W), or None where there are none."""
    if not isinstance(first, Fill | Exemplar):
        return None
    wide = wide_holes(problem.mask, DEEP)
    if isinstance(first, Exemplar):
        wide = wide - first.suited(problem)
    return wide if bool(wide.any()) else None


def invented(methods: tuple[str | None, ...], problem: Problem) -> bool:
    """Say whether what is in wide holes was copied there by one of the methods that made the picture."""
    return Exemplar.name in methods and bool(wide_holes(problem.mask, DEEP).any())


JPEG_STEPS = 16  # twice as many gain hundredths of dB on Kodak crops


@dataclass(frozen=True)
class Plan:
    """What is tried, one method or two, and why.

    The pictures of two are mixed; or the second one is for the wide holes `apart`, (1, 1, H, W), alone.
    """

    methods: tuple[Method, ...]
    why: str
    apart: Tensor | None = None


def checked(method: object, task: Task) -> Method:
    """Return the method that was asked for, or the network that auto may take.

    Raises
    ------
    InputError
        For a method that is not made for the operator.
    """
    if isinstance(method, str) and method in ("auto", DIP.name):
        return DIP.reconstruction()
    made: object = make(method) if isinstance(method, str) else method
    if isinstance(made, Iterative | ClosedForm) and _able(made, task):
        return made
    able = [name for name in METHODS if _able(make(name), task)]
    raise InputError(
        f"{getattr(made, 'name', made)} needs a picture of which every pixel was measured, so it cannot "
        f"{task.name}; choose auto, {', '.join(able)}"
    )


def _able(method: Method, task: Task) -> bool:
    """Say whether a method can do a task, noise apart."""
    operator, mask = task.folded
    if isinstance(operator, Mosaic):
        return not method.needs.complete
    return not method.needs.identity if operator is not None else mask is None or not method.needs.complete


def planned(problem: Problem, task: Task, request: Request) -> Plan:
    """Choose what to try."""
    method = checked(request.method, task)
    formula = _formula(problem)
    if request.method != "auto":
        drawn_from = isinstance(method, DIP) and method.code.pilot and problem.hint is None
        first = make(request.pilot) if request.pilot else formula if drawn_from else None
        return Plan(
            (method,) if first is None else (first, method), "it was asked for", apart_from(first, problem)
        )
    if problem.hint is not None:
        return Plan((method,), "the guide is what the network draws from")
    if isinstance(formula, PixelTV):
        return Plan((formula, method), "a network's own structure is a prior for any operator")
    wide = apart_from(formula, problem)
    if wide is not None:
        return _of_holes(formula, problem, wide)
    if isinstance(problem.operator, Jpeg):
        why = "of all pictures that the file could be of, it takes one that similar patches agree on"
        return Plan((formula,), why)
    return Plan((formula,), "combinations of similar patches are a prior for any linear operator, in closed form")


def _of_holes(formula: Method, problem: Problem, wide: Tensor) -> Plan:
    """Choose what fills wide holes: copies within a texture, a network elsewhere."""
    near = "similar patches fill in what is near to what was measured"
    copies = "pixels are copied into wide holes from the texture around them"
    suited = Exemplar().suited(problem)
    drawn = wide - suited
    if not drawn.any():
        return Plan((Exemplar(),), f"{near}, and {copies}")
    if suited.any():
        return Plan(
            (Exemplar(), for_holes()), f"{near}, {copies}, and a network draws what is in the others", drawn
        )
    return Plan((formula, for_holes()), f"{near}, and a network draws what is in wide holes", drawn)


def _formula(problem: Problem) -> Method:
    """Return the method without a network for an operator."""
    operator = problem.operator
    if operator is None:
        return Fill()
    # Lines of a Fourier transform leave faint copies of the picture, which similar patches take for the picture.
    if not (operator.linear and operator.adjoint) or isinstance(outermost(operator), Fourier):
        return PixelTV()
    return PlugAndPlay(steps=JPEG_STEPS) if isinstance(operator, Jpeg) else PlugAndPlay()
