"""One function says whether a measured noise is believed."""

from __future__ import annotations

import pytest

from untaught.noise import Gaussian
from untaught.noise.belief import (
    BLURRED_TEXTURE,
    CAMERA,
    COMPRESSION,
    DOUBTFUL,
    ROUGH_TEXTURE,
    ROUNDING,
    TEXTURE,
    Mimic,
    believed,
)

ALL = (ROUNDING, CAMERA, COMPRESSION, TEXTURE, ROUGH_TEXTURE, BLURRED_TEXTURE)


@pytest.mark.parametrize("mimic", ALL)
def test_only_what_is_stronger_than_what_may_pass_for_it_is_believed(mimic: Mimic) -> None:
    assert believed(1.01 * mimic.level, mimic)
    assert not believed(0.99 * mimic.level, mimic)


def test_where_texture_may_pass_for_noise_the_level_has_to_be_sure_too() -> None:
    for mimic in ALL:
        assert believed(1.0, mimic, DOUBTFUL)
        assert believed(1.0, mimic, 1.01 * DOUBTFUL) is not mimic.texture


def test_more_is_asked_for_the_more_can_pass_for_noise() -> None:
    levels = [mimic.level for mimic in (ROUNDING, CAMERA, COMPRESSION, TEXTURE, ROUGH_TEXTURE)]
    assert levels == sorted(levels)
    assert Gaussian(0.99 * ROUNDING.level).negligible
    assert not Gaussian(1.01 * ROUNDING.level).negligible
