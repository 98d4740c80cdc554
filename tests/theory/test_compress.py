"""A picture in few numbers: the coders, and `untaught compress` with what it writes, says and refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from tests.conftest import clean, psnr
from tests.helpers.command import contents, levels, pixels, says
from untaught.cli import main
from untaught.errors import InputError
from untaught.theory.coders import compress, jpeg, shape_for, wavelet, weights_of
from untaught.theory.compress import CODERS, FACTOR, Coded, code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a picture, where compression is quick."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTAUGHT_DEBUG", raising=False)
    monkeypatch.setattr("untaught.theory.compress.compress", partial(compress, steps=60))
    Pillow.fromarray(levels(clean(40, 48))).save("in.png")
    return tmp_path


@pytest.fixture(scope="module")
def coded() -> Coded:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("untaught.theory.compress.compress", partial(compress, steps=60))
        return code(clean(64, 64), factor=8)


def test_every_coder_keeps_to_the_decoders_count(coded: Coded) -> None:
    ours, wavelet, jpeg = coded.rows
    assert ours.factor >= 8
    assert ours.numbers <= 64 * 64 * 3 / 8
    assert 0.9 * ours.numbers < wavelet.numbers <= ours.numbers
    assert jpeg.numbers <= ours.numbers
    for row in coded.rows:
        assert row.factor == pytest.approx(coded.picture.size / row.numbers)
        assert row.psnr == pytest.approx(psnr(row.image, coded.picture), abs=1e-3)


def test_the_verdict_follows_from_the_numbers(coded: Coded) -> None:
    ours, wavelet, jpeg = coded.rows
    better = replace(ours, psnr=wavelet.psnr + 2.5)
    worse = replace(jpeg, psnr=better.psnr + 1, numbers=ours.numbers + 7)
    said = replace(coded, rows=(better, wavelet, worse)).verdict()
    assert "2.5 dB above wavelet" in said
    assert "1.0 dB below jpeg" in said
    assert f"needs {ours.numbers + 7} numbers" in said


def test_the_command_writes_a_page_pictures_and_numbers(folder: Path, capsys) -> None:
    assert main(["compress", "in.png", "-o", "out", "--factor", "10", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    found = json.loads(out)
    assert [row["coder"] for row in found["coders"]] == list(CODERS)
    made = sorted(p.name for p in Path("out").iterdir())
    assert made == sorted(["compression.html", "compression.json", *(f"{name}.png" for name in CODERS)])
    kept = json.loads(Path("out/compression.json").read_text())
    assert kept == {name: value for name, value in found.items() if name not in ("output", "interrupted")}
    for row in found["coders"]:
        image = pixels(Path(f"out/{row['coder']}.png"))
        assert psnr(image, pixels(Path("in.png")), 255) == pytest.approx(row["psnr"], abs=0.05)
    page = Path("out/compression.html").read_text()
    assert page.count("<img") == 4
    assert not re.search(r"https?://|<link|<script", page)


def test_grey_and_gaps(folder: Path, capsys) -> None:
    x = clean(40, 40, 1)[..., 0]
    x[3:5, 3:5] = np.nan
    np.save("grey.npy", x)
    assert main(["compress", "grey.npy", "-o", "out", "--factor", "5"]) == 0
    assert "deep decoder is" in capsys.readouterr().out
    assert pixels(Path("out/jpeg.png")).shape == (40, 40)
    assert "no measurement" in Path("out/compression.html").read_text()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["missing.png", "-o", "out"], ("does not exist",)),
        (["in.png", "-o", "in.png"], ("file of that name",)),
        (["in.png", "-o", "out", "--factor", "0.5"], ("above 1",)),
        (["in.png", "-o", "out", "--factor", "nan"], ("above 1",)),
        (["in.png", "-o", "out", "--factor", "5000"], ("too few",)),
        (["in.png", "-o", "out", "--time-limit", "1e-9"], ("more seconds",)),
        (["stack.npy", "-o", "out"], ("one picture",)),
        (["flat.npy", "-o", "out"], ("everywhere",)),
    ],
)
def test_bad_calls(argv: list[str], words: tuple[str, ...], folder: Path, capsys) -> None:
    np.save("stack.npy", np.random.default_rng(0).random((3, 16, 16)))
    np.save("flat.npy", np.full((16, 16), 3.0))
    before = contents(folder)
    assert main(["compress", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, *words), err
    assert contents(folder) == before


def test_an_input_is_never_written_over(folder: Path, capsys) -> None:
    Path("out").mkdir()
    Path("in.png").rename("out/jpeg.png")
    before = contents(folder)
    assert main(["compress", "out/jpeg.png", "-o", "out"]) == 2
    assert says(capsys.readouterr().err, "input")
    assert contents(folder) == before


def test_the_default_factor_is_the_command_s(folder: Path) -> None:
    from inspect import signature

    from untaught.cli.commands.compress import compress as command

    assert signature(command).parameters["factor"].default == FACTOR


@given(st.integers(30, 5000), st.integers(16, 300), st.sampled_from([1, 3]))
@settings(max_examples=50, deadline=None)
def test_the_widest_decoder_that_fits(numbers: int, side: int, channels: int) -> None:
    shape = shape_for(numbers, side, side, channels)
    assert weights_of(shape, channels) <= numbers
    assert weights_of(replace(shape, width=shape.width + 1), channels) > numbers


def test_compression_keeps_to_its_numbers() -> None:
    x = clean()
    found = compress(x, 1500, steps=150)
    assert found.numbers <= 1500
    assert found.factor == pytest.approx(x.size / found.numbers)
    assert found.psnr == pytest.approx(psnr(found.image, x), abs=1e-3)
    assert found.psnr > psnr(np.broadcast_to(x.mean(axis=(0, 1)), x.shape), x) + 3
    with pytest.raises(InputError, match="too few"):
        compress(x, 5)
    with pytest.raises(InputError, match="more seconds"):  # and not the picture itself at an endless PSNR
        compress(x, 1500, seconds=1e-9)


@pytest.mark.parametrize("coder", [wavelet, jpeg])
@pytest.mark.parametrize("channels", [1, 3])
def test_coefficients_are_as_few_as_asked_and_more_are_better(coder, channels: int) -> None:
    x = clean(61, 50, channels)
    few, many = coder(x, 500), coder(x, 2000)
    assert 0.8 * 500 < few.numbers <= 500
    assert 0.8 * 2000 < many.numbers <= 2000
    assert few.image.shape == x.shape
    assert many.psnr == pytest.approx(psnr(many.image, x), abs=1e-3)
    assert many.psnr > few.psnr + 3


def test_all_wavelet_coefficients_give_the_picture_back() -> None:
    x = clean(64, 64)
    assert wavelet(x, x.size).psnr > 80
