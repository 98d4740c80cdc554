"""Forward operators: what happened to the picture, with adjoints, shapes and a picture to start from.

A task is an operator, nothing else: y = A(x) + n.
"""

from __future__ import annotations

from untaught.operators.base import Composition, LinearOperator, Operator, as_operator, compose
from untaught.operators.blur import Blur, check_psf
from untaught.operators.compressed_sensing import RandomCompression, StructuredCompression
from untaught.operators.downsample import Downsample, check_factor
from untaught.operators.external import Function, Wrapped
from untaught.operators.fourier import Fourier, cartesian_mask, random_mask, to_complex, to_pair
from untaught.operators.jpeg import Jpeg
from untaught.operators.mask import Identity, Mask, check_mask
from untaught.operators.mosaic import Mosaic
from untaught.operators.radon import Radon
from untaught.operators.screen import Screen

__all__ = [
    "Blur",
    "Composition",
    "Downsample",
    "Fourier",
    "Function",
    "Identity",
    "Jpeg",
    "LinearOperator",
    "Mask",
    "Mosaic",
    "Operator",
    "Radon",
    "RandomCompression",
    "Screen",
    "StructuredCompression",
    "Wrapped",
    "as_operator",
    "cartesian_mask",
    "check_factor",
    "check_mask",
    "check_psf",
    "compose",
    "random_mask",
    "to_complex",
    "to_pair",
]
