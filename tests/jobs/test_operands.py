"""What is given beside many pictures is looked at before the first of them: nothing is begun that must fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import untaught
from tests.helpers.files import smooth
from untaught.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    picture = smooth((16, 16))
    picture[3, 3], picture[9, 9] = (255, 0, 255), 7
    for name in ("a", "b"):
        untaught.write(f"raw/{name}.png", untaught.Image.of(picture, "YXS"))
    np.save("uneven.npy", np.ones((3, 3)))
    Path("text.png").write_text("no picture")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("inpaint --mask no.png", "no.png does not exist"),
        ("inpaint --mask text.png", "text.png is a text file"),
        ("inpaint --missing-color zz", "'zz' is no colour"),
        ("inpaint --missing-color 1,2,zz", "'1,2,zz' is no colour"),
        ("deblur --psf no.png", "no.png does not exist"),
        ("deblur --psf uneven.npy", "sum"),
        ("deblur --psf gaussian:x", "'gaussian:x' is no point-spread function"),
        ("deblur --psf disk:3 --border foo", "there is no border 'foo'"),
        ("restore --guide no.png", "no.png does not exist"),
        ("upscale --factor 99", "the factor is 99"),
        ("upscale --factor 2 --kernel foo", "there is no kernel 'foo'"),
        ("demosaic --pattern FOO", "there is no colour filter array 'FOO'"),
        ("denoise --noise-from nowhere", "nowhere does not exist"),
        ("denoise --method no.safetensors", "no.safetensors does not exist"),
    ],
)
def test_what_fails_for_every_picture_is_one_sentence(
    line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *options = line.split()
    assert main([verb, "raw", "-o", "out", *options]) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert (out, err.count("\n")) == ("", 1)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "line",
    [
        "inpaint --missing-color #ff00ff",
        "inpaint --missing-color 7",
        "deblur --psf gaussian:1",
        "upscale --factor 2 --kernel box",
    ],
)
def test_what_can_be_used_is_not_refused(line: str) -> None:
    verb, *options = line.split()
    assert main([verb, "raw", "-o", "out", *options, "--noise", "gaussian:0", "--time-limit", ".01", "-q"]) == 0
    assert len(list(Path("out").glob("*.png"))) == 2
