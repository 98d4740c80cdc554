"""Methods side by side: rows, true quality, files."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import clean, noisy, psnr
from tests.laws.test_bad_input import levels, says
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import read, write
from untaught.image.image import Image, image_of_array
from untaught.image.metrics import quality
from untaught.pipeline.tasks.compare import compare, places


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a noisy picture and its clean version, and go there."""
    monkeypatch.chdir(tmp_path)
    for name, values in (("in", noisy(clean(32, 48))), ("clean", clean(32, 48))):
        write(f"{name}.png", image_of_array(levels(values)))
    return tmp_path


def refusing(monkeypatch: pytest.MonkeyPatch, *names: str, error: BaseException | None = None) -> None:
    """Let some methods refuse."""
    import untaught.pipeline.tasks.compare

    real = untaught.pipeline.tasks.compare.denoise

    def denoise(image: Any, *, method: str, **more: Any) -> Any:
        if method in names:
            raise error or InputError(f"{method} is not for this picture")
        return real(image, method=method, **more)

    monkeypatch.setattr(untaught.pipeline.tasks.compare, "denoise", denoise)


# -- quality -------------------------------------------------------------------------------------------------


def test_psnr_over_the_value_range() -> None:
    x, y = levels(clean(24, 32)), levels(noisy(clean(24, 32)))
    found = quality(image_of_array(y), image_of_array(x))
    assert found.psnr == pytest.approx(psnr(y, x, 255))
    both = 257 * y.astype(np.uint16), 257 * x.astype(np.uint16)
    assert quality(*map(image_of_array, both)).psnr == pytest.approx(found.psnr)
    assert quality(image_of_array(both[0]), image_of_array(x)).psnr == pytest.approx(found.psnr)


def test_integers_that_use_a_part_of_their_type_are_compared_as_they_are() -> None:
    """The range of 10 bits in 16 is read off the values, and noise widens it."""
    truth = np.rint(200 + 600 * clean(24, 32, 1)[..., 0]).astype(np.uint16)
    y = np.rint(truth + np.random.default_rng(0).normal(0, 9, truth.shape)).astype(np.uint16)
    picture, reference = image_of_array(y), image_of_array(truth)
    low, high = picture.value_range
    assert (low, high) != reference.value_range
    assert quality(picture, reference).psnr == pytest.approx(psnr(y, truth, high - low))


def test_ssim_is_scikit_images() -> None:
    from skimage.metrics import structural_similarity

    x, y = levels(clean(24, 32)), levels(noisy(clean(24, 32)))
    expected = structural_similarity(x, y, channel_axis=-1, data_range=255)
    assert quality(image_of_array(y), image_of_array(x)).ssim == pytest.approx(expected, abs=1e-6)


def test_equal_pictures() -> None:
    x = image_of_array(levels(clean(16, 16)))
    assert quality(x, x).psnr == math.inf
    assert quality(x, x).as_dict() == {"psnr": None, "ssim": 1.0, "rmse": 0.0}


def test_alpha_and_missing_values_do_not_count() -> None:
    x = levels(clean(16, 16))
    opaque, clear = (np.dstack([x, np.full((16, 16), a, np.uint8)]) for a in (255, 0))
    seen = [Image.of(array, "YXS", alpha=True) for array in (opaque, clear)]
    assert quality(*seen).psnr == quality(image_of_array(opaque), seen[1]).psnr == math.inf
    assert quality(*map(image_of_array, (opaque, clear))).psnr == pytest.approx(10 * math.log10(4))
    known = clean(16, 16, 1)[..., 0]
    holes = known.copy()
    holes[3:6, 3:6] = np.nan
    found = quality(image_of_array(known + np.float32(0.1)), image_of_array(holes))
    assert found.psnr == pytest.approx(20, abs=1e-3)


def test_stack_is_compared_as_a_whole() -> None:
    x = np.stack([clean(16, 16, 1)[..., 0]] * 2)
    y = x.copy()
    y[1] += 0.1
    found = quality(Image.of(y, "ZYX"), Image.of(x, "ZYX"))
    assert found.psnr == pytest.approx(20 + 10 * math.log10(2), abs=1e-3)
    assert found.ssim < 1


def test_leading_axes_of_another_letter_are_the_same_stack() -> None:
    x = np.stack([clean(16, 16, 1)[..., 0]] * 2)
    y = x + np.float32(0.1)
    for axes in ("QYX", "CYX", "SYX"):
        assert quality(Image.of(y, "ZYX"), Image.of(x, axes)).psnr == pytest.approx(20, abs=1e-3)
    with pytest.raises(InputError, match=r"\(ZXY\)"):
        quality(Image.of(y, "ZYX"), Image.of(x, "ZXY"))


# -- compare -------------------------------------------------------------------------------------------------


def test_rows_in_the_order_asked_for(folder: Path) -> None:
    steps = []
    found = compare(
        "in.png",
        ["r2r", "nonlocal", "r2r"],
        reference="clean.png",
        noise="gaussian:25",
        time_limit=3,
        on_progress=lambda p: steps.append(p.step),
    )
    assert [row.method for row in found.rows] == ["r2r", "nonlocal"]
    assert steps
    truth, given = read("clean.png").array, read("in.png").array
    for row in found.rows:
        assert row.quality is not None
        assert row.psnr is not None
        assert row.quality.psnr == pytest.approx(psnr(found.results[row.method].image, truth, 255))
    assert found.quality_input is not None
    assert found.quality_input.psnr == pytest.approx(psnr(given, truth, 255))
    assert not found.interrupted


def test_method_that_refuses_has_a_row_and_the_others_go_on(folder: Path, monkeypatch, capsys) -> None:
    refusing(monkeypatch, "dip")
    argv = ["compare", "in.png", "--methods", "dip,nonlocal", "-o", "out", "--reference", "clean.png"]
    assert main([*argv, "--noise", "gaussian:25", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    found = json.loads(out)
    assert found["rows"][0]["reason"] == "dip is not for this picture"
    assert found["rows"][0]["psnr_estimate"] is None
    assert found["rows"][1]["psnr"] > found["quality_input"]["psnr"] + 3
    assert found["output"] == "out"
    made = sorted(p.name for p in Path("out").iterdir())
    assert made == ["comparison.html", "comparison.json", "in.nonlocal.png"]
    assert json.loads(Path("out/comparison.json").read_text())["rows"] == found["rows"]
    assert read("out/in.nonlocal.png").array.shape == (32, 48, 3)


def test_page_needs_nothing_but_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["compare", "in.png", "--methods", "nonlocal", "-o", "out", "--reference", "clean.png"]
    assert main([*argv, "--noise", "gaussian:25"]) == 0
    assert "out/comparison.html" in capsys.readouterr().out
    page = Path("out/comparison.html").read_text()
    assert page.count("<img") == 3  # input, nonlocal, reference
    assert all(source.startswith("data:image/png") for source in re.findall(r'src="([^"]{0,20})', page))
    assert not re.search(r"https?://|<link|<script", page)
    assert "nonlocal" in page
    assert "SSIM" in page


def test_all_refuse(folder: Path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    refusing(monkeypatch, "dip", "r2r")
    assert main(["compare", "in.png", "--methods", "dip,r2r", "-o", "out"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, "dip is not for", "r2r is not for")
    assert not Path("out").exists()


def test_interrupt_keeps_what_was_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, "r2r", error=KeyboardInterrupt())
    found = compare("in.png", ["nonlocal", "r2r", "dip"], noise="gaussian:25")
    assert found.interrupted
    assert list(found.results) == ["nonlocal"]
    assert [row.reason for row in found.rows[1:]] == ["it was not reached: interrupted"] * 2
    assert "interrupted" in found.describe()


def test_results_never_take_the_place_of_an_input(folder: Path, capsys) -> None:
    Path("in.nonlocal.png").write_bytes(Path("clean.png").read_bytes())
    before = Path("in.nonlocal.png").read_bytes()
    argv = ["compare", "in.png", "--methods", "nonlocal", "-o", ".", "--reference", "in.nonlocal.png"]
    assert main(argv) == 2
    assert says(capsys.readouterr().err, "input")
    assert Path("in.nonlocal.png").read_bytes() == before


def test_extension_that_cannot_hold_the_picture(folder: Path) -> None:
    Path("in.png").rename("in.dat")
    assert places(folder, read("in.dat"), ["tv"])["tv"].name == "in.tv.tif"
    assert places(folder, image_of_array(clean(16, 16)), ["tv"])["tv"].name == "picture.tv.tif"


def test_results_of_models_are_in_the_folder_and_named_apart(folder: Path, monkeypatch) -> None:
    import untaught.pipeline.tasks.compare

    real = untaught.pipeline.tasks.compare.denoise
    monkeypatch.setattr(
        untaught.pipeline.tasks.compare,
        "denoise",
        lambda image, *, method, **more: real(image, method="wavelet", **more),
    )
    models = [
        "models/m.safetensors",
        str(folder / "M.safetensors"),
        "../x/n.safetensors",
        "tuned:a/../b\\m.safetensors",
    ]
    assert main(["compare", "in.png", "--methods", ",".join([*models, "wavelet"]), "-o", "cmp", "-q"]) == 0
    assert {path.name for path in Path("cmp").iterdir()} == {
        "comparison.html",
        "comparison.json",
        "in.m.safetensors.png",
        "in.M.safetensors-2.png",
        "in.n.safetensors.png",
        "in.tuned:m.safetensors.png",
        "in.wavelet.png",
    }


def test_arrays_need_no_files() -> None:
    x = clean(16, 24, 1)[..., 0]
    found = compare(noisy(x), ["nonlocal"], reference=x, noise="gaussian:25")
    assert found.as_dict()["input"] == "the picture"
    assert found.results["nonlocal"].image.shape == (16, 24)


# -- references of another type --------------------------------------------------------------------------------


def frames(level: float, top: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame of integers, and the mean of many, a float in the same units."""
    truth = 40 + level * clean(32, 32, 1)[..., 0].astype(np.float64)
    frame = np.clip(np.rint(truth + np.random.default_rng(0).normal(0, level / 10, truth.shape)), 0, top)
    return frame.astype(np.uint16 if top > 255 else np.uint8), truth


@pytest.mark.parametrize(("level", "top"), [(150, 255), (2000, 65535), (60000, 65535)])
def test_a_float_reference_is_in_the_units_of_an_integer_picture(level: float, top: float) -> None:
    frame, truth = frames(level, top)
    picture = image_of_array(frame)
    low, high = picture.value_range
    expected = 20 * math.log10((high - low) / float(np.sqrt(np.mean((frame - truth) ** 2))))
    for other in (truth, truth.astype(np.float32)):
        assert quality(picture, image_of_array(other)).psnr == pytest.approx(expected, abs=1e-3)
    assert quality(picture, image_of_array(np.rint(truth).astype(np.int32))).psnr == pytest.approx(
        expected, abs=0.05
    )


def test_few_photons_are_compared_as_counts() -> None:
    truth = 0.9 * clean(32, 32, 1)[..., 0].astype(np.float64)
    counts = np.random.default_rng(0).poisson(truth)
    expected = 20 * math.log10(255 / float(np.sqrt(np.mean((counts - truth) ** 2))))
    assert quality(image_of_array(counts.astype(np.uint16)), image_of_array(truth)).psnr == pytest.approx(expected)


@pytest.mark.parametrize("other", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("own", [np.uint8, np.uint16, np.float32])
def test_black_and_white_are_the_same_where_ranges_say_so(own: type, other: type) -> None:
    tops = {np.uint8: 255, np.uint16: 65535, np.float32: 1}
    x, y = clean(32, 32), noisy(clean(32, 32))

    def image(values: np.ndarray, kind: type) -> Image:
        scaled = np.clip(values, 0, 1) * tops[kind]
        return image_of_array((np.rint(scaled) if tops[kind] > 1 else scaled).astype(kind))

    expected = quality(image(y, np.float32), image(x, np.float32)).psnr
    assert quality(image(y, own), image(x, other)).psnr == pytest.approx(expected, abs=0.05)


def test_the_command_takes_a_float_reference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame, truth = frames(2000, 65535)
    np.save("frame.npy", frame)
    np.save("mean.npy", truth)
    argv = ["denoise", "frame.npy", "-o", "out.npy", "--method", "wavelet", "--reference", "mean.npy", "--json"]
    assert main(argv) == 0
    assert json.loads(capsys.readouterr().out)["psnr"] > quality(*map(image_of_array, (frame, truth))).psnr + 3
