"""Compiled code: small matrices, the search, and every stage held against the path of CUDA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data
from torch import Tensor

from untaught.methods.non_local import compiled_pass, cuda_pass
from untaught.methods.non_local.block_matching import Grid, Tile
from untaught.methods.non_local.compiled_pass import Part, Pictures
from untaught.methods.non_local.kernels import compiling, matrices, search
from untaught.methods.non_local.kernels.groups import own_colours
from untaught.methods.non_local.kernels.vectors import LANES
from untaught.methods.non_local.noise_covariance import Covariance
from untaught.noise import parse_noise

Floats = NDArray[np.float32]


@compiling.compiled
def gram(p: Any, rows: int, n: int, m: int, a: Any) -> None:
    matrices.gram(p, rows, n, m, a)


@compiling.compiled
def product(y: Any, rows: int, width: int, inner: int, b: Any, m: int, z: Any) -> None:
    matrices.product(y, rows, width, inner, b, m, z)


@compiling.compiled
def invert(a: Any, n: int, m: int, work: Any) -> None:
    matrices.invert(a, n, m, work)


@compiling.compiled
def colours_of(centred: Any, means: Any, rows: int, n: int, m: int, turn: Any) -> None:
    own_colours(centred, means, rows, n, m, turn)


@compiling.compiled
def similar(reference: int, tile: Any, guide: Any, offsets: Any, work: Any, corners: Any) -> None:
    search.similar(reference, tile, guide, offsets, work, corners)


def padded(matrix: NDArray[Any], rows: int, columns: int) -> Floats:
    """A matrix in rows of whole vectors, flat, with a vector more behind it."""
    found = np.zeros((rows, columns), np.float32)
    found[: matrix.shape[0], : matrix.shape[1]] = matrix
    return np.concatenate([found.ravel(), np.zeros(LANES, np.float32)])


def whole(n: int) -> int:
    return -(-n // LANES) * LANES


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (7, 5), (64, 25), (121, 16), (33, 47), (64, 64)])
def test_products_are_those_of_numpy(rows: int, columns: int) -> None:
    random = np.random.default_rng(rows)
    a, b = random.standard_normal((rows, columns)), random.standard_normal((columns, 21))
    m, four, wide = whole(columns), -(-rows // 4) * 4, whole(21)
    flat, found = padded(a, four, m), np.zeros(m * m + LANES, np.float32)
    gram(flat, rows, columns, m, found)
    square = found[: m * m].reshape(m, m)
    np.testing.assert_allclose(square[:columns, :columns], a.T @ a, atol=1e-3)
    assert not square[columns:].any()
    assert not square[:, columns:].any()
    z = np.zeros(four * wide + LANES, np.float32)
    product(flat, four, m, columns, padded(b, m, wide), wide, z)
    np.testing.assert_allclose(z[: four * wide].reshape(four, wide)[:rows, :21], a @ b, atol=1e-3)


@pytest.mark.parametrize("size", [1, 7, 16, 25, 49, 64, 81])
@pytest.mark.parametrize(("condition", "error"), [(1e1, 1e-5), (5e2, 1e-4), (1e6, 5e-3)])
def test_inverses_are_good_whatever_the_condition(size: int, condition: float, error: float) -> None:
    random = np.random.default_rng(size)
    turn = np.linalg.qr(random.standard_normal((size, size)))[0]
    matrix = (turn * (1 + condition / np.arange(1, size + 1) ** 4)) @ turn.T  # few are large, as patches have it
    m = whole(size)
    flat = padded(matrix, m, m)
    exact = np.linalg.inv(flat[: m * m].reshape(m, m)[:size, :size].astype(float))
    for i in range(size, m):
        flat[i * m + i] = 1
    invert(flat, size, m, np.zeros(8 * m + LANES, np.float32))
    found = flat[: m * m].reshape(m, m)
    np.testing.assert_allclose(found[:size, :size], exact, atol=error)
    assert np.array_equal(found[size:, size:], np.eye(m - size, dtype=np.float32))


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_colours_of_a_group_are_uncorrelated_in_it(channels: int) -> None:
    random = np.random.default_rng(channels)
    mixing = random.standard_normal((channels, channels))
    values = np.einsum("oc,crn->orn", mixing, random.standard_normal((channels, 20, LANES))).astype(np.float32)
    means = values.mean(1, keepdims=True)
    turn = np.zeros((channels, channels), np.float32)
    colours_of((values - means).reshape(channels, -1), means[:, 0], 20, LANES, LANES, turn)
    np.testing.assert_allclose(turn @ turn.T, np.eye(channels), atol=1e-5)
    flat = turn @ values.reshape(channels, -1)
    shared = np.cov(flat).reshape(channels, channels)
    assert np.abs(shared - np.diag(np.diag(shared))).max() < 1e-4 * np.abs(shared).max()


def nearest(picture: Floats, place: tuple[int, int], patch: int, radius: int, count: int) -> list[float]:
    height, width = picture.shape[1:]
    found = []
    own = picture[:, place[0] : place[0] + patch, place[1] : place[1] + patch]
    for y in range(max(0, place[0] - radius), min(height - patch, place[0] + radius) + 1):
        for x in range(max(0, place[1] - radius), min(width - patch, place[1] + radius) + 1):
            if (y, x) != place:
                found.append(float(np.square(picture[:, y : y + patch, x : x + patch] - own).sum()))
    return sorted(found)[:count]


@pytest.mark.parametrize("levels", [0, 3])  # with few grey levels, many are equally near
@pytest.mark.parametrize("size", [(9, 30), (40, 37)])
def test_similar_patches_are_the_nearest_in_the_window(size: tuple[int, int], levels: int) -> None:
    random = np.random.default_rng(0)
    picture = random.random((2, *size)).astype(np.float32)
    picture = np.floor(levels * picture) if levels else picture
    grid = Grid(4, 3, 6, 12)
    tile = Tile((slice(None), slice(0, size[0]), slice(0, size[1])), (0, 0), (2, 9))
    part = Part.of(tile, grid)
    slack = search.BLOCK * part.width + 2 * LANES
    guide = compiled_pass.flat(torch.from_numpy(picture), slack).ravel()
    offsets = compiled_pass.offsets_of(part, 2, slack)
    work, corners = np.zeros(len(offsets) + part.reach + LANES, np.float32), np.zeros(12, np.int64)
    for reference in range(18):
        place = reference // 9 * 3, reference % 9 * 3
        similar(reference, part, guide, offsets, work, corners)
        assert corners[-1] == place[0] * size[1] + place[1]
        assert len(set(corners)) == 12
        own = picture[:, place[0] : place[0] + 4, place[1] : place[1] + 4]
        places = [divmod(int(corner), size[1]) for corner in corners[:-1]]
        found = sorted(float(np.square(picture[:, y : y + 4, x : x + 4] - own).sum()) for y, x in places)
        np.testing.assert_allclose(found, nearest(picture, place, 4, 6, 11), rtol=1e-5)


def pictures(channels: int, kind: str, law: str) -> Pictures:
    x = torch.from_numpy(data.astronaut()[60:131, 180:247].astype(np.float32) / 25).permute(2, 0, 1)
    x = torch.stack([x[c % 3] * (1 + c // 3) for c in range(channels)])
    generator = torch.Generator().manual_seed(0)
    y = x + torch.randn(x.shape, generator=generator)
    blurred = torch.nn.functional.avg_pool2d(y, 3, 1, 1)
    variance, covariance = torch.ones(channels, 1, 1), None
    if law == "map":
        variance = 0.5 + torch.rand(x.shape, generator=generator)
    if law == "shared":
        noise = parse_noise("correlated:25,1")
        assert noise is not None
        covariance = Covariance.of(noise, y[None])
    return Pictures(y, None if kind == "sure" else blurred, variance, blurred, covariance)


@pytest.mark.parametrize("law", ["white", "map", "shared"])
@pytest.mark.parametrize(
    ("kind", "patch", "group"), [("sure", 9, 16), ("wiener", 8, 30), ("wiener", 5, 64), ("ridge", 6, 20)]
)
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_compiled_stages_are_those_of_cuda(kind: Any, patch: int, group: int, law: str, channels: int) -> None:
    given = pictures(channels, kind, law)
    grid = Grid(patch, patch, 10, group, shift=2).fitted(*given.y.shape[1:])
    given = Pictures(
        grid.pad(given.y),
        None if given.pilot is None else grid.pad(given.pilot),
        given.variance if given.variance.shape[1:] == (1, 1) else grid.pad(given.variance),
        grid.pad(given.guide),
        given.covariance,
    )
    ours, theirs = compiled_pass.filtered(kind, grid, given), cuda_pass.filtered(kind, grid, given)
    apart = (ours - theirs).abs()
    assert float(apart.median()) < (
        2e-3 if law == "shared" else 1e-4
    )  # of the noise; shared, it is ill-conditioned
    assert float(apart.square().mean().sqrt()) < 0.03 * float((theirs - given.y).square().mean().sqrt())


def test_the_code_can_be_compiled_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(cache: bool = False, **options: Any) -> Callable[..., Any]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(compiling, "njit", refusing)
    assert compiling.compiled(len) is len


def test_tiny_pictures_and_groups_of_one() -> None:
    one = torch.full((1, 1, 1), 3.0)
    grid = Grid(8, 8, 20, 64).fitted(1, 1)
    for kind in ("sure", "wiener", "ridge"):
        given = Pictures(
            grid.pad(one), None if kind == "sure" else grid.pad(one), torch.ones(1, 1, 1), grid.pad(one)
        )
        found: Tensor = compiled_pass.filtered(kind, grid, given)  # type: ignore[arg-type]
        assert bool(torch.isfinite(found).all())
