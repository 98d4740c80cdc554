"""Patches: pieces of the pictures as they are in the files, what is missing in them, and how much is held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import noisy
from tests.helpers.training import fill, scene
from untaught import Image
from untaught.errors import InputError
from untaught.image.files import as_image
from untaught.methods.self_supervised.learner import Batch
from untaught.noise import Correlated, Gaussian, Impulse
from untaught.training import batches
from untaught.training.batches import Ahead, Patches, Reader, Shelf, centres
from untaught.training.dataset import scan, window

SIGMA = 25 / 255


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "noisy")


def patches_of(folder: Path, side: int = 24, **more: Any) -> Patches:
    pages = scan(folder, side).pages
    return Patches(pages, side, 0, Reader(Gaussian(SIGMA), **more), lambda seen: False)


def test_no_more_is_held_than_the_bound(folder: Path) -> None:
    """However many pictures are drawn from, and also while batches are read ahead."""
    one = as_image(folder / "0.npy").array.nbytes
    shelf = Shelf(most=2 * one + 1)
    ahead = Ahead(patches_of(folder, shelf=shelf), [range(4)])
    seen = set()
    for step in range(20):
        batch = ahead.take(step)[0]
        assert batch.y.shape == (4, 1, 24, 24)
        assert 0 < shelf.held <= shelf.most
        assert shelf.held == one * len(shelf._images) == sum(i.array.nbytes for i in shelf._images.values())
        seen |= shelf._images.keys()
    ahead.close()
    assert len(seen) == 6
    tiny = Shelf(most=1)
    for path in sorted(folder.iterdir()):
        tiny.image(path)
        assert list(tiny._images) == [path]


def test_patches_are_a_function_of_step_and_place(folder: Path) -> None:
    a, b = patches_of(folder), patches_of(folder, shelf=Shelf(most=1))
    assert torch.equal(a.batch(7, range(4)).y[2:], b.batch(7, range(2, 4)).y)
    assert not torch.equal(a.batch(7, range(4)).y, a.batch(8, range(4)).y)


def test_patches_are_pieces_of_the_pictures_turned_and_flipped(tmp_path: Path) -> None:
    """All eight positions come up, on the page's own range; where the noise would be turned away, two of them."""
    picture = np.arange(24 * 24, dtype=np.float32).reshape(24, 24) / 575
    (tmp_path / "one").mkdir()
    np.save(tmp_path / "one" / "a.npy", 0.2 + 575 / 1024 * picture.astype(np.float64))
    free = patches_of(tmp_path / "one")
    every = {_turned(k, f, picture) for k in range(4) for f in (False, True)}
    assert {free.batch(step, [0]).y.numpy().tobytes() for step in range(60)} == every
    lines = Patches(free.pages, 24, 0, Reader(Correlated(0.1, ((1.0, 1.0, 1.0),))), lambda seen: True)
    half = {_turned(k, False, picture) for k in (0, 2)}
    assert {lines.batch(step, [0]).y.numpy().tobytes() for step in range(30)} == half


def _turned(quarters: int, flip: bool, picture: np.ndarray) -> bytes:
    turned = np.rot90(picture, quarters)
    return np.ascontiguousarray(turned[:, ::-1] if flip else turned).tobytes()


def test_windows_are_pieces_of_the_planes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for shape in ((3, 20, 22, 5), (20, 22, 4), (20, 22)):
        array = rng.integers(0, 255, shape, np.uint8)
        image = as_image(array) if array.ndim < 4 else _named(array)
        for plane in image.planes():
            piece = window(image, plane.index, 3, 4, 9)
            assert np.array_equal(piece.values, plane.values[3:12, 4:13])


def _named(array: np.ndarray) -> Any:
    return Image.of(array, "TYXC")


def test_missing_pixels_and_noise_of_every_picture(tmp_path: Path) -> None:
    """Levels are measured one by one, and what was not measured is masked."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for i, sigma in enumerate((0.04, 0.16)):
        values = noisy(scene(i, 96, 96), sigma=sigma, seed=i)
        values[10:14, 20:30] = np.nan
        np.save(folder / f"{i}.npy", values)
    pages = scan(folder, 24).pages
    seen = centres(pages, Reader(None))
    assert isinstance(seen, Batch)
    assert seen.y.shape == (2, 1, 96, 96)
    spans = [np.nanmax(values) - np.nanmin(values) for values in map(np.load, sorted(folder.iterdir()))]
    levels = [noise.level * span for noise, span in zip(seen.noises, spans, strict=True)]
    assert levels == pytest.approx([0.04, 0.16], rel=0.2)
    assert (float(seen.y.min()), float(seen.y.max())) == pytest.approx((0, 1), abs=1e-6)
    assert torch.isfinite(seen.y).all()
    assert (1 - seen.mask).sum() == 2 * 40


def test_what_impulses_hit_is_masked_and_filled_in(tmp_path: Path) -> None:
    x = scene(4)
    y = Impulse(0.2).sample(x, np.random.default_rng(0))
    np.save(tmp_path / "a.npy", y)
    seen = Reader(Impulse(0.2)).square(scan(tmp_path, 24).pages[0], 0, 0, 48)
    hit = (y == 0) | (y == 1)
    assert np.array_equal(seen.mask[0, 0] == 0, hit)
    assert 0 < float(seen.y.min()) < float(seen.y.max()) < 1


@pytest.mark.parametrize("error", [MemoryError("none left"), InputError("it has gone")])
def test_what_a_batch_that_is_read_ahead_ends_with_is_raised(
    error: Exception, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = Ahead(patches_of(folder), [range(2)])
    ahead.take(0)
    assert ahead._next is not None
    ahead._next[1].join()

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Patches, "_one", fail)
    ahead.take(1)  # which was read before
    with pytest.raises(type(error)):
        ahead.take(2)


def unborn(*_: object) -> None:
    """Be a thread that has no memory to begin with."""


def refused(*_: object) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("start", [unborn, refused])
def test_a_thread_that_does_not_come_to_life_is_not_waited_for(
    start: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LATE", 0.05)
    expected = Ahead(patches_of(folder), [range(2)]).take(0)
    monkeypatch.setattr(batches, "start_new_thread", start)
    ahead = Ahead(patches_of(folder), [range(2)])
    assert torch.equal(ahead.take(0)[0].y, expected[0].y)
    ahead.close()
