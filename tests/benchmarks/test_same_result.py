"""The benchmark of the same answer elsewhere: what it calls, and its table."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from tests.helpers.benchmark_pages import pages
from untaught import denoise


@pytest.fixture(scope="module")
def loaded() -> Iterator[dict[str, ModuleType]]:
    with pages("same_result", "tables.same_result") as found:
        yield found


def test_a_fit_takes_the_steps_that_it_is_named_with(loaded: dict[str, ModuleType]) -> None:
    page = loaded["same_result"]
    method, how = page.asked("deep-decoder, 7")
    _, noisy = page.picture(32)
    result = denoise(noisy, method=method, noise="gaussian:20", **how)
    assert result.stopped.step == 7
    assert all(page.asked(name)[0].steps == steps for name, steps in page.FITS.items())
    assert page.asked("nlm") == ("nlm", {})


def test_pictures_are_the_same_each_time(loaded: dict[str, ModuleType]) -> None:
    first, second = (loaded["same_result"].picture(24) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_table_says_by_how_much_and_on_which_machines(loaded: dict[str, ModuleType]) -> None:
    def row(way: str, most: float, cpu: str) -> dict[str, object]:
        case = {"method": "nlm", "way": way, "side": 64}
        machine = {"cpu": cpu, "cores": 2}
        found = {"most": most, "psnr_change": -0.01, "date": "2026-12-01", "machine": machine}
        return {"benchmark": "same_result", "case": case, **found}

    text = loaded["tables.same_result"].same_result([row("again", 0, "A"), row("SSE4.2", 0.25, "B")])
    assert "| `nlm` | the same | 0.25, -0.0100 dB |" in text
    assert "2 runs, 2026-12-01, on A, 2 cores and on B, 2 cores" in text
