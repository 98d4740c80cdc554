"""The deep decoder and its relatives: generators whose structure, not their weights, knows what pictures are like.

    B_{i+1} = cn(relu(U_i B_i C_i)),  i = 0 .. d-1;    picture = sigmoid(B_d C_d)

with B_0 a random code, C_i learned 1x1 convolutions, U_i a fixed up-sampling or smoothing, cn the channel
normalisation. Sources: Heckel and Hand, "Deep Decoder", ICLR 2019 (the network); Heckel and Soltanolkotabi,
"Denoising and Regularization via Exploiting the Structural Bias of Convolutional Generators", ICLR 2020 (the four
architectures and the generator of two layers).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from untaught.errors import InputError
from untaught.methods.networks.hourglass import upsample

Architecture = Literal["upsampling", "fixed", "deconvolution", "convolution"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
SIDE = 16  # of the code in the paper's experiments


@dataclass(frozen=True)
class DecoderShape:
    """The numbers that make a decoder.

    Attributes
    ----------
    width : int
        Channels k of every layer. In the papers 64 or 128 for concise pictures, 512 for over-parameterised.
    scales : int
        Doublings of the size; 5 in the papers for 512 x 512 pictures, from a code of 16 x 16. There are
        `scales` + 1 layers, of which one keeps the size; architectures without up-sampling have as many.
    architecture : str
        The four of the structural-bias paper:
        'upsampling', fixed up-sampling and linear combinations of channels: the deep decoder;
        'fixed', a fixed kernel and linear combinations, no up-sampling;
        'deconvolution', learned 4 x 4 transposed convolutions, which up-sample;
        'convolution', learned 3 x 3 convolutions, no up-sampling.
    kernel : str
        What up-samples or smooths in the first two, see `fixed_kernel`. For up-sampling 'bilinear' is bilinear
        interpolation; any other kernel smooths after nearest-neighbour up-sampling.
    plain : str
        Which layer keeps the size: the 'last', as in the deep decoder's paper, or the 'first', as in the
        structural-bias notebooks for k = 128: same number of parameters, about four times fewer operations.
    """

    width: int = 128
    scales: int = 5
    architecture: Architecture = "upsampling"
    kernel: str = "bilinear"
    plain: Literal["first", "last"] = "first"

    def fitted(self, height: int, width: int) -> DecoderShape:
        """Return the shape with no more scales than bring the code's short side down to about 16 pixels."""
        most = round(math.log2(max(min(height, width), 2 * SIDE) / SIDE))
        return replace(self, scales=max(1, min(self.scales, most)))


def fixed_kernel(name: str) -> Tensor:
    """Return the taps of a separable kernel, one dimension, float64, with sum one.

        'triangle:p'  (p - |i|) / p^2,  |i| < p
        'gaussian:s'  ~ exp(-i^2 / s^2), which is a standard deviation of s / sqrt(2) pixels
        '1331'        (1, 3, 3, 1) / 8
        'bilinear'    the same, for it is what bilinear up-sampling by two convolves with

    Raises
    ------
    InputError
        For any other name, or a number that makes no kernel.
    """
    kind, _, text = name.partition(":")
    try:
        number = float(text) if text else math.nan
    except ValueError:
        number = math.nan
    if name in ("1331", "bilinear"):
        return torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 8
    if kind == "triangle" and number >= 1 and number.is_integer():
        taps = number - torch.arange(1 - number, number, dtype=torch.float64).abs()
    elif kind == "gaussian" and 0 < number < math.inf:
        reach = math.ceil(4 * number)  # what is left out is below 1e-6 of the middle
        taps = (-((torch.arange(-reach, reach + 1, dtype=torch.float64) / number) ** 2)).exp()
    else:
        raise InputError(
            f"there is no kernel {name!r}; choose bilinear, 1331, triangle:P or gaussian:S, as triangle:2"
        )
    return taps / taps.sum()


class Smooth(nn.Module):
    """Convolve each channel with a fixed separable kernel; edge pixels are repeated, so the size stays."""

    taps: Tensor

    def __init__(self, kernel: str):
        super().__init__()
        self.register_buffer("taps", fixed_kernel(kernel).float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (1, C, H, W) to the same shape, any H and W."""
        channels, count = x.shape[1], len(self.taps)
        before, after = (count - 1) // 2, count // 2
        x = F.pad(x, (before, after, before, after), mode="replicate")
        taps = self.taps.to(x.dtype)
        x = F.conv2d(x, taps.view(1, 1, 1, -1).expand(channels, 1, 1, count), groups=channels)
        return F.conv2d(x, taps.view(1, 1, -1, 1).expand(channels, 1, count, 1), groups=channels)


class Layer(nn.Module):
    """One layer: mix the channels, bring to size with what is fixed, ReLU, channel normalisation.

    A fixed U acts on positions and C on channels, so U B C is the same in either order; the mixing comes first,
    where there are fewer pixels.
    """

    def __init__(self, shape: DecoderShape, doubles: bool):
        super().__init__()
        k = shape.width
        self.smooth: nn.Module | None = None
        if shape.architecture == "deconvolution" and doubles:
            self.mix: nn.Module = nn.ConvTranspose2d(k, k, 4, stride=2, padding=1, bias=False)
        elif shape.architecture == "convolution":
            self.mix = nn.Conv2d(k, k, 3, padding=1, padding_mode="replicate", bias=False)
        else:
            self.mix = nn.Conv2d(k, k, 1, bias=False)
        smoothed_up = shape.architecture == "upsampling" and doubles and shape.kernel != "bilinear"
        if shape.architecture == "fixed" or smoothed_up:
            self.smooth = Smooth(shape.kernel)
        self.mode: Literal["bilinear", "nearest"] = "nearest" if smoothed_up else "bilinear"
        # Statistics of the one picture there is, in training and after: never running averages.
        self.norm = nn.BatchNorm2d(k, track_running_stats=False)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Map (1, k, h, w) to (1, k, *size)."""
        x = self.mix(x)
        if isinstance(self.mix, nn.ConvTranspose2d):
            x = x[..., : size[0], : size[1]]
        elif x.shape[-2:] != size:
            x = upsample(x, size, self.mode)
        if self.smooth is not None:
            x = self.smooth(x)
        x = self.norm(F.relu(x, inplace=True))
        return x


class Decoder(nn.Module):
    """Code (1, k, h, w) in, picture (1, channels, H, W) in (0, 1) out, any H and W.

    Attributes
    ----------
    code_shape : tuple of int
        What `forward` takes: (1, k, h, w). `draw_code` draws one, uniform in [0, 0.1] as in the papers.
    """

    def __init__(self, channels: int, size: tuple[int, int], shape: DecoderShape | None = None):
        super().__init__()
        shape = shape or DecoderShape()
        if shape.architecture not in ARCHITECTURES:
            raise InputError(f"there is no architecture {shape.architecture!r}; choose {', '.join(ARCHITECTURES)}")
        fixed_kernel(shape.kernel)  # a wrong name is refused for every architecture
        doubling = shape.architecture in ("upsampling", "deconvolution")
        chain = [_halved(size, shape.scales - i if doubling else 0) for i in range(shape.scales + 1)]
        first = shape.plain == "first"
        self.sizes = tuple(chain if first else chain[1:] + chain[-1:])
        self.code_shape = (1, shape.width, *chain[0])
        plain = 0 if first else shape.scales
        self.layers = nn.ModuleList(Layer(shape, doubling and i != plain) for i in range(shape.scales + 1))
        self.last = nn.Conv2d(shape.width, channels, 1, bias=False)

    def forward(self, code: Tensor, coarser: int = 0) -> Tensor:
        """Draw the picture from its code.

        With `coarser` = n the last n layers do not double, at a cost 4^n times less, and the picture is brought to
        size bilinearly: the network before it has learned any finer detail, for its layers know no positions.
        """
        x, top = code, self.sizes[-1 - min(coarser, len(self.sizes) - 1)]
        for layer, size in zip(self.layers, self.sizes, strict=True):
            x = layer(x, min(size, top))
        drawn = torch.sigmoid(self.last(x).to(code.dtype))
        return drawn if top == self.sizes[-1] else upsample(drawn, self.sizes[-1], "bilinear")

    def draw_code(self, generator: torch.Generator) -> Tensor:
        """Return a code for `forward`, on the CPU."""
        return 0.1 * torch.rand(self.code_shape, generator=generator)


def _halved(size: tuple[int, int], times: int) -> tuple[int, int]:
    """Return both sides divided by 2^times, rounded up."""
    return -(-size[0] // 2**times), -(-size[1] // 2**times)


class TwoLayer(nn.Module):
    """The generator that the theory is about.

        G(C) = relu(U C) v,   U circulant with a fixed kernel of unit norm,   v_l = +- 1 / sqrt(k)

    C = code + what is learned, which starts at zero. Code (1, k, H, W) in, picture (1, 1, H, W) out, around zero
    and of either sign; H = 1 makes it the one-dimensional generator of the paper.
    """

    signs: Tensor
    transfer: Tensor

    def __init__(self, size: tuple[int, int], width: int, kernel: str):
        super().__init__()
        if width % 2:
            raise InputError(f"the generator of two layers has {width} channels; give an even number")
        u = wrapped(fixed_kernel(kernel), size)
        self.code_shape = (1, width, *size)
        self.moved = nn.Parameter(torch.zeros(self.code_shape))
        signs = torch.ones(width)
        signs[width // 2 :] = -1
        self.register_buffer("signs", (signs / math.sqrt(width)).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("transfer", torch.fft.fft2(u / u.norm()), persistent=False)

    def forward(self, code: Tensor) -> Tensor:
        """Draw the picture from its code."""
        spectrum = torch.fft.fft2(code + self.moved)
        smoothed = torch.fft.ifft2(spectrum * self.transfer.to(spectrum.dtype)).real
        return (F.relu(smoothed) * self.signs).sum(1, keepdim=True)

    def draw_code(self, generator: torch.Generator) -> Tensor:
        """Return a code for `forward`: standard normal, both halves alike, so that G starts at zero."""
        half = torch.randn(1, self.code_shape[1] // 2, *self.code_shape[2:], generator=generator)
        return torch.cat([half, half], dim=1)


def wrapped(taps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the separable kernel on a torus of `size`, its middle tap at (0, 0)."""
    sides = []
    for length in size:
        side = torch.zeros(length, dtype=taps.dtype)
        places = (torch.arange(len(taps)) - (len(taps) - 1) // 2) % length
        sides.append(side.index_add(0, places, taps))
    return sides[0][:, None] * sides[1]
