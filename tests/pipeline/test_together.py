"""Planes that help each other: which they are, what they share, and that they gain by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import psnr
from untaught import Image, InputError, denoise, rerun
from untaught.fitting.progress import Progress
from untaught.image.tiling import Tiling
from untaught.noise import Gaussian
from untaught.pipeline.request import Request
from untaught.pipeline.stacks import blocks as blocks_page
from untaught.pipeline.stacks import restore_series as series_page
from untaught.pipeline.stacks.blocks import BYTES, blocks_of
from untaught.pipeline.stacks.find_series import Series, find_series
from untaught.pipeline.stacks.survey_series import survey_series
from untaught.pipeline.tiles.memory_need import FIXED

Values = NDArray[np.float32]
LEVEL = 0.08
PLANES = 5


def scene(name: str = "camera") -> Values:
    from skimage import data

    return np.asarray(getattr(data, name)()[100:260, 100:260] / 255, np.float32)


def film(planes: int = PLANES, name: str = "camera", side: int = 64) -> Values:
    """Return a window that moves over a scene, (T, H, W)."""
    x = scene(name)
    return np.stack([x[k : k + side, 2 * k : 2 * k + side] for k in range(planes)])


def noisy(x: Values, level: float | NDArray[np.float64] = LEVEL, seed: int = 0) -> Values:
    return (x + level * np.random.default_rng(seed).standard_normal(x.shape)).astype(np.float32)


def series_in(array: Values, axes: str, together: str = "auto", **metadata: object) -> list[tuple[int, ...]]:
    picture = Image.of(array, axes, metadata=metadata)
    return [one.planes for one in find_series(picture, together).series]


def test_planes_along_an_axis_are_a_series_for_every_place_on_the_others() -> None:
    assert series_in(film(), "TYX") == [(0, 1, 2, 3, 4)]
    both = np.stack([film(3), film(3, "coins")], 1)
    assert series_in(both, "TCYX") == [(0, 2, 4), (1, 3, 5)]
    assert series_in(both, "TCYX", "none") == []
    assert series_in(film()[0], "YX") == []
    assert series_in(film(3), "CYX") == []


def test_along_which_they_are_more_alike_is_taken() -> None:
    slow = np.stack([film(3), film(3, "coins")])
    for together in ("auto", "TZ"):
        assert series_in(slow, "TZYX", together) == [(0, 1, 2), (3, 4, 5)]
        assert series_in(slow.swapaxes(0, 1), "TZYX", together) == [(0, 2, 4), (1, 3, 5)]
    assert series_in(slow, "TZYX", "T") == []  # shows other things at the two times


def four(times: int = 3, depth: int = 6, side: int = 48) -> Values:
    """Return a volume that moves, (T, Z, H, W)."""
    picture = scene()
    at = [[(t + z, t + 20) for z in range(depth)] for t in range(times)]
    return np.stack([[picture[i : i + side, j : j + side] for i, j in line] for line in at])


def test_planes_of_both_axes_help_each_other() -> None:
    x = four()
    y = Image.of(noisy(x), "TZYX", metadata={"spacing": dict.fromkeys("ZYX", (1.0, "um"))})
    (series,) = find_series(y, "TZ").series
    assert (series.planes[:4], series.lines, series.length) == ((0, 6, 12, 1), 6, 3)
    found = {how: denoise(y, method="nonlocal", sigma=LEVEL, together=how) for how in ("T", "Z", "TZ")}
    gain = {how: psnr(one.image, x) for how, one in found.items()}
    assert gain["TZ"] > max(gain["T"], gain["Z"]) + 0.2
    assert all(one.psnr is not None for one in found["TZ"].planes)
    assert np.array_equal(rerun(found["TZ"].recipe, y).image, found["TZ"].image)
    flat = Image.of(noisy(x), "TZYX", metadata={"spacing": {"Z": (9.0, "um"), "Y": (1.0, "um"), "X": (1.0, "um")}})
    assert {one.lines for one in find_series(flat, "TZ").series} == {1}


def test_a_cut_and_an_empty_plane_end_a_series() -> None:
    cut = np.concatenate([film(3), film(3, "coins")])
    assert series_in(cut, "TYX") == [(0, 1, 2), (3, 4, 5)]
    assert any("T 4/6" in note for note in find_series(Image.of(noisy(cut), "TYX"), "auto").notes)
    empty = film()
    empty[2] = 0.5
    assert series_in(empty, "TYX") == [(0, 1), (3, 4)]


def test_a_dim_plane_is_not_taken_with_a_bright_one() -> None:
    lamp = np.array([1.0, 1.0, 0.1, 0.1, 0.08])[:, None, None]
    assert series_in(film() * lamp, "TYX") == [(0, 1), (2, 3, 4)]


def test_what_noise_hides_is_left_together() -> None:
    unlike = np.concatenate([film(2), film(2, "coins")])
    assert series_in(noisy(unlike, 40.0), "TYX") == [(0, 1, 2, 3)]
    assert series_in(noisy(film(), 0.5), "TYX") == [(0, 1, 2, 3, 4)]


def test_slices_are_as_alike_as_rows_or_are_taken_as_times() -> None:
    volume = np.stack([scene()[k : k + 64, 20:84] for k in range(6)])  # a step down a plane

    def along(array: Values, **metadata: object) -> str:
        return find_series(Image.of(array, "ZYX", metadata=metadata), "auto").series[0].along

    assert along(volume) == "depth"
    assert along(noisy(volume, 0.2)) == "depth"
    assert along(film(side=48)[::2]) == "time"
    for step, expected in ((1.0, "depth"), (5.0, "time")):
        assert along(volume, spacing={"Z": (step, "um"), "Y": (1.0, "um"), "X": (1.0, "um")}) == expected


@pytest.mark.parametrize(("together", "words"), [("Q", "auto, none"), ("Z", "no planes along Z")])
def test_what_cannot_be_taken_together_is_refused(together: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        denoise(Image.of(film(), "TYX"), together=together)


@pytest.mark.parametrize("axes", ["TYX", "ZYX"])
def test_planes_gain_by_their_neighbours_and_know_it(axes: str) -> None:
    x = film() if axes == "TYX" else np.stack([scene()[k : k + 64, 20:84] for k in range(8)])
    y = Image.of(noisy(x), axes)
    found, alone = (denoise(y, method="nonlocal", together=how) for how in ("auto", "none"))
    assert psnr(found.image, x) > psnr(alone.image, x) + 0.7
    assert any("help of their neighbours" in note for note in found.notes)
    inside = [
        one.psnr is not None and one.psnr.low - 0.3 < psnr(found.image[k], x[k]) < one.psnr.high + 0.3
        for k, one in enumerate(found.planes)
    ]
    assert all(inside)
    again = rerun(found.recipe, y)
    assert np.array_equal(again.image, found.image)
    assert found.command is None or "--together" not in found.command
    assert alone.command is None or "--together none" in alone.command


def test_blocks_cover_a_series_once_and_look_beyond_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for count, memory in ((1, 0), (7, 2**20), (100, 2**24), (2000, 2**30)):
        blocks = blocks_of(count, (64, 64, 1), FIXED + memory)
        assert [place for block in blocks if not block.number for place in block.answered] == list(range(count))
        assert all(set(block.answered) <= set(block.seen) for block in blocks)
    x = film(6, side=40)
    y = Image.of(noisy(x), "TYX")
    whole = denoise(y, method="nonlocal", sigma=LEVEL)
    monkeypatch.setattr(blocks_page, "LARGEST", 3)
    parts = denoise(y, method="nonlocal", sigma=LEVEL)
    assert psnr(parts.image, x) == pytest.approx(psnr(whole.image, x), abs=0.15)


def test_blocks_are_cut_where_that_spares_memory_and_time() -> None:
    """Of few planes at a time most would be looked at twice and more; tiles of more planes are not."""
    for gib, shape in ((2, (512, 512, 1)), (1, (512, 512, 1)), (1, (2048, 2048, 1)), (2, (300, 2000, 3))):
        blocks = blocks_of(240, shape, gib * 2**30)
        seen = answered = 0
        for block in blocks:
            rows, columns = (slice(0, n) for n in shape[:2]) if block.tile is None else block.tile.window
            area = (rows.stop - rows.start) * (columns.stop - columns.start)
            assert len(block.seen) * area * shape[2] * BYTES <= gib * 2**30 - FIXED
            seen += len(block.seen) * area
            answered += len(block.answered) * (shape[0] * shape[1] if block.tile is None else block.tile.area)
        assert answered == 240 * shape[0] * shape[1]
        assert seen < 2.7 * answered
    assert {block.tile for block in blocks_of(240, (2048, 2048, 1), 2**30, whole=True)} == {None}


def test_planes_that_do_not_fit_help_each_other_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    x = film(3, side=92)
    y = Image.of((255 * noisy(x).clip(0, 1)).astype(np.uint8), "TYX")
    whole = denoise(y, method="nonlocal")
    monkeypatch.setattr("untaught.pipeline.tasks.denoise.tiling_for", lambda *_: Tiling(80))
    monkeypatch.setattr(series_page, "memory_for", lambda _: FIXED + 3 * 80**2 * BYTES)
    monkeypatch.setattr(blocks_page, "SIDE", 64)
    monkeypatch.setattr(blocks_page, "STEP", 16)
    monkeypatch.setattr(blocks_page, "OVERLAP", 16)
    parts = denoise(y, method="nonlocal")
    assert all(one.psnr is not None for one in parts.planes)
    assert any("restored in 4 parts of 78 x 78 pixels" in note and "the planes" in note for note in parts.notes)
    assert psnr(parts.image / 255, x) == pytest.approx(psnr(whole.image / 255, x), abs=0.3)
    seam = np.abs(np.diff(parts.image.astype(float) - whole.image, axis=2)).mean((0, 1))
    assert seam.max() < 3 * np.median(seam) + 1


def test_a_level_that_drifts_is_followed() -> None:
    x = np.repeat(film(1), 9, 0)
    levels = np.linspace(0.04, 0.12, 9)[:, None, None]
    y = Image.of(noisy(x, levels), "TYX")
    survey = survey_series(y, find_series(y, "auto").series[0], Request())
    span = y.value_range[1] - y.value_range[0]
    found = [survey.law(place).level * span for place in (0, 4, 8)]
    assert found == pytest.approx(levels[[0, 4, 8], 0, 0].tolist(), rel=0.15)
    assert any("drifts" in note for note in survey.notes)
    steady = Image.of(noisy(x), "TYX")
    assert not survey_series(steady, find_series(steady, "auto").series[0], Request()).drift


def test_what_was_done_before_ctrl_c_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_page, "LARGEST", 3)
    y = noisy(film(6, side=48))
    seen: Iterator[int] = iter(range(2))

    def told(progress: Progress) -> None:
        if progress.plane and next(seen, None) is not None:
            raise KeyboardInterrupt

    result = denoise(Image.of(y, "TYX"), method="nonlocal", sigma=LEVEL, on_progress=told)
    assert result.interrupted
    assert [len(result.planes), *(plane.index for plane in result.planes)] == [3, 0, 1, 2]
    assert np.array_equal(result.image[3:], y[3:])


def test_a_plane_of_two_values_leaves_the_others_to_be_restored_alone() -> None:
    y = np.clip(noisy(film(3)), 0, 1)
    y[1] = (y[1] > 0.5).astype(np.float32)
    result = denoise(Image.of(y, "TYX"), method="nonlocal", sigma=LEVEL)
    assert np.array_equal(result.image[1], y[1])
    assert not np.array_equal(result.image[0], y[0])


def test_inspect_says_what_it_would_do_and_what_that_gains() -> None:
    from untaught import inspect

    notes = inspect(Image.of(noisy(film()), "TYX")).notes
    (said,) = (note for note in notes if "help of their neighbours" in note)
    assert "5 of 5 planes" in said
    assert "along T" in said
    assert float(said.split("gain ")[1].split(" dB")[0]) > 0.5
    assert not any("neighbours" in note for note in inspect(noisy(film())[0]).notes)


def test_a_stack_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(blocks_page, "LARGEST", 3)
    y = Image.of(noisy(film(6, side=48)), "TYX")
    whole = denoise(y, method="nonlocal")
    path = tmp_path / "kept"

    def stop(progress: Progress) -> None:
        if progress.plane:
            raise KeyboardInterrupt

    assert denoise(y, method="nonlocal", checkpoint=path, on_progress=stop).interrupted
    assert [file.name for file in tmp_path.iterdir()] == ["kept.plane0"]
    with pytest.raises(InputError, match="another picture, method or seed"):
        denoise(y, method="nonlocal", checkpoint=path, seed=1)
    again = denoise(y, method="nonlocal", checkpoint=path)
    assert np.array_equal(again.image, whole.image)
    assert [plane.psnr for plane in again.planes] == [plane.psnr for plane in whole.planes]
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="one by one"):
        denoise(y, method="dip", checkpoint=path)


def test_a_film_tells_its_noise_where_a_plane_alone_does_not() -> None:
    """Texture everywhere, which looks like noise, and noise that grows with brightness."""
    rng = np.random.default_rng(0)
    x = np.linspace(0.05, 0.6, 128) + 0.3 * rng.random((128, 128))
    level = np.sqrt(0.01 * x)
    picture = Image.of((x + level * rng.standard_normal((5, 128, 128))).astype(np.float32), "TYX")
    survey = survey_series(picture, find_series(picture, "T").series[0], Request())
    low, high = picture.value_range
    at = np.array([0.2, 0.45, 0.7])
    found = np.asarray(survey.noise.std((at - low) / (high - low))) * (high - low)
    assert found == pytest.approx(np.sqrt(0.01 * at), rel=0.1)
    assert any("how planes that follow each other differ" in note for note in survey.notes)
    alone = survey_series(picture, Series((0, 1), "T", "time"), Request())
    assert not any("differ" in note for note in alone.notes)


def cube(count: int = 8) -> Values:
    """Return channels that are mixtures of three scenes, (C, H, W)."""
    scenes = np.stack([scene(name)[:64, :64] for name in ("camera", "coins", "moon")])
    at = np.linspace(0, 1, count)[:, None]
    weights = np.exp(-((at - np.array([0.2, 0.5, 0.8])) ** 2) / 0.05) + 0.1
    return np.asarray(np.einsum("cm,mhw->chw", weights, scenes), np.float32)


def test_channels_of_one_scene_gain_by_each_other_and_know_it() -> None:
    x = cube()
    levels = np.linspace(0.04, 0.12, len(x))[:, None, None]
    y = Image.of(noisy(x, levels), "CYX")
    assert find_series(y, "auto").channels == (tuple(range(8)),)
    found, alone = (denoise(y, method="nonlocal", together=how) for how in ("auto", "none"))
    assert psnr(found.image, x) > psnr(alone.image, x) + 1.5
    span = y.value_range[1] - y.value_range[0]
    off = []
    for k, one in enumerate(found.planes):
        assert one.psnr is not None
        assert one.psnr.low - 0.5 < psnr(found.image[k], x[k], span) < one.psnr.high + 0.5
        off.append(one.psnr.value - psnr(found.image[k], x[k], span))
    assert abs(np.mean(off)) < 1
    assert np.array_equal(rerun(found.recipe, y).image, found.image)


def test_components_that_hold_noise_alone_are_left_out() -> None:
    """Twenty-four channels of three scenes: what twenty-one components would leave of their noise is .5 dB."""
    x = cube(24)[:, :48, :48]
    y = noisy(x, 0.1)
    found = denoise(Image.of(y, "CYX"), method="nonlocal", noise=Gaussian(0.1), value_range=(0, 1))
    axes = np.linalg.svd(y.reshape(24, -1) - y.reshape(24, -1).mean(1, keepdims=True), full_matrices=False)[0]
    left = (axes[:, 4:].T @ (found.image - x).reshape(24, -1)).std(1)
    assert np.median(left) < 0.06 * 0.1


def test_channels_are_taken_apart_where_they_share_nothing_or_are_few() -> None:
    assert find_series(Image.of(noisy(cube(4)), "CYX"), "auto").channels == ()
    rng = np.random.default_rng(0)
    unlike = np.stack([np.kron(rng.random((8, 8)), np.ones((8, 8))) for _ in range(6)]).astype(np.float32)
    assert find_series(Image.of(unlike, "CYX"), "auto").channels == ()
    samples = Image.of(np.moveaxis(noisy(cube()), 0, -1), "YXS")
    assert find_series(samples, "auto").channels == (tuple(range(8)),)


@pytest.mark.parametrize(("axes", "gain"), [("TYX", 1.0), ("ZYX", 1.0)])
def test_the_quick_effort_takes_planes_together_in_one_pass(axes: str, gain: float) -> None:
    x = film(6, side=64)
    y = Image.of(noisy(x), axes)
    together, alone = (denoise(y, effort="quick", sigma=LEVEL, together=each) for each in ("auto", "none"))
    assert together.method == alone.method == "nonlocal-quick"
    assert psnr(together.image, x) > psnr(alone.image, x) + gain


def test_planes_that_do_not_fit_are_not_looked_at_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a plane was looked at whole")

    monkeypatch.setattr("untaught.pipeline.stacks.find_series.thumbnail", refused)
    monkeypatch.setattr("untaught.pipeline.tasks.denoise.tiling_for", lambda *_: Tiling(64))
    result = denoise(Image.of(noisy(film(3, side=48)), "TYX"), method="nlm", sigma=LEVEL)
    assert len(result.planes) == 3
    assert find_series(Image.of(film(1)[0], "YX"), "auto").channels == ()  # nor is a plane that has no others
