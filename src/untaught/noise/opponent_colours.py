"""Grey and two opponent colours for three channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# Grey, red - blue, green - magenta; orthonormal, so that white noise stays white.
OPPONENT = ((3**-0.5,) * 3, (2**-0.5, 0.0, -(2**-0.5)), (6**-0.5, -2 * 6**-0.5, 6**-0.5))


def basis(y: Tensor) -> Tensor:
    """Return the orthonormal (C, C) matrix that decorrelates `y`, (1, C, H, W); rows are new channels.

    Opponent colours for three channels, else the identity: of other channels nothing is known.
    """
    import torch

    channels = y.shape[1]
    return y.new_tensor(OPPONENT) if channels == 3 else torch.eye(channels).to(y)
