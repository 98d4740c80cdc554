"""An answer that is mixed with its input, for those who want to keep some of the grain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from untaught.pipeline.answer import Answer
from untaught.risk.estimate import Risk


def weakened(answer: Answer, y: NDArray[np.float32], missing: NDArray[np.bool_], strength: float) -> Answer:
    """Return a mixture of an answer f and its input, and its error.

        f_t = y + t (f - y)
        risk(f_t) = (1 - t) Var + t risk(f) - t (1 - t) E (f - y)^2

    by E (f - y)(y - x) = E Var div f - Var, of which risk(f) holds the first term. What was missing is the
    answer's own.

    Parameters
    ----------
    answer : Answer
        f.
    y, missing : ndarray
        The plane, (H, W, C) on the picture's range, and where it was not measured, (H, W).
    strength : float
        t, from 0 to 1.
    """
    if strength == 1 or answer.method == "none":
        return answer
    there = ~missing[..., None]
    change = np.where(there, answer.values - y, 0.0)
    values = np.where(there, y + strength * change, answer.values).astype(answer.values.dtype)
    risk, misfit = answer.risk, float(np.square(change).mean())
    if risk is not None:
        value = (1 - strength) * answer.variance + strength * risk.value - strength * (1 - strength) * misfit
        least = (1 - strength) ** 2 * answer.variance  # were the answer the picture itself
        risk = Risk(max(value, least), risk.error * strength)
    note = f"mixed with the input: {100 * strength:.0f} % of what was found to be noise was taken out"
    return replace(answer, values=values, std=None, risk=risk, notes=(*answer.notes, note))
