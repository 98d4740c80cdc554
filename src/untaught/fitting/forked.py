"""Processes that are forked off one that has computed already: its threads are not there in them."""

from __future__ import annotations

import os
from functools import cache

import torch


@cache
def prepare() -> bool:
    """Let forks of this process compute with one thread; return whether there can be any.

    GNU's OpenMP waits for ever for the threads that it had before the fork. With one thread it needs none.
    """
    if not hasattr(os, "register_at_fork"):  # no forks on this system
        return False
    os.register_at_fork(after_in_child=_alone)
    return True


def _alone() -> None:
    torch.set_num_threads(1)
