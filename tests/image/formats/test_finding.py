"""How a format is found: by content, by name, in other packages, and what is said where its library is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.command import contents, says
from tests.helpers.files import noise, refusal
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.files import check_writable, read, write
from untaught.image.formats import FORMATS, base
from untaught.image.formats.plugins import plugins
from untaught.image.image import Image, image_of_array

OTHERS = """
import numpy as np
from untaught.image.formats.base import Format
from untaught.image.image import Image

def read(path, reading):
    side = path.read_bytes()[4]
    array = np.frombuffer(path.read_bytes()[5:], np.uint8).reshape(side, side)
    return Image.of(array, "YX", source=path.absolute())

def write(stream, image):
    stream.write(b"SQR!" + bytes([image.width]) + image.array.tobytes())

SQUARE = Format("Square", (".sqr",), lambda header: header.startswith(b"SQR!"), read, write, lambda image: None)
NOTHING = 3
"""
ENTRIES = """[untaught.formats]
square = squares:SQUARE
gone = squares:GONE
wrong = squares:NOTHING
"""


@pytest.fixture
def other_package(tmp_path, monkeypatch):
    """Install, as pip would, a package with a format, one that cannot be loaded and one that is none."""
    site = tmp_path / "site"
    about = site / "squares-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "squares.py").write_text(OTHERS)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: squares\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(site))
    plugins.cache_clear()
    yield tmp_path
    plugins.cache_clear()
    sys.modules.pop("squares", None)


def test_a_format_of_another_package_is_read_and_written(other_package):
    image = Image.of(noise((16, 16)), "YX")
    path = write(other_package / "a.sqr", image)
    np.testing.assert_array_equal(read(path.rename(other_package / "b.dat")).array, image.array)


def test_formats_that_cannot_be_loaded_are_named_where_they_might_have_been_wanted(other_package):
    (other_package / "a.dat").write_bytes(b"\x01something else")
    with pytest.raises(
        InputError, match=r"'gone' of squares \(AttributeError: .*'wrong' of squares \(it is no Format"
    ):
        read(other_package / "a.dat")
    with pytest.raises(InputError, match=r"could not be loaded: 'gone'"):
        check_writable(other_package / "a.xyz", Image.of(noise((16, 16)), "YX"))


def test_the_command_lists_ours_and_theirs(other_package, capsys):
    assert main(["formats", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in told["formats"]}
    assert set(rows) == {fmt.name for fmt in FORMATS} | {"Square"}
    assert rows["Square"]["package"] == "squares"
    assert rows["PNG"] | {"suffixes": []} == {
        "name": "PNG", "suffixes": [], "read": True, "write": True, "only_read": False, "install": None,
        "package": "untaught",
    }  # fmt: skip
    assert [b["name"] for b in told["not_loaded"]] == ["gone", "wrong"]
    assert main(["formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["PNG", ".png", "read,", "write"] for line in lines)
    assert any(line.startswith("Square (squares)") for line in lines)


LIBRARIES = [fmt for fmt in FORMATS if fmt.library is not None]
STARTS = {
    "FITS": b"SIMPLE  =                    T",
    "DICOM": bytes(128) + b"DICM",
    "NIfTI": b"\x5c\x01\x00\x00" + bytes(340) + b"n+1\x00",
    "MRC": bytes(208) + b"MAP \x44\x44",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "HEIC": bytes(4) + b"ftypheic",
    "OpenEXR": b"v/1\x01",
    "CZI": b"ZISRAWFILE",
    "ND2": b"\xda\xce\xbe\x0a",
    "LIF": b"\x70\x00\x00\x00\x41\x9b\x01\x00\x2a",
    "camera raw": b"FUJIFILMCCD-RAW ",
}


def test_every_format_with_a_library_is_tried():
    assert {fmt.name for fmt in LIBRARIES} == {*STARTS, "OME-Zarr", "DNG"}  # a DNG starts as a TIFF


def test_a_folder_whose_library_is_missing_is_named(tmp_path, monkeypatch):
    (tmp_path / "zarr.json").write_text("{}")
    monkeypatch.setattr(base, "find_spec", lambda module: None)
    assert refusal(tmp_path).endswith(
        "is an OME-Zarr folder, which needs the package 'zarr' here; run pip install \"untaught[science]\""
    )


@pytest.mark.parametrize("name", STARTS)
def test_where_a_library_is_missing_the_sentence_has_the_command(tmp_path, monkeypatch, capsys, name):
    fmt = next(fmt for fmt in FORMATS if fmt.name == name)
    assert fmt.library is not None
    monkeypatch.setattr(base, "find_spec", lambda module: None)
    (tmp_path / "a.dat").write_bytes(STARTS[name] + bytes(600))
    command = f'pip install "untaught\\[{fmt.library.extra}\\]"$'
    with pytest.raises(InputError, match=rf"a.dat is an? {name} file, which needs .* run {command}"):
        read(tmp_path / "a.dat")
    if fmt.write is not None:
        with pytest.raises(InputError, match=command):
            check_writable(tmp_path / f"a{fmt.suffixes[0]}", Image.of(noise((16, 16)), "YX"))
    main(["formats", "--json"])
    row = next(row for row in json.loads(capsys.readouterr().out)["formats"] if row["name"] == name)
    assert (row["read"], row["write"]) == (False, False)
    assert row["install"] == f'pip install "untaught[{fmt.library.extra}]"'


DOCS = Path(__file__).parents[3] / "docs" / "files.md"


def test_every_format_is_in_the_table():
    rows = [line for line in DOCS.read_text().splitlines() if line.startswith("| ")]
    for fmt in FORMATS:
        row = next(row for row in rows if fmt.suffixes[0] in row.split("|")[1])
        assert row.split("|")[-2].strip() == ("" if fmt.library is None else fmt.library.extra), fmt.name
        assert (row.split("|")[3].strip() == "no") == (fmt.write is None), fmt.name


def test_the_example_of_a_format_does_what_it_says(tmp_path):
    found: dict[str, object] = {}
    exec(DOCS.read_text().partition("```python")[2].partition("```")[0], found)
    image = Image.of(noise((20, 24), np.uint16), "YX")
    with (tmp_path / "a.spe").open("wb") as stream:
        found["SPE"].write(stream, image)
    np.testing.assert_array_equal(found["SPE"].read(tmp_path / "a.spe", None).array, image.array)


@pytest.mark.parametrize("name", [fmt.name for fmt in LIBRARIES if fmt.library.there and fmt.name in STARTS])
@pytest.mark.parametrize("rest", [bytes(40), bytes(range(256)) * 20])
def test_a_broken_file_is_one_sentence_and_nothing_else(tmp_path, capfd, name, rest):
    path = tmp_path / "a.dat"
    path.write_bytes(STARTS[name] + rest)
    before = contents(tmp_path)
    assert main(["denoise", str(path), "-o", str(tmp_path / "b.tif"), "--json"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert says(err, "a.dat"), err
    assert contents(tmp_path) == before


def test_every_extra_that_is_named_is_there():
    text = Path(__file__).parents[3].joinpath("pyproject.toml").read_text()
    for fmt in LIBRARIES:
        assert fmt.library is not None
        line = next(line for line in text.splitlines() if line.startswith(f"{fmt.library.extra} = "))
        assert fmt.library.module.casefold() in line.casefold().replace("-", "_")


def test_no_library_is_imported_before_it_is_needed(tmp_path):
    path = write(tmp_path / "a.png", image_of_array(noise((16, 16, 3))))
    modules = {fmt.library.module for fmt in LIBRARIES if fmt.library is not None}
    code = (
        "import sys\nfrom untaught.image.files import read\nread(sys.argv[1])\n"
        f"print(sorted(set(sys.modules) & {modules!r}))"
    )
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_path_inside_a_file_is_only_for_trees(tmp_path):
    path = write(tmp_path / "a.png", image_of_array(noise((16, 16, 3)))).rename(tmp_path / "a.h5")
    with pytest.raises(InputError, match=r"a PNG file and has nothing under /x"):
        read(f"{path}:/x")
