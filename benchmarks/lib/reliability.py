"""Whether intervals hold what they are said to hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z90 = 1.645  # half-width of a central 90 % interval of a normal distribution, in standard deviations


def coverage(rows: Iterable[dict[str, Any]], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of true errors inside intervals made for each of `shares`.

    The stated interval is symmetric in the mean squared error, so its standard error follows from its low end.
    """
    from scipy.stats import norm

    ratios = []
    for row in rows:
        true, value, low = (
            10 ** (-db / 10) for db in (row["psnr"], *(row["estimate"][k] for k in ("value", "low")))
        )
        ratios.append(abs(true - value) / max((low - value) / Z90, 1e-12))
    widths = norm.ppf((1 + shares) / 2)
    return np.asarray((np.asarray(ratios)[None, :] <= widths[:, None]).mean(axis=1))
