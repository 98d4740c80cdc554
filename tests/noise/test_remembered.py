"""What was measured is measured once, where somebody asks for that, and is the same."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.conftest import clean, noisy
from untaught.noise import NoiseReport, measure
from untaught.noise.estimation import measure as page
from untaught.noise.estimation.remembered import remembering

VALUES = noisy(clean(64, 64, 1)).astype(np.float32)


def test_the_same_values_are_measured_once_and_others_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = measure(VALUES)
    known: dict[bytes, NoiseReport] = {}
    with remembering(known):
        first = measure(VALUES)
    assert len(known) == 1
    assert first.as_dict() == plain.as_dict()

    again = pickle.loads(pickle.dumps(known))
    counted = []
    monkeypatch.setattr(page, "_measured", lambda *given: counted.append(given) or plain)
    with remembering(again):
        assert measure(VALUES.copy()).as_dict() == plain.as_dict()
        assert not counted
        gone = np.zeros(VALUES.shape[:2], bool)
        gone[3, 3] = True
        for at, (values, options) in enumerate(
            (
                (VALUES + 1e-6, {}),
                (VALUES, {"step": 1 / 255}),
                (VALUES, {"zero": 0.1}),
                (VALUES, {"missing": gone}),
            )
        ):
            measure(values.astype(np.float32), **options)  # type: ignore[arg-type]
            assert len(counted) == at + 1
    measure(VALUES)  # nobody asks for it any more
    assert len(counted) == 5
