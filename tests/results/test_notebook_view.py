"""What a notebook shows of a result is bounded, loads nothing, and has its slider."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.results.test_page import images_in, noisy_camera, text_of
from untaught import Image, denoise
from untaught.results import notebook_view as view


def of(before: np.ndarray, after: np.ndarray, axes: str) -> str:
    result = noisy_camera()
    return view.notebook_view(
        replace(result, input=Image.of(before, axes), picture=Image.of(after, axes), planes=(), std=None)
    )


def test_before_is_cut_off_where_the_slider_is_and_the_residual_lies_beside() -> None:
    html = noisy_camera(48)._repr_html_()
    assert html.count('<input type="range"') == 1
    assert re.search(r'alt="before" style="[^"]*clip-path:inset\(0 calc\(100% - var\(--cut\)\) 0 0\)', html)
    assert "setProperty('--cut',this.value+'%')" in html
    assert re.findall(r'alt="(\w+)"', html) == ["after", "before", "residual"]
    said = text_of(html)
    assert "before minus after" in said
    assert "estimated PSNR 30.5 dB" in said
    assert "Gaussian noise" in said


@pytest.mark.parametrize("shape", [(900, 700, 3), (40, 60, 3)])
def test_it_is_bounded_whatever_is_in_the_picture(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    html = of(values, values[::-1], "YXS")
    assert len(html) < 400_000
    assert "http" not in html
    large = max(shape) > view.SIDE
    assert ("the middle, 320 × 320 pixels" in html) is large
    assert [image.shape[:2] for image in images_in(html, "png|jpeg")] == [(320, 320) if large else shape[:2]] * 3


def test_a_larger_answer_is_compared_at_its_own_size_without_a_residual() -> None:
    before = np.random.default_rng(0).integers(0, 256, (300, 400)).astype(np.uint8)
    html = of(before, before.repeat(2, 0).repeat(2, 1), "YX")
    after, shown = images_in(html, "png|jpeg")
    assert after.shape == (320, 320)
    assert shown.shape == (160, 160)
    assert np.array_equal(shown, before[70:230, 120:280])
    assert "residual" not in html


def test_a_stack_says_which_plane_it_shows() -> None:
    stack = np.random.default_rng(0).normal(100, 9, (3, 24, 24)).astype(np.float32)
    result = denoise(Image.of(stack, "ZYX"), method="nlm", noise="gaussian:25", together="none")
    assert "Plane 1 of 3 (Z 1/3)" in text_of(result._repr_html_())
