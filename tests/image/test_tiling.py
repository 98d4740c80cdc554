"""Windows of a plane: each pixel belongs to one, and their shares add up to one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from untaught.image.tiling import Tiling


@given(st.integers(8, 700), st.integers(8, 700), st.integers(100, 300), st.integers(4, 24))
def test_every_pixel_is_of_one_tile_and_the_shares_are_whole(
    height: int, width: int, side: int, overlap: int
) -> None:
    tiling = Tiling(side, overlap)
    owners, shares = np.zeros((height, width), int), np.zeros((height, width, 1))
    tiles = tiling.tiles(height, width)
    for tile in tiles:
        owners[tile.own] += 1
        shares[tile.window] += tile.weight
        assert tile.area == owners[tile.own].size
        rows, columns = tile.window
        assert (rows.stop - rows.start) * (columns.stop - columns.start) <= side**2
        np.testing.assert_array_equal(
            np.indices((height, width))[:, *tile.window][:, *tile.core][:, 0, 0],
            [tile.own[0].start, tile.own[1].start],
        )
    assert (owners == 1).all()
    np.testing.assert_allclose(shares, 1, atol=1e-6)
    assert len({tile.weight.shape for tile in tiles}) == 1
    assert (len(tiles) == 1) == tiling.fits(height, width)


@given(st.integers(301, 700), st.integers(301, 700))
def test_a_pixel_sees_as_far_as_the_overlap_less_the_ramp(height: int, width: int) -> None:
    tiling = Tiling(120, 30)
    for tile in tiling.tiles(height, width):
        rows = tile.rows
        if rows.first > 0:
            assert rows.first - rows.start >= 30
            assert (rows.weight[: 30 - rows.ramp] == 0).all()
        if rows.last < height:
            assert rows.stop - rows.last >= 30


def test_a_thin_plane_is_cut_along_its_length_alone() -> None:
    tiles = Tiling(64, 8).tiles(10, 10_000)
    assert all(tile.window[0] == slice(0, 10) for tile in tiles)
    assert len(tiles) == -(-10_000 // (64 * 64 // 10 - 16))
