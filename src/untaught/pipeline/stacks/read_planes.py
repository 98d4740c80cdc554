"""Planes of a series for a network that is fitted to all of them: read as they are needed, a little noisier."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from untaught.image.lazy import release
from untaught.pipeline.request import Request
from untaught.pipeline.stacks.blocks import posed
from untaught.pipeline.stacks.survey_series import Survey, spread
from untaught.problem import Problem, made_whole
from untaught.risk.sure import Recorruption

ALPHA = 0.25  # of the recorruption that judges the fit, as in `fitting.stopping.Recorrupted`
JUDGED = 4  # planes that a fit is judged by, evenly spread
ROUND = 50  # steps that draw from the same planes, where not all are held
MOST = 2**28  # bytes of planes that are held
BETWEEN_PLANES = 1000  # seeds


class SeriesPlanes:
    """The planes of a series as a fit may see them, yhat = y + alpha z; z, of each plane its own, judges it.

    Attributes
    ----------
    survey : Survey
        What the planes share.
    request : Request
        What is asked of them.
    reach : int
        Planes on each side that are seen with one.
    most : int
        Planes that are held, at most; those not used for longest go first.
    """

    def __init__(self, survey: Survey, request: Request, reach: int, memory: int):
        self.survey, self.request, self.reach = survey, request, reach
        first = posed(survey, 0, request).problem
        each = 8 * first.y.numel()  # y and the mask, as float32
        self.most = max(2 * reach + 2, min(memory // 4, MOST) // each)
        self._held: OrderedDict[int, Problem] = OrderedDict()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.survey.series.planes)

    def at(self, place: int) -> Problem:
        """See `in_series.Planes`."""
        if place not in self._held:
            problem, drawn = self.kept_back(place)
            seen = problem.with_y(drawn.yhat)
            noise = problem.noise.scaled(1 + ALPHA**2, problem.noise.relative_error)
            self._held[place] = replace(seen, y=made_whole(seen), noise=noise)
            while len(self._held) > self.most:
                self._held.popitem(last=False)
        self._held.move_to_end(place)
        return self._held[place]

    def kept_back(self, place: int) -> tuple[Problem, Recorruption]:
        """Return the problem of a plane, and what is kept back of it from the fit."""
        problem = posed(self.survey, place, self.request).problem
        release(self.survey.picture.array)
        return problem, Recorruption.draw(problem, self.request.seed + place * BETWEEN_PLANES, ALPHA)

    def present(self, step: int) -> Sequence[int]:
        """See `in_series.Planes`; where not all are held, some for a while, and then others."""
        count, some = len(self), self.most // (2 * self.reach + 1)
        if self.most >= count:
            return range(count)
        rng = np.random.default_rng((self.request.seed, step // ROUND))
        places: list[int] = rng.choice(count, max(1, some), replace=False).tolist()
        return places

    @property
    def judged(self) -> Sequence[int]:
        """See `in_series.Planes`."""
        return spread(len(self), JUDGED)
