"""Noise that a person says where to find, in Python and on the command line: rectangles, frames, tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import untaught
from tests.conftest import clean
from tests.helpers.command import says
from untaught.cli import main
from untaught.cli.parse import parse
from untaught.errors import InputError
from untaught.noise import Gaussian, PoissonGaussian
from untaught.pipeline.tasks.inspect import inspect

GAIN, READ, OFFSET = 2.0, 5.0, 100.0
LIGHT = (80.0, 80.0, 500.0, 500.0)
BOX = (8, 10, 40, 30)


def shot(electrons: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = OFFSET + GAIN * rng.poisson(electrons) + READ * rng.standard_normal(electrons.shape)
    return np.rint(np.clip(values, 0, 65535)).astype(np.uint16)


def scene() -> np.ndarray:
    electrons = 20 + 400 * clean(64, 80, 1)[..., 0]
    electrons[10:40, 8:48] = 200.0
    return electrons


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a picture, cell.tif, and its camera's frames in frames/."""
    folder = tmp_path_factory.mktemp("camera")
    (folder / "frames").mkdir()
    for k, level in enumerate((0, 50, 200, 600)):
        for n in range(2):
            name = f"{'dark' if level == 0 else 'flat'}_{level}_{n}.tif"
            values = shot(np.full((96, 96), float(level)), 10 * k + n)
            untaught.write(folder / "frames" / name, untaught.Image.of(values, "YX"))
    (folder / "frames" / "notes.txt").write_text("not a picture")
    untaught.write(folder / "cell.tif", untaught.Image.of(shot(scene(), 99), "YX"))
    return folder


def test_frames_tell_the_law_of_a_picture_in_its_own_units(camera: Path) -> None:
    result = untaught.denoise(camera / "cell.tif", method="nonlocal", noise_from=camera / "frames")
    assert isinstance(result.noise, PoissonGaussian)
    low, high = result.input.value_range
    assert result.noise.gain * (high - low) == pytest.approx(GAIN, rel=0.05)
    assert low + result.noise.offset * (high - low) == pytest.approx(OFFSET, abs=1)
    truth = OFFSET + GAIN * scene()
    error = float(np.sqrt(np.mean((result.image - truth) ** 2)))
    assert result.rmse is not None
    assert result.rmse.low < error < result.rmse.high
    assert result.command is not None
    assert f"--noise-from {camera / 'frames'}" in result.command
    again = untaught.rerun(result.recipe, camera / "cell.tif")
    np.testing.assert_array_equal(again.image, result.image)
    assert again.command == result.command


def test_several_files_and_stacks_are_frames_too(camera: Path, tmp_path: Path) -> None:
    flats = np.stack(
        [shot(np.full((64, 64), level), seed) for seed, level in enumerate((80.0, 80.0, 500.0, 500.0))]
    )
    untaught.write(tmp_path / "flats.tif", untaught.Image.of(flats, "TYX"))
    frames = [tmp_path / "flats.tif", camera / "frames" / "dark_0_0.tif", camera / "frames" / "dark_0_1.tif"]
    found = inspect(camera / "cell.tif", noise_from=frames)
    assert found.transfer is not None
    assert found.transfer.gain == pytest.approx(GAIN, rel=0.08)


def test_a_rectangle_tells_the_level_of_every_plane() -> None:
    rng = np.random.default_rng(0)
    stack = np.full((2, 48, 56), 0.5) + np.array([0.02, 0.06])[:, None, None] * rng.standard_normal((2, 48, 56))
    stack[:, :, 50:] += np.linspace(-0.4, 0.4, 6)
    result = untaught.denoise(stack, axes="ZYX", method="nonlocal", noise_region=(4, 4, 40, 36))
    assert [plane.noise.level for plane in result.planes] == pytest.approx([0.02, 0.06], rel=0.08)
    assert all(isinstance(plane.noise, Gaussian) and plane.noise.relative_error > 0.01 for plane in result.planes)
    assert "rectangle 4,4,40,36" in " ".join(result.notes)
    assert result.command is not None
    assert "--noise-region 4,4,40,36" in result.command
    np.testing.assert_array_equal(untaught.rerun(result.recipe, stack, axes="ZYX").image, result.image)


def test_the_level_that_is_told_is_not_refined() -> None:
    noisy = 0.2 + 0.6 * clean(64, 64) + 0.1 * np.random.default_rng(0).standard_normal((64, 64, 3))
    told = Gaussian(0.12, relative_error=0.3)
    assert untaught.denoise(noisy, method="nonlocal", noise=told).noise.level == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ((0, 0, 4, 40), "at least 8 x 8"),
        ((60, 0, 40, 40), "does not lie in"),
        ((0, 0, 10), "four whole numbers"),
        ((-1, 0, 10, 10), "none of them negative"),
        ((0, 0, 10.0, 10), "four whole numbers"),
    ],
)
def test_rectangles_that_cannot_be_used(region: tuple[int, int, int, int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        untaught.denoise(shot(scene(), 1), noise_region=region)


def test_a_rectangle_without_noise_is_refused_and_one_at_white_is_named() -> None:
    picture = np.rint(255 * np.clip(clean(48, 48), 0, 1)).astype(np.uint8)
    picture[:16, :16] = 255
    with pytest.raises(InputError, match="has no noise"):
        untaught.denoise(picture, noise_region=(0, 0, 16, 16))
    picture[3, 3] = 250
    found = inspect(picture, noise_region=(0, 0, 16, 16))
    assert "lie at black or at white" in " ".join(found.notes)


def test_noise_is_told_once(camera: Path) -> None:
    with pytest.raises(InputError, match="two ways at once"):
        untaught.denoise(camera / "cell.tif", noise_region=BOX, noise="gaussian:5")
    with pytest.raises(InputError, match="two ways at once"):
        inspect(camera / "cell.tif", noise_region=BOX, noise_from=camera / "frames")
    (camera / "empty").mkdir()
    with pytest.raises(InputError, match="holds no picture"):
        untaught.denoise(camera / "cell.tif", noise_from=camera / "empty")


def test_a_recipe_from_before_has_its_default_type(camera: Path) -> None:
    result = untaught.denoise(shot(scene(), 1), method="nonlocal", noise="gaussian:8")
    old = {key: value for key, value in result.recipe.model_dump().items() if key != "output_type"}
    again = untaught.rerun(untaught.Recipe(**old), shot(scene(), 1))
    np.testing.assert_array_equal(again.image, result.image)


def test_inspect_prints_the_law_and_writes_it_as_a_table(
    camera: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(camera)
    assert main(["inspect", "cell.tif", "--noise-from", "frames", "--noise-curve", "cam.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["frames"]["gain"] == pytest.approx(GAIN, rel=0.05)
    assert found["noise"]["sigma_units"] == pytest.approx(
        found["noise"]["sigma"] * np.ptp(found["value_range"]) / 255, rel=1e-3
    )
    rows = np.loadtxt("cam.csv", delimiter=",", skiprows=2)
    np.testing.assert_allclose(
        rows[:, 1], found["frames"]["gain"] * (rows[:, 0] - rows[0, 0]) + rows[0, 1], rtol=1e-4
    )
    by_frames = untaught.denoise("cell.tif", method="nonlocal", noise_from="frames").noise
    by_table = untaught.denoise("cell.tif", method="nonlocal", noise_from="cam.csv").noise
    light = np.linspace(0, 1, 9)
    np.testing.assert_allclose(by_table.std(light), by_frames.std(light), rtol=1e-3)
    assert main(["inspect", "--noise-from", "frames"]) == 0
    assert "gain" in capsys.readouterr().out
    assert main(["inspect"]) == 2
    assert says(capsys.readouterr().err, "give a picture")


def test_inspect_writes_a_page_with_its_advice(camera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(camera)
    found = inspect("cell.tif", noise_region=BOX)
    page = found.report("page.html").read_text()
    assert page.count("<img") == 3
    assert "busiest patches" in page
    assert "--noise-region 8,10,40,30" in found.advice
    assert "believed" in found.advice
    job = parse(found.advice.split("`")[1].replace("OUT", "out.tif").split()[1:])
    assert callable(job)
    flat = replace(
        found, planes=(replace(found.planes[0], report=replace(found.planes[0].report, model=Gaussian(0.0))),)
    )
    assert "no noise was found" in flat.report("flat.html").read_text()
