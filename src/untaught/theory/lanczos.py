"""How the energy of a picture is spread over the singular values of a Jacobian, by a few products, at any size."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.theory.dynamics import Measure
from untaught.theory.jacobian import Jacobian

TOLD = 0.05  # error of (1 - eta sigma^2)^t, of one, up to which it is told from its polynomial
ENDED = 1e-7  # of the largest diagonal entry: what is left of a Lanczos vector is rounding


def spectral_measure(
    jacobian: Jacobian, picture: Tensor, products: int = 60, each: Callable[[], None] | None = None
) -> Measure:
    """Return where the energy of a picture lies among the singular values of J.

        sum_i f(sigma_i) <w_i, picture>^2 ~ sum_k f(s_k) m_k

    exactly so for every polynomial f of sigma^2 of a degree below 2 `products`: Gauss quadrature, its nodes and
    masses the eigenvalues of the Lanczos matrix of J J^T started at the picture, and |picture|^2 times the squares
    of the first entries of its eigenvectors. No singular vector is computed, so every direction counts.

    Parameters
    ----------
    picture : Tensor
        (1, C, H, W).
    products : int
        Products with J J^T.
    each : callable, optional
        Called after every product.

    Raises
    ------
    InputError
        If the picture is zero everywhere.

    References
    ----------
    Golub, Meurant, "Matrices, Moments and Quadrature", 1994.
    """
    start = picture.detach().double().cpu().flatten()
    size = float(start.norm())
    if size == 0:
        raise InputError("a picture that is zero everywhere has no energy to look for; give another one")
    basis = torch.empty(0, start.numel(), dtype=torch.float64)
    newest, diagonal, beside = start / size, [], []
    for _ in range(min(products, start.numel())):
        basis = torch.cat([basis, newest[None]])
        image = jacobian.gram(newest.view(1, *jacobian.output.shape[1:])).flatten()
        diagonal.append(float(image @ newest))
        for _ in range(2):  # once leaves rounding errors along the basis
            image = image - basis.T @ (basis @ image)
        beside.append(float(image.norm()))
        if each is not None:
            each()
        if beside[-1] <= ENDED * max(diagonal):
            break
        newest = image / beside[-1]
    off = np.array(beside[:-1])
    squared, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    return Measure(np.sqrt(np.maximum(squared[::-1], 0)), size**2 * vectors[0, ::-1] ** 2)


def spectral_density(
    jacobian: Jacobian, products: int = 60, seed: int = 0, each: Callable[[], None] | None = None
) -> Measure:
    """Return how many singular values of J lie where: the measure of total mass C H W, one for each direction.

    It is that of a picture of random signs, the expected energy of which is one in every direction: also how
    white noise is spread.

    References
    ----------
    Hutchinson, 1990, for the random signs; Ubaru, Chen, Saad, SIAM J. Matrix Anal. 38(4), 2017.
    """
    generator = torch.Generator().manual_seed(seed)
    signs = 2.0 * torch.randint(0, 2, jacobian.output.shape, generator=generator) - 1
    return spectral_measure(jacobian, signs, products, each)


def reach(products: int) -> int:
    """Return up to which step of descent a measure of so many products tells what is left.

    A power x^s on [-1, 1] is a polynomial of degree sqrt(2 s log(2 / e)) but for an error e; here s = 2 t, and the
    degree is below 2 `products`.

    References
    ----------
    Sachdeva, Vishnoi, "Faster Algorithms via Approximation Theory", 2014, theorem 3.3.
    """
    return int((2 * products - 1) ** 2 / (4 * math.log(2 / TOLD)))
