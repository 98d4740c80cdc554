"""What a person can get wrong about an operator: one sentence each, that says what to do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from untaught.errors import InputError
from untaught.operators import (
    Blur,
    Downsample,
    Fourier,
    Mask,
    Mosaic,
    Radon,
    RandomCompression,
    StructuredCompression,
    check_factor,
    check_mask,
    check_psf,
)

FLAT = torch.full((3, 3), 1 / 9)


def some(*shape: int) -> torch.Tensor:
    return torch.zeros(shape)


WRONG = {
    "mask keeps all": (lambda: check_mask(np.ones((5, 6), bool), 5, 6), "nothing to fill in"),
    "mask keeps none": (lambda: check_mask(np.zeros((5, 6)), 5, 6), "nothing to fill from"),
    "mask of another size": (lambda: check_mask(np.eye(5), 5, 6), "5 x 5 pixels and the picture 5 x 6"),
    "mask with NaN": (lambda: Mask(torch.full((5, 5), torch.nan)), "holds NaN"),
    "mask of five axes": (lambda: Mask(some(1, 1, 1, 5, 5)), "give \\(height, width\\)"),
    "mask of nothing": (lambda: Mask(some(0, 5)), "give \\(height, width\\)"),
    "mask does not fit": (lambda: Mask(some(5, 5)).A(some(1, 3, 5, 6)), "the picture 5 x 6"),
    "mask of two channels": (
        lambda: Mask(some(1, 2, 5, 5)).A(some(1, 3, 5, 5)),
        "2 channels and the picture has 3",
    ),
    "filling another size": (lambda: Mask(some(5, 5)).initial(some(1, 3, 6, 6)), "the picture 6 x 6"),
    "PSF sum": (lambda: check_psf(FLAT * 2), "sums to 2 and has to sum to 1: divide it by its sum"),
    "PSF a little off": (lambda: check_psf(FLAT * 1.002), "sums to 1.002"),
    "PSF of one channel off": (
        lambda: check_psf(torch.stack([FLAT, FLAT * 0.5])[None]),
        "sums to 0.5",
    ),
    "PSF zero": (lambda: check_psf(some(3, 3)), "zero everywhere"),
    "PSF negative": (lambda: check_psf([[-0.2, 1.2]]), "goes down to -0.2"),
    "PSF NaN": (lambda: check_psf([[torch.nan, 1.0]]), "NaN or infinity"),
    "PSF of one axis": (lambda: check_psf([1.0]), "give \\(height, width\\)"),
    "PSF too large": (lambda: Blur(FLAT).picture_shape((1, 1, 2, 9)), "3 x 3 pixels and the picture 2 x 9"),
    "PSF larger than what is seen": (lambda: Blur(FLAT).A(some(1, 1, 4, 9)), "and the picture 2 x 7"),
    "PSF too large for a mirror": (lambda: Blur(FLAT, "reflect").A(some(1, 1, 9, 2)), "the picture 9 x 2"),
    "PSF of two channels": (
        lambda: Blur(torch.stack([FLAT, FLAT])[None]).A(some(1, 3, 9, 9)),
        "2 channels and the picture has 3",
    ),
    "border": (lambda: Blur(FLAT, "wrap"), "no border 'wrap'; choose valid, reflect"),
    "factor one": (lambda: check_factor(1, 99, 99), "would change nothing"),
    "factor sixty-four": (lambda: check_factor(64, 99, 99), "is 64; give a whole number from 2 to 16"),
    "factor of a half": (lambda: check_factor(2.5, 99, 99), "is 2.5; give a whole number"),
    "factor in words": (lambda: check_factor("two", 99, 99), "is 'two'; give a whole number"),
    "factor not a number": (lambda: check_factor(float("nan"), 99, 99), "is nan; give a whole number"),
    "a stamp": (lambda: check_factor(4, 7, 99), "7 x 99 pixels; to be enlarged it needs 8"),
    "a wall": (lambda: check_factor(16, 5000, 6000), "80000 x 96000: too many"),
    "operator's factor": (lambda: Downsample(0), "is 0; give a whole number"),
    "operator's fraction": (lambda: Downsample(2.5), "is 2.5"),
    "kernel": (lambda: Downsample(2, "lanczos"), "no kernel 'lanczos'; choose lanczos2"),
    "does not divide": (lambda: Downsample(4).A(some(1, 3, 16, 18)), "does not divide by 4; crop it"),
    "another size": (lambda: Downsample(4, size=(17, 18)).A(some(1, 3, 16, 18)), "size says 17 x 18"),
    "nothing left": (lambda: Downsample(8, size=(7, 18)).A(some(1, 3, 7, 18)), "nothing is left of 7 x 18"),
    "small one of another size": (
        lambda: Downsample(4, size=(17, 18)).A_adjoint(some(1, 3, 4, 5)),
        "17 x 18 pixels has 4 x 4 .* this one has 4 x 5",
    ),
    "pattern": (lambda: Mosaic("RGBG"), "no colour filter array 'RGBG'; give RGGB, BGGR"),
    "pattern with a gap": (lambda: Mosaic(((0, 2), (2, 0))), "none is left out"),
    "pattern of fractions": (lambda: Mosaic(np.full((2, 2), 0.5)), "rows of channel numbers"),
    "mosaic of grey": (lambda: Mosaic().A(some(1, 1, 4, 4)), "3 channels and the picture has 1"),
    "mosaic of colour": (lambda: Mosaic().initial(some(1, 3, 4, 4)), "one plane of values"),
    "no angles": (lambda: Radon(()), "give at least one"),
    "an angle that is none": (lambda: Radon((0.0, float("nan"))), "give at least one"),
    "no square": (lambda: Radon(5).A(some(1, 1, 4, 5)), "not a square; set circle to False"),
    "no size": (lambda: Radon(5, circle=False).A(some(1, 1, 4, 5)), "give size=\\(4, 5\\)"),
    "another size for radon": (lambda: Radon(5, False, (4, 5)).A(some(1, 1, 5, 5)), "size says 4 x 5"),
    "sinogram": (lambda: Radon(5).A_adjoint(some(1, 1, 9, 4)), "sinogram is 9 x 4, .* one of 9 x 5"),
    "coils": (lambda: Fourier(some(1, 2, 4, 4)), "a mask of one channel"),
    "frequencies": (lambda: Fourier(some(4, 4)).A(some(1, 1, 4, 5)), "the picture 4 x 5"),
    "half a pair": (lambda: Fourier(some(4, 4)).A_adjoint(some(1, 3, 4, 4)), "channels come in pairs"),
    "no mixtures": (lambda: RandomCompression((1, 4, 4), 0), "give 1 to 16"),
    "too many mixtures": (lambda: StructuredCompression((1, 4, 4), 17), "give 1 to 16"),
    "mixtures of another picture": (
        lambda: RandomCompression((1, 4, 4), 3).A(some(1, 1, 4, 5)),
        "1 x 4 x 5 and size says 1 x 4 x 4",
    ),
    "mixtures of another count": (
        lambda: RandomCompression((1, 4, 4), 3).A_adjoint(some(1, 1, 1, 4)),
        "1, 1, 1, 3",
    ),
}


@pytest.mark.parametrize(("call", "sentence"), WRONG.values(), ids=WRONG)
def test_one_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_what_is_right_passes():
    mask = check_mask(np.eye(5, 6), 5, 6)
    assert mask.shape == (1, 1, 5, 6)
    assert mask.sum() == 5
    assert check_factor(np.int64(16), 8, 8) == 16
    assert check_factor(4.0, 8, 8) == 4
    assert Downsample(4.0).shape((1, 1, 8, 8)) == (1, 1, 2, 2)  # type: ignore[arg-type]
    assert Mosaic(np.array([[0, 1], [1, 2]])) == Mosaic(((0, 1), (1, 2)))


def test_a_psf_that_was_only_rounded_is_normalised():
    assert float(check_psf(FLAT * 1.0009).sum()) == pytest.approx(1, abs=1e-6)
    assert float(check_psf(np.ones((2, 5)) / 10).double().sum()) == pytest.approx(1, abs=1e-6)
