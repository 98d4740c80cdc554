"""How many threads a piece of work takes."""

from __future__ import annotations

import threading

import pytest
import torch

import untaught
from tests.helpers.quick import crop
from untaught.methods.parallel import TINY, each, threads_for


@pytest.fixture(autouse=True)
def two_threads():
    """Let torch use two threads, whatever the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("values", "threads"), [(TINY, 1), (TINY + 1, 2)])
def test_few_values_take_one_thread_and_give_the_others_back(values, threads):
    within = []

    def interrupted():
        with threads_for(values):
            within.append(torch.get_num_threads())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert within == [threads]
    assert torch.get_num_threads() == 2


def test_one_thing_alone_is_done_by_the_caller_and_more_are_not():
    here = threading.get_ident()
    assert list(each(lambda _: threading.get_ident(), [0])) == [here]
    assert here not in set(each(lambda _: threading.get_ident(), [0, 1, 2]))
    assert torch.get_num_threads() == 2


def test_tiny_planes_are_restored_in_one_thread(monkeypatch):
    seen = []
    picture = crop(16)[..., 0]
    untaught.denoise(picture, method="nonlocal", on_progress=lambda _: seen.append(torch.get_num_threads()))
    assert seen
    assert set(seen) == {1}
