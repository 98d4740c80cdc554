"""A task: an operator with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from untaught.operators import Operator
from untaught.operators.structure import folded


@dataclass(frozen=True)
class Task:
    """What was asked for: a name, as on the command line, and an operator, with what that was made of."""

    name: str
    operator: Operator
    given: Mapping[str, str] | None = None  # see `Recipe.operands`

    @property
    def folded(self) -> tuple[Operator | None, Tensor | None]:
        """The operator without the masks that come last, None for the identity, and those masks, 1 and 0."""
        return folded(self.operator)
