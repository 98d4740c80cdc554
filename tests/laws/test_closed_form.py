"""The methods in closed form: what holds for every one of them, then each one's own claims."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from torch import Tensor

from untaught import denoise
from untaught.errors import InputError
from untaught.method import ClosedForm
from untaught.methods.classical.nlm import NLM
from untaught.methods.classical.tv import TV
from untaught.methods.classical.wavelet import Wavelet
from untaught.methods.non_local import compiled_pass
from untaught.methods.non_local.block_matching import Grid, gather, pixels, scatter, similar, tiles
from untaught.methods.non_local.group_estimators import _by_triangles, inverse_of, wiener
from untaught.methods.non_local.single_scale import NL_RIDGE, STANDARD, THOROUGH, NonLocal, Stage, denoise_nonlocal
from untaught.methods.parallel import each
from untaught.noise import Gaussian, NoiseModel, PoissonGaussian
from untaught.problem import Problem

SIGMA = 25 / 255
METHODS: tuple[ClosedForm, ...] = (NonLocal(), NLM(), TV(), Wavelet())
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def tensor(picture: Any) -> Tensor:
    array = np.atleast_3d(np.asarray(picture, np.float32) / 255)
    return torch.from_numpy(array).permute(2, 0, 1)[None].contiguous()


@functools.cache
def clean(name: str) -> Tensor:
    if name == "grey":
        return tensor(data.camera()[60:160, 190:287])
    return tensor(data.astronaut()[40:137, 170:263])


def noisy(x: Tensor, noise: NoiseModel, seed: int = 0) -> Tensor:
    sample = noise.sample(x.double().numpy(), np.random.default_rng(seed))
    return torch.from_numpy(sample.astype(np.float32))


def problem(y: Tensor, noise: NoiseModel) -> Problem:
    return Problem(y, torch.ones_like(y[:, :1]), noise)


def answer(method: ClosedForm, y: Tensor, noise: NoiseModel, seed: int = 0) -> Tensor:
    return method.solve(problem(y, noise), seed).image


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * torch.log10((a - b).square().mean()))


@functools.cache
def gained(name: str, number: int) -> float:
    x = clean(name)
    y = noisy(x, Gaussian(SIGMA))
    return psnr(answer(METHODS[number], y, Gaussian(SIGMA)), x) - psnr(y, x)


@every_method
def test_the_map_of_the_answer_has_no_jumps(method: ClosedForm) -> None:
    """It moves as far as its input does: a weight or a count of steps chosen anew moves it ten times that."""
    noise = Gaussian(50 / 255)
    for seed in range(4):
        given = problem(noisy(clean("grey"), noise, seed), noise)
        found = method.solve(given, 0)
        f = found.function or (lambda y, given=given: method.solve(given.with_y(y), 0).image)
        step = 0.05 * noisy(torch.zeros_like(given.y), noise, 100 + seed)
        near, far = (float((f(given.y + k * step) - found.image).square().mean().sqrt()) for k in (1, 2))
        assert near < 0.6 * float(step.square().mean().sqrt())
        assert far > 1.2 * near  # not twice that: at every step some groups take another patch


@every_method
@pytest.mark.parametrize("name", ["grey", "colour"])
def test_closer_to_the_clean_picture(method: ClosedForm, name: str) -> None:
    assert gained(name, METHODS.index(method)) > 5


@pytest.mark.parametrize("name", ["grey", "colour"])
def test_non_local_beats_the_classics(name: str) -> None:
    ours, *others = (gained(name, number) for number in range(len(METHODS)))
    assert ours > max(others) + 0.5


@every_method
@pytest.mark.parametrize("shape", [(1, 31, 44), (2, 33, 29), (3, 30, 21), (5, 16, 17)])
def test_any_channels_and_odd_sizes(method: ClosedForm, shape: tuple[int, ...]) -> None:
    ramp = torch.linspace(0.2, 0.8, shape[1])[:, None].expand(1, *shape)
    y = noisy(ramp, Gaussian(0.1)).requires_grad_()
    first = answer(method, y, Gaussian(0.1), seed=3)
    assert first.shape == y.shape
    assert first.dtype == torch.float32
    assert not first.requires_grad
    assert first.isfinite().all()
    assert psnr(first, ramp) > psnr(y.detach(), ramp) + 3
    assert torch.equal(first, answer(method, y, Gaussian(0.1), seed=3))


@every_method
@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)),
    level=st.sampled_from([0.0, 1e-4, 0.3]),
    flat=st.booleans(),
)
def test_tiny_pictures(method: ClosedForm, shape: tuple[int, int, int], level: float, flat: bool) -> None:
    y = torch.full((1, *shape), 0.25)
    if not flat:
        y = y + 0.3 * torch.rand(y.shape, generator=torch.Generator().manual_seed(1))
    result = answer(method, y, Gaussian(level))
    assert result.shape == y.shape
    assert result.isfinite().all()
    assert float((result - y).abs().max()) <= max(5 * level, 1e-3)


@every_method
def test_does_not_write_into_the_observation(method: ClosedForm) -> None:
    y = noisy(clean("colour")[..., :40, :40], Gaussian(SIGMA))
    before = y.clone()
    answer(method, y, Gaussian(SIGMA))
    assert torch.equal(y, before)


@every_method
def test_leaves_a_clean_picture_alone(method: ClosedForm) -> None:
    x = clean("colour")[..., :48, :48]
    assert float((answer(method, x, Gaussian(0.0)) - x).abs().max()) < 2e-3


@pytest.mark.parametrize("name", ["grey", "colour"])
def test_variance_that_follows_the_signal(name: str) -> None:
    x = clean(name)[..., :72, :72]
    noise = PoissonGaussian(gain=0.04, read=0.01)
    y = noisy(x, noise)
    flat = float(noise.variance(x).mean())
    follows = psnr(answer(NonLocal(), y, noise), x)
    assert follows > psnr(denoise_nonlocal(y, flat), x) + 0.2


def test_variance_as_number_map_and_model_agree() -> None:
    y = noisy(clean("colour")[..., :35, :35], Gaussian(SIGMA))
    number = denoise_nonlocal(y, SIGMA**2)
    for variance in (torch.full_like(y, SIGMA**2), torch.full_like(y[:, :1], SIGMA**2)):
        torch.testing.assert_close(denoise_nonlocal(y, variance), number, rtol=0, atol=1e-6)
    model = answer(NonLocal(), y, Gaussian(SIGMA))
    assert alike(model, number)


def alike(a: Tensor, b: Tensor) -> bool:
    """Whether pictures differ by rounding alone; by that a group here and there takes another patch."""
    apart = (a - b).abs()
    return float((apart < 1e-5).float().mean()) > 0.95 and float(apart.max()) < 1e-2


@pytest.mark.parametrize("factor", [1e-2, 100.0])
def test_answer_scales_with_the_units(factor: float) -> None:
    y = noisy(clean("grey")[..., :48, :48], Gaussian(SIGMA))
    scaled = denoise_nonlocal(factor * y, (factor * SIGMA) ** 2) / factor
    torch.testing.assert_close(scaled, denoise_nonlocal(y, SIGMA**2), rtol=0, atol=2e-3)


def test_later_stages_pay() -> None:
    x = clean("colour")[..., 20:84, 20:84]
    y = noisy(x, Gaussian(SIGMA))
    first, second, *_, last = (psnr(denoise_nonlocal(y, SIGMA**2, STANDARD[:n]), x) for n in (1, 2, 3, 4))
    ridge = psnr(denoise_nonlocal(y, SIGMA**2, NL_RIDGE), x)
    assert first + 0.5 < second < last - 0.05
    assert first < ridge < last
    assert psnr(denoise_nonlocal(y, SIGMA**2, THOROUGH), x) > second


def test_share_mixes_a_stage_with_its_pilot() -> None:
    y = noisy(clean("grey")[..., :40, :40], Gaussian(SIGMA))
    first, *rest = STANDARD
    pilot, whole, half = (
        denoise_nonlocal(y, SIGMA**2, stages)
        for stages in ((first,), (first, rest[0]), (first, replace(rest[0], share=0.5)))
    )
    torch.testing.assert_close(half, (pilot + whole) / 2, rtol=0, atol=1e-6)


def test_bad_stages_are_refused() -> None:
    with pytest.raises(InputError, match="start with a 'sure'"):
        NonLocal(stages=(Stage("wiener", 5, 64),))
    with pytest.raises(InputError, match="start with a 'sure'"):
        denoise_nonlocal(torch.zeros(1, 1, 8, 8), 0.1, stages=(Stage("ridge", 5, 64),))
    with pytest.raises(InputError, match="leaves pixels out"):
        Stage("sure", patch=3, group=8, step=5)
    with pytest.raises(InputError, match="share"):
        Stage("ridge", 5, 8, share=1.5)
    with pytest.raises(InputError, match="no stage"):
        Stage("median", 3, 8, step=2)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="shape"):
        denoise_nonlocal(torch.zeros(2, 1, 8, 8), 0.1)


def described(part: Tensor, patch: int) -> dict[int, Tensor]:
    """What every patch is compared by, under the pixel where it starts."""
    height, width = part.shape[1:]
    described = {}
    for top, left in np.ndindex(height - patch + 1, width - patch + 1):
        cut = part[:, top : top + patch, left : left + patch]
        if patch >= 8:  # means of 2 x 2 pixels
            even = patch // 2 * 2
            cut = cut[:, :even, :even].unflatten(1, (-1, 2)).unflatten(3, (-1, 2)).mean((2, 4))
        described[top * width + left] = cut
    return described


def nearest(values: dict[int, Tensor], reference: int, width: int, grid: Grid) -> list[float]:
    """Squared distances of the nearest patches, nearest first, by trying all of them."""
    row, column = divmod(reference, width)
    distances = [
        float((value - values[reference]).square().sum())
        for pixel, value in values.items()
        if abs(pixel // width - row) <= grid.radius and abs(pixel % width - column) <= grid.radius
    ]
    return sorted(distances)[: grid.group]


@pytest.mark.parametrize(("patch", "references"), [(4, 7 * 8), (9, 5 * 6)])
def test_similar_patches_are_the_nearest_in_the_window(patch: int, references: int) -> None:
    grid = Grid(patch=patch, step=3, radius=5, group=7)
    guide = torch.rand(2, 22, 25, generator=torch.Generator().manual_seed(0))
    found = 0
    for tile in tiles(grid, (40, *guide.shape[1:])):  # of so many channels that there are several
        part = guide[tile.window]
        values, width = described(part, patch), part.shape[2]
        for group, position in zip(similar(part, tile, grid).tolist(), np.ndindex(*tile.shape), strict=True):
            top, left = (c + grid.step * p for c, p in zip(tile.corner, position, strict=True))
            reference = top * width + left
            near = sorted(float((values[pixel] - values[reference]).square().sum()) for pixel in group)
            assert reference in group
            assert len(set(group)) == grid.group
            assert near == pytest.approx(nearest(values, reference, width, grid), abs=1e-5)
            found += 1
    assert found == references


def shades(colour: tuple[float, float, float]) -> tuple[Tensor, Tensor]:
    """Groups (3, B, k, n) of patches that hold shades of one colour, clean and with noise of variance 1."""
    generator = torch.Generator().manual_seed(0)
    light = 6 * torch.randn(8, 40, 9, generator=generator)
    clean = torch.tensor(colour).view(3, 1, 1, 1) * light
    return clean, clean + torch.randn(clean.shape, generator=generator)


def test_groups_are_filtered_in_their_own_colours() -> None:
    clean, group = shades((0.6, 0.64, -0.48))
    answer, trust = wiener(group.clone(), clean.clone(), torch.ones(3, 1, 1))
    alone = [wiener(group[o : o + 1].clone(), clean[o : o + 1].clone(), torch.ones(1, 1, 1)) for o in range(3)]
    apart = torch.cat([a / t for a, t in alone])
    error = (answer / trust - clean).square().mean()
    assert float(error) < 0.6 * float((apart - clean).square().mean())
    assert float((1 / trust).mean()) == pytest.approx(float(error), rel=0.15)


def test_turned_colours_turn_the_answer() -> None:
    clean, group = shades((1.0, 0.0, 0.0))
    clean[1] = group[2]  # no two colours alike
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1))).Q
    answers = []
    for colours in (torch.eye(3), turn):
        g, c = (torch.einsum("oc,cbkn->obkn", colours, x) for x in (group, clean))
        answer, trust = wiener(g, c, torch.ones(3, 1, 1))
        answers.append(answer / trust)
    torch.testing.assert_close(answers[1], torch.einsum("oc,cbkn->obkn", turn, answers[0]), rtol=0, atol=1e-3)


@pytest.mark.parametrize("size", [7, 25, 49, 64, 81])
@pytest.mark.parametrize("condition", [1e1, 5e2, 1e6])
def test_inverses_are_good_whatever_the_condition(size: int, condition: float) -> None:
    generator = torch.Generator().manual_seed(size)
    turn = torch.linalg.qr(torch.randn(6, size, size, generator=generator, dtype=torch.float64)).Q
    # Few large eigenvalues, as patches have; by halves, a part of that of 1e6 is not even positive.
    eigenvalues = 1 + condition / torch.arange(1, size + 1) ** 4
    matrix = ((turn * eigenvalues) @ turn.mT).float()
    exact = torch.linalg.inv(matrix.double())
    found = inverse_of(matrix.clone(), torch.tensor(1.0))
    torch.testing.assert_close(found.double(), exact, rtol=0, atol=1e-3 if condition < 1e6 else 2e-2)


def test_an_inverse_by_triangles_is_that_of_the_library() -> None:
    x = torch.randn(6, 20, 40, generator=torch.Generator().manual_seed(0))
    factor = torch.linalg.cholesky(x @ x.mT)
    torch.testing.assert_close(_by_triangles(factor), torch.cholesky_inverse(factor))


@pytest.mark.parametrize("most", [3, 11])
def test_the_size_of_the_tiles_does_not_matter(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    y = noisy(clean("colour"), Gaussian(SIGMA))
    before = denoise_nonlocal(y, SIGMA**2)
    monkeypatch.setattr(compiled_pass, "SIDE", most)
    torch.testing.assert_close(denoise_nonlocal(y, SIGMA**2), before, rtol=0, atol=2e-3)


def test_scatter_is_the_adjoint_of_gather() -> None:
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(2, 9, 11, generator=generator, dtype=torch.float64)
    rows, columns = (torch.randint(0, last, (5, 4), generator=generator) for last in (7, 9))
    corners = 11 * rows + columns
    index = pixels(corners, 3, 11)
    groups = gather(picture, index)
    top, left = divmod(int(corners[2, 1]), 11)
    assert torch.equal(groups[:, 2, 1], picture[:, top : top + 3, left : left + 3].flatten(1))
    values = torch.rand(groups.shape, generator=generator, dtype=torch.float64)
    back = scatter(values, index, picture.shape)
    assert float((groups * values).sum()) == pytest.approx(float((picture * back).sum()))


def test_threads_change_neither_a_bit_nor_their_own_number() -> None:
    y = noisy(clean("colour"), Gaussian(SIGMA))
    before = torch.get_num_threads()
    answers = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            answers.append(denoise_nonlocal(y, SIGMA**2))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*answers)


def test_a_broken_off_pass_gives_the_threads_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        done = each(lambda item: item**2, range(10**6))
        assert [next(done) for _ in range(3)] == [0, 1, 4]
        done.close()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    patch=st.integers(1, 9),
    step=st.integers(1, 9),
    shift=st.integers(0, 4),
)
@settings(max_examples=60, deadline=None)
def test_grid_covers_the_picture(size: tuple[int, int], patch: int, step: int, shift: int) -> None:
    grid = Grid(patch, min(step, patch), radius=3, group=5, shift=shift).fitted(*size)
    picture = torch.arange(float(size[0] * size[1])).view(1, *size)
    padded = grid.pad(picture)
    assert torch.equal(grid.crop(padded, *size), picture)
    assert all((length - grid.patch) % grid.step == 0 for length in padded.shape[1:])
    covered = torch.zeros_like(padded)
    for tile in tiles(grid, (1, *padded.shape[1:])):
        part = covered[tile.window]
        for row, column in np.ndindex(*tile.shape):
            top, left = tile.corner[0] + row * grid.step, tile.corner[1] + column * grid.step
            part[:, top : top + grid.patch, left : left + grid.patch] += 1
    assert covered.min() >= 1


@pytest.mark.parametrize("name", ["nonlocal", "nonlocal-thorough"])
def test_drawings_without_noise_come_back(name: str) -> None:
    """Patches that are all alike, and no noise to tell them apart: matrices that rounding makes indefinite."""
    drawing = np.full((96, 96), 240, np.uint8)
    drawing[10:80:9, 8:60] = 10
    drawing[30:70, 64:90:3] = 120
    result = denoise(drawing, method=name)
    assert np.abs(result.image.astype(int) - drawing).max() <= 1
