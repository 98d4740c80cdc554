"""The tasks from the command line: what they print and write, and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from tests.conftest import clean, psnr
from tests.helpers.command import levels, pixels, says, told
from untaught import inpaint, rerun, restore
from untaught.cli import main
from untaught.methods.untrained.pixels import PixelTV
from untaught.operators import Mask
from untaught.pipeline.tasks.registry import TASKS
from untaught.results.recipe import Recipe

KEYS = ["input", "output", "method", "why", "noise", "stopped", "seconds", "psnr_estimate", "seed", "version"]
QUICK = ("--method", "pixel-tv", "--noise", "gaussian:0")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with what the tasks need, and go there."""
    monkeypatch.chdir(tmp_path)
    picture = levels(clean(24, 32))
    kept = np.random.default_rng(0).random((24, 32)) < 0.7
    Pillow.fromarray(picture).save("clean.png")
    Pillow.fromarray(picture * kept[..., None]).save("in.png")
    Pillow.fromarray((255 * kept).astype(np.uint8)).save("mask.png")
    Pillow.fromarray(np.dstack([picture, (255 * kept).astype(np.uint8)])).save("alpha.png")
    Pillow.fromarray(picture[..., 1]).save("mosaic.png")
    np.save("psf.npy", np.ones((3, 3)) / 9)
    Pillow.open("mask.png").save("mask.jpg")
    np.save("bright.npy", np.ones((3, 3)))
    return tmp_path


CALLS = {
    "inpaint": ("in.png", "--mask", "mask.png"),
    "upscale": ("clean.png", "--factor", "2"),
    "deblur": ("clean.png", "--psf", "psf.npy"),
    "demosaic": ("mosaic.png", "--pattern", "BGGR"),
    "restore": ("clean.png",),
}
SHAPES = {task: (48, 64, 3) if task == "upscale" else (24, 32, 3) for task in CALLS}


@pytest.mark.parametrize("task", [name for name, verb in TASKS.items() if verb.task])
def test_json_files_and_recipe(task: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--seed", "3", "--json", "-q", "--recipe", "r.json", "--report", "r.html")
    assert main([task, *CALLS[task], "-o", "out.png", *QUICK, *more]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert list(found)[: len(KEYS)] == KEYS
    assert (found["input"], found["output"], found["seed"]) == (CALLS[task][0], "out.png", 3)
    assert found["method"] == "pixel-tv"
    assert pixels(folder / "out.png").shape == SHAPES[task]
    recipe = Recipe.model_validate_json((folder / "r.json").read_text())
    assert recipe.task == task
    assert np.array_equal(rerun(recipe, CALLS[task][0]).image, pixels(folder / "out.png"))
    assert (folder / "r.html").read_text().startswith("<!doctype html>")


AGAIN = {
    "inpaint": (("in.png", "--missing-color", "#000000"), ("in.png", "--mask", "mask.png"), ("alpha.png",)),
    "upscale": (("clean.png", "--factor", "2", "--kernel", "box"),),
    "deblur": (
        ("clean.png", "--psf", "gaussian:1", "--border", "reflect"),
        ("clean.png", "--psf", "psf.npy"),
    ),
    "demosaic": (("mosaic.png", "--pattern", "BGGR"),),
}


@pytest.mark.parametrize(("task", "call"), [(task, call) for task, calls in AGAIN.items() for call in calls])
def test_the_command_in_the_report_makes_the_same_picture(task: str, call: tuple[str, ...], folder: Path) -> None:
    more = ("--noise", "gaussian:2", "--seed", "3", "-q")
    assert main([task, *call, "-o", "out.png", *more, "--report", "r.html"]) == 0
    command = told((folder / "r.html").read_text())
    assert command is not None
    for word in call:
        assert word in command or str(folder / word) in command
    command[command.index("OUTPUT")] = "again.png"
    assert main([*command, "-q"]) == 0
    assert np.array_equal(pixels(folder / "again.png"), pixels(folder / "out.png"))


def test_the_command_in_the_report_names_the_guide(folder: Path) -> None:
    call = ("restore", "clean.png", "--guide", "in.png", "-o", "out.png", "--time-limit", "1e9")
    assert main([*call, *QUICK, "-q", "--report", "r.html"]) == 0
    assert told((folder / "r.html").read_text()) is None  # a fit that had a time limit
    assert main([*call[:-2], *QUICK, "-q", "--report", "s.html"]) == 0
    command = told((folder / "s.html").read_text())
    assert command is not None
    assert command[command.index("--guide") + 1] == str(folder / "in.png")


def test_no_command_is_said_where_none_does_the_same(folder: Path) -> None:
    kept = np.random.default_rng(0).random((24, 32)) < 0.7
    options = {"method": "pixel-tv", "noise": "gaussian:0"}
    for number, result in enumerate(
        (
            inpaint("in.png", kept, **options),
            inpaint("in.png", "mask.png", **{**options, "method": PixelTV(steps=20)}),
            restore("in.png", Mask(torch.ones(1, 1, 24, 32)), **options),
        )
    ):
        page = result.report(f"{number}.html").read_text()
        assert told(page) is None
        assert "untaught.rerun(recipe" in page


def test_the_reference_is_of_the_answers_size(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Pillow.open("clean.png").resize((16, 12), Pillow.Resampling.BICUBIC).save("small.png")
    argv = ["upscale", "small.png", "--factor", "2", "-o", "out.png", *QUICK, "--json", "-q"]
    assert main([*argv, "--reference", "clean.png"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["psnr"] == pytest.approx(
        psnr(pixels(folder / "out.png"), pixels(folder / "clean.png"), 255), abs=1e-6
    )
    assert main([*argv, "--reference", "small.png"]) == 2
    assert says(capsys.readouterr().err, "the reference small.png")


def test_alpha_stands_for_the_mask(folder: Path) -> None:
    assert main(["inpaint", "alpha.png", "-o", "out.png", *QUICK, "-q"]) == 0
    assert np.all(pixels(folder / "out.png")[..., 3] == 255)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("inpaint", "in.png", "--mask", "clean.png"), "neither black nor white"),
        (("inpaint", "in.png", "--mask", "missing.png"), "missing.png does not exist"),
        (("inpaint", "clean.png"), "nothing says which pixels"),
        (("deblur", "in.png", "--psf", "bright.npy"), "sums to 9"),
        (("deblur", "in.png"), "--psf"),
        (("upscale", "in.png", "--factor", "1"), "factor of 1"),
        (("upscale", "in.png", "--factor", "64"), "the factor is 64"),
        (("upscale", "in.png", "--factor", "two"), "--factor"),
        (("upscale", "in.png", "--factor", "2", "--method", "nonlocal"), "nonlocal needs a picture"),
        (("demosaic", "in.png"), "3 channels"),
        (("upscale", "in.png", "--factor", "2", "--guide", "mask.png"), "the guide is 24 x 32"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_call_is_one_sentence(
    argv: tuple[str, ...], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert main([*argv, "-o", "out.png"]) == 2
    assert says(capsys.readouterr().err, words)
    assert sorted(folder.iterdir()) == before


def test_an_operand_is_not_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = (folder / "mask.png").read_bytes()
    assert main(["inpaint", "in.png", "--mask", "mask.png", "-o", "mask.png", *QUICK]) == 2
    assert says(capsys.readouterr().err, "mask.png")
    assert (folder / "mask.png").read_bytes() == held
