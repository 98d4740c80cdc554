"""What the pages of this room share."""

from __future__ import annotations

import math

import pytest

from untaught.cli import progress


@pytest.fixture(autouse=True)
def no_lines_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a call that is to be refused may take so long that a line of progress comes first."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", math.inf)
