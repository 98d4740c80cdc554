"""Every operator against a slow and plain way to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import scipy.signal
import scipy.stats
import torch
from PIL import Image
from torch import Tensor

from tests.conftest import clean, psnr, tensor
from tests.laws.test_operators import holes, psf
from untaught.operators import (
    Blur,
    Downsample,
    Fourier,
    Mask,
    Mosaic,
    Radon,
    RandomCompression,
    StructuredCompression,
    random_mask,
    to_complex,
    to_pair,
)

FILTERS = {
    "lanczos3": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
}


def plane(height: int, width: int) -> Tensor:
    return tensor(clean(height, width, 1)).double()


def resized(x: Tensor, height: int, width: int, kernel: str) -> Tensor:
    """Return Pillow's resize of a plane, which it does in floating point for this mode."""
    image = Image.fromarray(x[0, 0].float().numpy())
    return torch.from_numpy(np.array(image.resize((width, height), FILTERS[kernel])))[None, None].double()


@pytest.mark.parametrize("kernel", FILTERS)
@pytest.mark.parametrize("factor", [1, 2, 3, 4, 7, 8])
def test_downsampling_is_that_of_pillow(kernel, factor):
    x = plane(8 * factor, 9 * factor)
    torch.testing.assert_close(Downsample(factor, kernel).A(x), resized(x, 8, 9, kernel), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kernel", ["lanczos3", "bicubic"])
def test_downsampling_of_other_sizes_is_that_of_pillow(kernel):
    x = plane(61, 43)
    found = Downsample(4, kernel, (61, 43)).A(x)
    torch.testing.assert_close(found, resized(x, 15, 10, kernel), rtol=0, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_lanczos2_is_a_fixed_kernel_over_repeated_borders(factor):
    x = plane(6 * factor, 7 * factor)
    t = (np.arange(4 * factor) + 0.5) / factor - 2
    taps = np.sinc(t) * np.sinc(t / 2)
    kernel = np.outer(taps, taps) / taps.sum() ** 2
    wide = np.pad(x[0, 0].numpy(), 3 * factor // 2, mode="edge")
    expected = scipy.signal.correlate2d(wide, kernel, mode="valid")[::factor, ::factor]
    np.testing.assert_allclose(Downsample(factor).A(x)[0, 0].numpy(), expected, atol=1e-12)


def test_enlargement_is_that_of_pillow():
    y = plane(13, 11)
    expected = resized(y, 52, 44, "bicubic")
    torch.testing.assert_close(Downsample(4).initial(y), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(3, 3), (5, 4), (4, 5), (8, 2), (1, 1), (13, 15)])
@pytest.mark.parametrize(
    ("border", "mode"), [("reflect", "reflect"), ("replicate", "nearest"), ("circular", "wrap")]
)
def test_blur_is_that_of_scipy(size, border, mode):
    x, kernel = plane(15, 18), psf(*size)
    expected = scipy.ndimage.convolve(x[0, 0].numpy(), kernel[0, 0].double().numpy(), mode=mode)
    np.testing.assert_allclose(Blur(kernel, border).A(x)[0, 0].numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("size", [(3, 3), (5, 4), (4, 7), (1, 1)])
def test_blur_of_a_larger_scene_sees_only_what_is_there(size):
    x, kernel = plane(21, 24), psf(*size)
    blur = Blur(kernel)
    y = blur.A(x)
    expected = scipy.signal.convolve2d(x[0, 0].numpy(), kernel[0, 0].double().numpy(), mode="valid")
    np.testing.assert_allclose(y[0, 0].numpy(), expected, atol=1e-7)
    assert blur.picture_shape(y.shape) == tuple(x.shape)
    # the frame is where blurring with any border leaves everything that no border reaches
    same = Blur(kernel, "replicate").A(x)
    torch.testing.assert_close(blur.visible(same), y)
    torch.testing.assert_close(blur.visible(blur.initial(y)), y)


def test_every_channel_has_its_own_psf():
    x, kernels = tensor(clean(16, 17)).double(), psf(3, 4, 3)
    found = Blur(kernels).A(x)
    for channel in range(3):
        alone = Blur(kernels[:, channel : channel + 1]).A(x[:, channel : channel + 1])
        torch.testing.assert_close(found[:, channel : channel + 1], alone)


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_mosaic_takes_the_channel_that_its_letter_says(pattern):
    x = torch.rand(1, 3, 5, 7)
    y = Mosaic(pattern.lower()).A(x)
    for row in range(5):
        for column in range(7):
            channel = "RGB".index(pattern[2 * (row % 2) + column % 2])
            assert y[0, 0, row, column] == x[0, channel, row, column]


def test_x_trans_has_every_colour_in_every_line():
    rows = np.array(Mosaic("X-Trans").rows)
    assert rows.shape == (6, 6)
    assert [int((rows == channel).sum()) for channel in range(3)] == [8, 20, 8]
    for line in (*rows, *rows.T):
        assert set(line.tolist()) == {0, 1, 2}


def test_bayer_is_filled_in_by_bilinear_interpolation():
    x = tensor(clean(12, 14)).double()
    mosaic = Mosaic("RGGB")
    y = mosaic.A(x)[0, 0]
    found = mosaic.initial(y[None, None])[0]
    assert torch.equal(found[0, 4, 4], y[4, 4])
    torch.testing.assert_close(found[1, 4, 4], (y[3, 4] + y[5, 4] + y[4, 3] + y[4, 5]) / 4)
    torch.testing.assert_close(found[2, 4, 4], (y[3, 3] + y[3, 5] + y[5, 3] + y[5, 5]) / 4)
    torch.testing.assert_close(found[0, 4, 5], (y[4, 4] + y[4, 6]) / 2)
    torch.testing.assert_close(found[0, 5, 5], (y[4, 4] + y[4, 6] + y[6, 4] + y[6, 6]) / 4)


@pytest.mark.parametrize(("side", "angles"), [(16, 12), (17, (0.0, 33.3, 90.0, 147.0))])
def test_radon_in_the_circle_is_that_of_skimage(side, angles):
    from skimage.transform import radon

    radial = np.hypot(*(np.mgrid[:side, :side] - side // 2))
    x = plane(side, side) * torch.from_numpy(radial < side // 2 - 1)
    operator = Radon(angles)
    expected = radon(x[0, 0].numpy(), operator.degrees, circle=True)
    np.testing.assert_allclose(operator.A(x)[0, 0].numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("size", [(16, 16), (17, 17), (12, 19), (21, 14)])
def test_radon_of_all_corners_is_that_of_skimage(size):
    from skimage.transform import radon

    x = plane(*size)
    operator = Radon(11, circle=False, size=size)
    expected = radon(x[0, 0].numpy(), operator.degrees, circle=False)
    np.testing.assert_allclose(operator.A(x)[0, 0].numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("circle", [True, False])
def test_back_projection_is_as_good_as_that_of_skimage(circle):
    from skimage.transform import iradon, radon

    radial = np.hypot(*(np.mgrid[:64, :64] - 32))
    x = clean(64, 64, 1)[..., 0] * (radial < 30)
    angles = np.arange(90) * 2.0
    sinogram = radon(x, angles, circle=circle)
    theirs = iradon(sinogram, angles, circle=circle)
    ours = Radon(90, circle=circle).initial(torch.from_numpy(sinogram)[None, None])[0, 0].numpy()
    assert psnr(ours, x) > psnr(theirs, x) - 0.3
    assert psnr(ours, x) > 22


@pytest.mark.parametrize("size", [(16, 16), (15, 18), (17, 13)])
def test_fourier_is_that_of_numpy(size):
    x, mask = tensor(clean(*size)).double(), random_mask(*size)
    moved = np.fft.ifftshift(x.numpy(), (-2, -1))
    expected = np.fft.fftshift(np.fft.fft2(moved, norm="ortho"), (-2, -1)) * mask.numpy()
    operator = Fourier(mask)
    y = operator.A(x)
    np.testing.assert_allclose(to_complex(y).numpy(), expected, atol=1e-12)
    assert torch.equal(to_pair(to_complex(y)), y)
    assert float(to_complex(y)[0, 0, size[0] // 2, size[1] // 2].real) == pytest.approx(
        float(x[0, 0].sum()) / np.sqrt(size[0] * size[1])
    )


def test_fourier_of_everything_is_undone_by_its_adjoint():
    x = tensor(clean(15, 18)).double()
    operator = Fourier(torch.ones(15, 18))
    torch.testing.assert_close(operator.initial(operator.A(x)), x)


def matrix_of(operator: RandomCompression | StructuredCompression) -> np.ndarray:
    """Return the matrix, column by column."""
    unit = torch.eye(operator.pixels, dtype=torch.float64).view(operator.pixels, *operator.size)
    return operator.A(unit).flatten(1).T.numpy()


@pytest.mark.parametrize("size", [(1, 6, 6), (3, 5, 3)])
def test_structured_compression_is_rows_of_a_cosine_transform(size):
    operator = StructuredCompression(size, 20)
    matrix = matrix_of(operator)
    pixels = operator.pixels
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(20) * pixels / 20, atol=1e-12)
    cosines = scipy.fft.dct(np.eye(pixels), axis=0, norm="ortho") * np.sqrt(pixels / 20)
    signs = operator._signs(torch.zeros(1, dtype=torch.float64)).numpy()
    misfit = np.abs((matrix * signs)[:, None] - cosines).max(-1)
    assert misfit.min(1).max() < 1e-12
    assert len(set(misfit.argmin(1).tolist())) == 20
    assert set(signs.tolist()) == {-1, 1}
    assert 0.2 < (signs > 0).mean() < 0.8
    other = matrix_of(StructuredCompression(size, 20, seed=1))
    assert not np.allclose(np.abs(other), np.abs(matrix))


def test_random_compression_is_a_gaussian_matrix():
    matrix = matrix_of(RandomCompression((1, 30, 30), 100))
    assert matrix.std() == pytest.approx(0.1, rel=0.01)
    assert abs(matrix.mean()) < 0.001
    assert scipy.stats.kstest(matrix.ravel()[::9] * 10, "norm").pvalue > 1e-3


def test_random_compression_is_the_same_whether_kept_or_drawn_anew(monkeypatch):
    monkeypatch.setattr("untaught.operators.compressed_sensing.BLOCK", 3 * 192)
    x = torch.rand(1, 3, 8, 8)
    kept, drawn = (RandomCompression((3, 8, 8), 20, seed=5, keep=keep) for keep in (20 * 192, 20 * 192 - 1))
    torch.testing.assert_close(kept.A(x), drawn.A(x))
    torch.testing.assert_close(kept.A_adjoint(kept.A(x)), drawn.A_adjoint(kept.A(x)))
    assert len(kept._kept) == 1
    assert not drawn._kept
    assert not torch.allclose(kept.A(x), RandomCompression((3, 8, 8), 20, seed=6).A(x))


def test_the_first_guess_at_half_the_pixels_is_close():
    x = tensor(clean(64, 64))
    mask = Mask(holes(64, 64))
    y = mask.A(x)
    guess = mask.initial(torch.where(mask.mask > 0, y, torch.nan))
    assert torch.equal(guess * mask.mask, y)
    assert psnr(guess.numpy(), x.numpy()) > 27
    assert psnr(guess.numpy(), x.numpy()) > psnr(y.numpy(), x.numpy()) + 10


def test_a_large_hole_is_filled_from_its_rim():
    x = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    keep = torch.ones(64, 64)
    keep[20:44, 20:44] = 0
    guess = Mask(keep).initial(x * keep)
    assert float((guess - x).abs().max()) < 0.2
    assert guess.min() >= 0
    assert guess.max() <= 1
