"""Salt and pepper: how much of it, and which values of a picture it has hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError
from untaught.noise.models.base import NoiseModel
from untaught.noise.models.moments import T
from untaught.noise.models.piecewise import namespace
from untaught.noise.models.words import Words

WINDOW = 7  # side of the window in which values at an end are counted, in pixels
OWN = 0.5  # of the window: with more beyond chance the picture is black or white itself; a missed hit costs much
CHANCE = 0.4  # of the pixels with so many neighbours at the same end, which chance has to make
MORE = 2.0  # times what chance puts in all channels of a pixel: then it is the picture's own
WHOLE = 0.9  # of the pixels that were hit; with more in all channels at once, so were the few others

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Impulse(NoiseModel):
    """Salt and pepper: y = pepper or y = salt with probability fraction / 2 each, else y = x."""

    kind: ClassVar[str] = "impulse"
    form: ClassVar[str] = "impulse:0.1"
    takes: ClassVar[tuple[int, ...]] = (1, 3)
    white: ClassVar[bool] = False
    recorruptible: ClassVar[bool] = False
    replaces: ClassVar[bool] = True
    positions: ClassVar[tuple[str, ...]] = ("pepper", "salt")
    fraction: float
    pepper: float = 0.0
    salt: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fraction >= 1:
            raise InputError(
                f"The fraction of impulse noise is {self.fraction:g}; give the share "
                "of pixels that were hit, below 1."
            )
        if self.pepper >= self.salt:
            raise InputError("Pepper lies below salt in impulse noise; give the two values in that order.")

    def std(self, x: T) -> T:
        """Return the standard deviation of y given x."""
        xp, variance = namespace(x), self.variance(x)
        answer: T = xp.sqrt(xp.clip(variance, 0.0, None))
        return answer

    def mean(self, x: T) -> T:
        """Return E[y | x] = (1 - fraction) x + fraction (pepper + salt) / 2, which is not `x`."""
        value: Any = x
        answer: T = (1 - self.fraction) * value + self.fraction * self._middle
        return answer

    def variance(self, x: T) -> T:
        """Return fraction ((1 - fraction) (x - m)^2 + (salt - pepper)^2 / 4), with m = (pepper + salt) / 2."""
        value: Any = x
        away: Any = value - self._middle
        apart = (self.salt - self.pepper) / 2
        answer: T = self.fraction * ((1 - self.fraction) * away * away + apart * apart)
        return answer

    def unclip(self, m: T) -> T:
        """Return the x of which `m` is the mean, held to [pepper, salt]."""
        value: Any = m
        x: Any = (value - self.fraction * self._middle) / (1 - self.fraction)
        answer: T = namespace(x).clip(x, self.pepper, self.salt)
        return answer

    def sample(self, x: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw y: every value on its own is black, white or left alone; dtype of `x`."""
        u = rng.random(x.shape)
        salted = np.where(u > 1 - self.fraction / 2, self.salt, x)
        return np.where(u < self.fraction / 2, self.pepper, salted).astype(x.dtype)

    def hit(self, values: NDArray[np.float32]) -> Flags:
        """Tell which values were hit; (H, W, 1) where pixels were hit as a whole.

        A value at an end of the range was hit, unless far more of its neighbours in the same channel lie at that
        end than impulses put there: then the picture is black or white itself, or it is a stroke.
        """
        most = OWN + self.fraction / 2
        ends = values <= self.pepper, values >= self.salt
        hit = np.logical_or(*(_lonely(at, most) & _no_stroke(at, self.fraction / 2) for at in ends))
        some = hit.any(2, keepdims=True)
        if hit.all(2).sum() > WHOLE * some.sum():
            return np.asarray(some, np.bool_)
        for at in ends:
            hit &= ~_own(at, self.fraction)
        return np.asarray(hit, np.bool_)

    @classmethod
    def parse(cls, words: Words) -> Self:
        """Read the share of pixels that were hit, and where pepper and salt lie, if said, on the 0..255 scale."""
        ends = map(words.position, range(1, len(words.numbers)))
        return cls(words.number(0, top=1.0), *ends, clip=words.clip)

    def written(self, digits: int) -> str:
        """See `NoiseModel`."""
        ends = (self.pepper, self.salt)
        said = "" if ends == (0, 1) else "".join(f",{end * 255:.{digits}g}" for end in ends)
        return f"{self.fraction:.{digits}g}{said}"

    @property
    def _middle(self) -> float:
        return (self.pepper + self.salt) / 2

    def _parameters(self) -> dict[str, Any]:
        return {"fraction": self.fraction}

    def _what(self) -> str:
        return f"Salt and pepper: {100 * self.fraction:.1f} % of the pixels are black or white"


def _own(at: Flags, fraction: float) -> Flags:
    """Return the pixels that lie at an end in all channels, where they are more than chance puts there.

    Then they are highlights or deep shadows: channels are hit on their own, and seldom all of a pixel.
    """
    every = at.all(2, keepdims=True)
    chance = (fraction / 2) ** at.shape[2] * every.size
    more = at.shape[2] > 1 and every.sum() > MORE * (chance + 3 * np.sqrt(chance) + 1)
    return np.asarray(every & more, np.bool_)


def _no_stroke(at: Flags, share: float) -> Flags:
    """Return where as many of the eight neighbours lie at an end as chance puts there, which is hit by a `share`.

    Of pixels at an end, so many have k neighbours there. Chance alone makes N share B(k; 8, p) of N pixels so, p
    the share of hits, or of all pixels at that end where these are scattered. Where it makes fewer than `CHANCE`
    of them, they are the picture's own, and so are those with more such neighbours.
    """
    from scipy.ndimage import uniform_filter
    from scipy.stats import binom

    near = np.rint(uniform_filter(at.astype(np.float32), size=(3, 3, 1), mode="reflect") * 9).astype(int) - at
    seen = np.bincount(near[at].clip(0, 8), minlength=9)
    near_by = np.arange(9)
    made = at.size * share * np.maximum(*(binom.pmf(near_by, 8, p) for p in (share, float(at.mean()))))
    by_chance = np.logical_and.accumulate(made + 3 * np.sqrt(made) + 3 >= CHANCE * seen)
    return np.asarray(by_chance[near.clip(0, 8)])


def _lonely(at: Flags, most: float) -> Flags:
    """Keep the flags in whose window, themselves left out, at most a share `most` is set."""
    from scipy.ndimage import uniform_filter

    inside = uniform_filter(at.astype(np.float32), size=(WINDOW, WINDOW, 1), mode="reflect") * WINDOW**2
    return np.asarray(at & (inside - at <= most * (WINDOW**2 - 1)))
