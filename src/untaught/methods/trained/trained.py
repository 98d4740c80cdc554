"""A network that was trained on a folder of noisy pictures, as a method like any other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from untaught.errors import InputError
from untaught.method import Along, Needs, Runs
from untaught.methods.self_supervised.learner import Batch
from untaught.methods.self_supervised.over_planes import SharedNetwork
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.methods.time_limit import RUNS, first_that_fits, make_ready, seconds_for_all
from untaught.problem import Estimate, Problem, made_whole, part_of

if TYPE_CHECKING:
    from untaught.methods.trained.model_file import Model

STREAM = 0x9E3779B97F4A7C15  # odd and large, so that neighbouring seeds give unrelated draws


@dataclass(frozen=True)
class Trained:
    """A trained model.

        answer: what the learner reads out of the network, such as the mean of f(yhat) over recorruptions

    Large pictures are restored in squares that overlap, and joined with weights that rise linearly from
    `margin` pixels inside an inner edge on; what lies closer to it is not used.

    Attributes
    ----------
    model : str
        Path of the file that `untaught train` wrote.
    sha256 : str
        Its hash, so that a recipe is rerun with the same weights; found out if it is empty.
    tile, overlap, margin : int
        Side of a square, what it shares with the next, and what of that is not used; in pixels. The layers of
        DnCNN see 17 pixels far.
    """

    model: str
    sha256: str = ""
    tile: int = 512
    overlap: int = 64
    margin: int = 17
    name: ClassVar[str] = "trained"
    needs: ClassVar[Needs] = Needs()

    def __post_init__(self) -> None:
        """Find out the hash of the file, if there is one by now."""
        path = Path(self.model)
        if not self.sha256 and path.is_file():
            object.__setattr__(self, "sha256", hashlib.sha256(path.read_bytes()).hexdigest())

    @property
    def neighbours(self) -> int:
        """Planes on each side that the network sees; 0 too where the file cannot be read, which is said later."""
        try:
            return self.loaded().header.neighbours
        except InputError:
            return 0

    @property
    def runs(self) -> Runs:
        """See `method.Runs`."""
        if not self.neighbours:
            return Runs(tweedie=(0.2, 1.0))
        return Runs(together=("time", "depth"), reach=self.neighbours + 1)

    @property
    def alone(self) -> str | None:
        """See `in_series.Accompanied`."""
        count = self.neighbours
        if not count:
            return None
        return (
            f"{self.model} restores a plane with {count} on each side, and here is one alone; give a stack with "
            "planes along T or Z (--axes names them), or a model that was trained without neighbours"
        )

    def loaded(self, device: str = "cpu") -> Model:
        """Return the model.

        Raises
        ------
        InputError
            If the file cannot be read, or is not the one that a recipe was written with.
        """
        model = _read(self.model, _stamp(self.model), device)
        if self.sha256 and model.sha256 != self.sha256:
            raise InputError(f"{self.model} is not the model that was used then; give the same file")
        return model

    def within(self, problem: Problem, seconds: float) -> Trained | None:
        """Return the method, None where so many seconds are too few for the picture and its error."""
        if self.alone is not None:
            return self

        def run(part: Tensor) -> Tensor:
            height, width = part.shape[2:]
            whole = slice(None)
            window = whole, whole, slice(0, height), slice(0, width)
            return self.solve(part_of(problem, window), 0).image.cpu()

        make_ready(run, problem.y)
        return first_that_fits([(self, RUNS * seconds_for_all(run, problem.y, seconds / RUNS))], seconds)

    def solve(self, problem: Problem, seed: int) -> Estimate:
        """Return the answer for `problem`; same seed, same answer."""
        model = self.loaded(str(problem.y.device))
        if self.alone is not None:
            raise InputError(self.alone)
        check_channels(model, problem.y.shape[1], self.model)
        whole = made_whole(problem)
        known = problem.mask.amin(dim=1, keepdim=True)
        image, std, total = torch.zeros_like(whole), torch.zeros_like(whole), torch.zeros_like(known)
        spread = True
        for number, (rows, columns, weight) in enumerate(self.squares(whole)):
            y, mask = (tensor[..., rows, columns].contiguous() for tensor in (whole, known))
            law = problem.noise.part((rows, columns))
            generator = torch.Generator().manual_seed((seed + 1 + number) * STREAM % 2**62)
            with torch.no_grad():
                part, deviation = model.learner.answer(model.network, Batch(y, (law,), mask), generator)
            image[..., rows, columns] += weight * part
            spread = spread and deviation is not None
            if deviation is not None:
                std[..., rows, columns] += weight * deviation
            total[..., rows, columns] += weight
        return Estimate(image / total, std / total if spread else None)

    def solve_together(self, problems: Sequence[Problem], along: Along, seed: int) -> list[Estimate]:
        """See `method.Together`: every plane with its neighbours, by the one network.

        Raises
        ------
        InputError
            As `solve`; also for one plane, if the model was trained with neighbours.
        """
        model = self.loaded(str(problems[0].y.device))
        if not model.header.neighbours or len(problems) == 1:
            return [self.solve(problem, seed) for problem in problems]
        check_channels(model, problems[0].y.shape[1], self.model)
        if not isinstance(model.learner, OnePicture):
            raise InputError(f"{self.model} was trained with neighbours by {model.learner.name}, which sees none")
        learner = replace(model.learner, neighbours=model.header.neighbours)
        return SharedNetwork(learner, InSquares(model.network, self)).solve_together(problems, along, seed)

    def squares(self, y: Tensor) -> Iterator[tuple[slice, slice, Tensor]]:
        """Yield the rows, the columns and the weights, (1, 1, h, w), of every square."""
        height, width = y.shape[-2:]
        for rows, down in self._strips(height):
            for columns, across in self._strips(width):
                yield rows, columns, (down[:, None] * across[None, :]).to(y)[None, None]

    def _strips(self, length: int) -> Iterator[tuple[slice, Tensor]]:
        """Yield where the squares lie along one side, and the weights of their pixels."""
        for start in range(0, max(1, length - self.overlap), self.tile - self.overlap):
            end = min(start + self.tile, length)
            weight = torch.ones(end - start)
            rise = (torch.arange(self.overlap) + 0.5 - self.margin) / (self.overlap - 2 * self.margin)
            rise = rise.clamp(0, 1)
            if start > 0:
                weight[: self.overlap] *= rise[: end - start]
            if end < length:
                weight[-self.overlap :] *= rise.flip(0)
            yield slice(start, end), weight


class InSquares(nn.Module):
    """A network that sees neighbours, applied to large planes in squares that overlap."""

    def __init__(self, network: nn.Module, method: Trained):
        super().__init__()
        self.network = network
        self.method = method

    def forward(self, y: Tensor, context: Tensor) -> Tensor:
        """Return the restored picture."""
        image, total = torch.zeros_like(y), torch.zeros_like(y[:1, :1])
        for rows, columns, weight in self.method.squares(y):
            image[..., rows, columns] += weight * self.network(y[..., rows, columns], context[..., rows, columns])
            total[..., rows, columns] += weight
        return image / total


def check_channels(model: Model, channels: int, name: str) -> None:
    """Refuse a picture that the model was not made for.

    Raises
    ------
    InputError
        If its planes have another number of channels.
    """
    if channels != model.header.channels:
        raise InputError(
            f"{name} restores pictures of {_channels(model.header.channels)}, and this one has "
            f"{_channels(channels)}; train a model on pictures like it"
        )


def _channels(count: int) -> str:
    return {1: "1 channel (grey)", 3: "3 channels (colours)"}.get(count, f"{count} channels")


def _stamp(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=4)
def _read(path: str, stamp: int, device: str) -> Model:
    """Read a model once; `stamp` changes when the file does."""
    from untaught.methods.trained.model_file import read_model

    return read_model(Path(path), device)


def trained(model: str, settings: Mapping[str, Any] | None) -> Trained:
    """Return what 'MODEL.safetensors' stands for."""
    return Trained(**(settings or {"model": model}))
