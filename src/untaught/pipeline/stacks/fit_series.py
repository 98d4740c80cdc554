"""A network fitted to all planes of a series, judged by what a few of them keep back of their noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import OutputError
from untaught.fitting.checkpoint import load, remove, save, taken_up
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.fitting.stopping import Rule, StepBudget, Watch
from untaught.method import History, Iterative, Stopped
from untaught.methods.in_series import Shared
from untaught.methods.self_supervised.neighbours import middle
from untaught.pipeline.plane.working_scale import WorkingScale
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.read_planes import SeriesPlanes
from untaught.problem import Problem, array, tensor
from untaught.risk.sure import Recorruption

EVERY, PATIENCE, MARGIN = 50, 400, 0.002
FOR_THE_FIT = 0.8  # of the time: the answers take the rest


@dataclass(frozen=True)
class KeptBack:
    """Stop when the error on planes whose noise was kept back in part has not fallen.

        mean over some planes t of the recorrupted estimate of || f_theta(yhat_t; neighbours) - x_t ||^2

    Attributes
    ----------
    drawn : tuple of Recorruption
        What was kept back of each, where it is judged.
    """

    drawn: tuple[Recorruption, ...]
    every: int = EVERY
    name: ClassVar[str] = "recorrupted"

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _KeptBack(problem, self.drawn)

    def __repr__(self) -> str:
        """Return what a checkpoint knows it by."""
        return f"KeptBack({len(self.drawn)}, every={self.every})"


class _KeptBack(Watch):
    def __init__(self, problem: Problem, drawn: tuple[Recorruption, ...]):
        super().__init__(problem, PATIENCE, "recorrupted estimate of the mean squared error", MARGIN)
        self.drawn = drawn

    def score(self, step: int, estimate: Tensor) -> float:
        risks = [drawn.risk(estimate[k : k + 1]) for k, drawn in enumerate(self.drawn)]
        return sum(risks) / len(risks)


@dataclass(frozen=True)
class Network:
    """A network that was fitted to a series: how that ended."""

    network: nn.Module
    stopped: Stopped
    history: History
    notes: tuple[str, ...] = ()
    interrupted: bool = False


@dataclass(frozen=True)
class Place:
    """Where a fit and its network are kept, and of what run they are; nowhere without a path."""

    path: Path | None
    identity: dict[str, Any]

    @property
    def network(self) -> Path | None:
        """File of the network, once it is fitted."""
        return None if self.path is None else self.path.with_name(f"{self.path.name}.network")

    def clear(self) -> None:
        """Remove what was kept."""
        if self.network is not None:
            remove(self.network)


def fitted(method: Shared, planes: SeriesPlanes, request: Request, place: Place, left: float | None) -> Network:
    """Fit a network to a series, or take it up again.

    Parameters
    ----------
    method : Shared
        Whose network it is.
    planes : SeriesPlanes
        The series.
    request : Request
        What is asked of all planes.
    place : Place
        Where it is kept.
    left : float or None
        Seconds there are.

    Raises
    ------
    InputError
        For a checkpoint of another run.
    OutputError
        Where the network cannot be kept.
    KeyboardInterrupt
        Where Ctrl-C came before its first step.
    """
    problem, drawn = _judged(planes, request)
    work = method.over(planes)
    known = _taken_up(work, problem, request, place)
    if known is not None:
        return known
    options = Options(
        rule=_rule(request.rule, drawn),
        seconds=None if left is None else FOR_THE_FIT * left,
        on_progress=_telling(request.on_progress, planes),
        checkpoint=place.path,
        phase=method.name,
    )
    found = fit(work, problem, request.seed, options)
    if not isinstance(found.estimate.function, nn.Module):
        raise KeyboardInterrupt
    made = Network(found.estimate.function, found.stopped, found.history, found.notes, found.interrupted)
    if place.network is not None and not found.interrupted:
        _keep(place.network, place.identity, made)
    return made


def _judged(planes: SeriesPlanes, request: Request) -> tuple[Problem, tuple[Recorruption, ...]]:
    """Return the planes that a fit is judged by as one problem, and what was kept back of each."""
    seen = [planes.at(place) for place in planes.judged]
    window = middle(*seen[0].y.shape[-2:])
    drawn = []
    for place in planes.judged:
        kept = planes.kept_back(place)[1]
        cut = {name: getattr(kept, name)[window] for name in ("y", "mask", "variance", "z", "p", "kernel")}
        drawn.append(replace(kept, **cut))
    y, mask = (torch.cat([getattr(one, name)[window] for one in seen]) for name in ("y", "mask"))
    return Problem(y, mask, seen[0].noise), tuple(drawn)


def _rule(asked: Rule | None, drawn: tuple[Recorruption, ...]) -> Rule:
    """Return the rule: that all steps are taken, where that was asked for."""
    return asked if isinstance(asked, StepBudget) else KeptBack(drawn)


def _telling(tell: Callable[[Progress], None] | None, planes: SeriesPlanes) -> Callable[[Progress], None] | None:
    """Return what passes progress on, with the first plane that the fit is judged by as the preview."""
    if tell is None:
        return None
    scale = WorkingScale.of(planes.survey.plane(planes.judged[0]))

    def shown(preview: Callable[[], Tensor]) -> Tensor:
        return tensor(scale.values(array(preview()[:1])).astype("float32"))

    return lambda told: tell(replace(told, planes=len(planes), preview=lambda: shown(told.preview)))


def _keep(path: Path, identity: dict[str, Any], made: Network) -> None:
    saved = {
        "identity": identity,
        "network": made.network.state_dict(),
        "stopped": vars(made.stopped),
        "history": vars(made.history),
        "notes": list(made.notes),
    }
    problem = save(path, saved)
    if problem:
        raise OutputError(f"{problem}; make room, or leave --checkpoint out")


def _taken_up(work: Iterative, problem: Problem, request: Request, place: Place) -> Network | None:
    if place.network is None:
        return None
    saved = load(place.network, place.identity, problem.y.device)
    if saved is None:
        return None
    network = work.init(problem, request.seed).network.requires_grad_(False)
    with taken_up(place.network):
        network.load_state_dict(saved["network"])
        stopped, history = Stopped(**saved["stopped"]), History(**saved["history"])
        return Network(network, stopped, history, tuple(map(str, saved["notes"])))
