"""How much is done at once: things that do not depend on each other, in several threads, and tiny ones in one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

# Values: threads wait for each other longer than they work on so few, by ten times beside other programs.
TINY = 1024
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@contextmanager
def threads_for(values: int) -> Iterator[None]:
    """Let torch use one thread within, for a picture of so few values that more would only wait for each other."""
    threads = torch.get_num_threads()
    if threads == 1 or values > TINY:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def each(work: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
    """Yield `work(item)` in the order of the items, computed in as many threads as torch may use.

    One thread an item: an operation on a tile is too short to be shared out itself. One item alone is done here:
    threads that are begun and ended for a picture of a few pixels take longer than the work.
    """
    threads = torch.get_num_threads()
    if threads == 1 or (isinstance(items, Sized) and len(items) == 1):
        yield from map(work, items)
        return
    torch.set_num_threads(1)  # here too: what the caller does between two items would wake idle threads
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    waiting: deque[Future[Answer]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * threads:  # answers take memory
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
