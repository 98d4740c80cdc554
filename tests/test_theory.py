"""The instruments of structural bias: Jacobian products, spectra, dual kernels, impedance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data, transform
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.methods.base import Problem
from untaught.methods.deep_decoder import DeepDecoder
from untaught.methods.dip import DIP
from untaught.methods.r2r import R2R
from untaught.networks.decoder import Decoder, DecoderShape, TwoLayer
from untaught.networks.hourglass import Hourglass, HourglassShape
from untaught.networks.unet import UNet, UNetShape
from untaught.noise import Unknown
from untaught.theory import (
    Descent,
    Jacobian,
    convolution_weights,
    drawn_by,
    dual_kernel,
    impedance,
    jacobian_norms,
    leading,
    spectrum,
    trigonometric_share,
)
from untaught.theory.impedance import NOISE, NOISY, PICTURE, SHUFFLED, octaves, targets
from untaught.theory.kernels import PUBLISHED


def camera(side: int = 16) -> Tensor:
    """Return the cameraman, (1, 1, side, side), in [0, 1]."""
    small = transform.resize(data.camera(), (side, side), anti_aliasing=True)
    return torch.from_numpy(small).float()[None, None]


def decoder(seed: int = 0, side: int = 16, **shape: object) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(seed)
    network = Decoder(1, (side, side), DecoderShape(**{"width": 12, "scales": 1, **shape}))
    return network, network.draw_code(torch.Generator().manual_seed(seed))


def hourglass() -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    return Hourglass(4, 2, HourglassShape(width=6, depth=2, skip=2)), torch.rand(1, 4, 13, 12)


def unet() -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    network = UNet(2, 1, UNetShape(6, 2))
    nn.init.normal_(network.last.weight)
    return network, torch.rand(1, 2, 9, 12)


def by_hand(network: nn.Module, code: Tensor, picture: Tensor) -> Tensor:
    """Return J^T picture by ordinary back-propagation."""
    network.zero_grad()
    (network(code) * picture).sum().backward()
    return torch.cat([p.grad.flatten() for p in network.parameters()])


@pytest.mark.parametrize("draw", [decoder, hourglass, unet])
def test_products_are_those_of_back_propagation_and_of_finite_steps(draw) -> None:
    network, code = draw()
    network, code = network.double(), code.double()
    jacobian = Jacobian(network, code)
    assert torch.equal(jacobian.output, network(code).detach())
    pictures = torch.randn(3, *jacobian.output.shape[1:], dtype=torch.float64)
    pulled = jacobian.vjp(pictures).double()
    assert pulled.shape == (3, jacobian.parameters)
    # The networks of DIP and R2R answer in 32 bits, whatever they are made of.
    assert torch.allclose(pulled[1], by_hand(network, code, pictures[1:2]), rtol=1e-4, atol=1e-5)
    directions = torch.randn(2, jacobian.parameters, dtype=torch.float64)
    pushed = jacobian.jvp(directions).double()
    inner, size = (pushed[0] * pictures[1]).sum(), pushed[0].norm() * pictures[1].norm()
    assert float(inner / size) == pytest.approx(float(pulled[1] @ directions[0] / size), abs=1e-6)
    step = 1e-3 * directions[1] / directions[1].norm()
    moved = (jacobian.moved(step) - jacobian.moved(-step)).double() / 2
    slope = pushed[1] * 1e-3 / directions[1].norm()
    assert float((moved[0] - slope).norm() / slope.norm()) < 2e-2


def test_many_pictures_give_what_one_gives(monkeypatch) -> None:
    network, code = decoder()
    pictures = torch.randn(5, 1, 16, 16)
    together = Jacobian(network, code).vjp(pictures)
    monkeypatch.setattr("untaught.theory.jacobian.PIXELS_AT_ONCE", 2 * 256)
    assert torch.allclose(Jacobian(network, code).vjp(pictures), together, atol=1e-5)


def test_the_network_is_left_as_it_is() -> None:
    network, code = hourglass()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    leading(Jacobian(network, code), 2, "randomised")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(p.requires_grad for p in network.parameters())


def test_it_says_what_it_did_with_batch_statistics() -> None:
    network, code = hourglass()
    (live,) = Jacobian(network, code).notes
    assert "statistics of this picture" in live
    assert live.split()[0] == str(sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()))
    (fixed,) = Jacobian(network.eval(), code).notes
    assert "stored averages" in fixed
    assert Jacobian(*unet()).notes == ()


def test_dropout_is_switched_off_and_other_chance_refused() -> None:
    class Chance(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.rand(1)

    conv = nn.Conv2d(1, 1, 3, padding=1)
    code = torch.rand(1, 1, 6, 6)
    jacobian = Jacobian(nn.Sequential(conv, nn.Dropout(0.5)), code)
    assert torch.equal(jacobian.output, conv(code).detach())
    assert jacobian.notes == ("1 random layers (dropout) were switched off",)
    with pytest.raises(InputError, match="random numbers"):
        Jacobian(nn.Sequential(conv, Chance()), code)
    with pytest.raises(InputError, match="no weights"):
        Jacobian(nn.ReLU(), code)


def test_only_the_named_weights_are_differentiated() -> None:
    network, code = decoder()
    names = convolution_weights(network)
    assert not [name for name in names if "norm" in name or "bias" in name]
    assert Jacobian(network, code, names).parameters == 12 * 12 * 2 + 12


@pytest.mark.parametrize("architecture", ["upsampling", "convolution"])
def test_the_spectrum_is_numpy_s(architecture: str) -> None:
    network, code = decoder(architecture=architecture)
    jacobian = Jacobian(network, code)
    left, values, _ = np.linalg.svd(jacobian.matrix().double().numpy(), full_matrices=False)
    for method in ("exact", "randomised"):
        found = leading(jacobian, 12, method)
        assert found.exact == (method == "exact")
        assert found.values == pytest.approx(values[:12], rel=1e-4)
        flat = found.vectors.reshape(12, -1)
        assert flat @ flat.T == pytest.approx(np.eye(12), abs=1e-6)
        # The spaces agree even where single vectors of near-equal values may turn.
        assert np.linalg.norm(flat[:3] @ left[:, :12]) == pytest.approx(3**0.5, rel=1e-4)


def test_all_vectors_can_be_asked_for_without_the_matrix() -> None:
    network, code = decoder(side=6)
    jacobian = Jacobian(network.double(), code.double())
    exact, random = leading(jacobian, 36), leading(jacobian, 36, "randomised")
    assert random.values == pytest.approx(exact.values, rel=1e-6, abs=1e-8)


def test_too_large_for_the_exact_method_says_so(monkeypatch) -> None:
    jacobian = Jacobian(*decoder())
    assert leading(jacobian, 2).exact
    monkeypatch.setattr(spectrum, "EXACT_BYTES", 1000)
    for method in ("auto", "exact"):
        found = leading(jacobian, 2, method)
        assert not found.exact
        assert "too many for the exact method" in found.notes[0]


def test_a_wrong_request_for_a_spectrum_is_refused() -> None:
    jacobian = Jacobian(*decoder(side=6))
    with pytest.raises(InputError, match="from 1 to 36"):
        leading(jacobian, 37)
    with pytest.raises(InputError, match="auto, exact or randomised"):
        leading(jacobian, 2, "lanczos")
    with pytest.raises(InputError, match="channels, height and width"):
        jacobian.vjp(torch.zeros(1, 3, 6, 6))


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_shares_of_few_frequencies(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.arange(12)[:, None], np.arange(15)
    p, q = rng.integers(0, 12), rng.integers(0, 15)
    atom = np.cos(np.pi * p * (rows + 0.5) / 12) * np.cos(np.pi * q * (columns + 0.5) / 15)
    wave = np.cos(2 * np.pi * (p * rows / 12 + q * columns / 15) + rng.uniform(0, 1))
    white = rng.standard_normal((1, 1, 12, 15))
    assert trigonometric_share(atom[None, None], 1) == pytest.approx([1])
    assert trigonometric_share(wave[None, None], 2, "fourier") == pytest.approx([1])
    assert trigonometric_share(white, 180) == pytest.approx([1])
    assert trigonometric_share(white, 10)[0] < 0.6


def test_fixed_kernels_have_more_trigonometric_vectors_than_learned_ones() -> None:
    shares = {}
    for architecture in ("upsampling", "fixed", "deconvolution", "convolution"):
        network, code = decoder(width=24, architecture=architecture)
        vectors = leading(Jacobian(network, code), 10).vectors
        shares[architecture] = trigonometric_share(vectors).mean()
    assert min(shares["upsampling"], shares["fixed"]) > 1.5 * max(shares["deconvolution"], shares["convolution"])


PRINTED = {  # least and largest singular value as printed in the notebook, k = 300
    "triangle:1": (0.1667, 0.1667),
    "triangle:10": (0.00487, 1.957),
    "triangle:30": (0.00156, 5.896),
    "gaussian:1.5": (0.0211, 0.496),
    "gaussian:3": (0.00915, 0.983),
    "gaussian:15": (0.00177, 4.90),
}


@pytest.mark.parametrize("kernel", PRINTED)
def test_dual_kernels_have_the_published_spectra(kernel: str) -> None:
    found = dual_kernel(kernel, 300, PUBLISHED).spectrum
    least, largest = PRINTED[kernel]
    assert (float(f"{found[-1]:.3g}"), float(f"{found[0]:.4g}")) == pytest.approx((least, largest), rel=2e-3)


def test_the_eigenvalues_are_those_of_the_matrix() -> None:
    found = dual_kernel("triangle:3", (4, 9))
    index = np.indices((4, 9)).reshape(2, -1)
    matrix = found.row[tuple((index[:, :, None] - index[:, None, :]) % np.array([4, 9])[:, None, None])]
    assert np.linalg.svd(matrix)[1] == pytest.approx(found.spectrum, rel=1e-8)
    picture = np.random.default_rng(0).standard_normal((4, 9))
    parts = found.components(picture)
    assert (parts.coefficients**2).sum() == pytest.approx((picture**2).sum())
    # The same energies in the same eigenspaces: x^T Sigma x.
    assert (parts.values**2 * parts.coefficients**2).sum() == pytest.approx(
        picture.ravel() @ matrix @ picture.ravel()
    )


@pytest.mark.parametrize("kernel", ["triangle:3", "gaussian:2", "1331"])
def test_the_dual_kernel_is_the_mean_of_j_j_t(kernel: str) -> None:
    network = TwoLayer((1, 16), 4000, kernel)
    matrix = Jacobian(network, network.draw_code(torch.Generator().manual_seed(0))).matrix()
    # Standard error: below sqrt(1/4 / 2000), half of the channels being independent.
    assert (matrix @ matrix.T)[0].numpy() == pytest.approx(dual_kernel(kernel, 16).row[0], abs=5 * 0.011)


def test_structure_is_nearer_than_noise_at_the_start() -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = {"picture": camera(32), "noise": torch.rand(1, 1, 32, 32, generator=generator)}

    def ratio(**shape: object) -> float:
        return jacobian_norms(lambda s: decoder(s, 32, **shape), pictures, 4).ratio("picture", "noise")[0]

    assert ratio() > 1.5 * ratio(architecture="convolution")


def test_norms_are_of_one_length_and_say_their_spread() -> None:
    x = camera()
    found = jacobian_norms(decoder, {"one": x, "thrice": 3 * x}, 3)
    assert found.norms.shape == (3, 2)
    assert found.norms[:, 0] == pytest.approx(found.norms[:, 1], rel=1e-5)
    assert found.ratio("thrice", "one") == (pytest.approx(1), pytest.approx(0, abs=1e-5))
    assert np.ptp(found.norms[:, 0]) > 0
    with pytest.raises(InputError, match="zero everywhere"):
        jacobian_norms(decoder, {"black": 0 * x}, 1)


def test_networks_of_methods_can_be_drawn() -> None:
    problem = Problem(camera(), torch.ones(1, 1, 16, 16), Unknown(0.0))
    shape = HourglassShape(width=8, depth=2, skip=2)
    for method in (DIP(shape=shape), DeepDecoder(shape=DecoderShape(width=8, scales=1))):
        network, code = drawn_by(method, problem)(0)
        assert network(code).shape == (1, 1, 16, 16)
    with pytest.raises(InputError, match="does not draw its picture from a code"):
        drawn_by(R2R(shape=UNetShape(8, 2), pilot=False), problem)(0)


def test_impedance_is_higher_for_what_has_no_structure() -> None:
    method = DeepDecoder(steps=60, shape=DecoderShape(width=16, scales=2), bfloat16=False)
    found = impedance(method, camera(32), 0.1, every=5)
    last = {name: curve.error[-1] for name, curve in found.curves.items()}
    assert last[PICTURE] < last[NOISY] < min(last[SHUFFLED], last[NOISE])
    steps = found.steps_to(0.5)
    assert steps[PICTURE] is not None
    assert steps[NOISE] is None or steps[NOISE] > steps[PICTURE]
    assert found.curves[PICTURE].steps_to(0.0) is None
    assert found.curves[PICTURE].error * camera(32).var(correction=0).item() == pytest.approx(
        found.curves[PICTURE].clean_error, rel=1e-4
    )
    noisy = found.curves[NOISY]
    assert noisy.clean_error.min() == noisy.clean_error[list(noisy.steps).index(found.best_stop)]


def test_low_frequencies_are_fitted_first() -> None:
    method = DeepDecoder(steps=40, decay=0.0, shape=DecoderShape(width=16, scales=2), bfloat16=False)
    bands = impedance(method, camera(32), 0.1, every=20).curves[NOISE].bands[-1]
    assert bands[0] < 0.5 < bands[-1]


def test_any_architecture_has_an_impedance() -> None:
    found = impedance(Descent(lambda seed: unet_grey(seed), 1e-4, 3), camera(), 0.1, every=1)
    assert all(list(curve.steps) == [1, 2, 3] for curve in found.curves.values())
    assert found.method == "gradient descent"


def test_an_interrupted_fit_makes_no_curve() -> None:
    class Interrupted(Descent):
        def loss(self, problem, state, step):
            if step == 2:
                raise KeyboardInterrupt
            return super().loss(problem, state, step)

    with pytest.raises(KeyboardInterrupt):
        impedance(Interrupted(unet_grey, 1e-4, 5), camera(), 0.1, every=1)


def unet_grey(seed: int) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(seed)
    return UNet(1, 1, UNetShape(6, 2)), torch.rand(1, 1, 16, 16)


def test_targets_share_mean_variance_and_values() -> None:
    x = torch.rand(1, 3, 20, 21)
    made = targets(x, 0.1, 0)
    assert torch.equal(made[SHUFFLED].flatten().sort().values, x.flatten().sort().values)
    # Whole pixels change places, with all their channels.
    assert set(map(tuple, made[SHUFFLED][0].flatten(1).T.tolist())) == set(map(tuple, x[0].flatten(1).T.tolist()))
    assert made[NOISE].mean() == pytest.approx(float(x.mean()), abs=1e-5)
    assert made[NOISE].var() == pytest.approx(float(x.var()), rel=1e-4)
    assert float((made[NOISY] - x).std()) == pytest.approx(0.1, rel=0.1)


def test_a_constant_picture_has_no_impedance() -> None:
    with pytest.raises(InputError, match="constant"):
        impedance(replace(DeepDecoder(), steps=1), torch.full((1, 1, 16, 16), 0.3), 0.1)


def test_octaves_hold_all_energy_each_where_it_belongs() -> None:
    x = torch.randn(1, 3, 16, 32)
    assert octaves(x).sum() == pytest.approx(float(x.square().sum()), rel=1e-5)
    assert len(octaves(x)) == 4
    constant, finest = torch.ones(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    finest[..., ::2] = -1
    assert octaves(constant)[0] == pytest.approx(256)
    assert octaves(finest)[-1] > 0.9 * 256
