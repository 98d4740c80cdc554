"""The table of the README beside others, on results that are made up for the test."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.benchmark_pages import pages


@pytest.fixture(scope="module")
def loaded():
    with pages("lib.harness", "tables.peers", "tables.markdown") as found:
        yield found


def denoised(names: tuple[str, ...], method: str, psnr: float) -> list[dict[str, Any]]:
    where = {"level": 25, "method": method, "side": 0, "seed": 0, "time_limit": None}
    return [
        {"benchmark": "denoise", "case": where | {"picture": name}, "psnr": psnr + number}
        for number, name in enumerate(names)
    ]


def test_a_line_has_the_means_of_both(loaded) -> None:
    nine = loaded["lib.harness"].SET9
    rows = denoised(nine, "nonlocal", 30.0) + denoised(nine, "cbm3d", 29.5)
    (line,) = loaded["tables.peers"].peers(rows).splitlines()[2:]
    assert line.endswith(" | `nonlocal` | **34.00 dB** | CBM3D, told the level 33.50 dB |")


def test_a_peer_that_was_not_run_on_all_of_the_pictures_has_no_line(loaded) -> None:
    nine = loaded["lib.harness"].SET9
    rows = denoised(nine, "nonlocal", 30.0) + denoised(nine[:-1], "cbm3d", 29.5)
    assert loaded["tables.peers"].peers(rows) == loaded["tables.markdown"].NOTHING


def test_tasks_are_read_with_what_stands_beside_them(loaded) -> None:
    case = {"set": "Set5", "factor": 4, "method": "auto"}
    rows = [
        {"benchmark": "super_resolution", "case": case | {"picture": "a"}, "psnr_y": 31.0, "psnr_y_bicubic": 28.0},
        {"benchmark": "super_resolution", "case": case | {"factor": 8}, "psnr_y": 1.0, "psnr_y_bicubic": 1.0},
        {"benchmark": "real", "case": {"set": "fmd", "method": "nonlocal"}, "psnr": 34.0}
        | {"psnr_scikit-image_wavelet": 30.0, "psnr_scikit-image_nlm": 29.0},
    ]
    lines = loaded["tables.peers"].peers(rows).splitlines()[2:]
    assert [line.split(" | ")[2:] for line in lines] == [
        ["**34.00 dB**", "scikit-image wavelet 30.00 dB; scikit-image nlm 29.00 dB |"],
        ["**31.00 dB**", "bicubic 28.00 dB |"],
    ]
