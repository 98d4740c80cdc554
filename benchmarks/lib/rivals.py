"""Denoisers of others, by name, that are told the level: what the benchmarks hold untaught against."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

BM3D = "bm3d"


@dataclass(frozen=True)
class Rival:
    """A denoiser of others.

    `call` takes the noisy picture, (H, W) or (H, W, 3), and the standard deviation of its noise, both on the scale
    of 255, and returns the restored one on that scale.
    """

    name: str
    module: str
    package: str
    call: Callable[[NDArray[Any], float], NDArray[Any]]

    def version(self) -> str:
        """Return the version of the package."""
        return version(self.package)


def present(names: Iterable[str]) -> list[str]:
    """Return the names without those rivals that are not installed, each of which is named in a line."""
    kept = []
    for name in names:
        rival = RIVALS.get(name)
        if rival is not None and find_spec(rival.module) is None:
            print(f"{rival.name} is left out: it is not installed (pip install {rival.package})", flush=True)
        else:
            kept.append(name)
    return kept


def _bm3d(noisy: NDArray[Any], level: float) -> NDArray[Any]:
    import bm3d

    call = bm3d.bm3d_rgb if noisy.ndim == 3 else bm3d.bm3d
    return np.asarray(255 * call(noisy / 255, level / 255))


def _skimage_nlm(noisy: NDArray[Any], level: float) -> NDArray[Any]:
    from skimage.restoration import denoise_nl_means

    sigma = level / 255
    restored = denoise_nl_means(  # the figures of scikit-image's own example for this mode
        noisy.astype(np.float32) / 255,
        patch_size=5,
        patch_distance=6,
        h=0.6 * sigma,
        sigma=sigma,
        fast_mode=True,
        channel_axis=-1 if noisy.ndim == 3 else None,
    )
    return np.asarray(255 * restored)


def _opencv_nlm(noisy: NDArray[Any], level: float) -> NDArray[Any]:
    import cv2

    h = 0.6 * level  # near the best of a grid, for both, on crops of F16 and kodim03 at 25; h = level loses 2 dB
    whole = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)  # it takes no floats
    if noisy.ndim == 2:
        return np.asarray(cv2.fastNlMeansDenoising(whole, None, h, 7, 21))
    bgr = cv2.cvtColor(whole, cv2.COLOR_RGB2BGR)
    restored = cv2.fastNlMeansDenoisingColored(bgr, None, h, h, 7, 21)
    return np.asarray(cv2.cvtColor(restored, cv2.COLOR_BGR2RGB))


RIVALS = {
    BM3D: Rival("BM3D", "bm3d", "bm3d", _bm3d),
    "skimage-nlm": Rival("scikit-image's NLM, fast", "skimage", "scikit-image", _skimage_nlm),
    "opencv-nlm": Rival("OpenCV's NLM", "cv2", "opencv-python-headless", _opencv_nlm),
}
