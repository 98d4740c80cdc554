"""What can be said of the error of an answer, once it is decided."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import torch

from untaught.fitting.progress import Options
from untaught.method import ClosedForm, runs_of
from untaught.methods.inpainting.wide_holes import DEEP, wide_holes
from untaught.noise.belief import CAMERA, believed
from untaught.operators.structure import Bounded
from untaught.pipeline.plane.candidate import Candidate
from untaught.pipeline.plane.check_law import check_law, grey_step
from untaught.pipeline.plane.judge import clean_risk, shrinkage_of
from untaught.pipeline.plane.run_method import Runner, picture_maker
from untaught.problem import Problem
from untaught.risk.correlation_length import ends_of_length
from untaught.risk.cross_validation import MOST_DRAWS, risk_at, risk_of_filling
from untaught.risk.doubt import Doubt
from untaught.risk.estimate import LEAST_LEFT, Risk, mean_of, spanning
from untaught.risk.sure import Terms, divergence_draws, risk_terms
from untaught.risk.tweedie import UNUSED

HIDDEN = (
    "the noise that was found is as weak as what rounding to whole grey levels leaves; whether a camera or "
    "compression has smoothed more of it cannot be told, so no PSNR is stated"
)
PROCESSED = (
    "this picture was processed by a camera or a scanner, and what that and compression have taken away or put in "
    "cannot be seen, so no PSNR is stated; give the noise (noise, noise_from) to have one"
)
UNTOLD = (HIDDEN, PROCESSED)  # where these are said, no method's error is stated
WORSE = (
    "by its own estimate this is worse than the input; the method 'auto' returns the input where nothing is better"
)
INVENTED = (
    "what is in wide holes was copied from around them: it looks likely, but it is invented, and there is no "
    "estimate of its error"
)
NO_TIME = "there is no estimate of the error: it would have taken the same time again"
UNLIKE = "there is no estimate of the error: nothing that was kept back is like what is missing"
UNSEEN = "there is no estimate of the picture's error: an operator may not see all of a picture"
# Standard error of the variance that quiet blocks show, by what texture adds and by what their choice takes away:
# they showed .9 to 1.03 of it on crops of BSD68 at level 25 (`check_law.QUIET`).
TEXTURE = 0.035
SLIGHT = 0.08  # by so much the variance has to be off where the law leaves next to no error, which no picture has

Doubtful = tuple[Risk | None, Doubt | None]
Said = tuple[Risk | None, tuple[str, ...]]  # the risk of the picture, and sentences about it


def of_denoised(chosen: Candidate, problem: Problem, variance: float) -> Said:
    """Return the error of a picture that was measured itself; `variance` is the mean of its noise's."""
    noise, risk = problem.noise, chosen.risk
    if risk is not None and noise.replaces:  # only what was hit was drawn anew
        risk = risk_at(chosen.terms, problem.mask)
    untold = HIDDEN if risk is not None and hidden(problem) else PROCESSED if noise.processed else None
    if risk is not None and untold is not None:
        return None, (untold,)
    worse = risk is not None and chosen.name != "none" and 0 < variance < risk.value
    return risk, (WORSE,) if worse else ()


def doubted(chosen: Candidate, problem: Problem, risk: Risk | None, variance: float) -> Doubtful:
    """Return the error of a denoised picture by its law of noise and by what it shows instead, and the doubt.

        of noise that neighbours share, E (f - x)^2 = Var - E (y - f)^2,

    where the answer has followed it. What is stated is by what the picture shows; its interval covers that by the
    law too. The interval of noise that neighbours share covers that it is shared a little more or less widely.
    """
    if risk is not None and chosen.terms is not None:
        for terms in ends_of_length(chosen.terms, problem.noise):
            risk = spanning(risk, clean_risk(shrinkage_of(chosen), problem, chosen.judged.image, terms), variance)
    doubt = None if chosen.terms is None else check_law(problem, chosen.judged.image, chosen.terms)
    if doubt is None and risk is not None and chosen.terms is not None and risk.value < LEAST_LEFT * variance:
        doubt = check_law(problem, chosen.judged.image, chosen.terms, SLIGHT)
    if doubt is None or risk is None or chosen.terms is None:
        return risk, doubt
    if doubt.coarse:
        return None, doubt
    misfit = float(chosen.terms.misfit.mean())
    if doubt.beside:
        return _with_more(risk, variance, misfit, doubt), doubt
    followed = replace(risk, value=max(risk.value, variance - misfit))
    shown = followed if doubt.shared else _as_shown(chosen, problem, doubt)
    found = spanning(shown, risk, variance)
    return (spanning(found, _as_shown(chosen, problem, doubt), variance) if doubt.faint else found), doubt


def _with_more(risk: Risk, variance: float, misfit: float, doubt: Doubt) -> Risk:
    """Return the error where there is white noise that the law does not say, and the answer has followed it.

    All noise may be that, or it comes to what the law says: the interval covers both.
    """
    least, most = max(1.0, doubt.shades[0].factor) * variance, variance + doubt.beside
    stated, worst = (replace(risk, value=max(risk.value, total - misfit)) for total in (least, most))
    return spanning(spanning(stated, risk, least), worst, most)


def _as_shown(chosen: Candidate, problem: Problem, doubt: Doubt) -> Risk:
    """Return the error if the variance is the one that the picture shows.

    By Stein's formula alone: of a method that took another variance, Tweedie's says nothing.
    """
    image, terms = chosen.judged.image, cast(Terms, chosen.terms)
    factor = doubt.factor_at(image)
    shown = Terms(terms.misfit, factor * terms.cross, factor * terms.variance, terms.valid)
    noise = replace(problem.noise, relative_error=math.hypot(problem.noise.relative_error, doubt.error, TEXTURE))
    return clean_risk(UNUSED, replace(problem, noise=noise), image, shown)


def hidden(problem: Problem) -> bool:
    """Say whether the noise that was measured may as well be what rounding, or compression, left."""
    noise = problem.noise
    if noise.relative_error <= 0 or noise.replaces:
        return False
    step = grey_step(problem)
    return step > 0 and not believed(noise.level / (255 * step), CAMERA)


def of_reconstructed(chosen: Candidate, problem: Problem, runner: Runner) -> Said:
    """Return the error of the picture behind a measurement where it can be known."""
    if chosen.interrupted:
        return None, ()
    if problem.operator is None and not problem.complete:
        return _of_filling(chosen, problem, runner)
    terms = _divergence(chosen, problem, runner.request.seed)
    if terms is None and chosen.watch is not None:
        terms = chosen.watch.terms(chosen.judged)
    if problem.operator is None:
        if terms is None:
            return None, ()
        return clean_risk(shrinkage_of(chosen), problem, chosen.judged.image, terms), ()
    if terms is None:
        return None, (problem.operator.untold if isinstance(problem.operator, Bounded) else UNSEEN,)
    error = mean_of(terms.sure, torch.ones_like(terms.sure), terms.valid).value
    decibels = -10 * math.log10(max(error, 1e-10))
    return None, (
        f"measurements that the fit has not seen are predicted to {decibels:.1f} dB, which is no estimate of "
        "the picture's error: an operator may not see all of a picture",
    )


def _divergence(chosen: Candidate, problem: Problem, seed: int) -> Terms | None:
    """Return the risk per pixel of a formula for the whole picture, by how it moves with the noise."""
    judged = chosen.judged
    if judged.function is None or problem.operator is not None:
        return None
    draws = divergence_draws(problem, judged.image, seed)
    return risk_terms(judged.image, [(draw, judged.function(draw.yhat)) for draw in draws])


def _of_filling(chosen: Candidate, problem: Problem, runner: Runner) -> Said:
    """Return the error of a picture with missing pixels, which is in these alone where there is no noise."""
    invents = any(runs_of(method).invents for method in (chosen.method, chosen.pilot))
    if invents and bool(wide_holes(problem.mask, DEEP).any()):
        return None, (INVENTED,)
    draws, left = MOST_DRAWS, runner.left
    if left is not None:
        draws = min(draws, int(left / max(chosen.seconds, 1e-6)))
    if not draws:
        return None, (NO_TIME,)
    risk, request = None, runner.request
    if problem.noise.leaves_clean and chosen.pilot is None and chosen.method is not None:
        if isinstance(chosen.method, ClosedForm):
            options = Options(on_progress=request.on_progress, phase="checking")
            fill = picture_maker(chosen.method, request.seed, options)
            risk = risk_of_filling(fill, problem, request.seed, draws)
        elif chosen.watch is not None:
            risk = risk_at(chosen.watch.terms(chosen.judged), problem.mask)
    return (None, (UNLIKE,)) if risk is None else (risk, ())
