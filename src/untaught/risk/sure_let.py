"""Candidates mixed with weights of least estimated risk, band by band: SURE-LET over whole pictures.

    f = f_0 + sum_j c_j d_j,   d_j = band_b(f_a - f_0) for candidates a and frequency bands b
    risk(c) = (1/N) || f_0 + sum c_j d_j - y ||^2 + 2/N sum_j c_j C_j + terms without c
    so  G c = h,  G_ij = <d_i, d_j>,  h_j = <d_j, y - f_0> - C_j,  C_j = E <probe, moved_j>

with C_j the divergence of d_j times the variance. Stein's formula is linear in the answer but for the misfit, so
the best weights are one small linear system. A handful of weights against 10^5 pixels costs next to nothing in
honesty: about 2 Var / N of risk each.

Source: Blu and Luisier, "The SURE-LET approach to image denoising", IEEE Transactions on Image Processing 2007,
for linear expansions of thresholds; here the expansion is of whole pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from untaught.problem import Response

RIDGE = 1e-4  # of the diagonal of G: candidates may agree in a band
ROUNDING = 1e-10  # of the energy of f_0: what is nearer to it than this is the same picture
CHUNK = 2**18  # values at a time in double precision
Linear = Callable[[Tensor], list[Tensor]]


@dataclass(frozen=True)
class Part:
    """A picture made from y, or a difference of two, (1, C, H, W), and how it moves with the noise."""

    image: Tensor
    responses: tuple[Response, ...]

    @property
    def cross(self) -> Tensor:
        """Estimate Var[y|x] df/dy per value."""
        return sum((r.probe * r.moved for r in self.responses), torch.zeros_like(self.image))


def differences(other: Part, base: Part, split: Linear) -> list[Part]:
    """Return `split(other - base)`: one part a band."""
    images = split(other.image - base.image)
    joint = _joined(other.responses, base.responses)
    moved = [[Response(probe, part) for part in split(change)] for probe, change in joint]
    return [Part(image, tuple(column)) for image, column in zip(images, zip(*moved, strict=True), strict=True)]


def _joined(a: Sequence[Response], b: Sequence[Response]) -> list[tuple[Tensor, Tensor]]:
    """Return probes with the movement of a - b, one for both where they were measured with the same probe."""
    if len(a) == len(b) and all(p.probe is q.probe for p, q in zip(a, b, strict=True)):
        return [(p.probe, p.moved - q.moved) for p, q in zip(a, b, strict=True)]
    return [(p.probe, p.moved) for p in a] + [(q.probe, -q.moved) for q in b]


def weights(base: Part, parts: Sequence[Part], y: Tensor, mask: Tensor) -> list[float]:
    """Return the c of least risk over the pixels where `mask`, (1, 1, H, W), is 1."""
    rows = torch.stack([(part.image * mask).flatten() for part in parts])
    left = (y - base.image).flatten()
    gram = torch.zeros(len(parts), len(parts), dtype=torch.float64)
    gain = torch.zeros(len(parts), dtype=torch.float64)
    # In single precision what parts that agree share is rounded by more than the ridge, on some processors.
    for start in range(0, len(left), CHUNK):
        some, rest = rows[:, start : start + CHUNK].double(), left[start : start + CHUNK].double()
        gram += (some @ some.T).cpu()
        gain += (some @ rest).cpu()
    gram += torch.diag(RIDGE * gram.diagonal() + ROUNDING * float((base.image * mask).square().sum()))
    cross = torch.stack([(part.cross * mask).double().sum().cpu() for part in parts])
    found: list[float] = torch.linalg.solve(gram, gain - cross).tolist()
    return found


def mixed(base: Part, parts: Sequence[Part], coefficients: Sequence[float]) -> Part:
    """Return base + sum_j c_j d_j, its responses one for each distinct probe."""
    image = base.image.clone()
    probes = {id(r.probe): r.probe for part in (base, *parts) for r in part.responses}
    moved = {key: torch.zeros_like(image) for key in probes}
    for weight, part in zip((1.0, *coefficients), (base, *parts), strict=True):
        for response in part.responses:
            moved[id(response.probe)] += weight * response.moved
        if part is not base:
            image += weight * part.image
    return Part(image, tuple(Response(probe, moved[key]) for key, probe in probes.items()))
