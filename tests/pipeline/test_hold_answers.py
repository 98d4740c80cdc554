"""Answers of many planes lie on the disk."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import noisy
from untaught import Image, denoise
from untaught.image import lazy
from untaught.image.lazy import is_mapped
from untaught.pipeline import planes as page
from untaught.pipeline.combine_planes import Answers


def test_planes_that_are_small_each_are_not_all_held(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.full((5, 24, 24), 0.5, np.float32) + np.linspace(0, 0.3, 24, dtype=np.float32)
    y = Image.of((255 * noisy(x, 0.05)).clip(0, 255).astype(np.uint8), "TYX")
    before = denoise(y, method="wavelet", sigma=0.05)
    monkeypatch.setattr(lazy, "SMALL", 1000)
    seen: list[Answers] = []
    combine = page.combine

    def spied(*given: object, **named: object) -> object:
        seen.append(given[1])  # type: ignore[arg-type]
        return combine(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(page, "combine", spied)
    after = denoise(y, method="wavelet", sigma=0.05)
    assert np.array_equal(after.image, before.image)
    assert all(answer is not None and is_mapped(answer.values) for answer in seen[0].planes)
