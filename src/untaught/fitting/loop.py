"""The loop: the only place in the project where optimiser steps are taken.

Step, look, ask the stopping rule, roll back on a non-finite value, report, write a checkpoint. It knows methods
only by the protocol of `untaught.method`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from untaught.fitting import checkpoint, forked
from untaught.fitting import malloc as heap
from untaught.fitting.passes import run_passes
from untaught.fitting.progress import Fitted, Options, Progress
from untaught.fitting.readout_time import told_readout
from untaught.fitting.stopping import StepBudget, Verdict, Watch
from untaught.method import ClosedForm, History, InPasses, Iterative, Stopped
from untaught.operators.serialize import fingerprint, hashed
from untaught.problem import Estimate, Problem

MOST_ROLLBACKS = 5


def fit(method: Iterative | ClosedForm, problem: Problem, seed: int, options: Options | None = None) -> Fitted:
    """Run `method` on `problem` until a rule, the budget, the clock or the person ends it.

    Returns
    -------
    Fitted
        With the readout at the step the rule held best (the last step, if the rule judges none).

    Raises
    ------
    InputError
        If the checkpoint belongs to another fit.
    """
    heap.keep()
    forked.prepare()
    options = options or Options()
    if isinstance(method, InPasses):
        return run_passes(method, problem, seed, options)
    if isinstance(method, ClosedForm):
        if options.on_progress is not None:
            options.on_progress(Progress.before(options.phase, lambda: problem.initial().clone()))
        stopped = Stopped.at_once()
        watch = StepBudget().watch(problem, seed)
        try:
            return Fitted(method.solve(problem, seed), stopped, History(), watch)
        except KeyboardInterrupt:
            return _interrupted(problem, watch)
    try:
        loop = _Loop(method, problem, seed, options)
    except KeyboardInterrupt:
        return _interrupted(problem, options.rule.watch(problem, seed))
    return loop.run()


def _interrupted(problem: Problem, watch: Watch) -> Fitted:
    """Return what is left of a fit or a formula that was broken off before it made anything."""
    return Fitted(_fallback(problem), Stopped.interrupted(0), History(), watch, interrupted=True)


def _fallback(problem: Problem) -> Estimate:
    """Return the best there is before the first step: the pilot, or what can be made of the input at once."""
    return Estimate(problem.initial())


class _Loop:
    """One fit at work."""

    def __init__(self, method: Iterative, problem: Problem, seed: int, options: Options):
        self.method, self.given, self.seed, self.options = method, problem, seed, options
        self.started = time.monotonic()
        self.watch = options.rule.watch(problem, seed)
        self.problem = self.watch.problem
        self.state = method.init(self.problem, seed)
        self.history = History(score_name=self.watch.unit)
        self.step = 0
        self.rollbacks = 0
        self.spent = 0.0  # seconds of earlier runs, from the checkpoint
        self.kept: dict[str, Any] | None = None  # state at the best look
        self.kept_step = 0
        self.good = (0, self.state.state_dict())  # state at the last finite look
        self.loss = float("nan")
        self.pace = 0.0  # seconds of the longest of the last steps
        self.readout_seconds = told_readout(method, self.problem, seed) if options.seconds is not None else 0.0
        self.unsaved = ""  # why the checkpoint could not be written, if it could not
        self._resume()

    def run(self) -> Fitted:
        stopped = None
        interrupted = False
        try:
            while stopped is None:
                stopped = self._advance()
        except KeyboardInterrupt:
            interrupted = True
            stopped = Stopped.interrupted(self.step)
        estimate = self._readout()
        if not interrupted and self.options.checkpoint is not None:
            checkpoint.remove(self.options.checkpoint)
        notes: tuple[str, ...] = (self.unsaved,) if self.unsaved else ()
        if self.rollbacks:
            notes += (
                f"the fit became non-finite {self.rollbacks} times; each time it went back and took smaller steps",
            )
        if self.kept is not None and self.kept_step != stopped.step:
            stopped = replace(stopped, reason=f"{stopped.reason}; the answer is from step {self.kept_step}")
        stopped = replace(stopped, step=self.kept_step if self.kept is not None else stopped.step)
        return Fitted(estimate, stopped, self.history, self.watch, notes, interrupted)

    def _advance(self) -> Stopped | None:
        if self.step >= self.method.steps:
            return Stopped("steps", self.step, f"the budget of {self.method.steps} steps was spent")
        late = self._seconds() + self.pace + self.readout_seconds
        if self.options.seconds is not None and late >= self.options.seconds:
            limit = self.options.seconds
            reason = f"its {limit:.0f} seconds were over" if limit >= 0.5 else "there was no time left for it"
            return Stopped("time limit", self.step, reason)
        begun = time.monotonic()
        loss = self.method.loss(self.problem, self.state, self.step)
        self.state.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.state.optimizer.step()
        self.step += 1
        self.pace = max(0.9 * self.pace, time.monotonic() - begun)
        last = self.step >= self.method.steps
        if self.step % self.options.rule.every and not last:
            return None
        self.loss = float(loss.detach())
        return self._look()

    def _look(self) -> Stopped | None:
        estimate = self.method.estimate(self.problem, self.state)
        if not (torch.isfinite(estimate).all() and self.loss == self.loss):
            return self._roll_back()
        verdict = self.watch.update(self.step, estimate, self.state.tensors.get("output"))
        now = self.state.state_dict()  # never written to, so it can be both
        if verdict.best:
            self.kept, self.kept_step = now, self.step
        self._record(verdict, estimate)
        self.good = (self.step, now)
        if self.step % self.options.checkpoint_every < self.options.rule.every:
            self._write_checkpoint()
        if verdict.stop:
            return Stopped(self.options.rule.name, self.step, verdict.reason)
        return None

    def _roll_back(self) -> Stopped | None:
        self.rollbacks += 1
        step, good = self.good
        self.state.load_state_dict(good)
        self.step = step
        for group in self.state.optimizer.param_groups:
            group["lr"] /= 2**self.rollbacks
        if self.rollbacks >= MOST_ROLLBACKS:
            return Stopped(
                "non-finite",
                step,
                f"the fit became non-finite {self.rollbacks} times; this is the last good step",
            )
        return None

    def _readout(self) -> Estimate:
        if self.step == 0:
            return _fallback(self.problem)
        if self.kept is not None:
            self.state.load_state_dict(self.kept)
        elif not self._finite():
            self.state.load_state_dict(self.good[1])
        with torch.no_grad():
            found = self.method.readout(self.problem, self.state)
        return replace(
            found,
            image=found.image.detach().float(),
            std=None if found.std is None else found.std.detach().float(),
        )

    def _finite(self) -> bool:
        return all(bool(torch.isfinite(value).all()) for value in self.state.network.parameters())

    def _seconds(self) -> float:
        return self.spent + time.monotonic() - self.started

    def _record(self, verdict: Verdict, estimate: Tensor) -> None:
        seconds = self._seconds()
        history = self.history
        history.step.append(self.step)
        history.loss.append(self.loss)
        history.score.append(verdict.score)
        history.seconds.append(seconds)
        if self.options.on_progress is None:
            return
        left = seconds / self.step * (self.method.steps - self.step)
        if self.options.seconds is not None:
            left = min(left, self.options.seconds - seconds)
        self.options.on_progress(
            Progress(
                phase=self.options.phase,
                step=self.step,
                steps=self.method.steps,
                loss=self.loss,
                score=verdict.score,
                score_name=self.watch.unit,
                seconds=seconds,
                seconds_left=max(left, 0.0),
                preview=lambda: estimate.detach().clone(),
            )
        )

    def _identity(self) -> dict[str, Any]:
        """Return what must agree for a checkpoint to be of this fit.

        Of the problem as it was given: what a rule lets the fit see of it depends on a measured noise level, and
        that on sums which a GPU does not repeat to the last digit.
        """
        problem = self.given
        return {
            "method": repr(self.method),
            "rule": repr(self.options.rule),
            "seed": self.seed,
            "picture": hashed(problem.y),
            "shape": list(problem.y.shape),
            "operator": fingerprint(problem.operator, problem.picture_shape),
            "mask": hashed(problem.mask),
            "hint": hashed(problem.guide_image),
        }

    def _write_checkpoint(self) -> None:
        path = self.options.checkpoint
        if path is None:
            return
        saved = {
            "identity": self._identity(),
            "step": self.step,
            "state": self.state.state_dict(),
            "kept": self.kept,
            "kept_step": self.kept_step,
            "watch": self.watch.state_dict(),
            "history": vars(self.history),
            "rollbacks": self.rollbacks,
            "seconds": self._seconds(),
        }
        self.unsaved = checkpoint.save(path, saved)

    def _resume(self) -> None:
        path = self.options.checkpoint
        saved = checkpoint.load(path, self._identity(), self.problem.y.device) if path is not None else None
        if path is None or saved is None:
            return
        with checkpoint.taken_up(path):
            self.kept, self.kept_step = saved["kept"], int(saved["kept_step"])
            if self.kept is not None:  # it may be what is read out at the end
                self.state.load_state_dict(self.kept)
            self.state.load_state_dict(saved["state"])
            self.watch.load_state_dict(saved["watch"])
            self.history = History(**saved["history"])
            self.step, self.rollbacks = int(saved["step"]), int(saved["rollbacks"])
            self.spent = float(saved["seconds"])
            self.good = (self.step, self.state.state_dict())
