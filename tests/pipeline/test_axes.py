"""axes= in every verb, --axes on every command: restored by planes, and given back in the array's own order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import untaught
from tests.conftest import clean, noisy
from tests.helpers.command import says, told
from untaught import Recipe, rerun
from untaught.cli import main
from untaught.theory.compress import code

FAST = {"method": "nlm", "noise": "gaussian:20"}
PIXELS = {"method": "pixels", "noise": "gaussian:5"}
TRUTH = np.stack([clean(24, 24, 1)[..., 0] * gain for gain in np.linspace(0.5, 1, 8)])  # C, Y, X
SPECTRAL = noisy(TRUTH, 20 / 255)
FEW = SPECTRAL[:5, :16, :16]
ORDERS = {"CYX": (0, 1, 2), "YXC": (1, 2, 0), "YCX": (1, 0, 2), "XYZ": (2, 1, 0), "XTY": (2, 0, 1)}


@pytest.mark.parametrize("axes", ORDERS)
def test_an_array_comes_back_in_its_own_order(axes: str) -> None:
    plain = untaught.denoise(FEW, axes="CYX", **FAST).image
    array = FEW.transpose(ORDERS[axes])
    result = untaught.denoise(array, axes=axes, **FAST)
    assert result.image.shape == array.shape
    np.testing.assert_array_equal(result.image, plain.transpose(ORDERS[axes]))
    large = untaught.upscale(array, 2, axes=axes, **PIXELS)
    assert large.image.shape == tuple(
        2 * n if letter in "YX" else n for letter, n in zip(axes, array.shape, strict=True)
    )
    assert large.picture.axes == axes


def test_a_fourth_channel_is_restored_and_a_note_says_how_it_is_not() -> None:
    truth = np.dstack([TRUTH[k] for k in (1, 3, 5, 7)])
    result = untaught.denoise(noisy(truth, 20 / 255), **FAST)
    for channel in range(4):
        assert (result.image - truth)[..., channel].std() < 0.7 * 20 / 255
    assert "alpha=True" in result.notes[0]


VERBS = {
    "denoise": lambda y, axes: untaught.denoise(y, axes=axes, **FAST),
    "inpaint": lambda y, axes: untaught.inpaint(y, 1 - np.eye(16), axes=axes, **PIXELS),
    "upscale": lambda y, axes: untaught.upscale(y, 2, axes=axes, **PIXELS),
    "deblur": lambda y, axes: untaught.deblur(y, "gaussian:1", axes=axes, **PIXELS),
    "demosaic": lambda y, axes: untaught.demosaic(y, axes=axes, **PIXELS),
    "restore": lambda y, axes: untaught.restore(y, axes=axes, **PIXELS),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_axes_and_its_recipe_knows_them(verb: str) -> None:
    array = np.ascontiguousarray(SPECTRAL[:, :16, :16].transpose(1, 2, 0))
    with pytest.raises(untaught.InputError, match=r"axes='YXC' \(--axes YXC\)"):
        VERBS[verb](array, None)
    with pytest.raises(untaught.InputError, match="do not fit"):
        VERBS[verb](array, "YX")
    result = VERBS[verb](array, "YXC")
    assert len(result.planes) == 8
    recipe = Recipe.model_validate_json(result.recipe.model_dump_json())
    assert recipe.axes == "YXC"
    assert np.array_equal(rerun(recipe, array).image, result.image)
    if verb == "denoise":  # the others are slower
        assert np.array_equal(rerun(recipe, array, axes="YXC").image, result.image)
    if verb != "inpaint":  # a mask that is an array is no option of the command
        assert result.command is not None
        assert "--axes YXC" in result.command


def test_looking_takes_axes_too() -> None:
    array = np.ascontiguousarray(SPECTRAL.transpose(1, 2, 0))
    assert untaught.inspect(array, axes="YXC").n_planes == 8
    assert "--axes YXC" in untaught.inspect(array, axes="YXC").advice
    truth = np.ascontiguousarray(TRUTH.transpose(1, 2, 0))
    found = untaught.compare(array, ["nlm"], axes="YXC", reference=truth, noise="gaussian:20")
    assert found.rows[0].quality is not None
    assert found.rows[0].quality.psnr > found.quality_input.psnr  # type: ignore[union-attr]
    with pytest.raises(untaught.InputError, match="8 planes"):
        code(array, axes="YXC")
    for call in (untaught.explain, untaught.inspect):
        with pytest.raises(untaught.InputError, match="do not fit"):
            call(array, axes="YX")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.save("in.npy", SPECTRAL.transpose(1, 2, 0))
    np.save("clean.npy", TRUTH.transpose(1, 2, 0))
    return tmp_path


COMMANDS = {
    "denoise": ["-o", "out.npy", "--method", "nlm"],
    "inpaint": ["-o", "out.npy"],
    "upscale": ["-o", "out.npy", "--factor", "2"],
    "deblur": ["-o", "out.npy", "--psf", "gaussian:1"],
    "demosaic": ["-o", "out.npy"],
    "restore": ["-o", "out.npy"],
    "despeckle": ["-o", "out.npy"],
    "descreen": ["-o", "out.npy"],
    "dejpeg": ["-o", "out.npy"],
    "inspect": [],
    "compare": ["-o", "place", "--methods", "nlm"],
    "compress": ["-o", "place"],
    "explain": ["-o", "place"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_axes(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "in.npy", *COMMANDS[command]]) == 2
    assert says(capsys.readouterr().err, "in.npy", "(24, 24, 8)", "--axes YXC")
    assert main([command, "in.npy", *COMMANDS[command], "--axes", "TZCYX"]) == 2
    assert says(capsys.readouterr().err, "'TZCYX'", "(24, 24, 8)", "--axes")


def test_the_command_in_the_report_names_the_axes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [
        "denoise",
        "in.npy",
        "-o",
        "out.npy",
        "--axes",
        "YXC",
        "--method",
        "nlm",
        "--reference",
        "clean.npy",
    ]
    assert main([*argv, "--report", "r.html", "--recipe", "r.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["psnr"] > 22
    command = told((folder / "r.html").read_text())
    assert command is not None
    assert command[command.index("--axes") + 1] == "YXC"
    command[command.index("OUTPUT")] = "again.npy"
    assert main([*command, "-q"]) == 0
    assert np.array_equal(np.load("again.npy"), np.load("out.npy"))
    recipe = Recipe.model_validate_json(Path("r.json").read_text())
    assert np.array_equal(rerun(recipe, "in.npy").image, np.load("out.npy"))
