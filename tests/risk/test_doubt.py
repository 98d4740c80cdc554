"""What is said where a picture shows another noise than its law: one sentence, with the right numbers."""

from __future__ import annotations

import math

import pytest
import torch

from untaught.noise import Gaussian, NoiseModel, PoissonGaussian
from untaught.risk.doubt import ALIKE, CHANCE, Doubt, Shade

GIVEN, FOUND = Gaussian(0.1), Gaussian(0.1, relative_error=0.05)
COUNTS = PoissonGaussian(0.01)


def shades(*factors: float, error: float = 0.02) -> tuple[Shade, ...]:
    """Return shades from dark to bright, with these ratios of variances."""
    return tuple(Shade((k + 0.5) / len(factors), factor, error) for k, factor in enumerate(factors))


@pytest.mark.parametrize(
    ("factors", "noise", "words"),
    [
        ((4.0,), GIVEN, "the picture shows 2 times the noise that was given: levels of 25.5 and 51.0 (of 255)"),
        ((4.0,), FOUND, "the picture shows 2 times the noise that was found: levels of 25.5 and 51.0 (of 255)"),
        (
            (0.25, 0.25),
            GIVEN,
            "the noise that was given is 2 times what the picture shows: levels of 25.5 and 12.8",
        ),
        ((4.0, 4.2), COUNTS, "the picture shows 2 times the noise that was given"),
        ((4.0, 9.0, 16.0), GIVEN, "the picture shows 2 to 4 times the noise that was given"),
        ((1 / 16, 1 / 4), GIVEN, "the noise that was given is 2 to 4 times what the picture shows"),
        ((4.0, 1.0, 4.0), GIVEN, "the picture shows 2 times the noise that was given: levels of 25.5 and 51.0"),
        ((4.0, 1.0, 1.0), GIVEN, "the picture shows more noise in dark places than the law that was given says"),
        (
            (1.0, 1.0, 0.25),
            GIVEN,
            "the picture shows less noise in bright places than the law that was given says",
        ),
        (
            (1.0, 2.0, 1.0),
            FOUND,
            "the picture shows more noise in middling places than the law that was found says",
        ),
        (
            (0.25, 1.0, 4.0),
            GIVEN,
            "the picture shows more noise in bright places and less noise in dark places than the law",
        ),
    ],
)
def test_the_shades_are_put_into_words(factors: tuple[float, ...], noise: NoiseModel, words: str) -> None:
    said = Doubt(shades(*factors)).describe(noise)
    assert said.startswith(words)
    if "levels" not in words:
        assert "levels" not in said


def test_what_is_seen_of_neighbours_comes_first() -> None:
    odd = shades(4.0)
    assert "may be noise which neighbours share" in Doubt(odd, shared=True, faint=True, coarse=True).describe(
        GIVEN
    )
    assert "far less of the noise that was given" in Doubt(odd, shared=True, faint=True).describe(GIVEN)
    assert "share their noise, which the law that was found" in Doubt(odd, shared=True).describe(FOUND)
    beside = Doubt(odd, shared=True, beside=0.03).describe(GIVEN)
    assert "up to 2 times the noise that was given: white noise" in beside


def test_two_ratios_are_apart_from_a_third_on() -> None:
    """In standard deviations, of which the variances are the squares."""
    for ratio, apart in ((1.29, False), (1.31, True)):
        assert (" to " in Doubt(shades(4.0, 4.0 * ratio**2)).describe(GIVEN)) is apart


def test_a_shade_is_near_within_a_fifth_or_three_of_its_errors() -> None:
    whole = Shade(0.5, 2.0, 0.01)
    for factor, error, near in (
        (2 * (1 + ALIKE) - 0.01, 0.0, True),
        (2 * (1 + ALIKE) + 0.01, 0.0, False),
        (2 * (1 - ALIKE) + 0.01, 0.0, True),
        (2 * (1 - ALIKE) - 0.01, 0.0, False),
        (2 + 0.99 * CHANCE * 0.3, 0.3, True),
        (2 + 1.01 * CHANCE * 0.3, 0.3, False),
    ):
        assert Shade(0.1, factor, error).near(whole) is near


def test_between_shades_the_ratio_is_linear_and_its_error_the_largest() -> None:
    doubt = Doubt((Shade(0.25, 2.0, 0.1), Shade(0.75, 4.0, 0.4)))
    at = torch.tensor([[-1.0, 0.25, 0.5, 0.75, 2.0]])
    assert torch.allclose(doubt.factor_at(at), torch.tensor([[2.0, 2.0, 3.0, 4.0, 4.0]]))
    assert doubt.factor_at(at).dtype == at.dtype
    assert math.isclose(doubt.error, 0.1)
