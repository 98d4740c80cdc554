"""What the experiments found, which the page, the plots and the sentences are about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from untaught.theory.explain.experiments import Start, Stop
from untaught.theory.explain.subject import Subject
from untaught.theory.impedance import Impedance


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes
    ----------
    name, source : str, Path or None
        The file, or 'the picture' and None.
    subject : Subject
        What the experiments were made on.
    start : Start
        What the Jacobian says before the first step.
    impedance : Impedance
        The four fits.
    stops : dict of str to Stop
        'predicted' by the theory, 'rule' by the recorrupted rule, 'best' with the truth known, 'end' of the fit.
    steps : int
        That each fit was to take.
    weights : int
        Of the network.
    """

    name: str
    source: Path | None
    subject: Subject
    start: Start
    impedance: Impedance
    stops: dict[str, Stop]
    steps: int
    weights: int
    seconds: float

    @property
    def notes(self) -> tuple[str, ...]:
        """What the instruments did with the network, and what there was no time for, in sentences."""
        last = {int(curve.steps[-1]) for curve in self.impedance.curves.values()}
        short = f"the time allowed for {min(last)} of {self.steps} steps"
        return self.start.notes + ((short,) if min(last) < self.steps else ())
