from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from untaught.errors import InputError
from untaught.noise import (
    Correlated,
    Gaussian,
    Impulse,
    PoissonGaussian,
    Rician,
    Speckle,
    Unknown,
    VarianceCurve,
    format_noise,
    gaussian_kernel,
    parse_noise,
)
from untaught.noise.models.piecewise import CELLS, interpolate

BOTH, LOW, HIGH, NONE = (True, True), (True, False), (False, True), (False, False)
BOX = tuple(map(tuple, np.ones((3, 3))))
MODELS = [
    *(Gaussian(50 / 255, clip=clip) for clip in (BOTH, LOW, HIGH, NONE)),
    Gaussian(5 / 255, clip=BOTH),
    PoissonGaussian(0.002, 0.05, clip=BOTH),
    PoissonGaussian(0.04, 0.02),
    PoissonGaussian(0.04, 0.02, offset=-0.1, clip=BOTH),
    PoissonGaussian(0.06, offset=-0.2, clip=LOW),
    PoissonGaussian(0.002, 0.01, offset=0.02, clip=BOTH),
    Speckle(0.35, offset=-0.1),
    Impulse(0.2, 0.1, 1.2),
    VarianceCurve(((0.0, 0.001), (0.3, 0.02), (1.1, 0.004)), clip=HIGH),
    VarianceCurve(((0.5, 0.01),)),
    Rician(0.1),
    Rician(0.02, offset=-0.05),
    Rician(0.2, offset=0.3),
    Speckle(0.35, clip=HIGH),
    Impulse(0.1),
    Correlated(0.1, BOX, clip=BOTH),
    Unknown(0.1, clip=LOW),
]
NAMES = [format_noise(model)[:24] for model in MODELS]


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_moments_are_those_of_samples(model):
    x = np.linspace(0.02, 1.0, 6)
    draws = 40_000
    y = np.stack([model.sample(np.full((200, 200), v), np.random.default_rng(7)) for v in x])
    y = y.reshape(len(x), -1)
    # neighbours of correlated noise count as one ninth of a draw
    error = 5 * np.sqrt((9 if model.kind == "correlated" else 1) / draws)
    spread = np.sqrt(model.variance(x))
    assert np.all(np.abs(y.mean(1) - model.mean(x)) < error * spread + 1e-9)
    # Poisson counts are taken for normal, which costs a little where they are few
    slack = 0.03 if model.kind == "poisson-gaussian" else 0.0
    kurtosis = ((y - y.mean(1, keepdims=True)) ** 4).mean(1) / y.var(1) ** 2
    wrong = np.abs(y.var(1) / model.variance(x) - 1)
    assert np.all(wrong < error * np.sqrt(np.maximum(kurtosis - 1, 0.1)) + slack)


def test_two_sided_clipping_leaves_what_integration_says():
    sigma, x = 50 / 255, 0.4
    n = np.linspace(-9, 9, 400_001)
    weight = np.exp(-0.5 * n * n)
    weight /= weight.sum()
    y = np.clip(x + sigma * n, 0, 1)
    mean = float(weight @ y)
    model = Gaussian(sigma, clip=BOTH)
    assert float(model.mean(np.array(x))) == pytest.approx(mean, abs=1e-9)
    assert float(model.variance(np.array(x))) == pytest.approx(float(weight @ (y - mean) ** 2), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    x=st.floats(0, 1),
    sigma=st.floats(0.0, 0.4),
    gain=st.floats(0.0, 0.1),
    clip=st.sampled_from([BOTH, LOW, HIGH, NONE]),
)
def test_unclip_undoes_mean(x, sigma, gain, clip):
    for model in (Gaussian(sigma, clip=clip), PoissonGaussian(gain, sigma, clip=clip)):
        at = np.array([x])
        assert model.unclip(model.mean(at))[0] == pytest.approx(x, abs=2e-4)
    salted = Impulse(sigma)
    assert salted.unclip(salted.mean(np.array([x])))[0] == pytest.approx(x, abs=1e-9)


def test_unclip_stays_within_the_clipped_ends_and_lets_the_other_be():
    m = np.array([-0.3, 0.5, 1.4])
    np.testing.assert_allclose(Gaussian(0.1, clip=BOTH).unclip(m), [0, 0.5, 1], atol=1e-6)
    np.testing.assert_allclose(Gaussian(0.1, clip=LOW).unclip(m), [0, 0.5, 1.4], atol=1e-6)
    np.testing.assert_allclose(Gaussian(0.1, clip=HIGH).unclip(m), [-0.3, 0.5, 1], atol=1e-6)
    np.testing.assert_array_equal(Gaussian(0.1).unclip(m), m)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_tensors_answer_like_arrays(model):
    torch = pytest.importorskip("torch")
    x = np.linspace(0, 1, 9, dtype=np.float32).reshape(1, 1, 3, 3)
    for name in ("mean", "variance", "unclip", "std"):
        array = getattr(model, name)(x)
        tensor = getattr(model, name)(torch.from_numpy(x))
        assert isinstance(tensor, torch.Tensor)
        assert tensor.dtype == torch.float32
        assert tensor.shape == x.shape
        np.testing.assert_allclose(tensor.numpy(), array, atol=2e-6)


@pytest.mark.parametrize("deviation", [0.003, 0.05, 0.8])
def test_many_values_are_interpolated_as_few(deviation):
    torch = pytest.importorskip("torch")
    nodes = np.unique(np.concatenate([ndtr(np.linspace(-1, 2, 3001) / deviation), np.linspace(0, 1, 50) / 1e6]))
    values = np.sqrt(nodes) + np.sin(9 * nodes)  # steep at the lower end
    m = torch.rand(2 * CELLS, generator=torch.Generator().manual_seed(0)) * 1.2 - 0.1
    m[:500] *= 1e-4
    m[500:502] = torch.tensor([-9.0, 9.0])
    exact = m.double().numpy()
    rounding = np.interp(exact + 3e-7, nodes, values) - np.interp(exact - 3e-7, nodes, values)
    far = np.abs(interpolate(m, nodes, values).double().numpy() - np.interp(exact, nodes, values))
    assert (far <= np.abs(rounding) + 1e-6).all()


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_says_what_it_is(model):
    said = model.describe()
    assert said.endswith(".")
    assert ("cut off" in said) == any(model.clip)
    summary = json.loads(json.dumps(model.as_dict()))
    assert summary["kind"] == model.kind
    assert summary["sigma"] == pytest.approx(model.level * 255, abs=1e-3)


def test_level_of_a_gaussian_is_its_sigma():
    assert Gaussian(0.1, clip=BOTH).level == pytest.approx(0.1)
    assert "level 25.5 (of 255)" in Gaussian(0.1).describe()
    assert "good to 2.0 %" in Gaussian(0.1, relative_error=0.04).describe()


def test_a_sample_keeps_shape_and_type_and_follows_its_generator():
    x = np.full((6, 5, 3), 0.5, np.float32)
    for model in MODELS:
        one, two = (model.sample(x, np.random.default_rng(3)) for _ in range(2))
        assert one.shape == x.shape
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, two)
        assert (one != model.sample(x, np.random.default_rng(4))).any()


def test_correlated_kernel_has_unit_norm_and_shapes_the_noise():
    model = Correlated(0.1, BOX)
    assert np.square(model.kernel).sum() == pytest.approx(1)
    n = model.sample(np.zeros((256, 256)), np.random.default_rng(0))
    assert (n[:, 1:] * n[:, :-1]).mean() / n.var() == pytest.approx(2 / 3, abs=0.04)
    assert (n[:, 3:] * n[:, :-3]).mean() / n.var() == pytest.approx(0, abs=0.04)


def test_shades_are_a_curve_of_brightness():
    torch = pytest.importorskip("torch")
    model = Correlated(0.1, BOX, shades=((0.1, 1), (0.6, 3), (0.9, 2)))
    x = np.array([-1.0, 0.1, 0.35, 0.6, 0.9, 2.0])
    wanted = 0.1 * np.sqrt([0.5, 0.5, 1.0, 1.5, 1.0, 1.0])
    np.testing.assert_allclose(model.std(x), wanted)
    np.testing.assert_allclose(model.std(torch.from_numpy(x)).numpy(), wanted)
    assert not model.uniform
    assert Correlated(0.1, BOX, shades=((0.2, 3), (0.5, 3))) == Correlated(0.1, BOX)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Gaussian(-1.0),
        lambda: Gaussian(float("nan")),
        lambda: PoissonGaussian(0.1, float("inf")),
        lambda: PoissonGaussian(0.1, 0.0, float("nan")),
        lambda: Impulse(1.0),
        lambda: Impulse(0.1, 0.5, 0.5),
        lambda: Correlated(0.1, ((0.0, 0.0),)),
        lambda: Correlated(0.1, (1.0, 2.0)),
    ],
)
def test_impossible_models_are_refused(build):
    with pytest.raises(InputError):
        build()


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("gaussian:25", Gaussian(25 / 255)),
        (" Gaussian: 25 ", Gaussian(25 / 255)),
        ("gaussian:25,clipped", Gaussian(25 / 255, clip=BOTH)),
        ("poisson:2,3", PoissonGaussian(2 / 255, 3 / 255)),
        ("poisson:2", PoissonGaussian(2 / 255, 0.0)),
        ("poisson:2,3,-4.5", PoissonGaussian(2 / 255, 3 / 255, -4.5 / 255)),
        ("speckle:0.2,12", Speckle(0.2, 12 / 255)),
        ("impulse:0.1,-20,300", Impulse(0.1, -20 / 255, 300 / 255)),
        ("impulse:0.1,clipped-low", Impulse(0.1, clip=LOW)),
        ("speckle:0.2", Speckle(0.2)),
        ("curve:0 65.025/127.5 650.25", VarianceCurve(((0.0, 0.001), (0.5, 0.01)))),
        ("rician:12.75", Rician(0.05)),
        ("rician:12.75,-51", Rician(0.05, -0.2)),
        ("unknown:12", Unknown(12 / 255)),
        ("correlated:25,1 1 1/1 1 1/1 1 1", Correlated(25 / 255, BOX)),
    ],
)
def test_reads_what_people_write(text, model):
    assert parse_noise(text) == model


def test_auto_is_none():
    assert parse_noise("auto") is None
    assert format_noise(None) == "auto"


def test_a_kernel_can_be_given_by_its_width():
    model = parse_noise("correlated:25,1.5")
    assert isinstance(model, Correlated)
    np.testing.assert_allclose(model.kernel, gaussian_kernel(1.5))


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_format_is_undone_by_parse(model):
    text = format_noise(model)
    again = parse_noise(text)
    assert type(again) is type(model)
    assert again.clip == model.clip
    assert again.level == pytest.approx(model.level, rel=1e-5)
    assert format_noise(again) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "gauss:25", "gaussian", "gaussian:", "gaussian:-3", "gaussian:nan", "gaussian:inf",
        "gaussian:x", "gaussian:25,3", "poisson:1,2,3,4", "poisson:1,-2", "poisson:1,2,--3",
        "poisson:1,2,-inf", "speckle:1,x", "impulse:1", "impulse:2",
        "gaussian:1e300", "unknown:1e9", "poisson:1e200", "poisson:1,1e200", "speckle:1e200",
        "curve:", "curve:0", "curve:0 1 2", "curve:1 2/0 3", "curve:0 1/5 -1", "curve:0 nan", "curve:0 1e300",
        "correlated:1e200,1", "correlated:25,1 1e200/1 1",
        "correlated:25", "correlated:25,0", "correlated:25,1 2/3", "auto:3", "speckle:",
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_sentence_that_quotes_it(text):
    with pytest.raises(InputError) as caught:
        parse_noise(text)
    said = str(caught.value)
    assert repr(text) in said
    assert said.count("\n") == 0
    assert said.endswith(".")
