"""Formulas in passes, run as the loop runs a fit: shown, and ended by the clock or by the person."""

from __future__ import annotations

import time

from untaught.fitting.progress import Fitted, Options, Progress
from untaught.fitting.stopping import StepBudget
from untaught.method import History, InPasses, Pass, Stopped
from untaught.problem import Estimate, Problem

NAN = float("nan")


def run_passes(method: InPasses, problem: Problem, seed: int, options: Options) -> Fitted:
    """Run a formula pass by pass until it, the clock or the person ends it.

    No pass is begun that would not end in time, judged by the longest so far; the first one always is, for a
    method that is `Timed` has none that does not fit.

    Returns
    -------
    Fitted
        With the picture after the last pass that was finished.
    """
    started = before = time.monotonic()
    found, longest, interrupted = None, 0.0, False
    stopped = Stopped.at_once()
    try:
        for found in method.passes(problem, seed):
            now = time.monotonic()
            longest, before = max(longest, now - before), now
            if options.on_progress is not None:
                options.on_progress(_progress(found, options, now - started))
            if found.done >= (method.last or found.of):
                break
            if found.done and options.seconds is not None and now - started + longest > options.seconds:
                why = f"its {options.seconds:.0f} seconds allowed {found.done} of {found.of} passes"
                stopped = Stopped("time limit", found.done, why)
                break
    except KeyboardInterrupt:
        interrupted = True
        stopped = Stopped.interrupted(0 if found is None else found.done)
    estimate = Estimate(problem.initial()) if found is None else found.estimate
    return Fitted(estimate, stopped, History(), StepBudget().watch(problem, seed), interrupted=interrupted)


def _progress(found: Pass, options: Options, seconds: float) -> Progress:
    left = seconds / max(found.done, 1) * (found.of - found.done)
    if options.seconds is not None:
        left = min(left, options.seconds - seconds)
    image = found.estimate.image
    return Progress(
        options.phase,
        found.done,
        found.of,
        NAN,
        NAN,
        "",
        seconds,
        max(left, 0.0),
        lambda: image.detach().clone(),
    )
