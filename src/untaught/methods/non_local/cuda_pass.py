"""One stage of `NonLocal` on CUDA: tiles in turn, each of many groups at once, by torch."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from untaught.methods.non_local.block_matching import Grid, Tile, averaged, gather, pixels, scatter, similar
from untaught.methods.non_local.compiled_pass import Pictures
from untaught.methods.non_local.group_estimators import combination, noise_of, wiener


def filtered(kind: Literal["sure", "ridge", "wiener"], grid: Grid, pictures: Pictures) -> Tensor:
    """Return what `compiled_pass.filtered` returns."""
    y, pilot, v = pictures.y, pictures.pilot, pictures.variance
    estimate = wiener if kind == "wiener" else combination

    @torch.no_grad()  # does not reach into threads from outside
    def denoised(tile: Tile) -> tuple[Tensor, Tensor]:
        part = y[tile.window]
        corners = similar(pictures.guide[tile.window], tile, grid)
        index = pixels(corners, grid.patch, part.shape[2])
        group = gather(part, index)
        known = group if pilot is None else gather(pilot[tile.window], index)
        noise = noise_of(v if v.shape[1:] == (1, 1) else v[tile.window], index, kind)
        if pictures.covariance is not None and not pictures.covariance.white:
            shared = (
                pictures.covariance.within(grid.patch)
                if kind == "wiener"
                else pictures.covariance.between(corners, part.shape[2])
            )
            root = noise.sqrt()
            noise = root[..., None] * shared * root[..., None, :]
        answer, trust = estimate(group, known, noise)
        return scatter(answer, index, part.shape), scatter(trust.expand_as(answer), index, part.shape)

    return averaged(denoised, grid, y)
