"""The page tells the truth about the result, needs nothing but itself, and appears whole or not at all."""

from __future__ import annotations

import base64
import io
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage import data

from tests.helpers.command import told
from tests.helpers.results import a_plane, a_recipe, a_result, noisy_camera
from untaught.cli import main
from untaught.errors import InputError, OutputError
from untaught.fitting.stopping import RULES
from untaught.image.files import read, write
from untaught.image.image import Image, image_of_array
from untaught.method import History, Stopped
from untaught.methods.self_supervised.r2r import R2R
from untaught.noise import Correlated, Gaussian
from untaught.pipeline.recipes import make_recipe
from untaught.pipeline.request import Request, asked_for
from untaught.pipeline.rerun_command import command_line
from untaught.pipeline.task import Task
from untaught.results.display import GAINS, Pair, Stretch, crops, gain_of, pairs, residual_levels, stretch_of
from untaught.results.notebook_view import notebook_view
from untaught.results.page import page
from untaught.results.recipe import Recipe
from untaught.results.restoration import Tried
from untaught.risk.estimate import Interval


def images_in(html: str, kinds: str = "png") -> list[np.ndarray]:
    coded = re.findall(rf"data:image/(?:{kinds});base64,([A-Za-z0-9+/=]+)", html)
    return [np.asarray(Pillow.open(io.BytesIO(base64.b64decode(code)))) for code in coded]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.S))


def pictures() -> dict[str, Image]:
    rng = np.random.default_rng(1)
    holes = rng.random((40, 50)).astype(np.float32)
    holes[5:9, 5:9] = np.nan
    return {
        "grey": image_of_array(data.camera()[:40, :50].copy()),
        "rgb": image_of_array(data.astronaut()[:40, :50].copy()),
        "rgba": Image.of(rng.integers(0, 256, (40, 50, 4), dtype=np.uint8), "YXS", alpha=True),
        "uint16": image_of_array(rng.integers(300, 900, (40, 50), dtype=np.uint16)),
        "float": image_of_array((1e4 * rng.standard_normal((40, 50))).astype(np.float64)),
        "stack": image_of_array(rng.integers(0, 256, (7, 40, 50), dtype=np.uint8)),
        "holes": image_of_array(holes),
        "bool": image_of_array(rng.random((40, 50)) > 0.5),
    }


@pytest.mark.parametrize("kind", list(pictures()))
def test_every_kind_of_picture_makes_a_page_that_loads_nothing(kind: str) -> None:
    image = pictures()[kind]
    after = [np.clip(plane.values, 0.1, 0.9) for plane in image.planes()]
    html = page(a_result(image, image.with_planes(after), std=np.ones(image.array.shape)))
    sources = re.findall(r'(?:src|href|srcset|data)\s*=\s*"([^"]*)"', html)
    assert sources
    assert all(s.startswith(("data:image/png;base64,", "data:image/jpeg;base64,")) for s in sources)
    assert not re.search(r"https?://|url\(|@import|<link|fetch|import\(", html)
    planes, cuts = (3, 2) if kind == "stack" else (1, 0)
    assert len(images_in(html)) == 3 * planes + cuts + 2  # and the uncertainty with its colour bar
    assert ("<script>" in html) == (kind == "stack")


def test_pixels_of_an_8_bit_picture_are_shown_as_they_are() -> None:
    result = noisy_camera(256, np.uint8)
    before, after, residual = images_in(page(result))[:3]
    np.testing.assert_array_equal(before, result.input.array)
    np.testing.assert_array_equal(after, result.image)
    assert residual.shape == before.shape
    assert 'width="256" height="256"' in page(result)


def test_before_and_after_share_one_stretch_and_the_page_says_so() -> None:
    scaled = noisy_camera(64, np.uint16)
    result = a_result(replace(scaled.input, array=scaled.input.array // 64 + 500), scaled.image // 64 + 500)
    stretch = stretch_of(result, pairs(result))
    before, after = images_in(page(result))[:2]
    for shown, given_ in ((before, result.input.array), (after, result.image)):
        np.testing.assert_array_equal(shown, stretch(given_.astype(np.float32) / np.float32(65535)))
    assert after.min() == 0
    assert after.max() == 255
    assert "drawn with the same contrast" in text_of(page(result))


@given(st.floats(1e-4, 0.4), st.floats(0.01, 5.0))
@settings(max_examples=30, deadline=None)
def test_the_residual_is_what_the_stated_gain_makes_of_it(spread: float, contrast: float) -> None:
    rng = np.random.default_rng(2)
    after = np.full((32, 32, 1), 0.5, dtype=np.float32)
    pair = Pair("", after + np.float32(spread) * rng.standard_normal((32, 32, 1), np.float32), after,
                np.zeros((32, 32), dtype=bool))  # fmt: skip
    stretch = Stretch(0.0, contrast, True)
    gain = gain_of([pair], stretch)
    levels = residual_levels(pair, stretch, gain)
    assert gain in GAINS
    assert levels is not None
    expected = 127.5 + 255 * gain * (pair.before - pair.after) / contrast
    np.testing.assert_allclose(levels, np.clip(expected, 0, 255), atol=0.51)


def test_large_pictures_are_shown_reduced_with_three_crops_at_one_to_one() -> None:
    rng = np.random.default_rng(3)
    clean = np.full((700, 900), 0.5, dtype=np.float32)
    clean[:300, :300] += 0.2 * rng.standard_normal((300, 300), np.float32)  # texture at the top left
    clean[:, 600:] = np.linspace(0.4, 0.6, 300)
    result = a_result(image_of_array(clean + np.float32(0.01)), clean)
    (pair,) = pairs(result)
    (_, centre), (_, textured), (_, flat) = crops(pair)
    assert centre == (222, 322, 256, 256)
    assert max(textured[:2]) <= 48
    top, left, height, width = flat
    assert np.ptp(clean[top : top + height, left : left + width]) == 0
    shapes = [image.shape[:2] for image in images_in(page(result))]
    assert shapes == [(467, 600)] * 2 + [(256, 256)] * 9


def test_missing_pixels_are_orange_before_and_grey_in_the_residual() -> None:
    result = noisy_camera()
    result.input.array[10:14, 20:24] = np.nan
    before, _, residual = images_in(page(result))[:3]
    assert (before[10:14, 20:24] == (214, 108, 0)).all()
    assert set(np.unique(residual[10:14, 20:24])) <= {127, 128}
    assert "missing are orange" in text_of(page(result))


def test_the_page_holds_verdict_reasons_and_recipe() -> None:
    candidates = (
        Tried("nl-ridge", 28.7, 2.1, "the pilot"),
        Tried("noise2void", None, 0.0, "refused: needs white noise"),
    )
    source = Path("/pictures/a day.tif")
    result = noisy_camera(candidates=candidates, notes=("Two pixels were filled in.",))
    result = replace(result, input=replace(result.input, source=source))
    text = text_of(page(replace(result, command=command_line(result.recipe, result.input, interrupted=False))))
    for said in (
        "Restored with r2r in 12 s: estimated PSNR 30.5 dB (90 %: 30.0 to 31.0), 10.5 dB above the input",
        "no clean picture was used", "Assumes: the noise is white.",
        "It had the best estimated error of two.",
        "Step 40, by the rule “risk”. The estimated error had stopped falling.", "28.7 dB",
        "refused: needs white noise", "Two pixels were filled in.", result.noise.describe(), "torch 2.13.0",
        "untaught denoise &#x27;/pictures/a day.tif&#x27; -o OUTPUT --method r2r --noise gaussian:25.5",
        "--seed 7 --device cpu",
        "untaught.rerun(recipe, &#x27;/pictures/a day.tif&#x27;)", "ab" * 32,
    ):  # fmt: skip
        assert said in text


@pytest.mark.parametrize(
    "options",
    [
        ("--method", "nonlocal", "--noise", "gaussian:25.1234567"),
        ("--method", "wavelet", "--noise", "correlated:25.3,1.7,clipped"),
        ("--method", "auto", "--noise", "poisson:3.123456789,2"),
    ],
    ids=str,
)
def test_the_command_makes_the_same_picture(options: tuple[str, ...], tmp_path: Path) -> None:
    picture, first, again = (tmp_path / name for name in ("in.tif", "first.tif", "again.tif"))
    write(picture, noisy_camera(32).input)
    call = ["denoise", str(picture), *options, "--seed", "5", "-q"]
    assert main([*call, "-o", str(first), "--report", str(tmp_path / "r.html")]) == 0
    command = told((tmp_path / "r.html").read_text())
    assert command is not None
    assert command[command.index("--noise") + 1] == options[-1]
    command[command.index("OUTPUT")] = str(again)
    assert main([*command, "-q"]) == 0
    np.testing.assert_array_equal(read(first).array, read(again).array)


def planned(**request: object) -> list[str] | None:
    """Return the command for what was asked for, and answered by a network."""
    given = Request(**request)
    picture = noisy_camera().input
    recipe = make_recipe(picture, [a_plane()], replace(given, asked=asked_for(given)), Task("denoise"))
    return written(recipe, picture)


def written(recipe: Recipe, picture: Image, interrupted: bool = False) -> list[str] | None:
    """Return the words of the command on the page of such a result."""
    command = command_line(recipe, picture, interrupted)
    return told(page(noisy_camera(recipe=recipe, command=command)))


def test_the_command_names_what_was_asked_for() -> None:
    command = planned(method="deep-decoder:16", rule=RULES["wmv"]())
    assert command is not None
    assert command[command.index("--method") + 1] == "deep-decoder:16"
    assert command[command.index("--stop") + 1] == "wmv"
    for method, found in {"m.safetensors": "/m.safetensors", "tuned:a/m.safetensors": "/a/m.safetensors"}.items():
        named = planned(method=method)
        assert named is not None
        kind, colon, path = named[named.index("--method") + 1].rpartition("tuned:")
        assert kind + colon == "tuned:" * method.startswith("tuned:")
        assert Path(path).is_absolute()
        assert path.endswith(found)


def test_a_command_that_does_something_else_is_left_out() -> None:
    assert planned() is not None
    odd = Correlated(0.1, ((1.0, 2.0), (0.3, 4.0)))
    for request in (
        {"method": R2R(steps=20)},
        {"seconds": 20.0},
        {"rule": replace(RULES["wmv"](), patience=7)},
        {"noise": Gaussian(0.1, relative_error=0.2)},
        {"noise": odd},
    ):
        assert planned(**request) is None, request
    result = noisy_camera()
    by_hand = replace(result.input, value_range=(0.0, 3.0))
    assert written(result.recipe, result.input) is not None
    assert written(result.recipe, result.input, interrupted=True) is None
    assert written(result.recipe, by_hand) is None


def test_what_is_not_known_is_not_claimed() -> None:
    result = noisy_camera(psnr=None, psnr_input=None, stopped=Stopped("none", 0, "One pass."))
    text = text_of(page(result))
    assert "there is no estimate of the error" in text
    assert "PSNR" not in text
    assert "closed formula" in text
    for absent in ("The curves of the fit", "Uncertainty", "What was tried", "Notes"):
        assert absent not in text


def test_a_loss_against_the_input_and_an_interruption_are_said() -> None:
    text = text_of(page(noisy_camera(psnr_input=31.0, interrupted=True)))
    assert "0.5 dB below the input" in text
    assert "interrupted: this is the best picture until then" in text


def test_everything_a_person_or_a_file_can_say_is_escaped() -> None:
    evil = "<script>alert('x')</script> & \"<b>\""
    result = noisy_camera(
        why=evil, notes=(evil,), method=evil, stopped=Stopped(evil, 3, evil),
        candidates=(Tried(evil, 1.0, 1.0, evil),), psnr=Interval(1, 0, 2, evil),
        recipe=a_recipe(noise=evil, versions={evil: evil},
                        planes=(a_plane(method=evil, settings={evil: evil}),)),
        history=History([1, 2], [2.0, 1.0], [1.0, 1.0], [0.0, 1.0], "evil $ < score"),
    )  # fmt: skip
    result = replace(result, input=replace(result.input, source=Path("/tmp/<script>.png")))
    for html in (page(result), notebook_view(result)):
        assert "<script" not in html
        assert "<b>&quot;" not in html
        assert "&lt;script&gt;" in html


def test_curves_are_drawn_when_there_are_any() -> None:
    history = History(list(range(50)), list(np.geomspace(1, 0.01, 50)), [np.nan] * 50, [0.0] * 50)
    one = images_in(page(noisy_camera(history=history)))[3]
    history.score, history.score_name = list(np.linspace(2, 1, 50)), "estimated mean squared error"
    two = images_in(page(noisy_camera(history=history)))[3]
    assert two.shape[1] == 2 * one.shape[1]
    assert one[..., :3].min() < 50  # ink
    assert np.ptp(two[..., :3], axis=-1).max() == 0  # no colour, so it is the same in grey


def test_an_enlarged_picture_has_no_residual() -> None:
    small = noisy_camera(32)
    large = replace(small.input, array=np.kron(small.image, np.ones((4, 4), np.float32)))
    html = page(a_result(small.input, large, recipe=a_recipe(task="upscale", operands={"factor": "4"})))
    assert [image.shape[0] for image in images_in(html)] == [32, 128]
    assert "--factor 4" in html
    assert "Not checked: after upscale" in text_of(html)


def test_the_report_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    target.write_text("earlier")
    result = noisy_camera()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(OutputError, match="No space left"):
            result.report(target)
    assert target.read_text() == "earlier"
    assert result.report(str(target)) == target
    assert target.read_text(encoding="utf-8").endswith("</html>\n")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_places_that_cannot_be_written_are_refused_in_a_sentence(tmp_path: Path) -> None:
    result = noisy_camera()
    with pytest.raises(OutputError, match="does not exist"):
        result.report(tmp_path / "no" / "report.html")
    with pytest.raises(OutputError, match="is a folder"):
        result.report(tmp_path)
    source = tmp_path / "input.png"
    source.write_bytes(b"the only copy")
    (tmp_path / "link.html").symlink_to(source)
    own = replace(result, input=replace(result.input, source=source))
    for place in (source, tmp_path / "link.html"):
        with pytest.raises(InputError):
            own.report(place)
    assert source.read_bytes() == b"the only copy"


def test_the_page_of_a_colour_picture_of_512_stays_light() -> None:
    rng = np.random.default_rng(6)
    clean = data.astronaut()
    noisy = np.clip(clean + 25 * rng.standard_normal(clean.shape), 0, 255).astype(np.uint8)
    assert len(page(a_result(image_of_array(noisy), clean))) < 6e6


def test_the_view_of_a_notebook_is_small_and_says_the_verdict() -> None:
    result = noisy_camera(400)
    html = result._repr_html_()
    assert [image.shape[:2] for image in images_in(html, "png|jpeg")] == [(320, 320)] * 3
    assert "estimated PSNR 30.5 dB" in html
    assert "<html" not in html
