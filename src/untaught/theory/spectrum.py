"""Leading singular values and left-singular vectors of a Jacobian, and how trigonometric these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import dctn
from torch import Tensor

from untaught.errors import InputError
from untaught.theory.dynamics import Components
from untaught.theory.jacobian import Jacobian

EXACT_PIXELS = 2048  # the eigenvectors of a matrix of this side take a few seconds
EXACT_BYTES = 2**29  # of the Jacobian
TOLERANCE = 1e-6  # of the largest value, between two blocks
MOST_BLOCKS = 12
EXTRA = 10  # vectors of the random block beyond those asked for


@dataclass(frozen=True)
class Spectrum:
    """J = sum_i sigma_i w_i v_i^T, its largest terms.

    Attributes
    ----------
    values : ndarray
        sigma_i, (count,), largest first.
    vectors : ndarray
        w_i as pictures of norm one, (count, C, H, W).
    exact : bool
        Whether the whole Jacobian was formed.
    notes : tuple of str
        What was done to the network and why the method was chosen, in sentences.
    """

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    exact: bool
    notes: tuple[str, ...]

    def coefficients(self, picture: Tensor | NDArray[np.floating]) -> NDArray[np.float64]:
        """Return <w_i, picture>, (count,), for a picture (1, C, H, W)."""
        flat = np.asarray(picture, np.float64).reshape(-1)
        return np.asarray(self.vectors.reshape(len(self.values), -1) @ flat, dtype=np.float64)

    def components(self, residual: Tensor | NDArray[np.floating]) -> Components:
        """Return y - G(theta_0), (1, C, H, W), in these vectors, and how much of it they leave."""
        found = self.coefficients(residual)
        energy = float((np.asarray(residual, np.float64) ** 2).sum())
        left = int(np.prod(self.vectors.shape[1:])) - len(self.values)
        return Components(self.values, found, max(energy - float((found**2).sum()), 0.0) if left else 0.0, left)


def leading(
    jacobian: Jacobian,
    count: int = 20,
    method: Literal["auto", "exact", "randomised"] = "auto",
    seed: int = 0,
) -> Spectrum:
    """Return the `count` largest singular values of J with their left-singular vectors.

    Exact: the eigenvectors of J J^T, from all of J. Randomised: those of its restriction to the span of
    Omega, (J J^T) Omega, (J J^T)^2 Omega, ... for a random block Omega (block Krylov), by products alone.

    Parameters
    ----------
    jacobian : Jacobian
        Of any network.
    count : int
        At least one, at most the number of values in the picture.
    method : str
        'auto' is exact where J is small; where it is too large, 'exact' says so in the notes and takes
        the randomised method as well.

    Raises
    ------
    InputError
        For a count out of range or an unknown method.

    References
    ----------
    Halko, Martinsson, Tropp, SIAM Review 53(2), 2011; Musco, Musco, NeurIPS 2015.
    """
    if not 1 <= count <= jacobian.pixels:
        raise InputError(f"{count} singular vectors were asked for; give a number from 1 to {jacobian.pixels}")
    if method not in ("auto", "exact", "randomised"):
        raise InputError(f"there is no method {method!r} for singular values; choose auto, exact or randomised")
    size = jacobian.pixels * jacobian.parameters * jacobian.output.element_size()
    small = jacobian.pixels <= EXACT_PIXELS and size <= EXACT_BYTES
    if method == "randomised" or not small:
        said = (
            ()
            if small
            else (
                f"the Jacobian has {jacobian.pixels} x {jacobian.parameters} entries, too many for the exact "
                "method: the randomised one was taken",
            )
        )
        return _randomised(jacobian, count, seed, said)
    matrix = jacobian.matrix().double()
    squared, vectors = torch.linalg.eigh(matrix @ matrix.T)
    order = torch.arange(jacobian.pixels - 1, jacobian.pixels - 1 - count, -1)
    return _spectrum(jacobian, squared[order].clamp_min(0).sqrt(), vectors[:, order], True, ())


def _randomised(jacobian: Jacobian, count: int, seed: int, said: tuple[str, ...]) -> Spectrum:
    """Block Krylov with Rayleigh-Ritz, until the values stand still; double precision but for the products."""
    pixels = jacobian.pixels
    block = min(count + EXTRA, pixels)
    start = torch.randn(pixels, block, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    basis = torch.linalg.qr(start).Q
    newest, images = basis, torch.empty(pixels, 0, dtype=torch.float64)
    found = torch.zeros(count, dtype=torch.float64)
    blocks = 0
    while True:
        images = torch.cat([images, _gram(jacobian, newest)], dim=1)
        blocks += 1
        ritz = basis.T @ images
        squared, rotation = torch.linalg.eigh((ritz + ritz.T) / 2)
        now = squared.flip(0)[:count].clamp_min(0).sqrt()
        still = bool((now - found).abs().max() <= TOLERANCE * now[0])
        found, room = now, min(block, pixels - basis.shape[1])
        if still or room == 0 or blocks == MOST_BLOCKS:
            break
        newest = images[:, -newest.shape[1] :]
        for _ in range(2):  # once leaves rounding errors along the basis
            newest = torch.linalg.qr(newest - basis @ (basis.T @ newest)).Q[:, :room]
        basis = torch.cat([basis, newest], dim=1)
    leaders = basis @ rotation.flip(1)[:, :count]
    # The Gram matrix squares the values; the products themselves give the small ones to full precision.
    rows = jacobian.vjp(_pictures(leaders, jacobian)).double().cpu()
    left, values, _ = torch.linalg.svd(rows, full_matrices=False)
    said += (f"randomised method: {blocks} blocks of {block} vectors",)
    if not still and room:
        said += ("the singular values still moved at the last block: take them as lower bounds",)
    return _spectrum(jacobian, values, leaders @ left, False, said)


def _gram(jacobian: Jacobian, columns: Tensor) -> Tensor:
    """Return J J^T times the columns (pixels, n), in double precision."""
    return jacobian.gram(_pictures(columns, jacobian)).flatten(1).T


def _pictures(columns: Tensor, jacobian: Jacobian) -> Tensor:
    return columns.T.reshape(-1, *jacobian.output.shape[1:])


def _spectrum(jacobian: Jacobian, values: Tensor, columns: Tensor, exact: bool, said: tuple[str, ...]) -> Spectrum:
    return Spectrum(values.cpu().numpy(), _pictures(columns, jacobian).cpu().numpy(), exact, said + jacobian.notes)


def trigonometric_share(
    vectors: NDArray[np.floating], atoms: int = 10, basis: Literal["dct", "fourier"] = "dct"
) -> NDArray[np.float64]:
    """Return the share of each vector's energy that lies in its few largest frequencies.

        share = sum_{k in largest} |c_k|^2 / sum_k |c_k|^2,   c = DCT-II (or Fourier transform) of the vector

    Parameters
    ----------
    vectors : ndarray
        (count, C, H, W). A frequency's energy is summed over channels.
    atoms : int
        How many frequencies. White noise has a small share too, by chance.
    basis : str
        'dct' for edges that repeat the picture, 'fourier' for those that go around. Of a real picture each
        Fourier frequency counts twice, for its sine and its cosine.

    Returns
    -------
    ndarray
        (count,), in [0, 1].
    """
    if basis == "dct":
        energy = dctn(vectors, axes=(-2, -1), norm="ortho") ** 2
    else:
        energy = np.abs(np.fft.fft2(vectors, norm="ortho")) ** 2
    flat = np.sort(energy.sum(axis=1).reshape(len(vectors), -1), axis=1)
    return np.asarray(flat[:, -atoms:].sum(axis=1) / flat.sum(axis=1), dtype=np.float64)


def coarse_share(vectors: NDArray[np.floating], wave: float = 8.0) -> NDArray[np.float64]:
    """Return the share of each vector's energy in waves longer than `wave` pixels, along both axes, by its DCT.

    Unlike `trigonometric_share` it does not depend on how vectors of near-equal singular values are turned.

    Parameters
    ----------
    vectors : ndarray
        (count, C, H, W).
    wave : float
        Pixels; white noise has a share of about (2 / wave)^2.

    Returns
    -------
    ndarray
        (count,), in [0, 1].
    """
    energy = (dctn(vectors, axes=(-2, -1), norm="ortho") ** 2).sum(axis=1)
    height, width = energy.shape[1:]
    # DCT atom k of n has waves of 2 n / k pixels.
    coarse = np.maximum(np.arange(height)[:, None] / height, np.arange(width) / width) < 2 / wave
    return np.asarray(energy[:, coarse].sum(axis=1) / energy.sum(axis=(1, 2)), dtype=np.float64)
