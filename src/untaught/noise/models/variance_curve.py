"""White noise whose level was measured at several brightnesses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from untaught.errors import InputError
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.curves import Curve, along, curve
from untaught.noise.models.moments import T
from untaught.noise.models.piecewise import namespace
from untaught.noise.models.words import MOST_LEVEL, Words


@dataclass(frozen=True)
class VarianceCurve(NoiseModel):
    """White normal noise whose variance is a free curve of brightness: y = x + sqrt(v(x)) n.

    Attributes
    ----------
    nodes : tuple of (float, float)
        Brightness, rising, and variance there, in [0, 1] units; v is linear between, constant beyond the ends.
    """

    kind: ClassVar[str] = "curve"
    form: ClassVar[str] = "curve:FILE.csv"
    nodes: Curve

    def __post_init__(self) -> None:
        super().__post_init__()
        nodes = curve(self.nodes)
        if not nodes or min(variance for _, variance in nodes) < 0:
            raise InputError(
                "Give a curve of noise one pair (brightness, variance) or more, no variance negative."
            )
        object.__setattr__(self, "nodes", nodes)

    @property
    def uniform(self) -> bool:
        """See `NoiseModel`."""
        return len({variance for _, variance in self.nodes}) == 1

    def std(self, x: T) -> T:
        """Return sqrt(v(x))."""
        answer: T = namespace(x).sqrt(along(x, self.nodes))
        return answer

    def scaled(self, factor: float, relative_error: float) -> Self:
        """See `NoiseModel`."""
        nodes = tuple((place, max(factor, 0.0) * variance) for place, variance in self.nodes)
        return replace(self, nodes=nodes, relative_error=relative_error)

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Read pairs of brightness and variance on the 0..255 scale, with '/' between them."""
        try:
            pairs = tuple(tuple(map(float, pair.split())) for pair in words.numbers[0].split("/"))
            nodes = curve([(x / 255, variance / 255**2) for x, variance in pairs])
            if max(max(abs(x), variance**0.5) for x, variance in nodes) >= MOST_LEVEL / 255:
                raise InputError(f"{words.text!r} is too large: levels have to be below {MOST_LEVEL:g}.")
            return cls(nodes, clip=words.clip)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{words.text!r} is no curve of noise: give pairs of brightness and variance on the 0..255 scale, "
                "rising in brightness, no variance negative, such as curve:0 4.2/128 30/255 61."
            ) from error

    def written(self, digits: int) -> str:
        """See `NoiseModel`."""
        return "/".join(f"{255 * x:.{digits}g} {255**2 * variance:.{digits}g}" for x, variance in self.nodes)

    def _moved(self, factor: float, shift: float) -> dict[str, Any]:
        return {"nodes": tuple((factor * x + shift, factor**2 * variance) for x, variance in self.nodes)}

    def _parameters(self) -> dict[str, Any]:
        return {"nodes": [[255 * x, 255**2 * variance] for x, variance in self.nodes]}

    def _what(self) -> str:
        (dark, low), (bright, high) = self.nodes[0], self.nodes[-1]
        return (
            f"Noise whose level follows a measured curve of brightness, from level {255 * low**0.5:.1f} at "
            f"brightness {255 * dark:.0f} to {255 * high**0.5:.1f} at {255 * bright:.0f} (of 255)"
        )
