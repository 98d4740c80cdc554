"""The deep decoder: published sizes, four architectures, any picture size, gaps, compression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SIGMA, clean, noisy, psnr, tensor
from untaught import denoise, inpaint, upscale
from untaught.errors import InputError
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.fitting.stopping import Recorrupted
from untaught.method import Iterative
from untaught.methods.networks.decoder import (
    ARCHITECTURES,
    Decoder,
    DecoderShape,
    Smooth,
    TwoLayer,
    fixed_kernel,
    wrapped,
)
from untaught.methods.registry import make
from untaught.methods.untrained.deep_decoder import DeepDecoder
from untaught.noise import Gaussian
from untaught.problem import Problem
from untaught.theory.coders import weights_of

SMALL = DecoderShape(width=6, scales=2)
QUICK = DeepDecoder(steps=120, warmup=10, shape=DecoderShape(width=24, scales=2), bfloat16=False)
KERNELS = ("bilinear", "1331", "triangle:1", "triangle:3", "gaussian:1.5")


def drawn(shape: DecoderShape, size: tuple[int, int], channels: int = 3) -> torch.Tensor:
    torch.manual_seed(0)
    network = Decoder(channels, size, shape)
    with torch.no_grad():
        return network(network.draw_code(torch.Generator().manual_seed(0)))


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("width", "published"), [(64, 25_536), (128, 100_224)])
@pytest.mark.parametrize("plain", ["first", "last"])
def test_the_published_decoders_have_the_published_number_of_weights(
    width: int, published: int, plain: str
) -> None:
    shape = DecoderShape(width, plain=plain)
    network = Decoder(3, (512, 512), shape)
    assert count(network) == weights_of(shape, 3) == published
    assert network.code_shape == (1, width, 16, 16)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_draws_any_size(architecture: str, kernel: str) -> None:
    for size in [(33, 47), (16, 8), (7, 5), (3, 5)]:
        for plain in ("first", "last"):
            shape = replace(SMALL, architecture=architecture, kernel=kernel, plain=plain)
            picture = drawn(shape, size)
            assert picture.shape == (1, 3, *size)
            assert 0 < float(picture.min()) < float(picture.max()) < 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_reach_every_weight(architecture: str) -> None:
    torch.manual_seed(0)
    network = Decoder(1, (17, 12), replace(SMALL, architecture=architecture))
    network(network.draw_code(torch.Generator().manual_seed(0))).square().sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().any()] == []


def test_what_is_learned_is_what_the_architecture_says() -> None:
    """1x1 where the kernel is fixed, 3x3 and 4x4 where it is learned; no fixed kernel among the weights."""
    sides = {}
    for architecture in ARCHITECTURES:
        network = Decoder(1, (32, 32), replace(SMALL, architecture=architecture, plain="last"))
        sides[architecture] = [p.shape[-1] for n, p in network.named_parameters() if n.endswith("mix.weight")]
    assert sides == {"upsampling": [1] * 3, "fixed": [1] * 3, "deconvolution": [4, 4, 1], "convolution": [3] * 3}


def test_the_code_is_small_only_where_something_up_samples() -> None:
    codes = {a: Decoder(1, (37, 20), replace(SMALL, architecture=a)).code_shape[2:] for a in ARCHITECTURES}
    assert codes == {
        "upsampling": (10, 5),
        "fixed": (37, 20),
        "deconvolution": (10, 5),
        "convolution": (37, 20),
    }


def test_mixing_before_or_after_up_sampling_is_the_same() -> None:
    """What makes the decoder cheap: U acts on positions and C on channels, so U (B C) = (U B) C."""
    torch.manual_seed(0)
    network = Decoder(1, (21, 30), replace(SMALL, scales=1))
    layer = network.layers[1]
    x = torch.rand(1, 6, 11, 15)
    up = torch.nn.functional.interpolate(x, size=(21, 30), mode="bilinear")
    other = layer.norm(torch.relu(layer.mix(up)))
    assert torch.allclose(layer(x, (21, 30)), other, atol=1e-4)


def test_bilinear_up_sampling_is_nearest_and_a_triangle() -> None:
    """Away from edges and for a factor of two: the paper's reason to call up-sampling a fixed convolution."""
    x = torch.rand(1, 2, 6, 7)
    near = Smooth("triangle:2")(x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    bilinear = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
    assert torch.allclose(near, bilinear, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "taps"),
    [
        ("1331", [1 / 8, 3 / 8, 3 / 8, 1 / 8]),
        ("triangle:1", [1]),
        ("triangle:3", [1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9]),
    ],
)
def test_kernels_have_their_taps(name: str, taps: list[float]) -> None:
    assert fixed_kernel(name).tolist() == pytest.approx(taps)


@given(st.floats(0.3, 20))
@settings(max_examples=25, deadline=None)
def test_a_gaussian_kernel_has_unit_sum_and_its_width(width: float) -> None:
    taps = fixed_kernel(f"gaussian:{width}")
    middle = len(taps) // 2
    assert float(taps.sum()) == pytest.approx(1)
    assert float(taps[middle + 1] / taps[middle]) == pytest.approx(np.exp(-(width**-2)))


@pytest.mark.parametrize(
    "name", ["triangel:2", "triangle", "triangle:0", "triangle:2.5", "gaussian:-1", "gaussian:x"]
)
def test_a_kernel_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="kernel"):
        fixed_kernel(name)
    with pytest.raises(InputError, match="kernel"):
        Decoder(1, (8, 8), replace(SMALL, kernel=name))


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(InputError, match="choose upsampling, fixed"):
        Decoder(1, (8, 8), replace(SMALL, architecture="transformer"))


def test_smoothing_keeps_constants_and_the_size() -> None:
    for kernel in KERNELS:
        smoothed = Smooth(kernel)(torch.full((1, 2, 5, 3), 0.7))
        assert smoothed.shape == (1, 2, 5, 3)
        assert torch.allclose(smoothed, torch.tensor(0.7))


def test_a_wrapped_kernel_keeps_its_sum_on_any_torus() -> None:
    taps = fixed_kernel("triangle:9")
    for size in [(1, 32), (4, 5), (30, 1)]:
        assert float(wrapped(taps, size).sum()) == pytest.approx(1)
    assert int(wrapped(taps, (1, 32)).argmax()) == 0


def test_the_generator_of_two_layers_is_the_formula() -> None:
    size, width = (1, 9), 4
    network = TwoLayer(size, width, "triangle:2")
    code = torch.randn(network.code_shape)
    u = torch.zeros(9, 9)
    for i in range(9):
        for step, tap in ((-1, 1.0), (0, 2.0), (1, 1.0)):
            u[i, (i + step) % 9] = tap / 6**0.5
    v = torch.tensor([0.5, 0.5, -0.5, -0.5])
    expected = torch.relu(u @ code[0, :, 0].T) @ v
    assert torch.allclose(network(code)[0, 0, 0], expected, atol=1e-5)
    start = network(network.draw_code(torch.Generator().manual_seed(0)))
    assert float(start.detach().abs().max()) < 1e-6
    with pytest.raises(InputError, match="even"):
        TwoLayer(size, 3, "triangle:2")


@pytest.mark.parametrize(("side", "scales"), [(512, 5), (256, 4), (128, 3), (33, 1), (9, 1), (2000, 5)])
def test_a_small_picture_gets_fewer_scales(side: int, scales: int) -> None:
    assert DecoderShape().fitted(side, side + 40).scales == scales


def test_it_denoises(problem: Problem) -> None:
    x = clean()
    fitted = fit(QUICK, problem, 0, Options(rule=Recorrupted(patience=60)))
    answer = fitted.estimate.image[0].permute(1, 2, 0).numpy()
    assert psnr(answer, x) > psnr(noisy(x), x) + 3
    assert fitted.stopped.step > 40


def test_missing_pixels_have_no_influence(problem: Problem) -> None:
    mask = (torch.rand(problem.mask.shape, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    answers = []
    for filling in (0.0, 1.0):
        gappy = replace(problem, mask=mask, y=problem.y * mask + filling * (1 - mask))
        answers.append(fit(replace(QUICK, steps=15), gappy, 0).estimate.image)
    assert torch.equal(*answers)


def test_it_inpaints() -> None:
    x = tensor(clean())
    mask = (torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    problem = Problem(x * mask, mask, Gaussian(0.0))
    answer = fit(replace(QUICK, steps=200), problem, 0).estimate.image
    gaps = (1 - mask).bool().expand_as(x)
    error = (answer - x)[gaps].square().mean()
    assert float(error) < 0.25 * float(x[gaps].var())


def test_it_fills_in_from_the_front_door() -> None:
    x = clean(48, 48)
    kept = np.random.default_rng(0).random((48, 48)) > 0.4
    result = inpaint(x * kept[..., None], kept, method=replace(QUICK, steps=150), noise="gaussian:0")
    assert result.method == "deep-decoder"
    assert result.stopped.rule in ("held-out", "steps")
    assert np.abs(result.image - x)[kept].max() < 1e-5  # what was measured stays
    error = np.square(result.image - x)[~kept].mean()
    assert error < 0.25 * x[~kept].var()


def test_it_sees_through_an_operator() -> None:
    """Enlarged: the picture is larger than what was measured, and drawn at its own size."""
    x = clean(48, 48)
    small = x.reshape(24, 2, 24, 2, 3).mean(axis=(1, 3))
    result = upscale(small, 2, kernel="box", method=replace(QUICK, steps=150), noise="gaussian:0")
    assert result.image.shape == x.shape
    assert psnr(result.image, x) > psnr(small.repeat(2, 0).repeat(2, 1), x)


def test_rules_that_judge_outputs_get_them(problem: Problem) -> None:
    state = QUICK.init(problem, 0)
    for step in range(2):
        QUICK.loss(problem, state, step).backward()
        state.optimizer.step()
    QUICK.loss(problem, state, 2)
    assert not torch.equal(state.tensors["output"], state.tensors["average"])
    with torch.no_grad():
        assert torch.equal(state.tensors["output"], state.network(state.tensors["code"]))


def test_same_seed_same_picture(problem: Problem) -> None:
    short = replace(QUICK, steps=5)
    a, b, c = (fit(short, problem, seed).estimate.image for seed in (3, 3, 4))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_the_answer_is_the_average_of_the_outputs(problem: Problem) -> None:
    """decay 0 answers with the last output; the first step's average is that output."""
    last = fit(replace(QUICK, steps=1), problem, 0).estimate.image
    assert torch.equal(last, fit(replace(QUICK, steps=1, decay=0.0), problem, 0).estimate.image)
    raw = [fit(replace(QUICK, steps=n, decay=0.0), problem, 0).estimate.image for n in (1, 2)]
    averaged = fit(replace(QUICK, steps=2), problem, 0).estimate.image
    assert torch.allclose(averaged, raw[1] + 2 / 11 * (raw[0] - raw[1]), atol=1e-6)


def test_the_rate_rises_over_the_warm_up(problem: Problem) -> None:
    method = replace(QUICK, warmup=4)
    state = method.init(problem, 0)
    rates = []
    for step in range(6):
        method.loss(problem, state, step)
        rates.append(state.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.005, 0.01, 0.015, 0.02, 0.02, 0.02])


@pytest.mark.parametrize(("beta2", "longest"), [(0.95, 0.45), (0.999, 3.2)])
def test_a_sudden_gradient_moves_no_weight_far(problem: Problem, beta2: float, longest: float) -> None:
    """The longest step of Adam, in rates; with the papers' beta2 it throws a wide decoder back."""
    method = replace(QUICK, warmup=0, beta2=beta2)
    state = method.init(problem, 0)
    weights = next(state.network.parameters())
    for gradient in [1e-6] * 4000 + [1.0]:
        before = weights.detach().clone()
        weights.grad = torch.full_like(weights, gradient)
        state.optimizer.step()
    assert float((weights - before).detach().abs().max()) == pytest.approx(longest * method.rate, rel=0.05)


def test_the_configurations_by_name() -> None:
    assert isinstance(make("deep-decoder"), Iterative)
    assert make("deep-decoder") == DeepDecoder()
    assert make("deep-decoder:512") == DeepDecoder(shape=DecoderShape(width=512))
    for wrong in ("deep-decoder:", "deep-decoder:0", "deep-decoder:-1", "deep-decoder:9999", "deep-decoder:1.5"):
        with pytest.raises(InputError, match="1 to 4096"):
            make(wrong)
    paper = DeepDecoder.paper(64)
    assert (paper.rate, paper.beta2, paper.warmup, paper.decay) == (0.01, 0.999, 0, 0.0)
    assert paper.shape == DecoderShape(64, 5, plain="last")


def test_the_front_door_opens() -> None:
    x = clean(33, 41)
    y = np.clip(noisy(x), 0, 1)
    result = denoise(y, method=QUICK, noise="gaussian:25")
    assert result.method == "deep-decoder"
    assert result.stopped.rule in ("recorrupted", "steps")
    assert psnr(result.image, x) > psnr(y, x) + 1
    assert result.psnr is not None


def test_the_noise_is_held_out_by_fewness(problem: Problem) -> None:
    """Far fewer weights than pixels: at the end of a long fit most of the noise is still not fitted."""
    narrow = replace(QUICK, steps=300, decay=0.0, shape=DecoderShape(width=8, scales=2))
    fitted = fit(narrow, problem, 0)
    misfit = float((fitted.estimate.image - problem.y).square().mean())
    assert misfit > 0.8 * SIGMA**2


def test_before_its_last_layers_double_it_draws_nearly_the_same() -> None:
    torch.manual_seed(0)
    network = Decoder(3, (64, 48), DecoderShape(24, 3))
    code = network.draw_code(torch.Generator().manual_seed(0))
    with torch.no_grad():
        fine, *coarser = (network(code, n) for n in (0, 1, 2, 9))
    assert torch.equal(fine, network(code))
    like = [float(torch.corrcoef(torch.stack([fine.flatten(), x.flatten()]))[0, 1]) for x in coarser]
    assert [x.shape for x in coarser] == 3 * [(1, 3, 64, 48)]
    assert like[0] > 0.9
    assert like[0] > like[1] > like[2]


@pytest.mark.parametrize(
    ("side", "stages"),
    [
        (300, [(2, 0), (2, 1), (2, 2), (1, 0), (1, 1), (0, 0), (0, 1)]),
        (128, [(1, 0), (1, 1), (0, 0), (0, 1)]),
        (127, [(0, 0), (0, 1)]),
    ],
)
def test_coarse_detail_first_where_a_picture_is_large(side: int, stages: list[tuple[int, int]]) -> None:
    problem = Problem(torch.zeros(1, 1, side, 400), torch.ones(1, 1, side, 400), Gaussian(0.1))
    method = replace(QUICK, coarse=(3, 2))
    assert [method._stage(problem, step) for step in range(len(stages))] == stages


def test_it_denoises_from_coarse_to_fine() -> None:
    x = clean(128, 128)
    problem = Problem(tensor(noisy(x)), torch.ones(1, 1, 128, 128), Gaussian(SIGMA))
    found = {}
    for coarse in ((), (20,)):
        method = replace(QUICK, steps=35, decay=0.8, coarse=coarse)
        found[coarse] = psnr(fit(method, problem, 0).estimate.image[0].permute(1, 2, 0).numpy(), x)
    assert found[20,] > found[()] - 1
