"""Models that see a plane of a stack with its neighbours: what they learn from, what they say, what they need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import psnr
from tests.helpers.training import fill, quick, stop_at
from tests.pipeline.test_together import film, noisy
from untaught import Image, InputError, apply, denoise
from untaught.image.files import write
from untaught.methods.self_supervised.learners import learner
from untaught.methods.trained.model_file import read_model
from untaught.methods.trained.tuned import Tuned
from untaught.noise import Gaussian
from untaught.problem import Problem
from untaught.training.batches import Reader
from untaught.training.beside import learner_beside, with_neighbours
from untaught.training.dataset import scan

SIDE = 40


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    folder = tmp_path / "stacks"
    folder.mkdir()
    for i, name in enumerate(("camera", "coins")):
        write(folder / f"{i}.tif", Image.of(noisy(film(4, name, SIDE), seed=i), "TYX"))
    return folder


def test_a_model_of_neighbours_says_so_and_needs_them(stacks: Path, tmp_path: Path) -> None:
    place = tmp_path / "m.safetensors"
    quick(stacks, place, method="gr2r", neighbours=1, epochs=90, network="unet:8,2", noise="gaussian:20")
    header = read_model(place).header
    assert (header.neighbours, header.channels, header.method) == (1, 1, "gr2r")
    x = film(5, side=SIDE)
    y = noisy(x, seed=9)
    found = apply(place, Image.of(y, "TYX"), noise="gaussian:20")
    assert psnr(found.image, x) > psnr(y, x) + 2
    assert any("help of their neighbours" in note for note in found.notes)
    assert all(plane.psnr is not None for plane in found.planes)
    assert np.array_equal(denoise(Image.of(y, "TYX"), method=str(place), noise="gaussian:20").image, found.image)
    for alone in (y[0], Image.of(y[:1], "TYX")):
        with pytest.raises(InputError, match=r"m\.safetensors restores a plane with 1 on each side"):
            apply(place, alone)
    problem = Problem(torch.zeros(1, 1, SIDE, SIDE), torch.ones(1, 1, SIDE, SIDE), Gaussian(0.1))
    with pytest.raises(InputError, match="trained with neighbours"):
        Tuned(model=str(place)).init(problem, 0)


def test_a_model_without_neighbours_says_none(tmp_path: Path) -> None:
    quick(fill(tmp_path / "noisy", 3), tmp_path / "m.safetensors", epochs=1)
    assert read_model(tmp_path / "m.safetensors").header.neighbours == 0


def test_what_is_learned_from_are_planes_with_those_around_them(stacks: Path) -> None:
    np.save(stacks / "single.npy", noisy(film(1, side=SIDE))[0])
    scanned = scan(stacks, 24)
    found = with_neighbours(scanned, learner_beside(learner("n2v"), 2))
    assert [page.index for page in found.pages] == [0, 1, 2, 3] * 2
    assert "single.npy has no planes that follow each other" in found.left_out[-1]
    page = found.pages[1]
    assert page.around == (0, 2, 3, 3)  # beyond the first there is none: what is as far on the other side
    square = Reader(None).square(page, 3, 5, 24)
    assert square.context is not None
    stack = Image.of(noisy(film(4, "camera", SIDE)), "TYX").array
    step = float((square.context[0, 1, 0, 0] - square.context[0, 0, 0, 0]) / (stack[2, 3, 5] - stack[0, 3, 5]))
    for k, at in enumerate(page.around):  # all on one scale
        apart = torch.from_numpy((stack[at] - stack[1])[3:27, 5:29]) * step
        assert torch.allclose(square.context[0, k] - square.y[0, 0], apart, atol=1e-5)


def test_pairs_with_neighbours_never_show_what_is_asked_for(stacks: Path, tmp_path: Path) -> None:
    found = with_neighbours(scan(stacks, 24), learner_beside(learner("n2n"), 1))
    assert len(found.pages) == 2 * (2 * 4 - 2)  # a plane for every neighbour it has
    assert all(page.second not in page.around for page in found.pages)
    learned, judged = found.split(0)
    assert not {(page.path, page.index) for page in learned} & {(page.path, page.index) for page in judged}
    quick(stacks, tmp_path / "m.safetensors", method="n2n", neighbours=1, epochs=1, noise="gaussian:20")
    y = Image.of(noisy(film(3, side=SIDE)), "TYX")
    assert np.isfinite(apply(tmp_path / "m.safetensors", y, noise="gaussian:20").image).all()


def test_a_training_with_neighbours_goes_on_where_it_was(stacks: Path, tmp_path: Path) -> None:
    options = {"method": "n2v", "neighbours": 1, "epochs": 4}
    quick(stacks, tmp_path / "whole.safetensors", **options)
    cut = quick(stacks, tmp_path / "m.safetensors", **options, on_progress=stop_at(3))
    assert cut.interrupted
    quick(stacks, tmp_path / "m.safetensors", **options, resume=True)
    whole, again = (read_model(tmp_path / f"{name}.safetensors").network.state_dict() for name in ("whole", "m"))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_what_cannot_be_is_refused_in_a_sentence(stacks: Path, tmp_path: Path) -> None:
    place = tmp_path / "m.safetensors"
    with pytest.raises(InputError, match="without neighbours"):
        quick(stacks, place, method="neighbor2neighbor", neighbours=1)
    with pytest.raises(InputError, match="no stack whose planes follow each other"):
        quick(fill(tmp_path / "noisy", 3), place, method="n2v", neighbours=1)
    with pytest.raises(InputError, match="leave the second folder out"):
        quick(stacks, place, method="n2n", neighbours=1, second=stacks)
    with pytest.raises(InputError, match="neighbours is -1"):
        quick(stacks, place, neighbours=-1)
