"""A fixed pattern is told where the picture moves past it, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from untaught.noise.estimation.fixed_pattern import FixedPattern, fixed_pattern

Values = NDArray[np.float64]
PLANES, SIDE, NOISE = 16, 96, 10.0


def film(moves: int) -> Values:
    """Return a window that moves down and across a picture."""
    x = data.camera().astype(np.float64)
    at = [(100 + 2 * moves * k, 150 + 3 * moves * k) for k in range(PLANES)]
    return np.stack([x[i : i + SIDE, j : j + SIDE] for i, j in at])


def told(x: Values, pattern: Values | float = 0.0, gone: NDArray[np.bool_] | None = None) -> FixedPattern:
    y = x + pattern + NOISE * np.random.default_rng(0).standard_normal(x.shape)
    gone = np.zeros(x.shape[1:], np.bool_) if gone is None else gone
    found = fixed_pattern(((plane[..., None], gone) for plane in y), len(y))
    assert found is not None
    return found


def pattern(kind: str) -> Values:
    rng = np.random.default_rng(5)
    if kind == "points":
        found = np.zeros((SIDE, SIDE))
        found.ravel()[rng.integers(0, SIDE * SIDE, 10)] = 60
        return found
    shape = {"columns": (1, SIDE), "rows": (SIDE, 1), "pixels": (SIDE, SIDE)}[kind]
    return np.asarray(5 * rng.standard_normal(shape) + np.zeros((SIDE, SIDE)))


@pytest.mark.parametrize("kind", ["columns", "rows", "pixels", "points"])
def test_what_stays_while_the_picture_moves_is_found(kind: str) -> None:
    o = pattern(kind)
    found = told(film(1), o)
    names = {name for name in ("columns", "rows", "pixels", "points") if getattr(found, name)}
    assert names - ({"points"} if kind == "pixels" else set()) == {kind}
    off = float(np.std(o - found.offsets[..., 0]))
    assert off < 0.75 * o.std()
    if kind != "points":  # of which those that a dim sky hides are not in the account
        assert found.leftover**0.5 == pytest.approx(off, rel=0.3)
    assert found.noise == pytest.approx(NOISE, rel=0.4)


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_nothing_is_found_where_there_is_none(moves: int) -> None:
    found = told(film(moves))
    assert not found.found
    assert not found.offsets.any()


def test_a_picture_that_stands_still_keeps_its_points_and_edges() -> None:
    x = film(0)
    x[:, 10, 10] = x[:, 40, 70] = 255  # stars
    x[:, :, 48:] += 40
    for kind in ("columns", "pixels", "points"):
        found = told(x, pattern(kind))
        assert not found.found
        assert not found.offsets.any()


def test_only_where_something_moves_is_anything_taken() -> None:
    x = film(0)
    x[:, :, : SIDE // 2] = film(1)[:, :, : SIDE // 2]
    found = told(x, pattern("pixels"))
    moved = found.moved.mean(0)
    assert moved[: SIDE // 3].mean() > 0.4
    assert not found.moved[:, -SIDE // 3 :].any()
    assert found.offsets[:, : SIDE // 3].any()
    assert not found.offsets[:, -SIDE // 3 :].any()


def test_few_planes_and_small_ones_tell_nothing() -> None:
    gone = np.zeros((SIDE, SIDE), np.bool_)
    assert fixed_pattern(((plane[..., None], gone) for plane in film(1)[:7]), 7) is None
    assert fixed_pattern(((plane[:20, :20, None], gone[:20, :20]) for plane in film(1)), PLANES) is None


def test_what_was_not_measured_has_no_pattern() -> None:
    gone = np.zeros((SIDE, SIDE), np.bool_)
    gone[:20] = True
    found = told(film(1), pattern("pixels"), gone)
    assert not found.offsets[:20].any()
    assert found.offsets[20:].any()
