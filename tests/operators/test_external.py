"""Operators that others wrote, and networks as operators."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.laws.test_operators import Foreign
from untaught.errors import InputError
from untaught.operators import Downsample, Function, Wrapped, as_operator


class Physics(nn.Module):
    """A module as deepinv has them: `A` and `A_adjoint` take options, calling it adds noise."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("gain", torch.tensor([2.0, 3.0, 4.0])[:, None, None])
        self.runs = 0

    def A(self, x: Tensor, **options: Tensor) -> Tensor:  # noqa: N802
        self.runs += 1
        return x * self.gain

    def A_adjoint(self, y: Tensor, **options: Tensor) -> Tensor:  # noqa: N802
        self.runs += 1
        return y * self.gain

    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("the noise must not be added again")


class InNumpy:
    """A map that torch cannot differentiate."""

    def A(self, x: Tensor) -> Tensor:  # noqa: N802
        return torch.from_numpy(np.cumsum(x.detach().numpy(), axis=-1))

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
        return torch.from_numpy(np.cumsum(y.detach().numpy()[..., ::-1], axis=-1)[..., ::-1].copy())


def test_physics_of_deepinv_are_operators():
    operator = as_operator(Physics())
    x = torch.rand(1, 3, 5, 6)
    torch.testing.assert_close(operator.A(x)[0, 2], 4 * x[0, 2])
    assert operator.picture_shape((1, 3, 5, 6)) == (1, 3, 5, 6)
    assert operator.linear
    assert operator.adjoint


def test_a_wrapped_operator_runs_once_for_one_answer():
    physics = Physics()
    operator = Wrapped(physics)
    x = torch.rand(1, 3, 5, 6)
    operator.A_adjoint(operator.A(x))
    before = physics.runs
    operator.A(x)
    operator.A_adjoint(x)
    assert physics.runs == before + 2


def test_gradients_of_a_wrapped_operator_need_no_autograd():
    x = torch.rand(1, 1, 4, 5, requires_grad=True)
    weight = torch.rand(1, 1, 4, 5)
    (Wrapped(InNumpy()).A(x) * weight).sum().backward()
    torch.testing.assert_close(x.grad, weight.flip(-1).cumsum(-1).flip(-1))


def test_a_wrapped_operator_answers_in_the_precision_it_was_asked_in():
    class Precise:
        def A(self, x: Tensor) -> Tensor:  # noqa: N802
            return 2 * x.double()

        def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
            return 2 * y.double()

    x = torch.rand(1, 1, 4, 5, requires_grad=True)
    y = Wrapped(Precise()).A(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == Wrapped(Precise()).A_adjoint(y.detach()).dtype == torch.float32
    torch.testing.assert_close(x.grad, torch.full_like(x, 2.0))


def test_a_wrong_adjoint_is_found_out():
    class Wrong(InNumpy):
        def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
            return self.A(y)  # of the right shape, and the adjoint of something else

    with pytest.raises(InputError, match="A_adjoint of Wrong is not the adjoint of its A"):
        Wrapped(Wrong()).A(torch.rand(1, 1, 5, 5))


def test_what_a_wrapped_operator_cannot_take_is_said_in_a_sentence():
    with pytest.raises(InputError, match=r"Physics fails on a tensor of shape \(1, 4, 5, 6\)"):
        Wrapped(Physics()).A(torch.rand(1, 4, 5, 6))
    with pytest.raises(InputError, match=r"takes a picture of shape .* and its A_adjoint returns \(1, 1, 6, 4\)"):
        Wrapped(Foreign()).A(torch.rand(1, 1, 5, 4))
    with pytest.raises(InputError, match="has no A and A_adjoint"):
        Wrapped(torch.sin)


def test_complex_measurements_are_refused():
    class Spectrum:
        def A(self, x: Tensor) -> Tensor:  # noqa: N802
            return torch.fft.fft2(x)

        def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
            return torch.fft.ifft2(y).real

    with pytest.raises(InputError, match="are complex; give real and imaginary parts as channels"):
        Wrapped(Spectrum()).A(torch.rand(1, 1, 4, 4))


def test_what_returns_no_tensor_is_refused():
    with pytest.raises(InputError, match="<lambda> returns float; an operator has to return a tensor"):
        Function(lambda x: float(x.sum())).shape((1, 1, 4, 4))  # type: ignore[arg-type, return-value]


@pytest.fixture
def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 7 * 7, 10)
        return nn.Sequential(*layers).requires_grad_(False)


def test_features_of_a_network_can_be_inverted(network):
    operator = Function(network, picture=(3, 16, 16))
    features = operator.A(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    assert tuple(features.shape) == tuple(operator.shape((1, 3, 16, 16))) == (1, 10)
    x = operator.initial(features)
    assert x.shape == (1, 3, 16, 16)
    x.requires_grad_()
    optimizer = torch.optim.Adam([x], 0.02)
    misfits = []
    for _ in range(60):
        misfit = (operator.A(x) - features).square().mean()
        optimizer.zero_grad()
        misfit.backward()
        optimizer.step()
        misfits.append(float(misfit.detach()))
    assert misfits[-1] < 1e-2 * misfits[0]


def test_a_network_may_look_at_a_degraded_picture(network):
    composed = Function(network) @ Downsample(2)
    x = torch.rand(1, 3, 32, 32, requires_grad=True)
    composed.A(x)[0, 3].backward()
    assert composed.name == "Sequential of downsample"
    assert float(x.grad.abs().sum()) > 0


def test_a_function_does_not_tell_the_size_of_its_picture(network):
    with pytest.raises(InputError, match="give picture="):
        as_operator(network).initial(torch.rand(1, 10))
