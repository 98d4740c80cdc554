"""The way from ImageJ and Fiji: the macro of the documentation, and what it hands over and takes back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

import untaught
from untaught.cli import main

MACRO = Path(__file__).parents[2] / "docs" / "fiji" / "untaught.ijm"
IMAGEJ = Path("/usr/share/java/ij.jar")  # where Debian's package has it
RANDOM = np.random.default_rng(0)
SCREEN = ["xvfb-run", "-a"] if shutil.which("xvfb-run") else []  # ImageJ does not start without one
HYPERSTACK = (1000 + 60 * RANDOM.standard_normal((2, 3, 2, 32, 40))).astype(np.uint16)


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_axes_and_calibration_come_back(tmp_path: Path, kind: str) -> None:
    before, after = tmp_path / "before.tif", tmp_path / "after.tif"
    if kind == "imagej":
        said = {"axes": "TZCYX", "unit": "um", "spacing": 0.7, "finterval": 2.5, "mode": "composite"}
        tifffile.imwrite(before, HYPERSTACK, imagej=True, resolution=(5.0, 4.0), metadata=said)
    else:
        said = {"axes": "TZCYX", "PhysicalSizeX": 0.2, "PhysicalSizeXUnit": "µm", "TimeIncrement": 2.5}
        tifffile.imwrite(before, HYPERSTACK, ome=True, metadata=said)
    assert main(["denoise", str(before), "-o", str(after), "--method", "nlm", "--noise", "gaussian:30"]) == 0
    with tifffile.TiffFile(before) as given, tifffile.TiffFile(after) as made:
        assert made.series[0].axes == given.series[0].axes == "TZCYX"
        assert made.series[0].shape == HYPERSTACK.shape
        assert made.series[0].asarray().std() < HYPERSTACK.std()
        if kind == "imagej":
            assert made.is_imagej
            assert {key: made.imagej_metadata[key] for key in said if key != "axes"} == {
                key: value for key, value in said.items() if key != "axes"
            }
            assert [made.pages[0].tags[code].value for code in (282, 283)] == [
                given.pages[0].tags[code].value for code in (282, 283)
            ]
        else:
            assert 'PhysicalSizeX="0.2"' in made.ome_metadata
            assert 'TimeIncrement="2.5"' in made.ome_metadata


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("java") and IMAGEJ.exists() and (SCREEN or os.environ.get("DISPLAY"))),
    reason="ImageJ or a screen for it is missing: apt-get install imagej xvfb xauth",
)
def test_the_macro_runs_in_imagej(tmp_path: Path) -> None:
    called = tmp_path / "untaught"
    source = Path(untaught.__file__).parents[1]
    called.write_text(f'#!/bin/sh\nPYTHONPATH="{source}" exec "{sys.executable}" -m untaught "$@"\n')
    called.chmod(0o755)
    macro, trial = tmp_path / "untaught.ijm", tmp_path / "trial.ijm"
    macro.write_text(re.sub(r"(?m)^command = .*$", f'command = "{called}";', MACRO.read_text("utf-8")))
    tifffile.imwrite(
        tmp_path / "cells.tif",
        HYPERSTACK,
        imagej=True,
        resolution=(5.0, 5.0),
        metadata={"axes": "TZCYX", "unit": "mm", "spacing": 0.7, "finterval": 2.5},
    )
    trial.write_text(
        f"""open("{tmp_path}/cells.tif");
runMacro("{macro}", "denoise;quick;gaussian:30");
Stack.getDimensions(width, height, channels, slices, frames);
getVoxelSize(x, y, z, unit);
print("BACK", getTitle(), width, height, channels, slices, frames, x, z, unit, Stack.getFrameInterval());
"""
    )
    ran = subprocess.run(
        [*SCREEN, "java", f"-Djava.io.tmpdir={tmp_path}", "-jar", str(IMAGEJ), "-batch", str(trial)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "BACK cells.tif restored 40 32 2 3 2 0.2 0.7 mm 2.5" in ran.stdout, ran.stdout + ran.stderr
    assert "Estimated PSNR" in ran.stdout
    assert not list(tmp_path.glob("untaught-*")), "its folder is left"
