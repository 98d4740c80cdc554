"""Zarr without threads: what it does is done by whoever asks for it.

The library does all in threads of its own, and Python waits for ever for a thread that has no memory to begin
with. Its functions that are to be awaited are therefore awaited here, and what they would hand to a thread is done
at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class _AtOnce(ThreadPoolExecutor):
    """Does what is submitted before it returns. Event loops take no other kind of executor."""

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        future: Future[Answer] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def done(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Do what one would await, and return what comes of it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _done(work)
    with ThreadPoolExecutor(1) as pool:  # in a notebook, where this thread waits for others already
        return pool.submit(_done, work).result()


def _done(work: Coroutine[Any, Any, Answer]) -> Answer:
    loop = asyncio.new_event_loop()
    try:
        loop.set_default_executor(_AtOnce(1))
        return loop.run_until_complete(work)
    finally:
        work.close()
        loop.close()


async def _listed(found: AsyncIterator[Answer]) -> list[Answer]:
    return [one async for one in found]


class Node:
    """A group or an array of a Zarr folder; what is not said here is as in `zarr.AsyncGroup`, `zarr.AsyncArray`.

    Parameters
    ----------
    node
        What the library has opened.
    """

    def __init__(self, node: Any) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    def say(self, attributes: dict[str, Any]) -> None:
        """Add to what is said of it."""
        done(self._node.update_attributes(attributes))


class Array(Node):
    """An array, whose values are read and written by indexing."""

    def __getitem__(self, where: Any) -> Any:
        return done(self._node.getitem(where))

    def __setitem__(self, where: Any, values: Any) -> None:
        done(self._node.setitem(where, values))


class Group(Node):
    """A group; what is in it has names."""

    def __getitem__(self, name: str) -> Group | Array:
        return _of(done(self._node.getitem(name)))

    def __contains__(self, name: str) -> bool:
        return bool(done(self._node.contains(name)))

    def groups(self) -> list[tuple[str, Group]]:
        """Return the groups in it, and their names."""
        return [(name, Group(one)) for name, one in done(_listed(self._node.groups()))]

    def arrays(self) -> list[tuple[str, Array]]:
        """Return the arrays in it, and their names."""
        return [(name, Array(one)) for name, one in done(_listed(self._node.arrays()))]

    def create_array(self, name: str, **options: Any) -> None:
        """Make an array in it."""
        done(self._node.create_array(name, **options))


def _of(node: Any) -> Group | Array:
    import zarr

    return Group(node) if isinstance(node, zarr.AsyncGroup) else Array(node)


def opened(path: Path, mode: str = "r") -> Group | Array:
    """Open a folder."""
    from zarr.api import asynchronous

    return _of(done(asynchronous.open(store=str(path), mode=mode)))


def opened_array(path: Path, mode: str = "r") -> Array:
    """Open a folder that is an array."""
    from zarr.api import asynchronous

    return Array(done(asynchronous.open_array(store=str(path), mode=mode)))


def made_group(path: Path) -> Group:
    """Make a group of the third format, in place of whatever is there."""
    from zarr.api import asynchronous

    return Group(done(asynchronous.open_group(store=str(path), mode="w", zarr_format=3)))


def made_array(path: Path, **options: Any) -> None:
    """Make an array."""
    from zarr.api import asynchronous

    done(asynchronous.create_array(store=str(path), **options))


def consolidate(path: Path) -> None:
    """Gather what is said of all arrays in the root."""
    from zarr.api import asynchronous

    done(asynchronous.consolidate_metadata(str(path)))
