"""A picture as few numbers: the weights of a deep decoder, beside wavelet and JPEG coefficients of the same count.

    N = sum of all weights = (s + 1) k^2 + 2 (s + 1) k + c k    for k channels, s scales, c colours

Source: Heckel and Hand, "Deep Decoder", ICLR 2019, section on compression: 25,536 weights for k = 64, 100,224 for
k = 128, at 512 x 512 RGB.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from untaught.errors import InputError
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.methods.networks.decoder import DecoderShape
from untaught.methods.untrained.deep_decoder import DeepDecoder
from untaught.noise import Unknown
from untaught.problem import Problem

Array = NDArray[np.float32]

LUMINANCE = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
"""RGB to YCbCr, as in JPEG (ITU-R BT.601)."""


@dataclass(frozen=True)
class Compressed:
    """A picture from few numbers.

    Attributes
    ----------
    image : ndarray
        (H, W, C), in [0, 1].
    numbers : int
        How many it was drawn from: weights, or coefficients that are not zero.
    factor : float
        Values of the picture for each of them, H W C / numbers.
    psnr : float
        To the original, in dB.
    method : str
        'deep-decoder', 'wavelet' or 'jpeg', with its setting.
    """

    image: Array
    numbers: int
    factor: float
    psnr: float
    method: str


def weights_of(shape: DecoderShape, channels: int) -> int:
    """Return how many weights a decoder of linear combinations has."""
    k, layers = shape.width, shape.scales + 1
    return layers * (k * k + 2 * k) + channels * k


def shape_for(numbers: int, height: int, width: int, channels: int) -> DecoderShape:
    """Return the widest decoder with at most so many weights.

    Raises
    ------
    InputError
        If not even one channel fits.
    """
    shape = replace(DecoderShape().fitted(height, width), width=1)
    layers = shape.scales + 1
    linear = 2 * layers + channels
    # The positive root of layers k^2 + linear k = numbers.
    root = (math.sqrt(linear**2 + 4 * layers * numbers) - linear) / (2 * layers)
    if root < 1:
        raise InputError(
            f"{numbers} numbers are too few for a decoder; give {weights_of(shape, channels)} or more"
        )
    return replace(shape, width=int(root + 1e-9))


def compress(
    picture: Array,
    numbers: int,
    *,
    steps: int = 2000,
    seed: int = 0,
    seconds: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Compressed:
    """Fit a deep decoder of at most `numbers` weights to a clean picture.

    Parameters
    ----------
    picture : ndarray
        (H, W, C), in [0, 1].
    numbers : int
        Weights there may be.
    steps : int
        Of the fit.
    seed : int
        The code is drawn from it and costs nothing.
    seconds : float, optional
        Time limit; the picture as it is then is the answer.
    on_progress : callable, optional
        Called with a `fitting.Progress` now and then.

    Raises
    ------
    InputError
        If there are too few numbers for any decoder, or too few seconds for one step.
    """
    height, width, channels = picture.shape
    shape = shape_for(numbers, height, width, channels)
    method = DeepDecoder(steps=steps, shape=shape)
    y = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
    problem = Problem(y, torch.ones(1, 1, height, width), Unknown(0.0))
    options = Options(seconds=seconds, on_progress=on_progress, phase="compressing")
    fitted = fit(method, problem, seed, options)
    if fitted.interrupted and fitted.stopped.step == 0:
        raise KeyboardInterrupt
    if fitted.stopped.step == 0:  # a fit without a step answers with its input, which is the picture itself
        raise InputError("the time was over before the first step of the fit; give it more seconds")
    image = fitted.estimate.image[0].permute(1, 2, 0).numpy()
    return _compressed(picture, image, weights_of(shape, channels), f"deep-decoder k={shape.width}")


def wavelet(picture: Array, numbers: int, name: str = "db4") -> Compressed:
    """Keep the largest wavelet coefficients: `numbers` of all channels together, the others zero.

    The colour is turned to luminance and chrominance first, in which fewer coefficients are large.
    """
    import pywt

    turned = _luminance(picture)
    planes = [pywt.wavedec2(plane, name, mode="periodization") for plane in np.moveaxis(turned, 2, 0)]
    packed = [pywt.coeffs_to_array(plane) for plane in planes]
    magnitude = np.concatenate([np.abs(values).ravel() for values, _ in packed])
    least = np.partition(magnitude, -numbers)[-numbers] if numbers < magnitude.size else 0.0
    kept = sum(int((np.abs(values) >= max(least, 1e-12)).sum()) for values, _ in packed)
    back = [
        pywt.waverec2(
            pywt.array_to_coeffs(np.where(np.abs(values) >= least, values, 0), slices, output_format="wavedec2"),
            name,
            mode="periodization",
        )[: picture.shape[0], : picture.shape[1]]
        for values, slices in packed
    ]
    return _compressed(picture, _colours(np.stack(back, axis=2)), kept, f"wavelet {name}")


def jpeg(picture: Array, numbers: int) -> Compressed:
    """Return the JPEG of the highest quality with at most `numbers` coefficients that are not zero.

    Chrominance is not sub-sampled. If even the lowest quality has more, that one is returned.
    """
    found = _jpeg(picture, 1)
    low, high = 1, 95
    while low < high:
        middle = (low + high + 1) // 2
        tried = _jpeg(picture, middle)
        if tried.numbers <= numbers:
            low, found = middle, tried
        else:
            high = middle - 1
    return found


def _jpeg(picture: Array, quality: int) -> Compressed:
    pixels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "JPEG", quality=quality, subsampling=0)
    opened = Image.open(file)
    tables: dict[int, list[int]] = opened.quantization  # type: ignore[attr-defined]
    decoded = np.asarray(opened, np.float32).reshape(picture.shape) / np.float32(255)
    planes = np.moveaxis(_luminance(pixels.astype(np.float32)), 2, 0)
    # JPEG centres the luminance on zero, and has one table for it and one for both chrominances.
    count = sum(_nonzero(plane - 128 * (i == 0), tables[min(i, 1)]) for i, plane in enumerate(planes))
    return _compressed(picture, decoded, count, f"jpeg quality {quality}")


def _nonzero(plane: Array, table: list[int]) -> int:
    """Count the coefficients that JPEG's quantisation leaves of a plane in [-128, 128)."""
    height, width = (-side % 8 for side in plane.shape)
    padded = np.pad(plane, ((0, height), (0, width)), mode="edge")
    rows, columns = padded.shape
    blocks = padded.reshape(rows // 8, 8, columns // 8, 8).swapaxes(1, 2)
    quantised = np.rint(dctn(blocks, axes=(2, 3), norm="ortho") / np.reshape(table, (8, 8)))
    return int(np.count_nonzero(quantised))


def _luminance(picture: Array) -> Array:
    """Return luminance and chrominance of RGB, the latter around zero; grey stays grey."""
    return picture if picture.shape[2] != 3 else picture @ LUMINANCE.T


def _colours(turned: Array) -> Array:
    return turned if turned.shape[2] != 3 else turned @ np.linalg.inv(LUMINANCE).T.astype(np.float32)


def _compressed(picture: Array, image: Array, numbers: int, method: str) -> Compressed:
    image = np.clip(image, 0, 1).astype(np.float32)
    error = float(np.mean((image.astype(np.float64) - picture) ** 2))
    psnr = -10 * math.log10(max(error, 1e-12))
    return Compressed(image, numbers, picture.size / max(numbers, 1), psnr, method)
