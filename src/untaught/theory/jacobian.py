"""Products with the Jacobian of a generator, without ever forming it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, jvp, vjp, vmap
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from untaught.errors import InputError
from untaught.method import Iterative
from untaught.problem import Problem

Draw = Callable[[int], tuple[nn.Module, Tensor]]
"""From a seed, a network at its start and the code it is fed."""

PIXELS_AT_ONCE = 2**16  # of all the pictures that go through the network together; more only costs memory


class Jacobian:
    """J = dG/dtheta of G(theta) = network_theta(code), at the weights the network has now.

        jvp:  u -> J u      forward mode        vjp:  v -> J^T v    reverse mode

    The network is copied and left as it is. The copy is made into a function: `notes` says what was done to its
    random layers and to its batch statistics.

    Parameters
    ----------
    network : nn.Module
        Any network that maps `code` to a picture (1, C, H, W).
    code : Tensor
        What it is fed; held fixed.
    names : sequence of str, optional
        The parameters to differentiate by (`network.named_parameters()`); the default is all that learn.

    Attributes
    ----------
    output : Tensor
        G(theta), shape (1, C, H, W).
    parameters : int
        Length of theta.

    Raises
    ------
    InputError
        If the network draws random numbers that cannot be switched off, or learns nothing.
    """

    def __init__(self, network: nn.Module, code: Tensor, names: Sequence[str] | None = None):
        self._network, self.notes = as_function(network)
        self._code = code.detach()
        learned = {name: p.detach() for name, p in self._network.named_parameters() if p.requires_grad}
        self._theta = {name: learned[name] for name in (learned if names is None else names)}
        self._network.requires_grad_(False)
        if not self._theta:
            raise InputError("the network has no weights to differentiate by; give one that learns")
        pulled: Any = vjp(self._generate, self._theta)
        self.output: Tensor = pulled[0]
        self._pull = pulled[1]
        if not torch.equal(self.output, self._generate(self._theta)):
            raise InputError(
                "the network draws random numbers in a layer that could not be switched off; "
                "give one whose output depends on its weights and its code alone"
            )
        self.parameters: int = sum(p.numel() for p in self._theta.values())
        self._together = True
        self._chunk = max(1, PIXELS_AT_ONCE // self.output[0, 0].numel())

    @property
    def pixels(self) -> int:
        """Values in the picture, C H W: the rows of J."""
        return int(self.output.numel())

    def vjp(self, pictures: Tensor) -> Tensor:
        """Return J^T v for each of the pictures (B, C, H, W); shape (B, parameters).

        Raises
        ------
        InputError
            If the pictures have another shape than the network's.
        """
        if pictures.shape[1:] != self.output.shape[1:]:
            raise InputError(
                f"the network draws pictures of shape {tuple(self.output.shape[1:])}, and these have "
                f"{tuple(pictures.shape[1:])}; give channels, height and width as the network has them"
            )
        rows = []
        for some in torch.split(pictures.to(self.output), self._chunk):
            rows.append(torch.cat([part.flatten(1) for part in self._pulled(some).values()], dim=1))
        return torch.cat(rows)

    def _pulled(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return J^T v by parameter, (B, *shape): together, or one by one where the network needs that."""
        if self._together:
            try:
                found: dict[str, Tensor] = vmap(self._pull)(pictures[:, None])[0]
                return found
            except RuntimeError:  # an operation, or a hook on a gradient, that has no rule for many at once
                self._together = False
        parts = [self._pull(picture[None])[0] for picture in pictures]
        return {name: torch.stack([part[name] for part in parts]) for name in parts[0]}

    def jvp(self, directions: Tensor) -> Tensor:
        """Return J u for each of the directions (B, parameters) in the space of weights; (B, C, H, W)."""

        def push(direction: dict[str, Tensor]) -> Tensor:
            pushed: Tensor = jvp(self._generate, (self._theta,), (direction,))[1]
            return pushed

        with warnings.catch_warnings():
            # torch 2.13 compiles its own formulas by torch.jit at the first use, and then warns of torch.jit
            warnings.simplefilter("ignore", DeprecationWarning)
            parts = [vmap(push)(self._shaped(some)) for some in torch.split(directions, self._chunk)]
        return torch.cat(parts)[:, 0]

    def gram(self, pictures: Tensor) -> Tensor:
        """Return J J^T v for each of the pictures (B, C, H, W), in double precision on the CPU, same shape."""
        return self.jvp(self.vjp(pictures)).double().cpu()

    def moved(self, direction: Tensor) -> Tensor:
        """Return G(theta + direction), shape (1, C, H, W), for one direction (parameters,)."""
        step = self._shaped(direction[None])
        return self._generate({name: p + step[name][0] for name, p in self._theta.items()})

    def matrix(self) -> Tensor:
        """Return J itself, (pixels, parameters), for networks small enough."""
        unit = torch.eye(self.pixels, dtype=self.output.dtype, device=self.output.device)
        return self.vjp(unit.view(-1, *self.output.shape[1:]))

    def _generate(self, theta: dict[str, Tensor]) -> Tensor:
        picture: Tensor = functional_call(self._network, theta, (self._code,))
        return picture

    def _shaped(self, directions: Tensor) -> dict[str, Tensor]:
        """Cut (B, parameters) into what the parameters look like."""
        sizes = [p.numel() for p in self._theta.values()]
        parts = torch.split(directions, sizes, dim=1)
        return {
            name: part.reshape(-1, *p.shape).to(p)
            for (name, p), part in zip(self._theta.items(), parts, strict=True)
        }


def as_function(network: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """Return a copy whose output depends on weights and code alone, and what had to be done for that."""
    network = copy.deepcopy(network)
    dropped = fixed = live = 0
    for module in network.modules():
        if isinstance(module, _DropoutNd | nn.RReLU):
            dropped += module.training
            module.eval()
        elif isinstance(module, _BatchNorm):
            if module.running_mean is not None and not module.training:
                fixed += 1
                continue
            live += 1
            # Without running averages it takes the statistics of what it is given, and writes nothing down.
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    said = (
        (dropped, "random layers (dropout) were switched off"),
        (live, "normalisations took the statistics of this picture, and were differentiated through them"),
        (fixed, "normalisations kept their stored averages, as constants"),
    )
    return network, tuple(f"{count} {text}" for count, text in said if count)


def convolution_weights(network: nn.Module) -> tuple[str, ...]:
    """Return the names of the learned weights of convolutions: without biases and normalisations."""
    return tuple(name for name, p in network.named_parameters() if p.requires_grad and p.dim() > 2)


def drawn_by(method: Iterative, problem: Problem) -> Draw:
    """Return the network and the code that a method starts with, for a method that draws from a code."""

    def draw(seed: int) -> tuple[nn.Module, Tensor]:
        state = method.init(problem, seed)
        if "code" not in state.tensors:
            raise InputError(f"{method.name} does not draw its picture from a code; choose dip or deep-decoder")
        return state.network, state.tensors["code"]

    return draw


@dataclass(frozen=True)
class JacobianNorms:
    """Norms of J^T v for targets of one norm: `norms` (networks, targets); `names` of the targets."""

    names: tuple[str, ...]
    norms: NDArray[np.float64]
    notes: tuple[str, ...]

    def ratio(self, over: str, under: str) -> tuple[float, float]:
        """Return the ratio of two mean norms over the networks, and its standard error."""
        a, b = (self.norms[:, self.names.index(name)] for name in (over, under))
        ratio = a.mean() / b.mean()
        error = np.std((a - ratio * b) / b.mean(), ddof=1) / np.sqrt(len(a)) if len(a) > 1 else np.nan
        return float(ratio), float(error)


def jacobian_norms(draw: Draw, targets: dict[str, Tensor], networks: int, seed: int = 0) -> JacobianNorms:
    """Return || J^T v || over random networks: how fast a first step of descent moves towards each target v.

        G(theta - eta J^T (G - v)) - G(theta) ~ eta J J^T (v - G)

    Parameters
    ----------
    draw : callable
        From a seed, network and code.
    targets : dict of Tensor
        Pictures (1, C, H, W) by name; all are scaled to the norm of the first.
    networks : int
        How many networks are drawn, with seeds `seed`, `seed` + 1, ...

    Raises
    ------
    InputError
        If a target is zero everywhere.

    References
    ----------
    Heckel, Soltanolkotabi, ICLR 2020, section on the Jacobian at initialisation: convolution weights only.
    """
    stacked = torch.cat(list(targets.values()))
    sizes = stacked.flatten(1).norm(dim=1)
    if not bool((sizes > 0).all()):
        raise InputError("a target of the Jacobian product is zero everywhere; give a picture that is not black")
    stacked = stacked * (sizes[0] / sizes).view(-1, 1, 1, 1)
    rows: list[NDArray[np.float64]] = []
    notes: tuple[str, ...] = ()
    for k in range(networks):
        network, code = draw(seed + k)
        jacobian = Jacobian(network, code, convolution_weights(network))
        notes = jacobian.notes
        rows.append(jacobian.vjp(stacked).double().norm(dim=1).cpu().numpy())
    return JacobianNorms(tuple(targets), np.stack(rows), notes)
