"""What a method is: a network, an objective and a readout, or one closed formula; and what a run of it leaves.

`fitting.loop` knows methods only by the protocols of this page. An `Iterative` method never loops over optimiser
steps itself; a `ClosedForm` method has no steps and answers at once, or pass by pass (`InPasses`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from untaught.problem import Estimate, Problem, Weights

M = TypeVar("M")
Along = Literal["time", "depth"]  # what planes of a stack follow each other in


@dataclass(frozen=True)
class Needs:
    """What has to hold for a method to be right; `restore` checks it against the picture.

    Attributes
    ----------
    level : bool
        Needs a noise level (given, or estimated with success).
    white : bool
        Needs noise that is independent between pixels.
    complete : bool
        Cannot work around missing pixels itself (they are filled in before, and the result says so).
    identity : bool
        Needs the picture itself to be measured; without this it works with any operator.
    kinds : tuple of str
        Noise kinds (`NoiseModel.kind`) it is right for; empty means any.
    bounded : bool
        Needs noise that pixels some way apart do not share: where it runs along whole rows or columns, no blind
        spot hides it.
    most : float
        The strongest noise it is right for, [0, 1] units; 0 where any will do.
    side : int
        The shortest side of a picture it can learn from, in pixels.
    pairs : bool
        Needs two observations of the same picture, or planes of a series.
    """

    level: bool = False
    white: bool = False
    complete: bool = False
    identity: bool = True
    kinds: tuple[str, ...] = ()
    bounded: bool = False
    most: float = 0.0
    side: int = 0
    pairs: bool = False


@dataclass(frozen=True)
class Runs:
    """How a method is run, and judged: what the pipeline would otherwise have to know of it.

    Attributes
    ----------
    settles : bool
        Its last step is the answer: no rule has to stop it.
    averaged : float
        Decay of the exponential average of its outputs that is the answer; 0 where it answers with its own.
    patience, every : int or None
        Of the rule that stops it, where it learns from crops, so that a look at the picture costs some steps.
    recorruption : float or None
        alpha of the recorruption that judges it, where each pixel is drawn by a network that was not fitted to it.
    piloted : bool
        Whether it draws from a pilot, which is made for it.
    replaces : str
        Name of the method that it takes the place of, and is not mixed with.
    invents : bool
        Whether it fills wide holes with what looks likely, of which no error can be stated.
    tweedie : tuple of float
        How far Tweedie's formula is off for it: `risk.tweedie.Shrinkage`, error and flat.
    compiled : bool
        Whether it runs compiled code, which takes some seconds the first time on a machine.
    sampled : bool
        Whether its error is measured on parts of a large picture alone, to save time.
    together : tuple of {"time", "depth"}
        Along what it takes planes together: it is a `Together` then.
    tweedie_time, tweedie_depth : tuple of float
        As `tweedie`, for such planes, with the knee and the factor: groups over time keep more of the picture's
        errors than they follow noise, those with depth follow more than they keep.
    context : tuple of {"time", "depth"}
        Along what it takes a plane alone, but with its `neighbours`, a number of planes on each side, in sight.
    reach : int
        Planes on each side that help one, where they are taken together.
    held : int
        Bytes that a value of a plane takes then, at most, with what is kept of each plane beside.
    shared : tuple of {"time", "depth"}
        Along what one network of it is fitted to all planes, each seen with its neighbours: it is a
        `methods.in_series.Shared` then.
    """

    settles: bool = False
    averaged: float = 0.0
    patience: int | None = None
    every: int | None = None
    recorruption: float | None = None
    piloted: bool = False
    replaces: str = ""
    invents: bool = False
    tweedie: tuple[float, float] = (0.4, 1.0)  # far off: it was not measured
    compiled: bool = False
    sampled: bool = False
    together: tuple[Along, ...] = ()
    tweedie_time: tuple[float, ...] = (0.4,)
    tweedie_depth: tuple[float, ...] = (0.4,)
    context: tuple[Along, ...] = ()
    reach: int = 4
    held: int = 360  # nonlocal: measured as 280 over time and 180 through depth
    shared: tuple[Along, ...] = ()


@runtime_checkable
class Declares(Protocol):
    """A method that says how it is run; one that does not is run as `Runs` has it."""

    @property
    def runs(self) -> Runs: ...  # noqa: D102


def runs_of(method: object) -> Runs:
    """Return how a method is run."""
    return method.runs if isinstance(method, Declares) else Runs()


@dataclass
class State:
    """All that changes during a fit, and all that a checkpoint holds.

    `passes` are the network, or its parts, as `loss` calls them; they share its weights and hold nothing else.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    tensors: dict[str, Tensor] = field(default_factory=dict)
    passes: tuple[Callable[..., Tensor], ...] = ()

    def state_dict(self) -> dict[str, Any]:
        """Return tensors only, cloned, so that later steps do not change it."""
        return {**self.weights(), "generator": self.generator.get_state(), "tensors": _cloned(self.tensors)}

    def weights(self) -> Weights:
        """Return what another fit of the same shape can begin with: weights, and the optimiser's averages."""
        return {name: _cloned(getattr(self, name).state_dict()) for name in ("network", "optimizer")}

    def start_warm(self, weights: Weights | None) -> None:
        """Begin with the weights of another fit, if its network was of the same shape."""
        if weights is not None and _shapes(weights["network"]) == _shapes(self.network.state_dict()):
            self._take_up(weights)

    def _take_up(self, weights: Weights) -> None:
        self.network.load_state_dict(weights["network"])
        self.optimizer.load_state_dict(_cloned(weights["optimizer"]))

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go back to what `state_dict` returned."""
        self._take_up(saved)
        self.generator.set_state(saved["generator"].cpu())  # where a checkpoint may have been read to
        self.tensors = _cloned(saved["tensors"])


def _shapes(saved: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in saved.items()}


def _cloned(tree: Any) -> Any:
    if isinstance(tree, Tensor):
        return tree.detach().clone()
    if isinstance(tree, dict):
        return {key: _cloned(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_cloned(value) for value in tree)
    return tree


@runtime_checkable
class ClosedForm(Protocol):
    """A method without a fit: NLM, TV, wavelets, the non-local ridge."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    def solve(self, problem: Problem, seed: int) -> Estimate:
        """Return the answer for `problem`; same seed, same answer."""
        ...


@runtime_checkable
class Iterative(Protocol):
    """A method that fits a network, one optimiser step at a time, driven by `fitting.loop.fit`."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    @property
    def steps(self) -> int:
        """How many steps the loop may take at most."""
        ...

    def init(self, problem: Problem, seed: int) -> State:
        """Build network, code and optimiser; draws only from `seed`."""
        ...

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        """Return the scalar objective of this step."""
        ...

    def estimate(self, problem: Problem, state: State) -> Tensor:
        """Return the picture as it stands, detached, for rules and previews; should be cheap."""
        ...

    def readout(self, problem: Problem, state: State) -> Estimate:
        """Return the answer as the network stands now."""
        ...


@runtime_checkable
class Together(Protocol):
    """A `ClosedForm` method that restores planes of one stack together; `Runs.together` says along what."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    def solve_together(self, problems: Sequence[Problem], along: Along, seed: int) -> list[Estimate]:
        """Return the answers for planes that help each other; same planes and seed, same answers.

        Parameters
        ----------
        problems : sequence of Problem
            One a plane, in their order: of one size, number of channels, scale of values and device, each with its
            own y, mask and law of noise. The noise of a plane is independent of that of any other.
            One plane is answered as by `solve`.
        along : {"time", "depth"}
            "time" where what is seen may move from a plane to the next, "depth" where planes are as alike as rows.
        seed : int
            Of the probe that the divergence is measured with, which is independent from plane to plane.

        Returns
        -------
        list of Estimate
            One a plane. `responses` are how its image moved with a probe of its own noise, while the noise of all
            other planes was moved too: the cross term of Stein's formula for that plane, as `solve` gives it.
            `function` maps another observation of that plane to its image, the other planes as they are; it does
            the work of the whole stack.
        """
        ...


class Helping(ClosedForm, Together, Protocol):
    """A formula that takes planes together."""


@runtime_checkable
class OnGrid(Protocol):
    """A `Together` method that takes volumes that follow each other."""

    def solve_grid(self, problems: Sequence[Problem], length: int, seed: int) -> list[Estimate]:
        """Return the answers for planes that help each other along both axes.

        `problems` are those of each depth in turn, `length` times of it; see `Together.solve_together`.
        """
        ...


Method = Iterative | ClosedForm


@dataclass(frozen=True)
class Pass:
    """The picture after `done` of `of` passes; 0 is before the first."""

    estimate: Estimate
    done: int
    of: int


@runtime_checkable
class InPasses(Protocol):
    """A `ClosedForm` method whose picture gets better pass by pass: what can be shown, cut short and interrupted.

    Attributes
    ----------
    last : int or None
        The pass after which it ends; None for the end. A recipe holds it of a run that was cut short.
    """

    name: ClassVar[str]
    needs: ClassVar[Needs]

    @property
    def last(self) -> int | None: ...  # noqa: D102

    def passes(self, problem: Problem, seed: int) -> Iterator[Pass]:
        """Yield the picture as it stands, after every pass; the last one is the answer."""
        ...


@runtime_checkable
class Timed(Protocol):
    """A method that can tell beforehand how to fit into a time limit, such as with fewer passes."""

    def within(self, problem: Problem, seconds: float) -> Method | None:
        """Return the method as it fits into so many seconds, or a quicker one; None where none does."""
        ...


@runtime_checkable
class Lighter(Protocol):
    """A method that others, which do less, can take the place of."""

    def quicker(self) -> Sequence[Method]:
        """Return what takes less time, step by step."""
        ...


def ended_after(method: M, passes: int) -> M:
    """Return a method in passes, a dataclass, that ends where a run of it was cut short; any other as it is."""
    cut = passes > 0 and isinstance(method, InPasses)
    return replace(method, last=passes) if cut else method  # type: ignore[type-var]


def answer(method: InPasses, problem: Problem, seed: int) -> Estimate:
    """Return the picture after the last pass: `solve` of such a method."""
    found = None
    for found in method.passes(problem, seed):
        if method.last is not None and found.done >= method.last:
            break
    if found is None:  # a protocol cannot promise one
        raise RuntimeError(f"{method.name} made no pass")
    return found.estimate


@dataclass(frozen=True)
class Stopped:
    """Which rule ended the fit, at what step, and why, in a sentence."""

    rule: str
    step: int
    reason: str

    @classmethod
    def at_once(cls) -> Stopped:
        """Return what to say of a formula."""
        return cls("closed form", 0, "the answer is a formula: there is nothing to stop")

    @classmethod
    def interrupted(cls, step: int) -> Stopped:
        """Return what to say of a fit that a person broke off after so many steps."""
        reason = "interrupted: this is the best so far" if step else "interrupted before its first step"
        return cls("interrupted", step, reason)


@dataclass
class History:
    """Curves of one fit: `step`, `loss`, `score` (what the rule watched), `seconds`; equal lengths.

    `score_name` says what `score` is, with its unit ("estimated mean squared error", ...).
    """

    step: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    score_name: str = ""
