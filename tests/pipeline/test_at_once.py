"""Calls at once, in threads and forks: each answers as alone; and many in a row take no more memory."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.helpers.quick import DIP_FAST, R2R_FAST, crop
from untaught import denoise
from untaught.methods.networks.codes import Code
from untaught.methods.seeded import seeded

METHODS = ("nonlocal", "wavelet", replace(DIP_FAST, code=Code()), R2R_FAST)
PATIENCE = 60.0  # seconds


def answered(number: int) -> NDArray[np.float32]:
    method = METHODS[number % len(METHODS)]
    return denoise(crop(16, seed=number), method=method, noise="gaussian:25", seed=number).image


def test_threads_answer_as_one_by_one() -> None:
    alone = [answered(number) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(answered, range(8)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_threads_draw_follows_from_their_seeds() -> None:
    """The generator is one for all threads, and a switch between seeding it and drawing would be seen."""

    def drawn(seed: int) -> list[float]:
        with seeded(seed):
            found = []
            for _ in range(50):
                found.append(float(torch.rand(())))
                time.sleep(0)
        return found

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(drawn, range(16)))
    finally:
        sys.setswitchinterval(interval)
    assert together == [drawn(seed) for seed in range(16)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # this process has threads, as is the case here
def test_a_fork_answers_although_its_parent_has_computed_with_threads() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        torch.ones(10**6).exp().sum()  # in parallel
        alone = answered(1)
        child = os.fork()
        if not child:
            os._exit(0 if np.array_equal(answered(1), alone) and torch.ones(10**6).exp().sum() > 0 else 1)
        end = time.monotonic() + PATIENCE
        while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.01)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        torch.set_num_threads(threads)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_a_hundred_calls_take_no_more_memory_than_twenty() -> None:
    taken = {}
    for number in range(100):
        answered(4 * number if number % 10 else number)  # mostly the formula, every tenth of the others too
        if number in (19, 99):
            gc.collect()
            taken[number] = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert taken[99] - taken[19] < 2**24


def test_a_process_that_is_spawned_answers_the_same() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(answered, (1,)), answered(1))
