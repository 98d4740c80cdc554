"""Networks and codes: any size, the ranges they promise, the paper's numbers."""

from __future__ import annotations

import math

import pytest
import torch

from untaught.methods.networks.codes import Code, positional
from untaught.methods.networks.hourglass import Hourglass, HourglassShape, upsample
from untaught.methods.networks.unet import UNet, UNetShape
from untaught.methods.untrained.dip import DIP

CODE = 6


def drawn(shape: HourglassShape, channels: int = 3, size: tuple[int, int] = (33, 47)) -> torch.Tensor:
    """Return what a freshly made hourglass draws from a random code."""
    torch.manual_seed(0)
    with torch.no_grad():
        return Hourglass(CODE, channels, shape)(torch.rand(1, CODE, *size))


@pytest.mark.parametrize("head", [0, 5])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_hourglass_draws_any_size_at_any_depth(depth: int, head: int) -> None:
    size = (65, 79) if head else (33, 47)  # a head halves the size before the first scale
    picture = drawn(HourglassShape(width=8, depth=depth, head=head), size=size)
    assert picture.shape == (1, 3, *size)
    assert 0 < float(picture.min()) < float(picture.max()) < 1
    assert picture.dtype == torch.float32


@pytest.mark.parametrize("padding", ["reflect", "zeros"])
@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
@pytest.mark.parametrize("skip", [0, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_choice_of_the_hourglass_works(skip: int, upsampling: str, padding: str, channels: int) -> None:
    shape = HourglassShape(width=8, depth=2, skip=skip, upsampling=upsampling, padding=padding)
    picture = drawn(shape, channels)
    assert picture.shape == (1, channels, 33, 47)
    assert 0 < float(picture.min()) < float(picture.max()) < 1


def test_the_choices_of_the_hourglass_are_heeded() -> None:
    """Same weights, another padding or up-sampling: another picture; no skip: fewer weights."""
    default = drawn(HourglassShape(width=8, depth=2))
    for other in (HourglassShape(8, 2, padding="zeros"), HourglassShape(8, 2, upsampling="nearest")):
        assert not torch.equal(default, drawn(other))
    with_skip, without = (Hourglass(CODE, 3, HourglassShape(8, 2, skip=n)) for n in (4, 0))
    assert sum(p.numel() for p in with_skip.parameters()) > sum(p.numel() for p in without.parameters())


def test_a_hourglass_has_at_least_one_scale() -> None:
    with pytest.raises(ValueError, match="depth"):
        Hourglass(CODE, 3, HourglassShape(depth=0))


@pytest.mark.parametrize(
    "shape",
    [HourglassShape(8, 5), HourglassShape(8, 3, skip=0), HourglassShape(8, 2, head=4)],
    ids=["deep", "no skip", "head"],
)
def test_gradients_reach_every_parameter_of_the_hourglass(shape: HourglassShape) -> None:
    torch.manual_seed(0)
    network = Hourglass(CODE, 3, shape)
    # Not a plain sum: batch normalisation makes its gradient zero.
    (network(torch.rand(1, CODE, 65, 79)) - torch.rand(1, 3, 65, 79)).square().mean().backward()
    untouched = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().any()]
    assert untouched == []


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_upsampling_comes_to_the_size_and_keeps_a_constant(mode: str) -> None:
    up = upsample(torch.full((1, 2, 9, 12), 0.7), (17, 23), mode)
    assert up.shape == (1, 2, 17, 23)
    assert torch.allclose(up, torch.tensor(0.7))


@pytest.mark.parametrize("scales", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_unet_starts_at_zero_for_any_size(scales: int, channels: int) -> None:
    network = UNet(2 * channels, channels, UNetShape(8, scales))
    output = network(torch.rand(2, 2 * channels, 33, 47))
    assert output.shape == (2, channels, 33, 47)
    assert not output.any()


@pytest.mark.parametrize("scales", [1, 2, 4])
def test_gradients_reach_every_parameter_of_the_unet(scales: int) -> None:
    torch.manual_seed(0)
    network = UNet(3, 3, UNetShape(8, scales))
    torch.nn.init.normal_(network.last.weight)  # at zero it would let nothing through
    network(torch.rand(1, 3, 33, 47)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().any() for p in network.parameters())


def test_unet_sees_far_only_through_its_scales() -> None:
    """The reach of one pixel is 2 conv pixels for one scale, and grows with every further one."""
    reach = []
    for scales in (1, 2, 3):
        torch.manual_seed(0)
        network = UNet(1, 1, UNetShape(8, scales))
        torch.nn.init.normal_(network.last.weight)
        x = torch.rand(1, 1, 64, 64)
        poked = x.clone()
        poked[..., 32, 32] += 1
        changed = (network(poked) - network(x)).abs()[0, 0].amax(0) > 1e-7
        reach.append(int(changed.nonzero().sub(32).abs().max()))
    assert reach[0] == 2
    assert reach[0] < reach[1] < reach[2]


@pytest.mark.parametrize("size", [(33, 47), (8, 9)])
def test_codes_have_the_channels_and_ranges_they_promise(size: tuple[int, int]) -> None:
    like, pilot = torch.zeros(1, 3, *size), torch.rand(1, 3, *size)

    def draw(code: Code, pilot: torch.Tensor | None = pilot) -> torch.Tensor:
        return code.draw(like, pilot, torch.Generator().manual_seed(0))

    random = draw(Code(random=5))
    assert random.shape == (1, 5, *size)
    assert float(random.min()) >= 0
    assert 0.09 < float(random.max()) <= 0.1
    both = draw(Code(random=5, octaves=3))
    assert both.shape == (1, 17, *size)
    assert float(both.abs().max()) <= 1
    guided = draw(Code(random=5, octaves=3, pilot=True))
    assert torch.equal(guided[:, -3:], pilot)
    assert draw(Code(random=5, pilot=True), None).shape == (1, 5, *size)
    assert draw(Code(random=0, octaves=2)).shape == (1, 8, *size)


def test_a_random_code_is_made_again_from_its_seed() -> None:
    like = torch.zeros(1, 1, 20, 30)
    a, b, c = (Code(random=4).draw(like, None, torch.Generator().manual_seed(s)) for s in (3, 3, 4))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_positional_code_is_symmetric() -> None:
    """Reversing an axis changes the sign of its sines and of nothing else."""
    octaves = 4
    code = positional(21, 33, octaves)[0]
    sin_u, cos_u, sin_v, cos_v = code.split(octaves)
    assert torch.allclose(sin_u.flip(2), -sin_u, atol=1e-5)
    assert torch.allclose(cos_u.flip(2), cos_u, atol=1e-5)
    assert torch.allclose(sin_v.flip(1), -sin_v, atol=1e-5)
    assert torch.allclose(cos_v.flip(1), cos_v, atol=1e-5)
    assert torch.allclose(sin_u.square() + cos_u.square(), torch.ones(()), atol=1e-5)
    assert torch.equal(positional(33, 21, octaves)[0, :octaves], sin_v.transpose(1, 2))


def test_a_positional_code_does_not_depend_on_the_resolution() -> None:
    """Three times the pixels, the same field: the middle pixel of every 3 x 3 has the coarse value."""
    assert torch.allclose(positional(14, 20, 4), positional(42, 60, 4)[..., 1::3, 1::3], atol=1e-4)


def test_a_positional_code_has_square_pixels() -> None:
    """A short side spans the same share of a period per pixel as the long one."""
    sin_u, _, sin_v, _ = positional(10, 40, 1)[0]
    assert torch.allclose(sin_v[:, 0], sin_u[0, 15:25], atol=1e-6)
    assert float(sin_u[0, 20]) == pytest.approx(math.sin(math.pi / 40), abs=1e-6)


def test_the_paper_configuration_has_the_numbers_of_the_paper() -> None:
    paper = DIP.paper()
    assert (paper.steps, paper.rate, paper.jitter) == (1800, 0.01, pytest.approx(1 / 30))
    assert paper.code == Code(random=32, octaves=0, pilot=False)
    assert paper.shape == HourglassShape(width=128, depth=5, skip=4, upsampling="bilinear", padding="reflect")
    network = Hourglass(32, 3, paper.shape)
    count = sum(p.numel() for p in network.parameters())
    # By hand: five scales of skip 1x1, two 3x3 down, one 3x3 and one 1x1 up, with biases and batch norms.
    width, skip = 128, 4

    def scale(inputs: int) -> int:
        thin = inputs * skip + skip + 2 * skip
        down = (9 * inputs * width + width + 2 * width) + (9 * width * width + width + 2 * width)
        up = 9 * (width + skip) * width + width + 2 * width + width * width + width + 2 * width
        return thin + down + 2 * (width + skip) + up

    assert count == scale(32) + 4 * scale(width) + width * 3 + 3
    assert 2.15e6 < count < 2.25e6
    assert {m.negative_slope for m in network.modules() if isinstance(m, torch.nn.LeakyReLU)} == {0.2}
