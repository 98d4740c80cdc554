"""What may be asked for, and the command line that says the same."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from untaught.cli.parse import parse
from untaught.serve.settings import Settings, command_line

pytest.importorskip("fastapi")


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": "curve:/etc/passwd"},
        {"noise": "map:secret.png"},
        {"noise": "gaussian:25/../x"},
        {"method": "/tmp/model.safetensors"},
        {"method": "tuned:model.safetensors"},
        {"psf": "/etc/passwd"},
        {"psf": "motion:x"},
        {"task": "train"},
        {"factor": 1},
        {"seed": -1},
        {"time_limit": 0},
        {"region": [0, 0, -1, 5]},
        {"strength": 1.5},
        {"mask_marks": "white"},
        {"checkpoint": "/tmp/x"},
    ],
)
def test_no_path_can_be_asked_for(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("settings", "uploads", "words"),
    [
        ({}, {}, "denoise 'a b.png' -o 'a b-restored.png'"),
        ({"effort": "quick", "seed": 3}, {}, "denoise 'a b.png' -o 'a b-restored.png' --effort quick --seed 3"),
        (
            {"noise": "poisson:4,2,0", "time_limit": 60},
            {},
            "denoise 'a b.png' -o 'a b-restored.png' --noise poisson:4,2,0 --time-limit 60",
        ),
        ({"region": [1, 2, 30, 40]}, {}, "denoise 'a b.png' -o 'a b-restored.png' --noise-region 1,2,30,40"),
        ({"task": "inpaint"}, {"mask": "m.png"}, "inpaint 'a b.png' -o 'a b-restored.png' --mask m.png"),
        (
            {"task": "inpaint", "translucent": True},
            {"mask": "m.png"},
            "inpaint 'a b.png' -o 'a b-restored.png' --mask m.png --translucent",
        ),
        (
            {"task": "inpaint", "mask_marks": "missing", "strength": 0.5},
            {"mask": "m.png"},
            "inpaint 'a b.png' -o 'a b-restored.png' --mask m.png --mask-marks missing",
        ),
        ({"strength": 0.7}, {}, "denoise 'a b.png' -o 'a b-restored.png' --strength 0.7"),
        (
            {"task": "upscale", "factor": 3},
            {},
            "upscale 'a b.png' -o 'a b-restored.png' --factor 3 --kernel bicubic",
        ),
        (
            {"task": "deblur", "psf": "file"},
            {"psf": "k.npy"},
            "deblur 'a b.png' -o 'a b-restored.png' --psf k.npy --border valid",
        ),
        ({"task": "demosaic"}, {}, "demosaic 'a b.png' -o 'a b-restored.png' --pattern RGGB"),
        ({"task": "guided"}, {"guide": "g.png"}, "restore 'a b.png' -o 'a b-restored.png' --guide g.png"),
        ({"task": "dejpeg"}, {}, "dejpeg 'a b.png' -o 'a b-restored.png'"),
        ({"task": "despeckle"}, {}, "despeckle 'a b.png' -o 'a b-restored.png'"),
        ({"task": "descreen"}, {}, "descreen 'a b.png' -o 'a b-restored.png'"),
    ],
)
def test_the_command_says_the_same(settings: dict[str, Any], uploads: dict[str, str], words: str) -> None:
    command = command_line(Settings(**settings), ("a b.png", "a b-restored.png"), uploads)
    assert command == f"untaught {words}"
    assert callable(parse(shlex.split(command)[1:]))  # the program understands it
