"""The answer in floats, and the error of rounding where it is in integers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import untaught
from tests.conftest import clean, noisy
from tests.helpers.command import QUICK, lay_out, levels, says
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.image import Image
from untaught.image.output_type import rounding, typed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch, 32, 48)


def mse(result: untaught.Result) -> float:
    assert result.psnr is not None
    return 10 ** (-result.psnr.value / 10)


def test_floats_are_what_integers_were_rounded_from() -> None:
    picture = levels(noisy(clean(48, 48)))
    whole = untaught.denoise(picture, method="nonlocal", noise="gaussian:25")
    exact = untaught.denoise(picture, method="nonlocal", noise="gaussian:25", output_type="float32")
    assert exact.image.dtype == np.float32
    np.testing.assert_array_equal(np.clip(np.rint(exact.image), 0, 255), whole.image)
    assert (exact.image != whole.image).mean() > 0.9
    assert 255**2 * (mse(whole) - mse(exact)) == pytest.approx(1 / 12, rel=0.02)
    assert exact.command is not None
    assert exact.command.endswith("--output-type float32")
    again = untaught.rerun(exact.recipe, picture)
    np.testing.assert_array_equal(again.image, exact.image)
    assert "--output-type" not in (whole.command or "")


def test_of_floats_nothing_is_added() -> None:
    picture = noisy(clean(32, 32))
    same, wide = (
        untaught.denoise(picture, method="nonlocal", noise="gaussian:25", output_type=t)
        for t in ("same", "float64")
    )
    assert wide.image.dtype == np.float64
    assert same.psnr == wide.psnr


@pytest.mark.parametrize("level", [0.02, 0.3, 0.5])
def test_noise_below_the_rounding_breaks_nothing(level: float) -> None:
    picture = levels(clean(48, 48) + level / 255 * np.random.default_rng(0).standard_normal((48, 48, 3)))
    result = untaught.denoise(picture, method="nonlocal", noise=f"gaussian:{level}")
    assert (result.image == picture).mean() > 0.5
    if result.psnr is not None and result.psnr_input is not None:
        assert result.psnr.low <= result.psnr.value <= result.psnr.high
        assert result.psnr.value >= result.psnr_input - 0.1


def test_only_numbers_that_are_not_whole_are_rounded() -> None:
    frame = Image.of(np.arange(64, dtype=np.uint8).reshape(8, 8), "YX")
    values = frame.array / np.float32(255)
    assert rounding(frame, values) == 0
    values[:4] += np.float32(0.3 / 255)
    assert rounding(frame, values) == pytest.approx(0.5 / 12 / 255**2)
    assert rounding(typed(frame, "float32"), values) == 0


def test_other_verbs_have_it_too() -> None:
    picture = np.rint(255 * np.clip(clean(16, 16), 0, 1)).astype(np.uint8)
    result = untaught.upscale(picture, 2, output_type="float32", noise="gaussian:0")
    assert result.image.dtype == np.float32
    assert result.image.shape == (32, 32, 3)
    with pytest.raises(InputError, match="no output type 'float16'"):
        untaught.upscale(picture, 2, output_type="float16")


def test_what_cannot_hold_floats_is_refused_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("o.png", "o.jpg", "o.webp"):
        assert main(["denoise", "in.png", "-o", name, *QUICK, "--output-type", "float32"]) == 2
        out, err = capsys.readouterr()
        assert says(err, "cannot hold float32", ".tif")
        assert out == ""
        assert not Path(name).exists()
    assert main(["denoise", "in.png", "-o", "o.tif", *QUICK, "--output-type", "half"]) == 2
    assert says(capsys.readouterr().err, "no output type")


@pytest.mark.parametrize("name", ["o.tif", "o.npy"])
def test_files_and_json(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    argv = [
        "denoise",
        "in.png",
        "-o",
        name,
        *QUICK,
        "--output-type",
        "float32",
        "--reference",
        "clean.png",
        "--json",
    ]
    assert main(argv) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["output_type"] == "float32"
    estimate = said["psnr_estimate"]
    assert estimate["rmse"] == pytest.approx(255 * 10 ** (-estimate["value"] / 20))
    assert estimate["rmse_low"] < estimate["rmse"] < estimate["rmse_high"]
    assert said["rmse"] == pytest.approx(255 * 10 ** (-said["psnr"] / 20))
    back = untaught.read(name)
    assert back.array.dtype == np.float32
    assert (back.array != np.rint(back.array)).any()


@pytest.mark.parametrize("kind", ["ome", "imagej"])
@pytest.mark.parametrize("output_type", ["float32", "float64"])
def test_axes_and_metadata_still_fit(tmp_path: Path, kind: str, output_type: str) -> None:
    array = np.random.default_rng(0).integers(100, 900, (2, 3, 16, 18)).astype(np.uint16)
    source = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    tifffile.imwrite(source, array, metadata={"axes": "TZYX"}, **{kind: True})
    image = untaught.read(source)
    out = tmp_path / ("b.ome.tif" if kind == "ome" else "b.tif")
    untaught.write(out, typed(image, output_type))
    back = untaught.read(out)
    assert back.axes == image.axes == "TZYX"
    assert back.array.dtype == output_type
    np.testing.assert_array_equal(back.array, image.array)
    with tifffile.TiffFile(out) as tif:
        assert tif.is_ome is (kind == "ome")
        if kind == "ome":
            assert f'Type="{"float" if output_type == "float32" else "double"}"' in (tif.ome_metadata or "")
