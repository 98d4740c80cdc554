"""What the program advises is what it would do: the command that is advised runs, and does what was promised."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter
from skimage import data

import untaught
from tests.conftest import clean
from tests.helpers.prints import as_bytes, dots, waves
from untaught.cli import main
from untaught.noise.estimation.noise_report import NoiseReport
from untaught.noise.estimation.remembered import remembering

GREY = data.camera()[160:232, 180:252]
COLOUR = data.coffee()[100:172, 200:272]


def noisy(x: NDArray[np.uint8], level: float, seed: int = 0) -> NDArray[np.uint8]:
    return np.clip(x + np.random.default_rng(seed).normal(0, level, x.shape), 0, 255).astype(np.uint8)


def page() -> NDArray[np.bool_]:
    """Return letters, False where there is ink."""
    image = Image.new("L", (320, 100), 255)
    ImageDraw.Draw(image).text(
        (10, 10), "The quick brown\nfox, i.e. Fiji!", fill=0, font=ImageFont.load_default(36)
    )
    return np.asarray(image) > 128


def specked() -> NDArray[np.bool_]:
    found, at = page(), np.random.default_rng(0).integers((2, 2), (98, 318), (60, 2))
    found[tuple(at.T)] ^= True
    return found


def drawing(name: str) -> None:
    colours = np.random.default_rng(1).integers(0, 8, (12, 12)).repeat(6, 0).repeat(6, 1).astype(np.uint8)
    made = Image.fromarray(colours, "P")
    made.putpalette(np.random.default_rng(2).integers(0, 255, 24).tolist())
    made.save(name)


def save(x: NDArray[np.generic], **options: object) -> Callable[[str], None]:
    return lambda name: Image.fromarray(x).save(name, **options)


def stack(*planes: NDArray[np.generic]) -> Callable[[str], None]:
    return lambda name: tifffile.imwrite(
        name, np.stack(planes), photometric="minisblack", metadata={"axes": "TYX"}
    )


def mosaic(level: float) -> NDArray[np.uint16]:
    x = 200 * clean(96, 96) * 200 + 500
    found = np.empty((96, 96))
    for (top, left), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        found[top::2, left::2] = x[top::2, left::2, channel]
    return np.asarray(found + np.random.default_rng(0).normal(0, level, found.shape), np.uint16)


def raw(level: float) -> Callable[[str], None]:
    tags = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, bytes([0, 1, 1, 2]), True)]
    return lambda name: tifffile.imwrite(name, mosaic(level), photometric="cfa", extratags=tags)


def gaps(level: float) -> NDArray[np.float32]:
    found = noisy(GREY, level).astype(np.float32)
    found[20:24, 30:40] = np.nan
    return found


def salted() -> NDArray[np.uint8]:
    found, hit = GREY.copy(), np.random.default_rng(0).random(GREY.shape)
    found[hit < 0.03], found[hit > 0.97] = 0, 255
    return found


PRINT = as_bytes(dots(clean(128, 128, 1)[..., 0], 5, 45))
SMOOTH = np.rint(255 * gaussian_filter(clean(160, 160, 1)[..., 0], 2)).astype(np.uint8)
MOIRE = as_bytes(waves(0.1 + 0.8 * SMOOTH / 255, 6.2, 30, 0.08), noise=0)
KINDS: dict[str, tuple[Callable[[str], None], str | None]] = {
    "noisy.png": (save(noisy(GREY, 15)), "denoise"),
    "noisy colours.png": (save(noisy(COLOUR, 20)), "denoise"),
    "clean.png": (save(SMOOTH), None),
    "drawing.png": (drawing, None),
    "drawing.bmp": (drawing, None),
    "page.png": (save(page()), None),
    "specks.png": (save(specked()), "despeckle"),
    "specks.tif": (save(specked(), compression="group4"), "despeckle"),
    "specks in grey.png": (save(np.where(specked(), 230, 20).astype(np.uint8)), "despeckle"),
    "mask.png": (save(np.pad(np.full((40, 40), 255, np.uint8), 30)), None),
    "salt.png": (save(salted()), "denoise"),
    "low.jpg": (save(COLOUR, quality=20), "dejpeg"),
    "low grey.jpg": (save(GREY, quality=20), "dejpeg"),
    "low 422.jpg": (save(COLOUR, quality=25, subsampling=1), None),
    "noisy.jpg": (save(noisy(COLOUR, 20), quality=90), "denoise"),
    "print.png": (save(PRINT), "descreen"),
    "moire.png": (save(MOIRE), "descreen"),
    "noisy moire.png": (save(noisy(MOIRE, 25)), "denoise"),
    "one bit print.png": (save(PRINT > 128), "descreen"),
    "gaps.npy": (lambda name: np.save(name, gaps(15)), "denoise"),
    "film.tif": (stack(*(noisy(GREY, 15, seed) for seed in range(2))), "denoise"),
    "empty page.tif": (stack(noisy(GREY, 15), np.zeros_like(GREY), noisy(GREY, 15, 1)), "denoise"),
    "camera.tif": (raw(900), "denoise"),
}


KNOWN: dict[bytes, NoiseReport] = {}


@pytest.fixture(autouse=True)
def measured_once() -> Iterator[None]:
    """Let what follows `inspect` take over what that has measured on the very same values."""
    with remembering(KNOWN):
        yield


@pytest.mark.parametrize("name", KINDS)
def test_the_command_that_is_advised_runs_and_does_what_was_promised(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if name.startswith("camera"):
        pytest.importorskip("rawpy")
    make, verb = KINDS[name]
    monkeypatch.chdir(tmp_path)
    make(name)
    assert main(["inspect", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    advice = found["advice"].partition("What to do: ")[2]
    commands = [shlex.split(text)[1:] for text in re.findall(r"`(untaught [^`]+)`", advice)]
    suffix = ".tif" if name.endswith((".jpg", ".bmp")) else Path(name).suffix
    if verb is None:
        assert advice.startswith("leave it as it is")
    else:
        assert advice.startswith("run ")
        assert commands[0][0] == verb
    for command in commands:
        words = [{"OUT": f"out{suffix}", "PICTURE": "picture.tif"}.get(word, word) for word in command]
        quick = ["--effort", "quick"] if command[0] == "denoise" else ["--time-limit", "1"]
        assert main([*words, *quick]) == 0, capsys.readouterr().err
        capsys.readouterr()
    if verb is not None:
        before, after = untaught.read(name).array, untaught.read(f"out{suffix}").array
        assert before.shape != after.shape or not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    elif not commands:
        denoised = main(["denoise", name, "-o", f"out{suffix}", "--effort", "quick"])
        said = capsys.readouterr().err
        assert denoised == 0 or "despeckle" in said
        if denoised == 0:
            assert np.array_equal(untaught.read(name).array, untaught.read(f"out{suffix}").array)


@pytest.mark.parametrize(
    ("name", "verb"), [("page.png", "denoise"), ("drawing.png", "dejpeg"), ("low 422.jpg", "dejpeg")]
)
def test_a_refusal_names_what_does_it(
    name: str, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    KINDS[name][0](name)
    assert main([verb, name, "-o", "out.png"]) == 2
    said = re.search(r"'untaught (\w+)'", capsys.readouterr().err)
    assert said is not None
    output = [] if said[1] == "inspect" else ["-o", "out.png"]
    assert main([said[1], name, *output]) == 0


def test_no_note_names_a_verb_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("low.jpg", "low 422.jpg", "print.png", "moire.png"):
        KINDS[name][0](name)
        assert main(["denoise", name, "-o", "out.tif", "--effort", "quick", "--json"]) == 0
        for note in json.loads(capsys.readouterr().out)["notes"]:
            for verb in re.findall(r"'untaught (\w+)'(?! does not)", note):
                if "does not take" not in note:
                    assert main([verb, name, "-o", "again.tif", "--time-limit", "1"]) == 0
        capsys.readouterr()


def test_a_raw_file_says_its_filter(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    raw(100)(str(tmp_path / "camera.tif"))
    picture = untaught.read(tmp_path / "camera.tif")
    by_file = untaught.demosaic(picture, time_limit=1)
    assert by_file.recipe.operands == {"pattern": "RGGB"}
    other = untaught.demosaic(picture, "BGGR", time_limit=1)
    assert any("RGGB" in note and "BGGR" in note for note in other.notes)
