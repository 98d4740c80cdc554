"""Regular patterns are told from textures, letters and drawings by their spectrum."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tests.conftest import clean
from tests.helpers.prints import as_bytes, dots, rosettes, waves
from untaught.noise.estimation.pattern import Pattern, pattern_of
from untaught.noise.estimation.pattern_place import place_of

PORTRAIT = clean(192, 192, 1)[..., 0]


def found(x: NDArray[np.floating]) -> Pattern | None:
    values = as_bytes(x).astype(np.float32) / 255
    return pattern_of(values if values.ndim == 3 else values[..., None])


@pytest.mark.parametrize(("period", "degrees"), [(3.4, 75), (4, 0), (5, 45), (7.5, 15), (9, 30)])
def test_a_print_is_recognised_with_period_and_direction(period: float, degrees: float) -> None:
    pattern = found(dots(PORTRAIT, period, degrees))
    assert pattern is not None
    assert pattern.printed
    assert pattern.period == pytest.approx(period, rel=0.02)
    turned = [abs((way + degrees + 45) % 90 - 45) for way in pattern.directions]  # its rows run down, ours up
    assert max(turned) < 2
    assert f"{pattern.period:.1f} pixels" in pattern.describe()


def test_dots_of_three_colours_are_one_print() -> None:
    pattern = found(rosettes(clean(192, 192), 5))
    assert pattern is not None
    assert pattern.printed
    assert pattern.period == pytest.approx(5, rel=0.02)


def test_waves_of_a_print_that_hide_among_upright_edges_are_known_by_the_others() -> None:
    """At 45 degrees the sum of both waves goes along the rows, where the edges of a picture are."""
    rows, columns = np.indices((192, 192))
    screen = 0.5 + 0.5 * np.cos(2 * np.pi * rows / (5 * 2**0.5)) * np.cos(2 * np.pi * columns / (5 * 2**0.5))
    picture = np.asarray(data.camera()[60:252, 170:362] / 255, np.float64)
    pattern = found(np.clip((picture - screen) * 4 + 0.5, 0, 1))
    assert pattern is not None
    places = [(abs(line.down), abs(line.across)) for line in pattern.lines]
    for place in ((0, 2**0.5 / 5), (2**0.5 / 5, 0)):
        assert min(np.hypot(a - place[0], b - place[1]) for a, b in places) < 0.01, place


@pytest.mark.parametrize(("period", "degrees"), [(3.1, 0), (5.2, 60), (8, 20), (8.5, 110), (6, 90)])
def test_a_wave_is_recognised_and_is_no_print(period: float, degrees: float) -> None:
    pattern = found(waves(PORTRAIT, period, degrees, 0.06))
    assert pattern is not None
    assert not pattern.printed
    assert pattern.period == pytest.approx(period, rel=0.02)
    assert min(abs(pattern.directions[0] - way) for way in (degrees, degrees % 180, degrees + 180)) < 2


def chessboard(side: int) -> NDArray[np.float64]:
    squares = np.kron(np.indices((48, 48)).sum(0) % 2, np.ones((side, side)))[:192, :192]
    return np.pad(0.8 * squares, ((0, 192 - len(squares)),) * 2, constant_values=1)


def hatched(period: int) -> NDArray[np.float64]:
    rows, columns = np.indices((192, 192))
    return np.where((rows + columns) % period < 2, 0.2, 0.9)


WITHOUT = {
    **{name: getattr(data, name)() for name in ("brick", "grass", "gravel", "page", "text", "camera", "coins")},
    "checkerboard": data.checkerboard(),
    "coffee": data.coffee(),
    **{f"chessboard {side}": 255 * chessboard(side) for side in (3, 4, 6)},
    **{f"hatched {period}": 255 * hatched(period) for period in (4, 6, 9)},
    "white noise": 128 + np.random.default_rng(0).normal(0, 30, (192, 192)),
    "offsets of columns": np.random.default_rng(0).normal(128, 20, (1, 192)).repeat(192, 0),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_textures_letters_and_drawings_have_no_pattern(name: str) -> None:
    x = np.asarray(WITHOUT[name], np.float32)[:400, :400] / 255
    assert pattern_of(x if x.ndim == 3 else x[..., None]) is None


def test_what_was_not_measured_has_no_pattern() -> None:
    values = as_bytes(dots(PORTRAIT, 5, 45)).astype(np.float32)[..., None] / 255
    gone = np.zeros(values.shape[:2], np.bool_)
    gone[90:95] = True
    assert pattern_of(values, gone) is None
    assert pattern_of(values[:20, :20]) is None


def test_the_place_of_a_print_is_found_among_letters() -> None:
    page = np.full((256, 320), 0.95)
    letters = data.page()[60:120, :320] / 255
    page[:60], page[64:, :192] = letters, dots(PORTRAIT, 4.5, 30)
    values = as_bytes(page).astype(np.float32)[..., None] / 255
    pattern = pattern_of(values)
    assert pattern is not None
    place = place_of(values, pattern)
    inside = place.inside(values)
    assert place.pattern.printed
    assert inside[:48].max() < 0.01
    assert inside[80:240, 12:180].mean() > 0.98
    assert inside[80:, 220:].max() < 0.01
