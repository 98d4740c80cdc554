"""Several processes that fit one network, as torchrun starts them: each works on its parts of every batch.

    gradient = sum over processes of the gradient of (1/K) sum of the losses of their parts,   K parts in all

Every part draws its noise from a generator of its own, so that the gradient, but for rounding, is the same for any
number of processes that divides K.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

from untaught.errors import InputError

PARTS = 4  # of a batch, if the number of processes divides that
WORD_OF_AN_END = 1.0  # seconds that the signal which ended another process may take to arrive here


@dataclass(frozen=True)
class Processes:
    """Which process this is, of how many that fit the network."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that reports and writes."""
        return self.rank == 0

    @property
    def parts(self) -> int:
        """How many parts a batch has."""
        return math.lcm(PARTS, self.count)

    @property
    def mine(self) -> range:
        """The parts that this process works on."""
        return range(self.rank, self.parts, self.count)

    def agreed(self, loss: Tensor, over: bool) -> tuple[Tensor, bool]:
        """Return the loss of all with the gradient of this process's; and whether any of them says it is over."""
        if self.count == 1:
            return loss, over
        told = torch.stack([loss.detach().float(), torch.tensor(float(over), device=loss.device)])
        _sum(told)
        return loss + (told[0] - loss).detach(), bool(told[1] > 0)

    def share_gradients(self, optimizer: torch.optim.Optimizer) -> None:
        """Add the gradients of all processes up before every step of the optimiser."""
        if self.count == 1:
            return

        def add_up(optimizer: torch.optim.Optimizer, *_: object) -> None:
            gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            together = torch.cat([gradient.flatten() for gradient in gradients])
            _sum(together)
            parts = torch.split(together, [gradient.numel() for gradient in gradients])
            for gradient, part in zip(gradients, parts, strict=True):
                gradient.copy_(part.view_as(gradient))

        optimizer.register_step_pre_hook(add_up)


def _sum(tensor: Tensor) -> None:
    try:
        dist.all_reduce(tensor)
    except RuntimeError:  # another process has gone: if all were told to, the word of it arrives in a moment
        time.sleep(WORD_OF_AN_END)
        raise


@contextmanager
def processes(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun has started; without it, there is this one alone.

    Raises
    ------
    InputError
        If they cannot find each other.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    try:
        dist.init_process_group("nccl" if device == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:100]
        raise InputError(
            f"the {count} processes cannot find each other ({reason}); start them with torchrun"
        ) from None
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
