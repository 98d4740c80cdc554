"""The methods that learn from noise, on one picture: what they share, and what each promises on its own."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.conftest import SIGMA, clean, noisy, tensor
from untaught.errors import InputError
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.fitting.stopping import HeldOut, Recorrupted, StepBudget, WindowedVariance
from untaught.method import Iterative
from untaught.methods.networks.partial_unet import PartialShape
from untaught.methods.networks.unet import UNetShape
from untaught.methods.registry import METHODS, OF_SERIES, make
from untaught.methods.self_supervised.crops import turned_crop
from untaught.methods.self_supervised.gr2r import GR2R
from untaught.methods.self_supervised.learner import Batch, Learner, deviation
from untaught.methods.self_supervised.learners import LEARNERS, learner
from untaught.methods.self_supervised.self2self import Self2Self
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.noise import Correlated, Gaussian, Impulse, PoissonGaussian, Speckle, Unknown
from untaught.pipeline.plane.choose_methods import objection
from untaught.pipeline.plane.choose_rule import rule_for
from untaught.problem import Problem

ALONE = [name for name in LEARNERS if name not in OF_SERIES]
BOX = ((1.0, 1.0, 1.0),) * 3


def quick(name: str, **more: object) -> OnePicture:
    """Return a learner that is small enough for a test."""
    settings = {"steps": 12, "crop": 16, "batch": 2, "shape": UNetShape(8, 2), **more}
    if name == "self2self":
        settings |= {"partial": PartialShape(8, 2), "draws": 3}
    return make(name, settings)  # type: ignore[return-value]


def one(side: int = 24, holes: bool = False, fill: float = 0.0) -> Problem:
    y = tensor(noisy(clean(side, side)))
    mask = torch.ones(1, 1, side, side)
    if holes:
        mask[..., 4:10, 8:14] = 0
    return Problem(torch.where(mask > 0, y, torch.tensor(fill)), mask, Gaussian(SIGMA))


def seen_of(problem: Problem) -> Batch:
    return Batch(problem.y, (problem.noise,), problem.mask, problem.y.flip(3))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Pointwise(nn.Module):
    """Every value on its own, so that what a network sees in a hole is seen nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.8))

    def forward(self, y: Tensor) -> Tensor:
        return self.slope * y + 0.1


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_keeps_the_contract(name: str) -> None:
    """Same generator, same loss and answer; nothing from the global one; shapes; a gradient; a detached answer."""
    method, seen, network = learner(name), seen_of(one()), Pointwise()
    assert isinstance(method, Learner)
    assert isinstance(method, Iterative)
    assert method.name == name
    before = torch.get_rng_state()
    losses = [method.objective(network, seen, draw(k)) for k in (0, 0)]
    answers = [method.answer(network, seen, draw(k)) for k in (0, 0)]
    assert torch.equal(before, torch.get_rng_state())
    assert losses[0].ndim == 0
    assert torch.equal(losses[0].detach(), losses[1].detach())
    losses[0].backward()
    assert network.slope.grad is not None
    assert torch.isfinite(network.slope.grad)
    (image, std), (again, _) = answers
    assert torch.equal(image, again)
    assert image.shape == seen.y.shape
    assert not image.requires_grad
    assert std is None or (std.shape == image.shape and not std.requires_grad and bool((std >= 0).all()))


@pytest.mark.parametrize("name", LEARNERS)
def test_no_loss_looks_at_a_missing_pixel(name: str) -> None:
    """The recorruption and the divergence are made from the neighbours, so only far from the hole it is exact."""
    losses = []
    for fill in (0.0, 1.0):
        seen = seen_of(one(holes=True, fill=fill))
        seen = replace(seen, second=seen.y)
        losses.append(float(learner(name).objective(Pointwise(), seen, draw()).detach()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("name", ALONE)
def test_a_single_value_of_a_pixel_may_be_missing(name: str) -> None:
    """As after salt and pepper: the mask has the channels of the picture, and each value counts or does not."""
    clear, losses = one(), []
    mask = torch.ones_like(clear.y)
    mask[:, 1, 4:9, 5:11] = 0
    for fill in (0.0, 1.0):
        y = torch.where(mask > 0, clear.y, torch.tensor(fill))
        state = quick(name).init(Problem(y, mask, Gaussian(SIGMA)), 0)
        assert torch.isfinite(quick(name).loss(Problem(y, mask, Gaussian(SIGMA)), state, 0).detach())
        losses.append(
            float(learner(name).objective(Pointwise(), Batch(y, (Gaussian(SIGMA),), mask), draw()).detach())
        )
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_batch_of_pictures_of_their_own_noise_is_learned_from(name: str) -> None:
    noises = (Gaussian(SIGMA), Gaussian(2 * SIGMA), Speckle(0.2))
    y = torch.cat([one(side=15).y] * 3)
    seen = Batch(y, noises, torch.ones(3, 1, 15, 15), y)
    method = learner(name)
    assert torch.isfinite(method.objective(Pointwise(), seen, draw()).detach())
    assert method.answer(Pointwise(), seen, draw())[0].shape == y.shape


@pytest.mark.parametrize("name", ALONE)
def test_a_fit_that_was_broken_off_goes_on(name: str) -> None:
    """Every step draws from the state alone: after 6 steps and a new start, the same picture as after 12."""
    method, problem = quick(name, batch=1), one()
    whole = method.init(problem, 0)
    halved = method.init(problem, 0)
    for step in range(8):
        for state in (whole, halved):
            loss = method.loss(problem, state, step)
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
        if step == 3:
            method.estimate(problem, whole)  # a look changes nothing
            saved = halved.state_dict()
            halved = method.init(problem, 0)
            halved.load_state_dict(saved)
    assert torch.equal(method.readout(problem, whole).image, method.readout(problem, halved).image)


@pytest.mark.parametrize(
    "rule", [WindowedVariance(window=2, patience=4), Recorrupted(patience=4, every=2)], ids=str
)
def test_rules_end_a_fit(rule: WindowedVariance | Recorrupted) -> None:
    fitted = fit(quick("n2v", steps=400, rate=0.03), one(), 0, Options(rule=rule))
    assert fitted.stopped.rule == rule.name


def test_variance_rules_are_given_the_picture_of_the_last_weights() -> None:
    method, problem = quick("gr2r"), one()
    state = method.init(problem, 0)
    for step in range(3):
        method.loss(problem, state, step).backward()
        state.optimizer.step()
    averaged = method.estimate(problem, state)
    assert state.tensors["output"].shape == averaged.shape
    assert not torch.equal(state.tensors["output"], averaged)


def test_the_average_of_the_weights_is_what_answers() -> None:
    """With a decay of 0 the average is the weights of the step before."""
    method, problem = quick("noisy-as-clean", decay=0.0), one()
    state = method.init(problem, 0)
    for step in range(2):
        before = {name: value.detach().clone() for name, value in state.network.named_parameters()}
        method.loss(problem, state, step).backward()
        state.optimizer.step()
    answer = method.readout(problem, state).image
    state.network.load_state_dict(before, strict=False)
    assert torch.allclose(answer, state.network(problem.y).detach(), atol=1e-6)


@pytest.mark.parametrize("name", ["n2v", "n2s", "gr2r", "self2self"])
def test_a_small_part_keeps_a_colour_of_its_own(name: str) -> None:
    """A green eye in orange fur: drawn around the mean of the picture, it was brown until late in the fit."""
    picture = np.broadcast_to(np.float32([0.8, 0.5, 0.3]), (96, 96, 3)).copy()
    eye, green = np.s_[40:54, 40:54], np.float32([0.4, 0.7, 0.3])
    picture[eye] = green
    problem = Problem(tensor(noisy(picture)), torch.ones(1, 1, 96, 96), Gaussian(SIGMA))
    answer = fit(quick(name, steps=30, crop=32), problem, 0, Options(rule=StepBudget())).estimate.image
    drawn = answer[0, :, 44:50, 44:50].mean((1, 2)).numpy()
    assert np.abs(drawn - green).max() < 0.1


@pytest.mark.parametrize("noise", [Gaussian(SIGMA), Correlated(SIGMA, BOX), PoissonGaussian(0.01), Unknown(SIGMA)])
def test_how_a_learner_is_stopped(noise: Gaussian) -> None:
    """By recorruption where the noise is known, else by pixels held out; never by R2R's own rule."""
    expected = HeldOut if noise.kind == "unknown" else Recorrupted
    assert all(isinstance(rule_for(make(name), noise), expected) for name in ALONE)
    assert isinstance(rule_for(make("gr2r"), Impulse(0.1)), HeldOut)


def test_blind_spots_refuse_shared_noise_and_name_what_does_not() -> None:
    noise = Correlated(SIGMA, BOX)
    for name in ("n2v", "n2s", "neighbor2neighbor", "zs-n2n", "self2self", "sure"):
        reason = objection(make(name).needs, noise)
        assert reason is not None
        assert all(word in reason for word in ("struct-n2v", "gr2r", "nonlocal"))
        assert objection(make(name).needs, Gaussian(SIGMA)) is None
    for name in ("struct-n2v", "gr2r", "p2p", "noisier2noise", "noisy-as-clean"):
        assert objection(make(name).needs, noise) is None


def test_every_learner_of_one_picture_is_a_method() -> None:
    assert {*ALONE} <= {*METHODS}
    for name in ALONE:
        assert METHODS[name].open() is LEARNERS[name]


def test_wrong_names_and_settings_are_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="did you mean 'gr2r'"):
        learner("gr2")
    with pytest.raises(InputError, match="cannot be set up"):
        learner("n2v", {"colour": 1})
    with pytest.raises(InputError, match="two observations"):
        fit(make("n2n"), one(), 0)
    with pytest.raises(InputError, match="second observation"):
        learner("n2n").objective(Pointwise(), replace(seen_of(one()), second=None), draw())
    with pytest.raises(InputError, match="above 0"):
        GR2R(alpha=0.0)
    with pytest.raises(InputError, match="trials"):
        GR2R(law="binomial")
    for law, noise in (("poisson", Gaussian(0.1)), ("gamma", Gaussian(0.1))):
        with pytest.raises(InputError, match="recorruption needs noise="):
            GR2R(law=law).pair(replace(seen_of(one()), noises=(noise,)), draw())  # type: ignore[arg-type]


def test_crops_are_turned_only_where_the_noise_allows_it() -> None:
    assert Gaussian(0.1).turns
    assert Correlated(0.1, BOX).turns
    assert not Correlated(0.1, ((1.0, 2.0, 1.0),)).turns
    assert not Correlated(0.1, ((1.0, 2.0), (3.0, 1.0))).turns
    picture = torch.arange(25.0).view(1, 1, 5, 5)
    generator = draw()
    seen = {tuple(turned_crop(picture, 5, generator).flatten().tolist()) for _ in range(200)}
    upright = {tuple(turned_crop(picture, 5, generator, upright=True).flatten().tolist()) for _ in range(50)}
    assert len(seen) == 8
    assert upright == {tuple(range(25)), tuple(range(24, -1, -1))}


def test_a_deviation_forgets_what_is_hidden() -> None:
    output, target = torch.tensor([[[[1.0, 5.0]]]]), torch.tensor([[[[4.0, float("inf")]]]])
    weight = torch.tensor([[[[1.0, 0.0]]]])
    assert float(deviation(output, target, weight)) == 9
    assert float(deviation(output, target, weight, "l1")) == 3


def test_l1_learns_the_median() -> None:
    """Of a pair with a third of outliers, the constant that fits best is the median, not the mean."""
    y = torch.zeros(1, 1, 30, 30)
    second = torch.where(torch.rand(y.shape, generator=draw()) < 0.3, 1.0, 0.2)
    seen = Batch(y, (Gaussian(0.1),), torch.ones_like(y), second)

    class Constant(nn.Module):
        def __init__(self, value: float) -> None:
            super().__init__()
            self.value = value

        def forward(self, y: Tensor) -> Tensor:
            return torch.full_like(y, self.value)

    for norm, best in (("l1", 0.2), ("l2", float(second.mean()))):
        method = learner("n2n", {"norm": norm})
        scores = {
            value: sum(
                float(method.objective(Constant(value), replace(seen, y=second), draw(k))) for k in range(3)
            )
            for value in (0.2, float(second.mean()), 0.7)
        }
        assert min(scores, key=scores.get) == best  # type: ignore[arg-type]


def test_the_spread_of_self2self_is_its_uncertainty() -> None:
    method = Self2Self(draws=40, partial=PartialShape(8, 2))
    seen = seen_of(one())
    network = method.build(3)
    image, std = method.answer(network, seen, draw())
    assert std is not None
    assert float(std.min()) > 0
    few = [method.preview(network, seen, draw(k)) for k in range(12)]  # means of 4 draws: half the spread
    assert float(torch.stack(few).std(dim=0).mean()) == pytest.approx(float(std.mean()) / 2, rel=0.1)
    assert float((torch.stack(few).mean(dim=0) - image).abs().mean()) < float(std.mean())


def test_every_setting_survives_a_recipe() -> None:
    """What a method is set up with is what a recipe holds, so no field may be lost on the way."""
    from untaught.pipeline.recipes import method_of, plane_recipe

    for name in ALONE:
        method = make(name, {"steps": 7})
        again = method_of(plane_recipe(method, StepBudget(), 7))
        assert again == method
        assert {field.name for field in fields(method)} >= {"steps", "crop", "batch", "rate", "decay", "shape"}  # type: ignore[arg-type]


def test_odd_and_tiny_pictures_are_learned_from() -> None:
    for name in ALONE:
        y = tensor(noisy(np.full((9, 8, 1), 0.5, np.float32)))
        problem = Problem(y, torch.ones(1, 1, 9, 8), Gaussian(SIGMA))
        image = fit(quick(name, steps=2), problem, 0, Options(rule=StepBudget())).estimate.image
        assert image.shape == y.shape
        assert torch.isfinite(image).all()
