"""R2R: the identity behind it, with its constants; the readout; draws made on the way survive a break."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import SIGMA, clean, noisy, tensor
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.method import State
from untaught.methods.networks.unet import UNet, UNetShape
from untaught.methods.non_local.single_scale import denoise_nonlocal
from untaught.methods.self_supervised.r2r import R2R
from untaught.noise import Gaussian, PoissonGaussian
from untaught.pipeline.plane.choose_rule import rule_for
from untaught.problem import Problem
from untaught.risk.sure import Recorruption

SIZE = 48
SMALL = R2R(steps=40, draws=3, spread=8, crop=24, shape=UNetShape(8, 2), bfloat16=False, pilot=False)
WHOLE = replace(SMALL, draws=1, crop=SIZE, block=SIZE // 2)  # so that both networks have half of the pixels


def problem_of(seed: int, size: int = SIZE) -> Problem:
    """Return a colour problem whose noise is drawn from `seed`."""
    return Problem(tensor(noisy(clean(size, size), seed=seed)), torch.ones(1, 1, size, size), Gaussian(SIGMA))


def networks(state: State) -> list[UNet]:
    return [module for module in state.network.modules() if isinstance(module, UNet)]


def shaken(state: State) -> State:
    """Give all networks the same weights, with a last layer that does something."""
    first, *others = networks(state)
    with torch.no_grad():
        weight = first.last.weight
        weight.copy_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)))
    for other in others:
        other.load_state_dict(first.state_dict())
    return state


def objective(method: R2R, problem: Problem, state: State) -> float:
    """Return the mean over the halves of the picture, which take turns."""
    return float(np.mean([float(method.loss(problem, state, step).detach()) for step in (1, 2)]))


def output(method: R2R, problem: Problem, state: State) -> torch.Tensor:
    """Return f(yhat) of the network as it stands, for the first draw."""
    yhat = problem.y + method.alpha * state.tensors["z"][:1]
    with torch.no_grad():
        return yhat + networks(state)[0](yhat)


@pytest.mark.parametrize("alpha", [0.25, 0.5, 1.0])
def test_the_objective_is_the_risk_and_a_constant(alpha: float) -> None:
    """E || f(yhat) - ytilde ||^2 = E || f(yhat) - x ||^2 + sigma^2 (1 + 1/alpha^2) for a fixed network f."""
    x = tensor(clean(SIZE, SIZE))
    method = replace(WHOLE, alpha=alpha)
    gaps = []
    for seed in range(40):
        problem = problem_of(seed)
        state = shaken(method.init(problem, 0))
        state.tensors["z"] = Recorruption.draw(problem, 300 + seed, alpha).z
        gaps.append(
            objective(method, problem, state) - float((output(method, problem, state) - x).square().mean())
        )
    constant = SIGMA**2 * (1 + 1 / alpha**2)
    error = float(np.std(gaps)) / math.sqrt(len(gaps))
    assert error < 0.02 * constant
    assert abs(np.mean(gaps) - constant) < 3.5 * error


def test_the_objective_counts_measured_pixels_only() -> None:
    """At the start f(yhat) = yhat, so the loss is the mean of ((alpha + 1/alpha) z)^2 where the mask is 1."""
    mask = torch.ones(1, 1, SIZE, SIZE)
    mask[..., :20, 5:] = 0
    problem = replace(problem_of(0), mask=mask)
    state = WHOLE.init(problem, 0)
    z = torch.where(mask.bool(), 0.1, 50.0).expand_as(problem.y)
    state.tensors["z"] = z.contiguous()
    assert objective(WHOLE, problem, state) == pytest.approx(0.25**2, rel=1e-4)


@pytest.mark.parametrize("alpha", [0.3, 0.5, 1.0])
def test_the_noises_of_input_and_target_are_independent(alpha: float) -> None:
    """What the method feeds in and what it asks for share no noise, for signal-dependent noise too."""
    x = tensor(clean(SIZE, SIZE))
    noise = PoissonGaussian(0.02, 0.03)
    scale = noise.variance(x)
    method = replace(WHOLE, alpha=alpha)
    products = []
    for seed in range(40):
        y = tensor(noise.sample(clean(SIZE, SIZE), np.random.default_rng(seed)))
        problem = Problem(y, torch.ones(1, 1, SIZE, SIZE), noise, pilot=x)
        state = method.init(problem, seed)
        given, target = method.estimate(problem, state), y - state.tensors["z"] / alpha
        products.append(float(((given - x) * (target - x) / scale).mean()))
    error = float(np.std(products)) / math.sqrt(len(products))
    assert error < 0.02
    assert abs(np.mean(products)) < 3.5 * error


def test_the_answer_is_the_mean_over_the_draws_and_their_spread() -> None:
    problem = problem_of(0)
    state = shaken(SMALL.init(problem, 0))
    for step in range(2 * SMALL.spread):
        SMALL.loss(problem, state, step)
    fitted = replace(SMALL, at_y=False).readout(problem, state)
    function = SMALL.readout(problem, state).function
    assert function is not None
    together = torch.cat([function(problem.y + SMALL.alpha * z[None]) for z in state.tensors["z"]])
    assert together.shape[0] == SMALL.draws
    assert torch.allclose(fitted.image, together.mean(0, keepdim=True), atol=1e-6)
    assert fitted.std is not None
    assert torch.allclose(fitted.std, together.std(0, keepdim=True), atol=1e-6)
    assert float(fitted.std.min()) > 0
    assert not fitted.image.requires_grad
    # The networks stand still, so the average of their weights has come close to them.
    assert torch.allclose(function(problem.y), problem.y + networks(state)[0](problem.y), atol=0.01)


def test_the_answer_may_be_the_map_at_the_picture_itself() -> None:
    problem = problem_of(0)
    fitted = fit(SMALL, problem, 0).estimate
    assert SMALL.at_y
    assert fitted.function is not None
    assert torch.allclose(fitted.function(problem.y), fitted.image, atol=1e-6)
    assert fitted.std is not None
    assert float(fitted.std.min()) > 0


def test_the_map_is_the_whole_estimator_with_its_own_pilot() -> None:
    """What the divergence is measured on has to make its pilot from what it is given."""
    problem = problem_of(0)
    guided = replace(problem, pilot=denoise_nonlocal(problem.y, SIGMA**2))
    fitted = fit(replace(SMALL, pilot=True, steps=12, draws=2), guided, 0).estimate
    assert fitted.function is not None
    assert torch.allclose(fitted.function(problem.y), fitted.image, atol=1e-4)
    other = tensor(noisy(clean(SIZE, SIZE), seed=9))
    shift = (fitted.function(other) - denoise_nonlocal(other, SIGMA**2)).abs().mean()
    assert float(shift) < 0.3 * SIGMA


def test_one_draw_has_no_spread() -> None:
    assert fit(replace(SMALL, draws=1, steps=4), problem_of(0), 0).estimate.std is None


def test_the_answer_is_of_the_averaged_weights() -> None:
    """At the start their average is zero and corrects nothing, however far the network itself has gone."""
    problem = problem_of(0)
    state = shaken(SMALL.init(problem, 0))
    assert torch.allclose(SMALL.readout(problem, state).image, problem.y, atol=1e-6)
    first = problem.y + SMALL.alpha * state.tensors["z"][:1]
    assert torch.allclose(SMALL.estimate(problem, state), first, atol=1e-6)


def test_each_draw_has_the_pilot_of_its_own_input() -> None:
    """A pilot made from y would hold the noise that the target is judged by."""
    problem = problem_of(0)
    guided = replace(problem, pilot=denoise_nonlocal(problem.y, SIGMA**2))
    method = replace(SMALL, pilot=True, draws=2)
    state = method.init(guided, 5)
    method.loss(guided, state, 0)
    assert state.tensors["pilots"].shape == state.tensors["z"].shape == (2, 3, SIZE, SIZE)
    for k in range(2):
        draw = Recorruption.draw(guided, 5 + k, method.alpha)
        assert torch.equal(state.tensors["z"][k : k + 1], draw.z)
        own = denoise_nonlocal(draw.yhat, 1.25 * SIGMA**2)
        assert torch.allclose(state.tensors["pilots"][k : k + 1], own, atol=1e-5)
    assert torch.allclose(method.estimate(guided, state), state.tensors["pilots"][:1], atol=1e-6)


def test_draws_are_made_on_the_way_and_no_more_than_asked() -> None:
    problem = problem_of(0)
    state = SMALL.init(problem, 0)
    counts = []
    for step in range(30):
        SMALL.loss(problem, state, step)
        counts.append(state.tensors["z"].shape[0])
    assert counts[0] == 2
    assert counts[SMALL.spread - 1] == 2
    assert counts[SMALL.spread] == counts[-1] == 3
    z = state.tensors["z"]
    assert all(not torch.allclose(z[i], z[j]) for i in range(3) for j in range(i))
    assert float(z.std()) == pytest.approx(SIGMA, rel=0.03)


@pytest.mark.parametrize("alpha", [0.5, 0.3])
def test_the_rule_watches_the_first_draw_of_the_method(alpha: float) -> None:
    problem = problem_of(0)
    method = replace(SMALL, alpha=alpha)
    watch = rule_for(method, problem.noise).watch(problem, 7)
    state = method.init(watch.problem, 7)
    assert torch.equal(watch.recorruption.z, state.tensors["z"])
    assert torch.allclose(watch.recorruption.yhat, method.estimate(watch.problem, state), atol=1e-6)


@pytest.mark.parametrize("at", [4, 12, 28], ids=["one draw made", "two to come", "all made"])
def test_resume_equals_uninterrupted(tmp_path: Path, at: int) -> None:
    """Wherever the break falls between the draws."""
    problem = problem_of(0)
    method = replace(SMALL, spread=10, draws=4)
    rule = replace(rule_for(method, problem.noise), every=4, patience=1000)
    whole = fit(method, problem, 3, Options(rule=rule))

    class StopError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.step == at + 4:
            raise StopError

    path = tmp_path / "fit.ckpt"
    broken = Options(rule=rule, checkpoint=path, checkpoint_every=4, on_progress=stop)
    with pytest.raises(StopError):
        fit(method, problem, 3, broken)
    assert path.exists()
    resumed = fit(method, problem, 3, Options(rule=rule, checkpoint=path))
    assert torch.equal(resumed.estimate.image, whole.estimate.image)
    assert resumed.estimate.std is not None
    assert torch.equal(resumed.estimate.std, whole.estimate.std)
    assert resumed.history.score == whole.history.score
    assert resumed.stopped == whole.stopped


def test_a_fit_comes_closer_to_the_clean_picture() -> None:
    x = tensor(clean(SIZE, SIZE))
    problem = problem_of(0)
    fitted = fit(replace(SMALL, steps=400, batch=2, crop=32, block=16, rate=0.005), problem, 0)
    assert float((fitted.estimate.image - x).square().mean()) < 0.5 * SIGMA**2
