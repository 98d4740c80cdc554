"""Stacks: every plane has its own noise, its own end and its own estimate, and the pages say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from tests.conftest import clean, noisy, psnr
from tests.helpers.command import QUICK
from tests.helpers.quick import DIP_FAST
from tests.results.test_page import images_in, text_of
from untaught import Image, Result, denoise
from untaught.cli import main
from untaught.method import Stopped
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.untrained.dip import DIP
from untaught.noise import Gaussian
from untaught.problem import Problem
from untaught.results.page import MOST_PLANES, page
from untaught.results.restoration import PlaneResult, representative
from untaught.results.text import plane_of

LEVELS = (0.04, 0.08, 0.12)


def stack(side: int = 48) -> np.ndarray:
    """Return an empty page, and then a face under more and more noise: (4, side, side)."""
    face = 0.25 + 0.5 * clean(side, side, 1)
    pages = [noisy(face, level, seed)[..., 0] for seed, level in enumerate(LEVELS)]
    return np.stack([np.full((side, side), 0.5, np.float32), *pages])


@pytest.fixture(scope="module")
def result() -> Result:
    return denoise(stack(), method="wavelet")


def test_each_plane_has_its_own_noise_and_estimate(result: Result) -> None:
    assert [plane.index for plane in result.planes] == [0, 1, 2, 3]
    assert [plane.label for plane in result.planes] == [f"Z {k}/4" for k in (1, 2, 3, 4)]
    assert [plane.method for plane in result.planes] == ["none", "wavelet", "wavelet", "wavelet"]
    for plane, level in zip(result.planes[1:], LEVELS, strict=True):
        assert plane.noise.level == pytest.approx(level, rel=0.2)
    face = 0.25 + 0.5 * clean(48, 48, 1)[..., 0]
    for plane in result.planes[1:]:
        assert plane.psnr is not None
        assert plane.psnr.value == pytest.approx(psnr(result.image[plane.index], face), abs=2)
        assert plane.psnr_input == pytest.approx(psnr(stack()[plane.index], face), abs=1)


def test_the_estimate_is_over_the_planes_that_were_restored(result: Result) -> None:
    face = 0.25 + 0.5 * clean(48, 48, 1)[..., 0]
    assert result.psnr is not None
    assert result.psnr.value == pytest.approx(psnr(result.image[1:], np.stack([face] * 3)), abs=2)
    assert result.psnr_input == pytest.approx(psnr(stack()[1:], np.stack([face] * 3)), abs=1)
    assert result.method == "wavelet"


def test_the_first_plane_that_was_restored_stands_for_the_picture(result: Result) -> None:
    main_plane = representative(result.planes)
    assert main_plane is result.planes[1]
    assert (result.noise, result.why, result.stopped) == (main_plane.noise, main_plane.why, main_plane.stopped)
    assert result.candidates == main_plane.candidates
    assert plane_of(result) == "Plane 2 of 4 (Z 2/4)"
    assert representative(result.planes[:1]) is result.planes[0]
    assert representative([]) is None


def test_a_fit_begins_with_what_the_one_to_the_plane_before_has_learnt() -> None:
    """As many steps as leave smears of the first plane are enough for the second, which moves a little."""
    faces = np.stack([clean(72, 72, 1)[k : k + 64, k : k + 64, 0] for k in (0, 4)])
    planes = noisy(faces, 0.1)
    method = DIP(steps=40, shape=HourglassShape(width=16, depth=3, skip=4))
    options = {"method": method, "noise": Gaussian(0.1), "stop": "steps"}
    both = denoise(planes, **options, together="none")
    alone = [denoise(plane, **options).image for plane in planes]
    assert np.array_equal(both.image[0], alone[0])
    assert psnr(both.image[1], faces[1]) > psnr(alone[1], faces[1]) + 1


def test_what_was_learnt_by_another_network_is_left_alone(problem: Problem) -> None:
    wide, narrow = (DIP(shape=HourglassShape(width=width, depth=2, skip=4)).init(problem, 0) for width in (16, 8))
    before = narrow.state_dict()["network"]
    narrow.start_warm(wide.weights())
    narrow.start_warm(None)
    assert all(torch.equal(before[name], value) for name, value in narrow.network.state_dict().items())
    again = DIP(shape=HourglassShape(width=8, depth=2, skip=4)).init(problem, 1)
    again.start_warm(narrow.weights())
    assert all(torch.equal(before[name], value) for name, value in again.network.state_dict().items())


def test_a_picture_of_one_plane_is_its_own_only_plane() -> None:
    result = denoise(stack()[1], method=DIP_FAST, noise="gaussian:10")
    (plane,) = result.planes
    assert plane.label == plane_of(result) == ""
    assert plane.history is result.history
    assert plane.history.step
    assert (plane.psnr, plane.stopped) == (result.psnr, result.stopped)


def test_the_page_has_a_row_a_plane_and_the_pictures_of_the_one_it_is_about(result: Result) -> None:
    html = page(result)
    text = text_of(html)
    assert "4 of 4 planes were reached" in text
    for plane in result.planes:
        assert f" {plane.label} {plane.noise.kind}, {255 * plane.noise.level:.1f} {plane.method} " in text
    assert "about the first restored: Plane 2 of 4 (Z 2/4)." in text
    low, high = result.input.value_range
    first = images_in(html)[1].astype(float)  # before, after ...
    assert np.corrcoef(first.ravel(), ((result.image[1] - low) / (high - low)).ravel())[0, 1] > 0.999
    assert "The planes" not in text_of(page(denoise(stack()[1], method="wavelet", noise="gaussian:10")))


def test_a_long_stack_has_a_short_table(result: Result) -> None:
    count = 2 * MOST_PLANES + 1
    long = Image.of(np.zeros((count, 8, 8), np.uint8) + np.arange(8, dtype=np.uint8), "ZYX")
    stopped = Stopped("closed form", 0, "a formula")
    planes = tuple(
        PlaneResult(k, f"Z {k + 1}/{count}", Gaussian(0.1), "tv", "asked", stopped) for k in range(count)
    )
    shown = Result(long, long, Gaussian(0.1), True, "tv", "asked", stopped, 1.0, result.recipe, planes=planes)
    text = text_of(page(shown))
    assert f"{count} of {count} planes were reached. 41 of them are listed." in text
    assert text.count("gaussian, 25.5 tv") == 41


def test_notes_say_which_planes_they_are_of() -> None:
    pages = np.stack([stack(24)[1]] * 6)
    pages[1, 5:8, 5:8] = np.nan
    pages[2:, 5:8, 5:8] = np.nan
    pages[2, 0, 0] = np.nan
    notes = denoise(pages, method="wavelet", noise="gaussian:10").notes
    assert "6 of 6 planes" in notes[0]
    filled = [note for note in notes if "filled in" in note]
    assert filled == [
        "Z 2/6; Z 4/6; Z 5/6 and 1 more: 1.6 % of the pixels held no measurement and were filled in",
        "Z 3/6: 1.7 % of the pixels held no measurement and were filled in",
    ]


def test_json_lists_the_planes_of_a_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("in.tif", stack(24)[:3], photometric="minisblack", metadata={"axes": "ZYX"})
    assert main(["denoise", "in.tif", "-o", "out.tif", *QUICK, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [plane["plane"] for plane in found["planes"]] == ["Z 1/3", "Z 2/3", "Z 3/3"]
    assert [plane["method"] for plane in found["planes"]] == ["none", "nonlocal", "nonlocal"]
    assert found["planes"][1]["stopped"] == found["stopped"]
    assert found["planes"][1]["sigma"] == pytest.approx(25, abs=0.01)
    assert found["planes"][1]["psnr_estimate"]["value"] > 20
    assert main(["denoise", "in.tif", "-o", "out.tif", *QUICK]) == 0
    assert "noise    Plane 2 of 3 (Z 2/3): White" in capsys.readouterr().out
