"""Dual kernels: what the Jacobian of the two-layer generator is on average, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from untaught.methods.networks.decoder import fixed_kernel, wrapped
from untaught.theory.dynamics import Components

PUBLISHED = 1 / 6  # in place of 1/2 in the notebook that made the published figures


@dataclass(frozen=True)
class DualKernel:
    """Sigma(U) of a circulant U: `row` (H, W) is its first row on the torus, `eigenvalues` (H, W) by frequency.

    The eigenvectors are the trigonometric functions: eigenvalue (p, q) belongs to `numpy.fft.fft2`'s (p, q).
    """

    kernel: NDArray[np.float64]
    row: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]

    @property
    def spectrum(self) -> NDArray[np.float64]:
        """The singular values, largest first."""
        return np.sort(np.abs(self.eigenvalues), axis=None)[::-1]

    def components(self, picture: NDArray[np.floating]) -> Components:
        """Return sigma_i = sqrt(eigenvalue_i) and |<w_i, picture>| for a picture (H, W), largest sigma first."""
        amplitudes = np.abs(np.fft.fft2(np.asarray(picture, np.float64), norm="ortho")).ravel()
        values = np.sqrt(np.maximum(self.eigenvalues, 0)).ravel()
        order = np.argsort(-values, kind="stable")
        return Components(values[order], amplitudes[order])


def dual_kernel(kernel: str | Tensor, size: tuple[int, int] | int, scale: float = 0.5) -> DualKernel:
    """Return the dual kernel of a fixed convolution.

        Sigma(U)_ij = scale (1 - acos(rho_ij) / pi) <u_i, u_j>,   rho_ij = <u_i, u_j> / (|u_i| |u_j|)

    With scale = 1/2 it is E[J J^T] of `networks.decoder.TwoLayer`, for P(<u_i, c> > 0 and <u_j, c> > 0) =
    (1 - acos(rho) / pi) / 2 with c standard normal. U is circulant, rows are shifts of one kernel of unit norm,
    so rho is its autocorrelation, and the eigenvalues are the Fourier transform of the first row.

    Parameters
    ----------
    kernel : str or Tensor
        A name for `networks.decoder.fixed_kernel`, or the taps (n,).
    size : int or (int, int)
        Pixels; one number means one dimension.
    scale : float
        1/2 is exact; `PUBLISHED` reproduces the published figures.

    Raises
    ------
    InputError
        If there is no kernel of that name.

    References
    ----------
    Heckel, Soltanolkotabi, ICLR 2020, definition of the dual kernel; Cho, Saul, "Kernel Methods for Deep
    Learning", NeurIPS 2009, the arc-cosine kernel of degree zero.
    """
    size = (1, size) if isinstance(size, int) else size
    taps = fixed_kernel(kernel) if isinstance(kernel, str) else kernel.double()
    u = wrapped(taps, size).numpy()
    u = u / np.linalg.norm(u)
    rho = np.clip(np.fft.ifft2(np.abs(np.fft.fft2(u)) ** 2).real, -1, 1)
    rho[0, 0] = 1.0  # a rounding error there is amplified by the slope of the arc cosine
    row = scale * (1 - np.arccos(rho) / np.pi) * rho
    return DualKernel(u, row, np.fft.fft2(row).real)
