"""What stands still in a film is averaged over all its planes, and what moves is left as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

from untaught.methods.non_local import temporal_mean
from untaught.methods.non_local.temporal_mean import FOLLOWED, average_what_stays

SIGMA = 0.1
PLANES = 24


def scene(channels: int = 1) -> Tensor:
    """A still picture, (F, C, 40, 48)."""
    picture = data.astronaut()[60:100, 180:228].astype(np.float32) / 255
    picture = picture if channels == 3 else picture.mean(2, keepdims=True)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].expand(PLANES, -1, -1, -1).clone()


def noisy(clean: Tensor, sigma: float, seed: int) -> Tensor:
    return clean + sigma * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))


def error(x: Tensor, clean: Tensor) -> float:
    return float((x - clean).square().mean())


def averaged(y: Tensor, pilot: Tensor, variance: Tensor | None = None) -> Tensor:
    law = torch.full((1, 1, 1, 1), SIGMA**2) if variance is None else variance
    return average_what_stays(y, lambda _: law, pilot)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_still_scene_has_the_noise_of_all_planes(channels: int) -> None:
    """A pilot with a fortieth of the noise variance, its errors in patches, loses nearly half of its error."""
    clean = scene(channels)
    y = noisy(clean, SIGMA, 0)
    rough = torch.nn.functional.avg_pool2d(noisy(torch.zeros_like(clean), SIGMA, 1), 6, 1, 3)[..., :40, :48]
    found = averaged(y, clean + rough)
    assert found.shape == y.shape
    assert error(found, clean) < 0.6 * error(clean + rough, clean)


def test_planes_that_show_something_else_take_no_part() -> None:
    clean = scene()
    clean[PLANES // 2 :] = clean[0].flip(-1)
    y, pilot = noisy(clean, SIGMA, 0), noisy(clean, SIGMA / 10, 1)
    _, _, counts = temporal_mean._means(y, torch.full_like(y, SIGMA**2), pilot)
    assert float(counts.max()) <= PLANES / 2 + 1
    assert abs(float((averaged(y, pilot)[0] - clean[0]).mean())) < 0.01


def test_what_moves_stays_where_it_is() -> None:
    """A spot as bright as the noise is strong goes over a still ground: none of it is left behind or taken off."""
    still = scene()
    clean = still.clone()
    for k in range(PLANES):
        clean[k, :, 10:18, 2 * k : 2 * k + 8] += SIGMA
    y, pilot = noisy(clean, SIGMA, 0), noisy(clean, SIGMA / 10, 1)
    found = averaged(y, pilot)
    spot, row = clean - still, slice(10, 18)
    kept = float(((found - still) * spot).sum() / spot.square().sum())
    left = (found - still)[:, :, row][spot[:, :, row] == 0]
    assert kept == pytest.approx(1, abs=0.15)
    assert abs(float(left.mean())) < 0.05 * SIGMA


def test_means_and_their_variances() -> None:
    """Of planes that are alike the mean is the plain one, and its variance that of the mean of all of them."""
    y = torch.arange(4.0)[:, None, None, None].expand(4, 1, 9, 9)
    variance = torch.tensor([1.0, 2.0, 3.0, 6.0])[:, None, None, None].expand(4, 1, 9, 9)
    means, variances, counts = temporal_mean._means(y.clone(), variance.clone(), torch.zeros(4, 1, 9, 9))
    assert torch.allclose(means, torch.full_like(means, 1.5))
    assert torch.allclose(variances, torch.full_like(variances, 12 / 16))
    assert torch.allclose(counts, torch.full_like(counts, 4.0))


def test_a_plane_that_is_like_no_other_keeps_most_of_its_pilot() -> None:
    y = torch.rand(3, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    pilot = torch.arange(3.0)[:, None, None, None].expand(3, 1, 20, 20).contiguous()
    found = averaged(y, pilot)
    share = 1 / (1 + FOLLOWED)
    assert float((found - pilot).abs().max()) <= share * float((y - pilot).abs().max()) + 1e-3
