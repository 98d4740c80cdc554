"""Freed memory stays with the process where the C library can be asked for that, and nothing fails where not."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_nothing_is_given_back_where_that_cannot_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def missing(name: None) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert heap.give_back() is False


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux how much memory there is")
def test_what_lies_free_amid_what_is_held_is_given_back() -> None:
    if not (heap.keep() and heap.give_back()):
        pytest.skip("another C library")
    blocks = [np.ones(2**20) for _ in range(16)]
    held = blocks[-1]  # in front of the end, where the heap alone could shrink
    blocks.clear()
    before = resident()
    heap.give_back()
    assert before - resident() > 8 * 2**20 * 8
    assert held.sum() == 2**20


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
