"""Freed memory stays with the process where the C library can be asked for that, and nothing fails where not."""

from __future__ import annotations

import ctypes

import pytest

from untaught.fitting import malloc as heap


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def missing(name: None) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert heap.keep.__wrapped__() is False


def test_both_settings_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    class Library:
        def mallopt(self, setting: int, value: int) -> int:
            asked[setting] = value
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library())
    assert heap.keep.__wrapped__() is True
    assert asked == {heap.MMAP_MAX: 0, heap.TRIM_THRESHOLD: heap.MOST}
