"""The instruments of structural bias: Jacobian products, spectra, dual kernels, impedance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data, transform
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.methods.networks.decoder import Decoder, DecoderShape
from untaught.methods.networks.hourglass import Hourglass, HourglassShape
from untaught.methods.networks.unet import UNet, UNetShape
from untaught.methods.self_supervised.r2r import R2R
from untaught.methods.untrained.deep_decoder import DeepDecoder
from untaught.methods.untrained.dip import DIP
from untaught.noise import Unknown
from untaught.problem import Problem
from untaught.theory import (
    Jacobian,
    convolution_weights,
    drawn_by,
    jacobian_norms,
    leading,
    spectrum,
    trigonometric_share,
)


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


def test_a_network_that_takes_one_gradient_at_a_time_has_products_too() -> None:
    class Hooked(nn.Module):
        """Keeps its gradients channels-last, for which there is no rule for many at once."""

        def __init__(self) -> None:
            super().__init__()
            self.inner, self.code = decoder()

        def forward(self, code: Tensor) -> Tensor:
            picture = self.inner(code)
            if picture.requires_grad:
                picture.register_hook(lambda g: g.contiguous(memory_format=torch.channels_last))
            return picture

    hooked = Hooked()
    pictures = torch.randn(3, 1, 16, 16)
    found = Jacobian(hooked, hooked.code).vjp(pictures)
    assert torch.allclose(found, Jacobian(hooked.inner, hooked.code).vjp(pictures), atol=1e-5)


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
