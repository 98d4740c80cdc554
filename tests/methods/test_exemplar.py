"""Wide holes filled with copies of what is around them: from where, how alike, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import clean
from untaught import rerun
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.methods.inpainting.exemplar import Exemplar
from untaught.methods.inpainting.fill import Fill
from untaught.methods.inpainting.shift_map import Level, corners, doubled, grown, places
from untaught.methods.registry import METHODS
from untaught.noise import Gaussian
from untaught.operators import Mask
from untaught.operators.filters import filled
from untaught.pipeline.plane.choose_reconstruction import choose_reconstruction
from untaught.pipeline.plane.state_error import INVENTED
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.inpaint import inpaint
from untaught.problem import Problem

SIDE = 72


def waves(side: int = SIDE) -> Tensor:
    """Return a texture that repeats itself every 12 pixels."""
    turn = 2 * torch.pi * torch.arange(side) / 12
    return 0.5 + 0.2 * (torch.sin(turn)[:, None] + torch.cos(2 * turn)[None])[None, None]


def grain(side: int = SIDE) -> Tensor:
    """Return a texture that never repeats itself."""
    drawn = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.avg_pool2d(drawn, 3, 1, 1, count_include_pad=False)


def holed(side: int = SIDE, size: int = 22) -> Tensor:
    mask = torch.ones(1, 1, side, side)
    mask[..., 26 : 26 + size, 24 : 24 + size] = 0
    return mask


def problem_of(x: Tensor, mask: Tensor) -> Problem:
    return Problem(filled(x, mask), mask, Gaussian(0.0))


def energy(x: Tensor, where: Tensor) -> float:
    """Return the mean square of the differences of neighbours."""
    squares = (
        torch.diff(x, dim=-1, append=x[..., -1:]).square() + torch.diff(x, dim=-2, append=x[..., -1:, :]).square()
    )
    return float((squares * where).sum() / where.sum())


def test_a_texture_that_repeats_itself_goes_on_in_the_hole() -> None:
    x, mask = waves(), holed()
    found = Exemplar().solve(problem_of(x, mask)).image
    smooth = Fill().solve(problem_of(x, mask)).image
    assert float((found - x).square().mean()) < 0.02 * float((smooth - x).square().mean())
    assert torch.equal(found[mask > 0], x[mask > 0])


def test_what_is_copied_is_as_rough_as_what_is_around_it() -> None:
    x, mask = grain(), holed()
    inside = 1 - mask
    found, smooth = (method.solve(problem_of(x, mask)).image for method in (Exemplar(), Fill()))
    assert energy(smooth, inside) < 0.2 * energy(x, mask)
    assert 0.5 < energy(found, inside) / energy(x, mask) < 1.5


def test_every_pixel_of_a_hole_is_copied_from_a_known_one() -> None:
    x, hole = grain()[0], holed()[0, 0] == 0
    level = Level(hole, 7)
    x, source = level.searched(grown(x, hole, 7, 0.01), 2)
    for _ in range(2):
        assert not bool(hole[source[..., 0], source[..., 1]].any())
        assert torch.equal(source[~hole], places(hole)[~hole])
        x, source = level.propagated(x, source, 2)


def test_shifts_go_on_to_the_next_level() -> None:
    source = places(torch.zeros(5, 6)).roll(1, 1)
    fine = doubled(source, (10, 11))
    assert fine[4, 6].tolist() == [4, 4]
    assert fine[5, 7].tolist() == [5, 5]
    assert int(fine[..., 1].max()) == 10  # an odd side: the last column has no partner


def test_no_patch_that_touches_a_hole_is_known() -> None:
    hole = torch.zeros(12, 14, dtype=torch.bool)
    hole[5, 6] = True
    found = corners(hole, 3)
    assert found.shape == (10, 12)
    assert int(found.sum()) == 9
    assert bool(found[3:6, 4:7].all())


def test_narrow_gaps_are_left_to_similar_patches() -> None:
    x, mask = grain(40), torch.ones(1, 1, 40, 40)
    mask[..., 10:13, :] = 0
    assert torch.equal(Exemplar().solve(problem_of(x, mask)).image, Fill().solve(problem_of(x, mask)).image)


def test_colours_and_other_holes() -> None:
    x = torch.cat([waves(), waves().flip(2), 1 - waves()], 1)
    mask = holed(size=14)
    mask[..., 52:66, 50:66] = 0
    seen = [found.done for found in Exemplar().passes(problem_of(x, mask), 0)]
    image = Exemplar().solve(problem_of(x, mask)).image
    assert seen == sorted(set(seen))
    assert float((image - x).square().mean()) < 1e-4


def test_a_hole_that_leaves_nothing_to_copy_is_left_as_it_was() -> None:
    mask = torch.zeros(1, 1, 24, 24)
    mask[..., :3, :] = 1
    found = Exemplar().solve(problem_of(grain(24), mask)).image
    assert torch.equal(found, Fill().solve(problem_of(grain(24), mask)).image)


def test_it_ends_where_a_recipe_says() -> None:
    problem = problem_of(waves(), holed())
    passes = list(Exemplar().passes(problem, 0))
    cut = fit(replace(Exemplar(), last=passes[-2].done), problem, 0, Options())
    assert torch.equal(cut.estimate.image, Fill().solve(problem).image)
    short = fit(Exemplar(), problem, 0, Options(seconds=1e-6))
    assert short.stopped.rule == "time limit"


def photograph() -> Tensor:
    return torch.from_numpy(clean(SIDE, SIDE, 1).transpose(2, 0, 1).copy())[None]


@pytest.mark.parametrize(
    ("x", "names"), [(waves(), ["exemplar"]), (grain(), ["exemplar"]), (photograph(), ["fill", "dip"])]
)
def test_auto_copies_within_a_texture_alone(x: Tensor, names: list[str]) -> None:
    mask = holed(size=14)
    plan = choose_reconstruction(problem_of(x, mask), Task("inpaint", Mask(mask)), Request())
    assert [method.name for method in plan.order] == names


def test_a_network_is_asked_for_the_holes_that_lie_in_no_texture() -> None:
    x = torch.cat([waves(96), torch.linspace(0, 1, 96).expand(1, 1, 96, 96)], 3)
    mask = torch.ones_like(x)
    mask[..., 40:54, 30:44] = 0
    mask[..., 40:54, 146:160] = 0
    plan = choose_reconstruction(problem_of(x, mask), Task("inpaint", Mask(mask)), Request())
    assert [method.name for method in plan.order] == ["exemplar", "dip"]
    assert plan.holes is not None
    assert torch.equal(plan.holes[..., 96:], 1 - mask[..., 96:])
    assert float(plan.holes[..., :96].max()) == 0


def test_it_is_said_to_be_invented_and_no_error_is_estimated() -> None:
    mask = holed()[0, 0].numpy()
    y = np.rint(waves()[0, 0].numpy() * 255).astype(np.uint8)
    result = inpaint(y, mask, noise="gaussian:0")
    assert (result.method, result.psnr) == ("exemplar", None)
    assert INVENTED in result.notes
    assert "copied" in result.why
    assert np.array_equal(result.image[mask > 0], y[mask > 0])
    assert inpaint(y, mask, noise="gaussian:0", method=Fill()).psnr is not None


@pytest.mark.skipif("exemplar" not in METHODS, reason="it has no name yet")
def test_it_has_a_name_and_a_recipe_makes_it_again() -> None:
    mask = holed(size=14)[0, 0].numpy()
    y = np.rint(grain()[0, 0].numpy() * 255).astype(np.uint8)
    auto, named = (inpaint(y, mask, noise="gaussian:0", method=method) for method in ("auto", "exemplar"))
    assert np.array_equal(auto.image, named.image)
    assert np.array_equal(rerun(auto.recipe, auto.input).image, auto.image)
