"""Workers of a Dask cluster that take work, whatever becomes of its scheduler and of its workers."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from untaught._version import __version__
from untaught.errors import InputError, OutputError
from untaught.image.limits import default_memory
from untaught.jobs import dask_tasks
from untaught.jobs.dask_address import LOCAL, SECONDS, Address, Own, address_of, started
from untaught.jobs.one_picture import Work
from untaught.jobs.workers import LEAST_MEMORY

WAIT = 0.5  # seconds, after which it is looked whether all are still there
PATIENCE = 600.0  # seconds that a scheduler may be away
FOUND = 60.0  # seconds within which a scheduler that is there has a worker
GONE = "the scheduler at {} has been away for {:.0f} minutes; start it again, and the same call goes on"
ALONE = ("time_limit", "checkpoint", "stripes")  # workers read the file, and not what was made of it here
NO_WORKERS = "the scheduler at {0} has no worker; start some, such as 'dask worker {0} --nthreads 1'"


class DiedError(Exception):
    """The workers that had a piece of work died, one after the other."""


@dataclass(frozen=True)
class Order:
    """A piece of work: a function that workers can import, and what it is called with, pickled."""

    ticket: Hashable
    function: Callable[..., Any]
    payload: bytes


class Cluster:
    """Takes work, and gives back what it comes to, in the order in which that is done.

    A worker that dies has its work done again by another. A scheduler that ends takes what it knew with it: once
    one is there again under its address, what it had is given to that. So a piece of work may be done twice, but
    its outcome is taken in once.

    Parameters
    ----------
    dask : str
        'local', the address of a scheduler, or a file that names a cluster.
    workers : int
        How many processes, where they are of this machine.
    work : Work, optional
        Whose options a worker looks at first, so that nothing heavy has to be loaded here.

    Raises
    ------
    InputError
        Where there is no such cluster, its workers cannot do the work, or its options are wrong.
    """

    def __init__(self, dask: str, workers: int = 1, work: Work | None = None) -> None:
        where = address_of(dask)
        assert where is not None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says is said in sentences
        self._own: Own | None = None
        self._started: Any = None
        self._client: Any = None
        self._orders: dict[Any, Order] = {}  # by their futures
        try:
            self._open(where, dask, workers)
            self._probe(packed((os.getcwd(), work)), FOUND if where.address or dask == LOCAL else None)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def room(self) -> int:
        """How many pieces of work are worth having in hand: two a worker, so that none waits for us."""
        return max(2 * len(self._workers()), 2)

    @property
    def memory(self) -> int:
        """Bytes that a piece of work may use where nobody says: half of what the smallest worker has."""
        if self._own is not None:
            return max(default_memory() // len(self._own.processes), LEAST_MEMORY)
        known = [int(worker["memory_limit"] or 0) for worker in self._workers().values()]
        least = min(known, default=0)
        return 1 << (least // 2).bit_length() - 1 if least else default_memory()

    def submit(self, ticket: Hashable, function: Callable[..., Any], *args: Any) -> None:
        """Take a piece of work.

        Raises
        ------
        InputError
            Where something of it cannot go to another process.
        """
        self._submit(Order(ticket, function, packed(args)))

    def next(self) -> tuple[Any, Any]:
        """Wait for the next piece of work to be done; return its ticket, and what it came to or an error.

        Raises
        ------
        OutputError
            Where the scheduler does not come back.
        """
        while True:
            self._mend()
            future = self._finished()
            if future is None:
                continue
            order = self._orders.pop(future)
            try:
                return order.ticket, future.result()
            except Exception as error:
                if future.status != "error":  # it was lost, with the scheduler or with the worker that kept it
                    self._submit(order)
                    continue
                return order.ticket, _explained(error)
            finally:
                future.release()

    def forget(self, tickets: set[Hashable]) -> None:
        """Call off what is not done of some work; what is being done comes to nothing."""
        for future in [future for future, order in self._orders.items() if order.ticket in tickets]:
            del self._orders[future]
            future.cancel(force=True)

    def close(self) -> None:
        """Leave the cluster; what was started for us is ended."""
        self._orders.clear()
        for one in (self._client, self._own, self._started):
            if one is not None:
                one.close()
        self._client = self._own = self._started = None

    def _open(self, where: Address, dask: str, workers: int) -> None:
        address = where.address
        if not address and not where.cluster:
            self._own = Own(workers)
            address = self._own.address
        elif not address:
            self._started = started(where, dask)
            address = self._started.scheduler_address
        self.address = address
        try:
            self._client = self._connected()
        except (OSError, ValueError) as error:
            raise InputError(f"there is no Dask scheduler at {address}; start it with 'dask scheduler'") from error

    def _connected(self) -> Any:
        from distributed import Client

        return Client(self.address, timeout=SECONDS, set_as_default=False)

    def _workers(self) -> dict[str, Any]:
        """Return what is known of the workers; nothing while the scheduler is away."""
        try:
            found: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, ValueError, AttributeError):
            return {}
        return found

    def _probe(self, work: bytes, seconds: float | None) -> None:
        """See that a worker is there, that it is of this version, sees this folder, and understands what is asked.

        Raises
        ------
        InputError
            Where not.
        """
        self.submit("probe", dask_tasks.ready, __version__, work)
        started = time.monotonic()
        while self._finished() is None:
            self._mend()
            if seconds is not None and time.monotonic() - started > seconds and not self._workers():
                raise InputError(NO_WORKERS.format(self.address))
        sentence = self.next()[1]
        if isinstance(sentence, Exception):
            raise InputError(
                f"the workers at {self.address} cannot do the work ({sentence}); install untaught {__version__} "
                "there"
            )
        if sentence:
            raise InputError(sentence)

    def _submit(self, order: Order) -> None:
        key = f"untaught-{uuid.uuid4().hex}"
        future = self._client.submit(order.function, order.payload, key=key, pure=False)
        self._orders[future] = order

    def _finished(self) -> Any:
        """Return a future of which the outcome is known, or that was lost; None if none is after a while."""
        from distributed import wait

        if any(future.status != "pending" for future in self._orders):
            return next(future for future in self._orders if future.status != "pending")
        try:
            wait(list(self._orders), timeout=WAIT, return_when="FIRST_COMPLETED")
        except Exception:  # a lost one, or the scheduler is away: seen below and by `_mend`
            time.sleep(0.05)
        return next((future for future in self._orders if future.status != "pending"), None)

    def _mend(self) -> None:
        """Replace workers of our own that have ended, and wait for a scheduler that is away."""
        if self._own is not None:
            self._own.mend()
        since = time.monotonic()
        while self._client.status != "running":
            if time.monotonic() - since > PATIENCE:
                raise OutputError(GONE.format(self.address, PATIENCE / 60))
            if self._client.status != "closed":
                time.sleep(0.05)
                continue
            orders = list(self._orders.values())
            try:
                self._client = self._connected()
            except (OSError, ValueError):
                time.sleep(WAIT)
                continue
            self._orders.clear()
            for order in orders:
                self._submit(order)


def packed(args: object) -> bytes:
    """Return arguments as bytes, so that Dask does not look into them.

    Raises
    ------
    InputError
        Where something of it cannot go to another process.
    """
    import cloudpickle

    try:
        found: bytes = cloudpickle.dumps(args)
    except Exception as error:
        raise InputError(f"an option cannot go to another process ({error}); leave --dask out") from error
    return found


def _explained(error: Exception) -> Exception:
    """Return what a piece of work failed by; of Dask's own errors what they mean."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return DiedError("the workers that had it died one after the other, perhaps for want of memory")
    return error
