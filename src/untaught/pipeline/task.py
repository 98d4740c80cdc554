"""A task: a verb and its operator, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from untaught.operators import Identity, Operator
from untaught.operators.cut import Cut, Window
from untaught.operators.structure import cut_of, folded, windowed


@dataclass(frozen=True)
class Task:
    """A verb, as on the command line, and its operator.

    Attributes
    ----------
    name : str
        The verb.
    operator : Operator or None
        None where the picture itself was measured, and all that is wrong with it is noise.
    operands : mapping of str to str, or None
        What the operator and the guide were made of, by options of the command; None where no options say that.
    guide_sha256 : str
        The hash of the guide; empty where there is none.
    notes : tuple of str
        What was assumed of what was given with the picture.
    """

    name: str
    operator: Operator | None = None
    operands: Mapping[str, str] | None = None
    guide_sha256: str = ""
    notes: tuple[str, ...] = ()

    @property
    def fills_in(self) -> bool:
        """Whether what was not measured is what the task is about; denoising takes such pixels along."""
        return self.operator is not None

    @property
    def cut(self) -> Cut | None:
        """How what was measured can be taken in windows; None where it has to stay whole."""
        return cut_of(self.operator)

    def part(self, window: Window) -> Task:
        """Return the same task on a window, rows and columns, of what was measured."""
        return replace(self, operator=windowed(self.operator, window))

    @property
    def measures(self) -> Operator:
        """The operator, or the identity where there is none."""
        return Identity() if self.operator is None else self.operator

    @property
    def folded(self) -> tuple[Operator | None, Tensor | None]:
        """The operator without the masks that come last, None for the identity, and those masks, 1 and 0."""
        return folded(self.measures)
