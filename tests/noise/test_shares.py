"""Shares in words: no digit that a share is too small for."""

from __future__ import annotations

import pytest

from untaught.noise.shares import part, percent

GONE = "{were} missing"


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "none"), (2e-6, "less than 0.1 %"), (0.004, "0.4 %"), (1.0, "100.0 %")]
)
def test_percent(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [
        (1, 65536, "one value was missing"),
        (3, 65536, "3 values were missing"),
        (40, 65536, "less than 0.1 % of the values were missing"),
        (300, 65536, "0.5 % of the values were missing"),
        (1, 10, "10.0 % of the values were missing"),
    ],
)
def test_part(count: int, total: int, words: str) -> None:
    assert part(count, total, "value", GONE) == words
