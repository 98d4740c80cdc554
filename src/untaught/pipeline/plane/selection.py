"""What to spend the seconds on: candidates one after the other, and their mixture, as long as the risk falls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from untaught.fitting.stopping import Recorrupted, Rule
from untaught.fitting.stopping.mixture_gain import FIRST, FIRST_WARM, Adding
from untaught.method import ClosedForm, Method, runs_of
from untaught.methods.fusion import Fusion, fuse
from untaught.methods.registry import make, seconds_for
from untaught.pipeline.plane.candidate import Candidate, Outcome
from untaught.pipeline.plane.judge import identity, judge, relative_to, surely_better, with_risk
from untaught.pipeline.plane.plan import Plan
from untaught.pipeline.plane.run_method import Runner, in_time
from untaught.problem import Estimate, Problem
from untaught.results.recipe import PlaneRecipe
from untaught.results.restoration import Tried
from untaught.risk.estimate import Z90
from untaught.risk.sure import common_kernel, terms_of
from untaught.risk.sure_let import Part

# Standard errors by which one restored picture has to be better than another, a formula's and a network's or a
# mixture; than the input it is 90 %. The best of many steps and weights looks better than it is: on 84 crops of
# Kodak and scikit-image, 128 x 128 pixels with six kinds of noise, .6 and .6 made pictures worse than `nonlocal`
# by .07 dB on average and 2.0 at worst, these better by .03 and none worse.
ERRORS = 1.3
FITTED = 2.5
LEAST_SECONDS = 1.0  # less than this is not worth starting another method for
LEAST_SHARE = 0.25  # of what a method may take; a fit that is cut off there has most of its gain (0.14 of 0.19 dB)


def select(plan: Plan, problem: Problem, pilot: Candidate | None, runner: Runner) -> Outcome:
    """Try what the plan says while there is time; keep what is better beyond chance."""
    search = Search(problem, runner, pilot)
    methods, notes = plan.methods, tuple[str, ...]()
    if pilot is not None and pilot.name not in [method.name for method in methods]:
        if methods:
            notes = (f"to end in time, {pilot.name} took the place of {methods[0].name}",)
        methods = (make(pilot.name),)  # it was taken for lack of time, so there is none for the others either
    search.run(methods)
    return Outcome(search.best, search.reason(plan.why), tuple(search.tried), notes)


@dataclass
class Search:
    """What has been tried on one problem, and the best of it."""

    problem: Problem
    runner: Runner
    pilot: Candidate | None = None
    tried: list[Tried] = field(default_factory=list)
    mixed: list[Candidate] = field(default_factory=list)  # what the best one is made of

    def __post_init__(self) -> None:
        self.best = self.kept = identity(self.problem)
        self.started, self.seconds = time.monotonic(), self.runner.left

    @property
    def changed(self) -> bool:
        """Whether anything was better than the input."""
        return self.best is not self.kept

    def run(self, methods: Sequence[Method]) -> None:
        """Try `methods` in order while there is time; each alone, and mixed with what was best before."""
        paths = _checkpoints(methods, self.runner.request.checkpoint)
        for method, path in zip(methods, paths, strict=True):
            found = self._found(method, path)
            if found is None:
                continue
            if found.idle:
                why = f"not tried: {found.stopped.reason}"
                self.tried.append(Tried(method.name, None, found.seconds, why))
            else:
                self._weigh(found, method)
            if found.interrupted:
                self.best = replace(self.best, interrupted=True)
                return

    def reason(self, why: str) -> str:
        """Say why the best one was tried, and which others were and did not do better."""
        if not self.changed:
            return "no method's estimated error was below the input's, so nothing was changed"
        best = self.best
        if self.mixed and best.name == Fusion.name:
            parts = " and ".join(part.name for part in self.mixed)
            return f"{why}; mixed, {parts} have a smaller estimated error than each alone"
        others = [row.method for row in self.tried if row.method != best.name and row.psnr is not None]
        if not others:
            return why
        return f"{why}; of {best.name} and {', '.join(others)} it has the smallest estimated error"

    def _found(self, method: Method, checkpoint: Path | None) -> Candidate | None:
        if self.pilot is not None and method == make(self.pilot.name):
            return self.pilot
        left = self.seconds
        if left is not None:
            left -= time.monotonic() - self.started
            need = self._pace() * (seconds_for(method.name, self.problem.y.numel() / 3e6) or 0.0)
            share = 1.0 if isinstance(method, ClosedForm) else LEAST_SHARE  # of a formula there is no first half
            if self.tried and left < max(LEAST_SECONDS, share * need):
                note = f"not tried: it may take {need:.0f} s, and {max(left, 0):.0f} s were left"
                self.tried.append(Tried(method.name, None, 0.0, note))
                return None
            if self.tried and getattr(in_time(method, self.problem, left), "name", None) != method.name:
                self.tried.append(Tried(method.name, None, 0.0, f"not tried: {max(left, 0):.0f} s were left"))
                return None
        found = self.runner.run(method, self.problem, self._rule(method), left, checkpoint)
        found = judge(found, self.problem, self.runner.request.seed)
        return found if isinstance(method, ClosedForm) else relative_to(found, self.pilot, self.problem.noise)

    def _pace(self) -> float:
        """Return how much longer methods take here and now than where that was measured, by the pilot."""
        if self.pilot is None or not self.pilot.seconds:
            return 1.0
        usual = seconds_for(self.pilot.name, self.problem.y.numel() / 3e6)
        return self.pilot.seconds / usual if usual else 1.0

    def _rule(self, method: Method) -> Rule:
        """Return the rule asked for; or that for a fit that is to be mixed with the best so far; or its own."""
        rule, terms = self.runner.rule(method, self.problem), self.best.terms
        if self.runner.request.rule or rule != Recorrupted() or terms is None or not terms.responses:
            return rule
        first = FIRST if self.problem.warm_start is None else FIRST_WARM
        return Adding(self.best.picture, terms.responses, first=first)

    def _weigh(self, found: Candidate, method: Method) -> None:
        """Keep what `method` has found, or its mixture with the best so far, if that is better."""
        noise, before = self.problem.noise, self.best
        errors = (ERRORS if isinstance(method, ClosedForm) else FITTED) if self.changed else Z90
        unjudged = not self.changed and before.risk is None and found.risk is None
        if unjudged or surely_better(found, before, noise, errors):
            self.best, alone = found, "better than what was there before"
        else:
            alone = "not surely better"
        self.tried.append(found.row(alone))
        if before is self.kept or before.name == runs_of(method).replaces:
            return
        parts = [*(self.mixed or [before]), found]
        mixture = mixture_of(parts, self.problem, self.pilot)
        if mixture is not None and surely_better(mixture, self.best, noise, FITTED):
            self.mixed = parts
            self.tried.append(mixture.row("better than each of its parts"))
            self.best = mixture


def _checkpoints(methods: Sequence[Method], path: Path | None) -> list[Path | None]:
    """Return where each method keeps its state: that of one fit is no other's, so later ones are numbered."""
    fits, paths = 0, []
    for method in methods:
        fits += not isinstance(method, ClosedForm)
        paths.append(path if path is None or fits < 2 else path.with_name(f"{path.name}.{fits}"))
    return paths


def mixture_of(parts: Sequence[Candidate], problem: Problem, pilot: Candidate | None = None) -> Candidate | None:
    """Return the fusion of candidates, or None where one of them cannot say how it moves with the noise."""
    pieces = [Part(p.picture, p.terms.responses) for p in parts if p.terms is not None and p.terms.responses]
    if len(pieces) < max(2, len(parts)):
        return None
    answer = fuse(pieces, problem.y, problem.mask)
    terms = terms_of(answer.image, answer.responses, problem, common_kernel(problem, answer.image))
    last = parts[-1]
    estimates = [part.judged for part in reversed(parts)]
    spread = next((estimate.std for estimate in estimates if estimate.std is not None), None)
    weights = next((estimate.weights for estimate in estimates if estimate.weights is not None), None)
    mixture = Candidate(
        name=Fusion.name,
        picture=answer.image,
        judged=Estimate(answer.image, spread, weights=weights),
        stopped=replace(last.stopped, reason=f"{last.name}: {last.stopped.reason}"),
        history=last.history,
        notes=tuple(note for part in parts for note in part.notes),
        interrupted=any(part.interrupted for part in parts),
        seconds=sum(part.seconds for part in parts),
        recipe=_recipe(parts),
    )
    return relative_to(with_risk(mixture, problem, terms), pilot, problem.noise)


def _recipe(parts: Sequence[Candidate]) -> PlaneRecipe | None:
    """Write down a mixture: the recipes of its parts, from which the weights follow."""
    recipes = [part.recipe for part in parts]
    written = [recipe.model_dump(mode="json") for recipe in recipes if recipe is not None]
    last = recipes[-1]
    if len(written) < len(parts) or last is None:
        return None
    return PlaneRecipe(
        method=Fusion.name,
        settings={"parts": written},
        rule=last.rule,
        rule_settings=last.rule_settings,
        steps=last.steps,
    )
