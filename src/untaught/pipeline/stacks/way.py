"""By what method, and in what way, the planes of a series are restored together, and how their errors are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from untaught.method import Along, Helping, runs_of
from untaught.pipeline.plane.candidate import Candidate
from untaught.pipeline.plane.judge import with_risk, with_signal, with_terms
from untaught.pipeline.plane.run_method import made_at_once
from untaught.pipeline.stacks.blocks import BYTES, Posed
from untaught.pipeline.stacks.find_series import Series
from untaught.problem import Estimate, Problem
from untaught.risk.calibration import calibrated
from untaught.risk.sure import Terms, common_kernel
from untaught.risk.tweedie import Shrinkage

SEVERAL = "{count} planes along {axis} show the same, and each was restored with the help of those around it"


@dataclass(frozen=True)
class Way:
    """How the planes of a series are restored together.

    Attributes
    ----------
    method : Helping
        What takes planes together.
    why : str
        A sentence for the answers.
    along : {"time", "depth"}
        What the planes follow each other in.
    shared : Candidate or None
        What is known of the network that was fitted to all of them, where it is one: its name, how that ended.
    each : int
        Bytes that a value of a plane takes, at most, while its block is restored.
    """

    method: Helping
    why: str
    along: Along
    shared: Candidate | None = None
    each: int = BYTES

    @classmethod
    def by(cls, method: Helping, series: Series) -> Way:
        """Return the way of a formula."""
        said = SEVERAL.format(count=len(series.planes), axis=series.axis)
        return cls(method, said, series.along, each=runs_of(method).held)

    @property
    def name(self) -> str:
        """Of the method, as it was asked for."""
        return self.method.name if self.shared is None else self.shared.name

    def judged(self, one: Posed, estimate: Estimate, seed: int) -> Candidate:
        """Return one plane's estimate as a candidate with its terms."""
        found = made_at_once(self.method, estimate) if self.shared is None else self.shared
        found = replace(found, picture=estimate.image, judged=estimate, method=self.method)
        return with_terms(found, one.problem, seed)

    def told(self, planes: Sequence[Posed], estimates: Sequence[Estimate], seed: int) -> list[Judged]:
        """Return planes of a series as candidates with their risks, told by each and by all of them."""
        judged = [
            _at_answer(one, self.judged(one, made, seed)) for one, made in zip(planes, estimates, strict=True)
        ]
        terms = [
            with_signal(one.problem, one.candidate.judged.image, one.candidate.terms)
            for one in judged
            if one.candidate.terms is not None
        ]
        if not terms:
            return judged
        shrinkage = calibrated(self._shrinkage, terms, judged[0].problem.noise.relative_error)
        return [one.with_risk(shrinkage) for one in judged]

    @property
    def _shrinkage(self) -> Shrinkage:
        runs = runs_of(self.method)
        return Shrinkage(*(runs.tweedie_time if self.along == "time" else runs.tweedie_depth))

    def __repr__(self) -> str:
        """Return what a kept block is known by."""
        return repr(self.method) if self.shared is None else f"{self.method!r} {self.shared.stopped.step}"


@dataclass(frozen=True)
class Judged:
    """A plane's candidate, and its problem with that for the pilot, at which the variance is taken."""

    candidate: Candidate
    problem: Problem

    def with_risk(self, shrinkage: Shrinkage) -> Judged:
        """Return the same with its risk, where its terms are known."""
        terms = self.candidate.terms
        if terms is None:
            return self
        return replace(
            self, candidate=with_risk(replace(self.candidate, shrinkage=shrinkage), self.problem, terms)
        )


def _at_answer(one: Posed, candidate: Candidate) -> Judged:
    problem = replace(one.problem, pilot=candidate.picture)
    terms: Terms | None = candidate.terms
    if terms is not None:
        terms = terms.of_variance(common_kernel(problem, candidate.picture))
    return Judged(replace(candidate, terms=terms), problem)
