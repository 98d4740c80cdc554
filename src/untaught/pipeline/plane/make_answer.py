"""From the candidate that was decided on to the answer: clipping undone, measurements kept, the error said."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from untaught.methods.data_consistency import consistent
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.candidate import Candidate, Outcome
from untaught.pipeline.plane.run_method import Runner
from untaught.pipeline.plane.state_error import UNTOLD, doubted, of_denoised, of_reconstructed
from untaught.problem import Problem, array
from untaught.risk.background import signal_of

UNDONE, LEFT = "; the shift this causes was undone", "; the shift this causes is left in the picture"


def make_answer(problem: Problem, outcome: Outcome, runner: Runner, notes: tuple[str, ...]) -> Answer:
    """Return the answer for a plane; `notes` are what was said of it before."""
    chosen, tried = outcome.chosen, outcome.tried
    interrupted = chosen.interrupted
    denoised, doubt = not runner.task.fills_in, None
    if denoised:
        image, remarks = _finished(chosen, problem, exact=problem.noise.replaces)
        noise = problem.noise
        variance = 0.0 if noise.replaces else float(noise.variance(image).mean())
        risk, said = of_denoised(chosen, problem, variance)
        risk, doubt = doubted(chosen, problem, risk, variance)
        if noise.biased and chosen.name != "none":  # the input is off by what was undone in the answer, too
            variance += float((noise.mean(image) - image).square().mean())
        if doubt is not None or any(sentence in UNTOLD for sentence in said):  # a doubtful law has weighed them
            tried = tuple(replace(row, psnr=None) for row in tried)
    else:
        try:
            risk, said = of_reconstructed(chosen, problem, runner)
        except KeyboardInterrupt:  # the picture is there, only its error estimate is not
            risk, said, interrupted = None, (), True
        image, remarks = _finished(chosen, problem, exact=problem.noise.leaves_clean)
        direct = problem.operator is None and problem.complete
        variance = float(problem.noise.variance(image).mean()) if direct else 0.0
    std = chosen.judged.std if denoised else None
    return Answer(
        values=array(image),
        noise=problem.noise,
        method=chosen.name,
        why=outcome.why,
        stopped=chosen.stopped,
        std=None if std is None else array(std),
        risk=risk,
        variance=variance,
        doubt=doubt,
        history=chosen.history,
        candidates=tried,
        notes=(*notes, *outcome.notes, *remarks, *said, *chosen.notes),
        interrupted=interrupted,
        recipe=chosen.recipe,
        weights=chosen.judged.weights if denoised else None,
        completed=chosen.name == "none" and not problem.noise.replaces and not problem.complete,
    )


def _finished(chosen: Candidate, problem: Problem, exact: bool) -> tuple[Tensor, tuple[str, ...]]:
    """Return the picture that is answered, and what was done to it; `exact` keeps what was measured as it is."""
    image, noise = chosen.picture, problem.noise
    notes: tuple[str, ...] = ()
    if exact:
        image = consistent(problem, image)
    elif noise.biased and chosen.name != "none":
        here = problem.operator is None
        image = signal_of(noise, image, problem.mask) if here else image
        notes = (noise.bias + (UNDONE if here else LEFT),)
    if problem.operator is not None:
        image = problem.operator.visible(image)
    return image, notes
