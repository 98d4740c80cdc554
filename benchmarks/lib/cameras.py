"""Cameras, simulated: what a sensor, its mosaic and its software make of a clean picture and of its noise.

    light = the tone curve undone;  every pixel counts one colour;  Poisson-Gaussian noise;  white balance;
    the mosaic filled in;  tone curve;  colours smoothed;  small detail taken back;  sharpening;  JPEG

The clean picture is the mean of many such frames without JPEG. The pictures are scans made smaller, so that no
grain of their own is left. No number here is fitted to a real camera, but the last three cameras, which smooth
grey at several scales and colours widely, were added after a look at the noise of one picture of
`benchmarks/real.py` (cc_5dmark3_iso3200_1): that picture is no longer unseen.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

Picture = NDArray[np.float64]
FRAMES = 24
CONTRAST = 0.5  # share of an S-curve in the tone curve, on top of that of sRGB
# Rows are brightness, blue difference and red difference, as in JPEG.
YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
BILINEAR = {
    "cross": np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4,
    "full": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4,
}
# Malvar, He and Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned color images", 2004;
# upper left quarters with the middle row and column, for all are symmetric.
QUARTERS = {
    "green": [[0, 0, -1], [0, 0, 2], [-1, 2, 4]],
    "along": [[0, 0, 0.5], [0, -1, 0], [-1, 4, 5]],
    "across": [[0, 0, -1.5], [0, 2, 0], [-1.5, 0, 6]],
}
GREEN, ALONG, ACROSS = (np.pad(np.array(quarter), (0, 2), "reflect") / 8 for quarter in QUARTERS.values())


@dataclass(frozen=True)
class Camera:
    """One way from light to a file; `gain` and `read` are those of `PoissonGaussian`, of linear light.

    Attributes
    ----------
    demosaic : {"bilinear", "malvar"}
        How the mosaic is filled in.
    balance : tuple of float
        What red and blue are multiplied by.
    smoothing : float
        Standard deviation of the blur of the colour differences, in pixels; 0 for none.
    reduction : float
        Detail finer than some 2 pixels is taken back where it is weaker than this, as cameras do against noise.
    octaves : int
        At how many scales that is done; every further one is twice as coarse, and half as strong.
    exposure : float
        Share of the light: below 1 the picture is dark.
    sharpening : float
        Weight of the unsharp mask of brightness.
    quality, subsampling : int
        Of the JPEG file: quality, and 0 for colours in full, 1 for half of the columns.
    softness : float
        The picture is enlarged by this first, as a sensor with more pixels than the lens has detail.
    """

    gain: float
    read: float
    demosaic: str = "bilinear"
    balance: tuple[float, float] = (2.0, 1.5)
    smoothing: float = 0.0
    reduction: float = 0.0
    octaves: int = 1
    exposure: float = 1.0
    sharpening: float = 0.0
    quality: int = 95
    subsampling: int = 0
    softness: float = 1.0

    def picture(self, x: Picture, rng: np.random.Generator | None) -> Picture:
        """Return what comes out, (H, W, 3) in [0, 1], of a clean `x`; without noise where `rng` is None."""
        return self._filed(self._frame(x, rng))

    def mean(self, x: Picture, rng: np.random.Generator) -> Picture:
        """Return the mean of many frames, before they are filed: what counts as clean."""
        return np.asarray(np.mean([self._frame(x, rng) for _ in range(FRAMES)], axis=0))

    def _frame(self, x: Picture, rng: np.random.Generator | None) -> Picture:
        light = self.exposure * untoned(x)
        gains = np.array([self.balance[0], 1.0, self.balance[1]])
        colour = _pattern(x.shape[:2])
        mosaic = np.take_along_axis(light / gains, colour[:, :, None], 2)[:, :, 0]
        if rng is not None:
            counted = self.gain * rng.poisson(mosaic / self.gain)
            mosaic = counted + self.read * rng.standard_normal(mosaic.shape)
        filled = _bilinear(mosaic, colour) if self.demosaic == "bilinear" else _malvar(mosaic, colour)
        return self._finished(toned(filled * gains))

    def _finished(self, rgb: Picture) -> Picture:
        ycc = rgb @ YCC.T
        if self.smoothing:
            ycc[:, :, 1:] = gaussian_filter(ycc[:, :, 1:], (self.smoothing, self.smoothing, 0))
        if self.reduction:
            ycc[:, :, 0] = self._reduced(ycc[:, :, 0])
        if self.sharpening:
            ycc[:, :, 0] += self.sharpening * (ycc[:, :, 0] - gaussian_filter(ycc[:, :, 0], 1.0))
        return np.asarray(np.clip(ycc @ np.linalg.inv(YCC).T, 0, 1))

    def _reduced(self, grey: Picture) -> Picture:
        coarse, kept = grey, np.zeros_like(grey)
        for octave in range(self.octaves):
            smooth = gaussian_filter(grey, 1.2 * 2**octave)
            detail, limit = coarse - smooth, self.reduction / 2**octave
            kept += detail**3 / (detail**2 + limit**2)
            coarse = smooth
        return np.asarray(coarse + kept)

    def _filed(self, rgb: Picture) -> Picture:
        file = io.BytesIO()
        values = np.rint(rgb * 255).astype(np.uint8)
        Pillow.fromarray(values).save(file, "JPEG", quality=self.quality, subsampling=self.subsampling)
        return np.asarray(Pillow.open(file).convert("RGB"), np.float64) / 255


def toned(light: Picture) -> Picture:
    """Return what the tone curve makes of linear light: sRGB, then more contrast."""
    v = np.clip(light, 0, 1)
    v = np.where(v < 0.0031308, 12.92 * v, 1.055 * np.maximum(v, 0.0031308) ** (1 / 2.4) - 0.055)
    return np.asarray((1 - CONTRAST) * v + CONTRAST * v**2 * (3 - 2 * v))


def untoned(values: Picture) -> Picture:
    """Return the light behind values; the inverse of `toned`."""
    light = np.linspace(0, 1, 4097) ** 3  # denser near black
    return np.asarray(np.interp(values, toned(light), light))


def enlarged(x: NDArray[Any], factor: float) -> Picture:
    """Return an 8-bit picture larger by a factor, in [0, 1]."""
    size = (round(x.shape[1] * factor), round(x.shape[0] * factor))
    return np.asarray(Pillow.fromarray(x).resize(size, Pillow.Resampling.BICUBIC), np.float64) / 255


def _pattern(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return which colour every pixel counts: red and green in even rows, green and blue in odd ones."""
    rows, columns = np.indices(shape) % 2
    return np.asarray(rows + columns)


def _convolved(a: Picture, kernel: Picture) -> Picture:
    from scipy.ndimage import convolve

    return np.asarray(convolve(a, kernel, mode="mirror"))


def _bilinear(mosaic: Picture, colour: NDArray[np.int64]) -> Picture:
    return np.stack(
        [_convolved(mosaic * (colour == c), BILINEAR["cross" if c == 1 else "full"]) for c in range(3)], 2
    )


def _malvar(mosaic: Picture, colour: NDArray[np.int64]) -> Picture:
    rows = np.indices(mosaic.shape)[0] % 2
    green, along, down, across = (_convolved(mosaic, k) for k in (GREEN, ALONG, ALONG.T, ACROSS))
    planes = []
    for c in (0, 2):
        own_row = rows == c // 2  # green pixels of the rows that have this colour
        other = np.where(own_row, along, down)
        planes.append(np.where(colour == c, mosaic, np.where(colour == 1, other, across)))
    return np.stack([planes[0], np.where(colour == 1, mosaic, green), planes[1]], 2)


MALVAR: dict[str, Any] = {"demosaic": "malvar", "quality": 92, "subsampling": 1}
NIGHT: dict[str, Any] = {"subsampling": 1, "smoothing": 4.0, "reduction": 0.06, "octaves": 3}
CAMERAS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fine": {"demosaic": "malvar", "subsampling": 1},
    "sharp": {**MALVAR, "smoothing": 1.5, "sharpening": 0.5},
    "soft": {"subsampling": 1, "softness": 1.5},
    "smooth": {**MALVAR, "smoothing": 1.0, "softness": 1.5},
    "reduced": {**MALVAR, "quality": 95, "smoothing": 2.0, "reduction": 0.03, "sharpening": 0.3},
    "reduced-soft": {**MALVAR, "quality": 95, "smoothing": 2.0, "reduction": 0.04, "softness": 1.5},
    "night": {**NIGHT, "quality": 90, "exposure": 0.4, "softness": 1.5},
    "dusk": {**NIGHT, "quality": 92, "demosaic": "malvar", "sharpening": 0.3},
    "night-plain": {**NIGHT, "quality": 85, "exposure": 0.3, "smoothing": 3.0, "octaves": 2, "softness": 2.0},
}
LEVELS = {
    "low": (0.0001, 0.0006),
    "middle": (0.0005, 0.0015),
    "high": (0.0015, 0.003),
    "highest": (0.004, 0.006),
}  # gain and read-out noise
SIMULATED = (
    *(("kodim04", "plain", "low"), ("kodim04", "sharp", "middle"), ("kodim05", "soft", "high")),
    *(("kodim06", "smooth", "low"), ("kodim07", "plain", "middle"), ("kodim08", "smooth", "middle")),
    *(("kodim09", "sharp", "low"), ("kodim10", "soft", "middle"), ("kodim11", "sharp", "middle")),
    *(("kodim11", "smooth", "high"), ("kodim04", "reduced-soft", "middle"), ("kodim05", "reduced-soft", "high")),
    *(("kodim06", "reduced", "middle"), ("kodim07", "reduced-soft", "high"), ("kodim09", "reduced", "middle")),
    *(("kodim10", "reduced-soft", "low"), ("kodim11", "reduced", "high"), ("kodim08", "reduced-soft", "middle")),
    *(("kodim04", "night", "high"), ("kodim05", "dusk", "high"), ("kodim06", "night-plain", "highest")),
    *(("kodim07", "night", "highest"), ("kodim08", "dusk", "middle"), ("kodim09", "night-plain", "high")),
    *(("kodim10", "night", "highest"), ("kodim11", "dusk", "highest"), ("kodim07", "night-plain", "highest")),
)
SMALLER = 0.5  # than the scan
MARGIN = 16  # pixels, which see the edge of the mosaic


def simulated(x: NDArray[Any], kind: str, level: str, side: int, seed: int) -> tuple[Picture, Picture]:
    """Return (clean, noisy) of a square in the middle of an 8-bit picture, in [0, 1].

    The picture is made smaller first, so that none of its own grain is left.
    """
    gain, read = LEVELS[level]
    camera = Camera(gain, read, **CAMERAS[kind])
    large = enlarged(x, SMALLER * camera.softness)
    row, column = ((size - side) // 2 - MARGIN for size in large.shape[:2])
    large = large[row : row + side + 2 * MARGIN, column : column + side + 2 * MARGIN]
    inner = slice(MARGIN, -MARGIN)
    noisy = camera.picture(large, np.random.default_rng(seed))
    return camera.mean(large, np.random.default_rng(seed + 1))[inner, inner], noisy[inner, inner]
