"""What a JPEG file says of how it was compressed: steps of brightness, colours that `dejpeg` takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from tests.helpers.files import smooth
from untaught.image.files import read
from untaught.image.formats.jpeg import compression_notes, dejpegs, mean_step

COLOUR = PIL.Image.fromarray(smooth((48, 64)))
# From fine to coarse, brightness by steps of its own: the mean of the nine lowest tells them apart.
BRIGHT, COLOURS = list(range(10, 74)), [50] * 64


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(name: str = "a.jpg", picture: PIL.Image.Image = COLOUR, **options: object) -> Path:
    picture.save(name, **options)
    return Path(name)


def test_the_mean_step_is_that_of_brightness_in_the_lowest_nine() -> None:
    with PIL.Image.open(saved(qtables=[BRIGHT, COLOURS])) as opened:
        table = np.array(opened.quantization[0]).reshape(8, 8)
    assert mean_step(Path("a.jpg")) == pytest.approx(table[:3, :3].mean())
    assert mean_step(saved(qtables=[[7] * 64, COLOURS])) == 7
    assert mean_step(saved(picture=COLOUR.convert("L"), qtables=[[9] * 64])) == 9
    COLOUR.save("a.png")
    for path in (Path("a.png"), Path("none.jpg")):
        assert mean_step(path) is None
    Path("b.jpg").write_bytes(b"\xff\xd8\xff" + bytes(50))
    assert mean_step(Path("b.jpg")) is None


@pytest.mark.parametrize(
    ("options", "taken"),
    [({"subsampling": 0}, True), ({"subsampling": 2}, True), ({"subsampling": 1}, False)],
)
def test_colours_at_the_whole_or_half_of_the_resolution_are_taken(options: dict[str, int], taken: bool) -> None:
    """4:4:4 and 4:2:0; of 4:2:2 the colours are half as fine across alone."""
    assert dejpegs(saved(**options)) is taken


def test_grey_is_taken_and_other_kinds_are_not() -> None:
    assert dejpegs(saved(picture=COLOUR.convert("L")))
    assert not dejpegs(saved(picture=COLOUR.convert("CMYK")))
    COLOUR.save("a.png")
    assert not dejpegs(Path("a.png"))
    assert not dejpegs(Path("none.jpg"))


def test_a_strong_compression_is_noted_with_what_to_do() -> None:
    assert compression_notes(read(saved(qtables=[[9] * 64, COLOURS]))) == ()
    (note,) = compression_notes(read(saved(qtables=[[10] * 64, COLOURS])))
    assert note == (
        "this JPEG was strongly compressed, its brightness rounded in steps of 10 grey levels; 'untaught dejpeg' "
        "takes blocks and ripples out"
    )
    (note,) = compression_notes(read(saved(qtables=[[20] * 64, COLOURS], subsampling=1)))
    assert (
        "steps of 20 grey levels, and its colours are stored in a way that 'untaught dejpeg' does not take" in note
    )


def test_the_resolution_counts_where_there_is_one() -> None:
    assert read(saved(dpi=(72, 96))).metadata["resolution"] == (72.0, 96.0, "inch")
    data = bytearray(Path("a.jpg").read_bytes())
    at = data.index(b"JFIF\0") + 8
    data[at : at + 4] = bytes(4)  # no dots at all
    Path("b.jpg").write_bytes(data)
    assert "resolution" not in read("b.jpg").metadata
