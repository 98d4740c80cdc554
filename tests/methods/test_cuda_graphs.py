"""Recorded passes, with a stand-in for the CUDA graphs that keeps and overwrites its buffers as they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from untaught.methods.networks.cuda_graphs import Recorded


class Scaled(nn.Module):
    """A network with a setting that is no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x: Tensor, times: int = 1) -> Tensor:
        return times * self.inner(x)


def test_elsewhere_it_is_the_plain_call() -> None:
    network, x = Scaled(), torch.rand(1, 3, 8, 8)
    assert torch.equal(Recorded(network, narrow=False)(x, 2), network(x, 2))
    assert Recorded(network, narrow=True)(x).dtype == torch.bfloat16


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Replace the recording of graphs; the shapes that were recorded are listed."""
    recorded: list[tuple[int, ...]] = []

    def record(network: nn.Module, sample: tuple[Tensor, ...], **_: Any) -> Callable[[Tensor], Tensor]:
        recorded.append(tuple(sample[0].shape))
        buffer = network(sample[0]).detach().clone()

        def replay(x: Tensor) -> Tensor:
            assert x.shape == sample[0].shape  # a graph would read beyond its input
            return network(x) if torch.is_grad_enabled() else buffer.copy_(network(x))

        return replay

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", record)
    return recorded


def test_one_recording_serves_until_shape_or_settings_change(graphs: list[tuple[int, ...]]) -> None:
    network = Scaled()
    passes = Recorded(network, narrow=False)
    for size, times in ((8, 1), (8, 1), (8, 2), (12, 2), (12, 2)):
        x = torch.rand(1, 3, size, size)
        with torch.no_grad():
            network.inner.weight.mul_(1.1)
        torch.testing.assert_close(passes._replayed(x, (times,)), network(x, times))
    assert graphs == [(1, 3, 8, 8), (1, 3, 8, 8), (1, 3, 12, 12)]


def test_weights_get_their_gradients_through_a_recording(graphs: list[tuple[int, ...]]) -> None:
    network, x = Scaled(), torch.rand(1, 3, 8, 8)
    Recorded(network, narrow=False)._replayed(x, ()).square().sum().backward()
    found = network.inner.weight.grad
    assert found is not None
    (expected,) = torch.autograd.grad(network(x).square().sum(), [network.inner.weight])
    torch.testing.assert_close(found, expected)


def test_what_was_drawn_is_not_written_over(graphs: list[tuple[int, ...]]) -> None:
    passes = Recorded(Scaled(), narrow=False)
    with torch.no_grad():
        first = passes._replayed(torch.zeros(1, 3, 8, 8), ())
        before = first.clone()
        passes._replayed(torch.ones(1, 3, 8, 8), ())
    assert torch.equal(first, before)
