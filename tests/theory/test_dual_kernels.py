"""Dual kernels: the published spectra, and what they are the mean of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from untaught.methods.networks.decoder import TwoLayer
from untaught.theory import Jacobian, dual_kernel
from untaught.theory.dual_kernels import PUBLISHED

PRINTED = {  # least and largest singular value as printed in the notebook, k = 300
    "triangle:1": (0.1667, 0.1667),
    "triangle:10": (0.00487, 1.957),
    "triangle:30": (0.00156, 5.896),
    "gaussian:1.5": (0.0211, 0.496),
    "gaussian:3": (0.00915, 0.983),
    "gaussian:15": (0.00177, 4.90),
}


@pytest.mark.parametrize("kernel", PRINTED)
def test_dual_kernels_have_the_published_spectra(kernel: str) -> None:
    found = dual_kernel(kernel, 300, PUBLISHED).spectrum
    least, largest = PRINTED[kernel]
    assert (float(f"{found[-1]:.3g}"), float(f"{found[0]:.4g}")) == pytest.approx((least, largest), rel=2e-3)


def test_the_eigenvalues_are_those_of_the_matrix() -> None:
    found = dual_kernel("triangle:3", (4, 9))
    index = np.indices((4, 9)).reshape(2, -1)
    matrix = found.row[tuple((index[:, :, None] - index[:, None, :]) % np.array([4, 9])[:, None, None])]
    assert np.linalg.svd(matrix)[1] == pytest.approx(found.spectrum, rel=1e-8)
    picture = np.random.default_rng(0).standard_normal((4, 9))
    parts = found.components(picture)
    assert (parts.coefficients**2).sum() == pytest.approx((picture**2).sum())
    # The same energies in the same eigenspaces: x^T Sigma x.
    assert (parts.values**2 * parts.coefficients**2).sum() == pytest.approx(
        picture.ravel() @ matrix @ picture.ravel()
    )


@pytest.mark.parametrize("kernel", ["triangle:3", "gaussian:2", "1331"])
def test_the_dual_kernel_is_the_mean_of_j_j_t(kernel: str) -> None:
    network = TwoLayer((1, 16), 4000, kernel)
    matrix = Jacobian(network, network.draw_code(torch.Generator().manual_seed(0))).matrix()
    # Standard error: below sqrt(1/4 / 2000), half of the channels being independent.
    assert (matrix @ matrix.T)[0].numpy() == pytest.approx(dual_kernel(kernel, 16).row[0], abs=5 * 0.011)
