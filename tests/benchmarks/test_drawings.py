"""The benchmark of drawings: its pictures, its counts and its table."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from tests.helpers.benchmark_pages import pages


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, ModuleType]]:
    with pages("drawings", "lib.drawn", "tables.drawings") as modules:
        yield modules


def test_there_are_fifty_and_all_are_of_eight_bits(found: dict[str, ModuleType]) -> None:
    pictures = dict(found["lib.drawn"].drawings())
    assert len(pictures) == 50
    for name, picture in pictures.items():
        assert picture.dtype == np.float32, name
        assert np.abs(picture * 255 - np.round(picture * 255)).max() < 1e-4, name


def test_the_counts_are_those_of_the_rows(found: dict[str, ModuleType]) -> None:
    def row(sigma: int, level: float) -> dict[str, object]:
        error = level / sigma - 1 if sigma else None
        return {"of": "drawings", "sigma": sigma, "found": level, "relative_error": error}

    rows = [row(0, 0.1), row(0, 0.75), row(3, 3.6), row(3, 4.5), row(25, 25.5)]
    clean, noisy, three, strong = found["drawings"].summary(rows)
    assert (clean["measured"], clean["given_noise"], clean["most"]) == (2, 1, 0.75)
    assert (noisy["measured"], noisy["within_15_percent"], noisy["within_25_percent"]) == (3, 1, 2)
    assert (three["measured"], three["within_15_percent"], three["within_25_percent"]) == (2, 0, 1)
    assert (strong["sigma"], strong["within_15_percent"]) == (25, 1)
    lines = [{"benchmark": "drawings", **line} for line in (clean, noisy, three, strong)]
    text = found["tables.drawings"].drawings(lines)
    assert "| none | 2 | 1 | - | - |" in text
    assert "| 3 | 2 | - | 0 | 1 |" in text


def test_a_drawing_is_measured(found: dict[str, ModuleType]) -> None:
    flat = np.full((48, 48), 0.5, np.float32)
    assert found["drawings"].row("drawings", "flat", flat, 0)["found"] == 0
    assert abs(found["drawings"].row("drawings", "flat", flat, 8)["relative_error"]) < 0.1
