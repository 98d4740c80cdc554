"""Stopping rules: how far the iterate that a rule chose lies below the best iterate of the same fit, in dB.

    python benchmarks/stopping.py --data DIR [--quick] [--pictures F16,...] [--kinds gaussian,...] [--levels 1,2,3]

The noise is measured, as for a user, and DIP is guided as `auto` guides it (`--paper`: the original
configuration). Rules that show the fit the plain picture (`wmv`, `emv`, `discrepancy`) watch one fit together; a
rule that keeps something back has a fit of its own. A fit goes on until its rules have fired and the best iterate
is surely past, with --whole to its budget of steps, which then is judged as a rule too. Iterates are judged as the
answer would be: clipping undone, pixels that were not hit by an impulse as they were.

One JSON line a fit in --output; fits that are there already are not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lib.corruptions import add_arguments, corruptions, pictures_of
from lib.harness import machine, psnr, run_cases
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.fitting.stopping import (
    Discrepancy,
    ExponentialVariance,
    HeldOut,
    Recorrupted,
    Rule,
    StepBudget,
    Verdict,
    Watch,
    WindowedVariance,
)
from untaught.image.files import as_image
from untaught.methods.averaging import Averaged
from untaught.methods.registry import make
from untaught.methods.untrained.dip import DIP
from untaught.noise import Unknown
from untaught.pipeline.plane.choose_rule import rule_for
from untaught.pipeline.plane.make_problem import denoising_problem
from untaught.pipeline.plane.pilot import pilot_for, with_pilot
from untaught.pipeline.plane.run_method import Runner
from untaught.pipeline.request import Request
from untaught.pipeline.tasks.denoise import TASK
from untaught.problem import Problem

FITS = ("plain", "held-out", "recorrupted")
GRID = 5  # steps between two iterates that are judged by the true PSNR
PAST = 0.25  # dB below its peak at which a fit whose rules have all fired is ended
Score = Callable[[Tensor], float]


def rules(fit_name: str, paper: bool, whole: bool = False) -> dict[str, Rule]:
    """Return the rules that watch a fit; variance rules at the pace of the method."""
    if fit_name == "held-out":
        return {"held-out": HeldOut()}
    if fit_name == "recorrupted":
        return {"recorrupted": Recorrupted()}
    windowed = WindowedVariance() if paper else rule_for(DIP(), Unknown(0.1))
    patience = int(getattr(windowed, "patience", ExponentialVariance.patience))
    watching = {"wmv": windowed, "emv": ExponentialVariance(patience=patience), "discrepancy": Discrepancy()}
    return {"budget": StepBudget(), **watching} if whole else watching


class Beside(Watch):
    """Several watches at one fit: notes what each would have answered, and lets the fit go on."""

    def __init__(self, rules: dict[str, Rule], problem: Problem, seed: int, score: Score):
        self.rules = rules
        self.watches = {name: rule.watch(problem, seed) for name, rule in rules.items()}
        super().__init__(next(iter(self.watches.values())).problem)
        self.true = score
        self.curve: dict[int, float] = {}
        self.kept: dict[str, tuple[int, Tensor]] = {}
        self.fired: dict[str, int] = {}
        self.last = (0, problem.y)

    def update(self, step: int, estimate: Tensor, output: Tensor | None = None) -> Verdict:
        """Ask the rules that have not fired, and judge by the truth now and then."""
        self.last = (step, estimate)
        for name, watch in self.watches.items():
            if name in self.fired or step % self.rules[name].every:
                continue
            verdict = watch.update(step, estimate, output)
            if verdict.best:
                self.kept[name] = (step, estimate.clone())
            if verdict.stop:
                self.fired[name] = step
        if step % GRID:
            return Verdict(math.nan)
        self.curve[step] = self.true(estimate)
        over = len(self.fired) == len(self.rules) and self.curve[step] < max(self.curve.values()) - PAST
        return Verdict(math.nan, stop=over, reason="all rules have fired")

    def found(self) -> dict[str, Any]:
        """Return the peak of the fit and what every rule answered: the last iterate where it judged none."""
        answers = {}
        for name in self.rules:
            step, image = self.kept.get(name, self.last)
            answers[name] = {"psnr": round(self.true(image), 3), "step": step, "fired": self.fired.get(name)}
            self.curve.setdefault(step, answers[name]["psnr"])
        step = max(self.curve, key=lambda step: self.curve[step])
        shown = sorted(self.curve)[:: len(self.curve) // 40 + 1]
        return {
            "peak": {"psnr": round(self.curve[step], 3), "step": step},
            "last": self.last[0],
            "rules": answers,
            "curve": [(step, round(self.curve[step], 2)) for step in shown],
        }


@dataclass
class Together:
    """The rules of `rules` as one; `watched` is the watch it started."""

    rules: dict[str, Rule]
    score: Score
    name: str = "together"
    every: int = 1
    watched: Beside | None = field(default=None, compare=False)

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `stopping.Rule`."""
        self.watched = Beside(self.rules, problem, seed, self.score)
        return self.watched


def judged(problem: Problem, clean: NDArray[np.uint8]) -> Score:
    """Return the true PSNR of an iterate of a fit to `problem`, after what is done to every answer."""

    def score(image: Tensor) -> float:
        if problem.noise.kind == "impulse":
            image = torch.where(problem.mask.bool(), problem.y, image)
        elif any(problem.noise.clip):
            image = problem.noise.unclip(image)
        return psnr(np.clip(image[0].permute(1, 2, 0).numpy(), 0, 1), clean / 255, 1.0)

    return score


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the fits to be run; there is no recorruption of an impulse."""
    for case in corruptions(args):
        for name in args.fits.split(","):
            if (case["kind"], name) != ("impulse", "recorrupted"):
                yield {**case, "fit": name, "paper": args.paper, **({"whole": True} if args.whole else {})}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one fit."""
    started = time.monotonic()
    clean, noisy = pictures_of(case)
    request = Request(seed=case["seed"])
    problem, _ = denoising_problem(next(as_image(noisy).planes()), request)
    problem, _ = with_pilot(make(pilot_for(problem, None, ())), problem, Runner(request, TASK))
    method = DIP.paper() if case["paper"] else DIP()
    together = Together(rules(case["fit"], case["paper"], case.get("whole", False)), judged(problem, clean))
    fit(Averaged(method), problem, case["seed"], Options(rule=together))
    assert together.watched is not None
    return {
        **together.watched.found(),
        "auto": rule_for(method, problem.noise).name,
        "found": problem.noise.kind,
        "sigma": round(problem.noise.level * 255, 2),
        "psnr_noisy": round(psnr(noisy, clean), 3),
        "budget": method.steps,
        "seconds": round(time.monotonic() - started, 1),
        "threads": torch.get_num_threads(),
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, "stopping.jsonl")
    parser.add_argument("--fits", default=",".join(FITS))
    parser.add_argument("--whole", action="store_true", help="plain fits go on to their budget of steps")
    parser.add_argument("--paper", action="store_true", help="DIP as published, rules as published")
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
    elif args.data is None:
        parser.error("--data DIR: the folder that holds set9_awgn")
    else:
        run_cases(__file__, cases(args), args.output)


if __name__ == "__main__":
    main()
