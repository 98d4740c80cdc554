"""Laws: what holds for every operator, at sizes odd and even, grey and colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.conftest import clean, tensor
from untaught.errors import InputError
from untaught.operators import (
    Blur,
    Composition,
    Downsample,
    Fourier,
    Function,
    Identity,
    Jpeg,
    Mask,
    Mosaic,
    Operator,
    Radon,
    RandomCompression,
    Screen,
    StructuredCompression,
    Wrapped,
    as_operator,
    cartesian_mask,
    compose,
    random_mask,
)
from untaught.operators.base import MOST_KEPT
from untaught.operators.serialize import OURS
from untaught.operators.structure import cut_of

Make = Callable[[int, int, int], Operator]
SIZES = st.integers(12, 29)


def psf(rows: int, columns: int, channels: int = 1) -> Tensor:
    """Return a point-spread function without any symmetry."""
    values = torch.rand(1, channels, rows, columns, generator=torch.Generator().manual_seed(4))
    return values / values.sum((-2, -1), keepdim=True)


def holes(height: int, width: int, channels: int = 1) -> Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(2)) > 0.4


def screen(channels: int) -> Screen:
    """Return a pattern of two waves, as strong in every channel."""
    lines = ((0.21, 0.13), (-0.13, 0.21))
    spectra, each = ((1e-4, -2.5, 1e-5),), ((1e-3, 8e-4),)
    return Screen(lines, spectra * channels, each * channels, ((0.1, 0.2),) * channels, 64, True)


class Foreign:
    """A linear operator as another package would write it: neighbours are averaged, every third row is left."""

    def A(self, x: Tensor) -> Tensor:  # noqa: N802
        return (0.7 * x + 0.3 * x.roll(1, -1))[..., ::3, :]

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802
        x = y.new_zeros(*y.shape[:2], 3 * y.shape[2], y.shape[3])
        x[..., ::3, :] = y
        return 0.7 * x + 0.3 * x.roll(-1, -1)


LINEAR: dict[str, Make] = {
    "identity": lambda c, h, w: Identity(),
    "mask": lambda c, h, w: Mask(holes(h, w)),
    "mask per channel": lambda c, h, w: Mask(holes(h, w, c)),
    "lanczos2": lambda c, h, w: Downsample(4, "lanczos2", (h, w)),
    "lanczos3": lambda c, h, w: Downsample(3, "lanczos3", (h, w)),
    "bicubic": lambda c, h, w: Downsample(2, "bicubic", (h, w)),
    "box": lambda c, h, w: Downsample(5, "box", (h, w)),
    "factor one": lambda c, h, w: Downsample(1),
    "blur valid": lambda c, h, w: Blur(psf(5, 4)),
    "blur reflect": lambda c, h, w: Blur(psf(4, 7), "reflect"),
    "blur replicate": lambda c, h, w: Blur(psf(6, 3, c), "replicate"),
    "blur circular": lambda c, h, w: Blur(psf(11, 8), "circular"),
    "mosaic": lambda c, h, w: Mosaic("GBRG" if c == 3 else ((0, 0), (0, 0))),
    "x-trans": lambda c, h, w: Mosaic("X-Trans" if c == 3 else ((0,),)),
    "radon": lambda c, h, w: Radon(7, circle=False, size=(h, w)),
    "fourier": lambda c, h, w: Fourier(random_mask(h, w)),
    "random": lambda c, h, w: RandomCompression((c, h, w), 40),
    "random, drawn anew": lambda c, h, w: RandomCompression((c, h, w), 40, keep=0),
    "structured": lambda c, h, w: StructuredCompression((c, h, w), c * h * w // 3),
    "jpeg": lambda c, h, w: Jpeg((tuple(range(1, 65)),) * c, (1, 2, 2)[:c], (h, w)),
    "screen": lambda c, h, w: screen(c),
    "composition": lambda c, h, w: Mask(holes(h - 2, w - 2)) @ Blur(psf(3, 3)),
    "three": lambda c, h, w: compose(Downsample(2, size=(h - 2, w)), Blur(psf(3, 1)), Identity()),
    "wrapped": lambda c, h, w: Wrapped(Foreign()),
}

MIXING = {"jpeg", "radon", "fourier", "random", "random, drawn anew", "structured", "wrapped"}
LOCAL = [name for name in LINEAR if name not in MIXING]  # a measurement says what is there, or nearly there


def pair(make: Make, channels: int, height: int, width: int, kind: torch.dtype) -> tuple[Operator, Tensor, Tensor]:
    """Return an operator, a random picture and a random measurement."""
    height -= height % 3 if make is LINEAR["wrapped"] else 0
    operator = make(channels, height, width)
    generator = torch.Generator().manual_seed(height * width)
    x = torch.randn(1, channels, height, width, dtype=kind, generator=generator)
    return operator, x, torch.randn(operator.shape(x.shape), dtype=kind, generator=generator)


def product(a: Tensor, b: Tensor) -> float:
    return float((a.double() * b.double()).sum())


def test_every_operator_of_ours_is_in_the_table() -> None:
    made = {type(make(1, 18, 18)).__name__ for make in LINEAR.values()}
    assert set(OURS) <= made


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=["32", "64"])
@settings(max_examples=12, deadline=None)
@given(channels=st.sampled_from([1, 3]), height=SIZES, width=SIZES)
def test_adjoint(make, kind, tolerance, channels, height, width):
    operator, x, y = pair(make, channels, height, width, kind)
    measured, back = operator.A(x), operator.A_adjoint(y)
    assert operator.linear
    assert operator.adjoint
    assert tuple(measured.shape) == tuple(operator.shape(x.shape))
    assert tuple(back.shape) == tuple(operator.picture_shape(y.shape)) == tuple(x.shape)
    assert measured.dtype == back.dtype == kind
    assert abs(product(measured, y) - product(x, back)) <= tolerance * float(measured.norm() * y.norm())


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
@settings(max_examples=3, deadline=None)
@given(channels=st.sampled_from([1, 3]), height=SIZES, width=SIZES, a=st.floats(-2, 2))
def test_linear(make, channels, height, width, a):
    operator, x, _ = pair(make, channels, height, width, torch.float64)
    z = x.flip(-1)
    torch.testing.assert_close(operator.A(a * x + z), a * operator.A(x) + operator.A(z), rtol=1e-9, atol=1e-9)


CUT = [name for name in LINEAR if cut_of(LINEAR[name](1, 24, 30)) is not None]


def test_what_sees_all_of_a_picture_cannot_be_cut():
    """Nor can sizes that do not divide by the factor, and what has something before a scene beyond the frame."""
    assert set(LINEAR) - set(CUT) == MIXING - {"jpeg"} | {
        "lanczos2",
        "box",
        "three",
    }  # of sizes that do not divide, or whose frame is not known


@pytest.mark.parametrize("name", [name for name in CUT if name not in ("jpeg", "blur circular")])
@settings(max_examples=8, deadline=None)
@given(channels=st.sampled_from([1, 3]), top=st.integers(0, 2), left=st.integers(0, 2))
def test_a_window_is_measured_by_its_part(name, channels, top, left):
    whole: Any = LINEAR[name](channels, 60, 60)
    x = torch.rand(1, channels, 60, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y, cut = whole.A(x), whole.cut
    window, seen, inner = [], [], []
    for axis, at in ((-2, top), (-1, left)):
        start, stop = at * cut.step, min(at * cut.step + max(8 * cut.step, 16), y.shape[axis])
        more = x.shape[axis] - cut.scale * y.shape[axis]  # where the picture is larger than the frame
        window.append(slice(start, stop))
        seen.append(slice(start * cut.scale, stop * cut.scale + more))
        inner.append(slice(cut.lost if start else 0, stop - start - (cut.lost if stop < y.shape[axis] else 0)))
    part, of_part = whole.part(tuple(window)), x[..., seen[0], seen[1]]
    size = tuple(cut.scale * (side.stop - side.start) for side in window)
    assert tuple(part.visible(of_part).shape[-2:]) == size
    expected = y[..., window[0], window[1]][..., inner[0], inner[1]]
    assert expected.numel() > 0
    torch.testing.assert_close(part.A(of_part)[..., inner[0], inner[1]], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
def test_gradients_flow_both_ways_and_twice(make):
    operator, x, y = pair(make, 3, 12, 13, torch.float64)
    weight = torch.rand_like(y)
    x, y, weight = (t.requires_grad_() for t in (x, y, weight))
    (through,) = torch.autograd.grad((operator.A(x) * weight).sum(), x, create_graph=True)
    torch.testing.assert_close(through, operator.A_adjoint(weight))
    (twice,) = torch.autograd.grad((through * x).sum(), weight)
    torch.testing.assert_close(twice, operator.A(x))
    (back,) = torch.autograd.grad((operator.A_adjoint(y) * x).sum(), y)
    torch.testing.assert_close(back, operator.A(x))


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_first_guess_explains_the_measurement_in_part(make, channels):
    operator = make(channels, 24, 27)
    x = tensor(clean(24, 27, channels))
    y = operator.A(x)
    guess = operator.initial(y)
    assert guess.shape == x.shape
    assert torch.isfinite(guess).all()
    assert float((operator.A(guess) - y).norm()) < 0.5 * float(y.norm())


@pytest.mark.parametrize("name", LOCAL)
def test_the_first_guess_of_a_plain_picture_is_that_picture(name):
    x = torch.full((1, 3, 24, 27), 0.4)
    operator = LINEAR[name](3, 24, 27)
    torch.testing.assert_close(operator.initial(operator.A(x)), x, rtol=0, atol=2e-6)


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
def test_an_operator_does_not_change_what_it_is_given(make):
    operator, x, y = pair(make, 3, 15, 12, torch.float32)
    before = x.clone(), y.clone()
    operator.A(x)
    operator.A_adjoint(y)
    operator.initial(y)
    assert torch.equal(x, before[0])
    assert torch.equal(y, before[1])


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
def test_low_precision_is_computed_in_float32(make):
    operator, x, _ = pair(make, 3, 15, 12, torch.float32)
    low = x.bfloat16()
    expected = operator.A(low.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = operator.A(low)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
def test_pictures_may_lie_in_memory_as_networks_leave_them(make):
    operator, x, y = pair(make, 3, 15, 12, torch.float32)
    torch.testing.assert_close(operator.A(x.contiguous(memory_format=torch.channels_last)), operator.A(x))
    if y.ndim == 4:
        back = operator.A_adjoint(y.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(back, operator.A_adjoint(y))


def test_what_is_kept_is_used_again_and_stays_small():
    blur = Blur(psf(3, 3), "reflect")
    made = []
    blur.A(torch.rand(1, 1, 12, 12))
    kept = dict(blur._kept)
    blur.A(torch.rand(1, 1, 12, 12))
    assert blur._kept == kept
    assert len(kept) > 0
    for side in range(10, 30):
        blur.A(torch.rand(1, 1, side, side))
        made.append(len(blur._kept))
    assert max(made) <= MOST_KEPT


def test_operators_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Downsample(4).factor = 2  # type: ignore[misc]


def test_operators_without_tensors_are_equal_when_they_say_the_same():
    used, fresh = StructuredCompression((1, 8, 8), 9), StructuredCompression((1, 8, 8), 9)
    used.A(torch.rand(1, 1, 8, 8))
    assert used == fresh
    assert hash(used) == hash(fresh)
    assert Downsample(4) != Downsample(4, "bicubic")


def test_composition_is_one_after_the_other():
    x = torch.rand(1, 3, 30, 33)
    blur, small, mask = Blur(psf(3, 6)), Downsample(4), Mask(holes(7, 7))
    by_hand = mask.A(small.A(blur.A(x)))
    for composed in ((mask @ small) @ blur, mask @ (small @ blur), compose(mask, small, blur)):
        assert torch.equal(composed.A(x), by_hand)
        assert composed.name == "mask of downsample of blur"
        assert composed.picture_shape(by_hand.shape) == (1, 3, 30, 33)
        assert composed.visible(x).shape == (1, 3, 28, 28)


def test_composition_with_a_function_has_no_adjoint():
    composed = Identity() @ torch.tanh
    assert isinstance(composed, Composition)
    assert not composed.linear
    assert not composed.adjoint
    assert torch.equal(composed.A(torch.ones(1, 1, 2, 2)), torch.ones(1, 1, 2, 2).tanh())
    with pytest.raises(InputError, match="tanh is a function and has no adjoint"):
        composed.A_adjoint(torch.ones(1, 1, 2, 2))


def test_everything_is_an_operator_or_refused():
    for operator in (Downsample(4), Identity() @ Identity(), Function(torch.sin)):
        assert as_operator(operator) is operator
    wrapped = as_operator(Foreign())
    assert isinstance(wrapped, Wrapped)
    assert isinstance(wrapped, Operator)
    network = as_operator(torch.nn.Conv2d(3, 5, 3))
    assert isinstance(network, Function)
    assert isinstance(network, Operator)
    for wrong in (3, "blur", torch.ones(2, 2), None):
        with pytest.raises(InputError, match="is not an operator; give"):
            as_operator(wrong)
    with pytest.raises(InputError, match="Downsample is a class"):
        as_operator(Downsample)


def test_sampled_columns_are_as_many_as_asked_for():
    mask = cartesian_mask(20, 50, acceleration=4, centre=0.08, seed=1)
    columns = mask[0, 0, 0]
    assert torch.equal(mask[0, 0], columns.expand(20, 50))
    assert int(columns.sum()) == 12
    assert columns[23:27].all()  # 8 % of 50, around 25
    assert not torch.equal(mask, cartesian_mask(20, 50, seed=2))


def test_sampled_points_are_denser_in_the_middle():
    mask = random_mask(41, 60, part=0.3, seed=1)[0, 0]
    assert int(mask.sum()) == round(0.3 * 41 * 60)
    assert mask[16:25, 25:35].mean() > 0.8
    assert mask[:8, :8].mean() < 0.1
    even = random_mask(40, 60, part=0.3, power=0)[0, 0]
    assert abs(even[:20].mean() - even[20:].mean()) < 0.1
