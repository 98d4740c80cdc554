"""What a person can do wrong: one sentence, exit status 2, nothing written, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import clean, noisy
from tests.helpers.command import QUICK, contents, lay_out, levels, pixels, says, small_files_only, started
from tests.helpers.files import npy_header, png_header
from untaught.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a noisy picture of 48 x 48, and its clean version, and go there."""
    return lay_out(tmp_path, monkeypatch, 48, 48)


def cut(name: str) -> Callable[[], None]:
    """Return what writes a picture of which two thirds are there."""

    def write() -> None:
        path = Path(name)
        if path.suffix == ".npy":
            np.save(path, clean(48, 48))
        else:
            Pillow.fromarray(levels(noisy(clean(48, 48)))).save(path)
        data = path.read_bytes()
        path.write_bytes(data[: 2 * len(data) // 3])

    return write


def saved(name: str, array: np.ndarray) -> Callable[[], None]:
    """Return what writes an array."""
    return lambda: np.save(name, array)


BAD_FILES: dict[str, tuple[str, Callable[[], object], tuple[str, ...]]] = {
    "missing": ("bad.png", lambda: None, ("does not exist",)),
    "empty": ("bad.png", lambda: Path("bad.png").write_bytes(b""), ("empty",)),
    "folder": ("bad.png", lambda: Path("bad.png").mkdir(), ("folder",)),
    "text": ("bad.png", lambda: Path("bad.png").write_text("not a picture at all\n" * 9), ("text file",)),
    "noise": ("bad.png", lambda: Path("bad.png").write_bytes(bytes(range(1, 200))), ("unknown type",)),
    "cut png": ("bad.png", cut("bad.png"), ("cut",)),
    "cut tif": ("bad.tif", cut("bad.tif"), ("cut",)),
    "cut jpg": ("bad.jpg", cut("bad.jpg"), ("cut",)),
    "cut npy": ("bad.npy", cut("bad.npy"), ("cut",)),
    "unreadable": ("/proc/self/mem", lambda: None, ("cannot be read",)),
    "constant": ("bad.npy", saved("bad.npy", np.full((48, 48), 7, np.uint8)), ("everywhere",)),
    "one pixel": ("bad.npy", saved("bad.npy", np.zeros((1, 1), np.uint8)), ("too small",)),
    "nan": ("bad.npy", saved("bad.npy", np.full((48, 48), np.nan, np.float32)), ("NaN",)),
    "infinite": ("bad.npy", saved("bad.npy", np.full((48, 48), np.inf)), ("no number",)),
    "complex": ("bad.npy", saved("bad.npy", np.ones((48, 48), complex)), ("complex",)),
    "no pixels": ("bad.npy", saved("bad.npy", np.zeros((0, 48), np.uint8)), ("empty",)),
    "five axes": ("bad.npy", saved("bad.npy", np.zeros((2, 2, 2, 9, 9), np.uint8)), ("shape",)),
    "objects": ("bad.npy", saved("bad.npy", np.array([[{}, {}]], dtype=object)), ()),
    "huge png": (
        "bad.png",
        lambda: Path("bad.png").write_bytes(png_header(4_000_000, 4_000_000)),
        ("unpacked", "piece by piece"),
    ),
    "one row": ("bad.npy", saved("bad.npy", np.arange(1_000_000.0)[None]), ("1000000 x 1", "too small")),
    "huge npy": ("bad.npy", lambda: Path("bad.npy").write_bytes(npy_header((40_000, 40_000))), ()),
}


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs /proc")
@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file_is_refused(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, make, words = BAD_FILES[case]
    make()
    before = contents(folder)
    for argv in (["inspect", name], ["denoise", name, "-o", "out.tif", *QUICK, "--json"]):
        assert main(argv) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert says(err, *words), err
    assert contents(folder) == before


BAD_CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "nothing": ("", ("no command",)),
    "unknown command": ("denose in.png -o out.png", ("denose",)),
    "no input": ("denoise -o out.png", ("IN",)),
    "no output": ("denoise in.png", ("--output",)),
    "unknown option": ("denoise in.png -o out.png --sed 3", ("--sed",)),
    "unknown method": ("denoise in.png -o out.png --method r2s", ("did you mean 'r2r'",)),
    "unknown noise": ("denoise in.png -o out.png --noise gauss:25", ("gauss:25", "gaussian:25")),
    "noise beyond all numbers": ("denoise in.png -o out.png --noise gaussian:1e300", ("1e300", "too large")),
    "negative noise": ("denoise in.png -o out.png --noise gaussian:-3", ("-3",)),
    "noise without level": ("denoise in.png -o out.png --noise gaussian", ("gaussian",)),
    "unknown rule": ("denoise in.png -o out.png --stop never", ("never",)),
    "unknown device": ("denoise in.png -o out.png --device tpu", ("tpu",)),
    "negative seed": ("denoise in.png -o out.png --seed -1", ("seed",)),
    "seed is text": ("denoise in.png -o out.png --seed abc", ("--seed",)),
    "negative limit": ("denoise in.png -o out.png --time-limit -5", ("time limit",)),
    "limit is nan": ("denoise in.png -o out.png --time-limit nan", ("time limit",)),
    "no memory": ("denoise in.png -o out.png --memory 0", ("memory", "2GiB")),
    "memory is text": ("denoise in.png -o out.png --memory lots", ("lots", "2GiB")),
    "less memory than none": ("inspect in.png --memory -1GiB", ("memory", "2GiB")),
    "too little memory": ("denoise in.png -o out.png --memory 1MiB", ("1 MiB", "too little", "give that or more")),
    "over the input": ("denoise in.png -o in.png", ("input",)),
    "over the input's link": ("denoise in.png -o link.png", ("input",)),
    "over the reference": ("denoise in.png -o clean.png --reference clean.png", ("input",)),
    "into a folder": ("denoise in.png -o place.png", ("folder",)),
    "into this folder": ("denoise in.png -o .", ("folder",)),
    "no such folder": ("denoise in.png -o no/such/out.png", ("does not exist",)),
    "no extension": ("denoise in.png -o out", ("extension",)),
    "unknown extension": ("denoise in.png -o out.xyz", (".xyz",)),
    "floats to png": ("denoise float.npy -o out.png", ("float32",)),
    "a device as output": ("denoise in.png -o null.png", ("regular",)),
    "a link to itself as output": ("denoise in.png -o loop.png", ("leads back to itself",)),
    "a link to itself as report": ("denoise in.png -o out.png --report loop.png", ("leads back to itself",)),
    "report is the output": ("denoise in.png -o out.png --report out.png", ("two names",)),
    "report is the input": ("denoise in.png -o out.png --report in.png", ("input",)),
    "report nowhere": ("denoise in.png -o out.png --report no/r.html", ("does not exist",)),
    "report is a folder": ("denoise in.png -o out.png --report place.png", ("folder",)),
    "recipe is the input": ("denoise in.png -o out.png --recipe in.png", ("input",)),
    "recipe is the report": ("denoise in.png -o out.png --recipe r --report r", ("two names",)),
    "report is another picture": ("denoise in.png -o out.png --report clean.png", ("end in .html or .htm",)),
    "recipe is no json": ("denoise in.png -o out.png --recipe recipe.txt", ("end in .json",)),
    "checkpoint is the input": ("denoise in.png -o out.png --checkpoint in.png", ("input",)),
    "checkpoint is none": ("denoise in.png -o out.png --method dip --checkpoint text", ("checkpoint",)),
    "reference missing": ("denoise in.png -o out.png --reference no.png", ("does not exist",)),
    "reference of another size": ("denoise in.png -o out.png --reference small.png", ("reference", "40")),
    "reference of another shape": (
        "denoise in.png -o out.png --reference stack.npy",
        ("reference", "3 x 48 x 48"),
    ),
    "axes that do not fit": ("denoise in.png -o out.png --axes TZCYX", ("'TZCYX'", "(48, 48, 3)", "--axes YXS")),
    "axes twice": ("inspect in.png --axes YYX", ("'YYX'", "Y stands twice")),
    "axes without columns": ("compare in.png --methods tv -o place --axes YZS", ("'YZS'", "they lack X")),
    "axes that nothing says": ("denoise cube.npy -o out.npy", ("(16, 16, 12)", "--axes YXC", "--axes ZYX")),
    "axes of four": ("inspect four.npy", ("(3, 2, 48, 48)", "axes='ZCYX'")),
    "axes of a JPEG": ("dejpeg in.png -o out.png --axes YXC", ("JPEG",)),
    "compare nothing": ("compare in.png --methods , -o place", ("no methods",)),
    "compare unknown": ("compare in.png --methods nonlocal,tx -o place", ("'tx'",)),
    "compare into a file": ("compare in.png --methods nonlocal -o text", ("file",)),
    "compare nowhere": ("compare in.png --methods nonlocal -o text/deeper", ("cannot be made",)),
    "a suffix with a folder in it": ("denoise in.png -o made/ --suffix /x.png", ("suffix", ".tif")),
    "refused after a folder was made": (
        "denoise in.png -o made/ --time-limit 0 --noise gaussian:5",
        ("time limit",),
    ),
    "refused after folders were made": ("compress in.png -o made/deeper --factor 0", ("factor",)),
    "demo into a file": ("demo -o text", ("file",)),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_call_is_refused(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, words = BAD_CALLS[case]
    Path("link.png").symlink_to("in.png")
    Path("null.png").symlink_to("/dev/null")
    Path("loop.png").symlink_to("loop.png")
    Path("place.png").mkdir()
    Path("text").write_text("some text")
    Pillow.fromarray(levels(clean(40, 48))).save("small.png")
    np.save("float.npy", clean(48, 48))
    np.save("stack.npy", np.zeros((3, 48, 48)))
    np.save("cube.npy", np.zeros((16, 16, 12)))
    np.save("four.npy", np.zeros((3, 2, 48, 48)))
    before = contents(folder)
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, *words), err
    assert contents(folder) == before


def test_no_cuda_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    assert main(["denoise", "in.png", "-o", "out.png", "--device", "cuda"]) == 2
    assert says(capsys.readouterr().err, "CUDA")


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (("denoise", "cut.png", "-o", "out.png"), "cut"),
        (("denoise", "in.png"), "--output"),
    ],
)
def test_real_command_refuses(argv: tuple[str, ...], word: str, folder: Path) -> None:
    """What cannot be read, and what cannot be understood; `main` is asked about the rest."""
    cut("cut.png")()
    before = contents(folder)
    process = started(folder, *argv)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert out == ""
    assert says(err, word), err
    assert contents(folder) == before


def test_full_disk(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(folder)
    with small_files_only():
        assert main(["denoise", "in.png", "-o", "out.png", *QUICK, "--quiet"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, "out.png"), err
    assert contents(folder) == before


def test_disk_full_for_the_report_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = levels(noisy(clean(16, 16, 1)))[..., 0]
    Pillow.fromarray(picture).save("tiny.png")
    with small_files_only():
        assert main(["denoise", "tiny.png", "-o", "out.png", "--report", "r.html", *QUICK, "--quiet"]) == 2
    err = capsys.readouterr().err
    assert says(err, "r.html", "out.png"), err
    assert pixels(folder / "out.png").shape == (16, 16)
    assert not (folder / "r.html").exists()
    assert not list(folder.glob(".*"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody can write to")
def test_place_that_nobody_may_write_to(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(
        "untaught.pipeline.tasks.denoise.denoise", lambda *_, **__: pytest.fail("it was known before")
    )
    assert main(["denoise", "in.png", "-o", "/proc/out.png", *QUICK, "--quiet"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, "/proc"), err


def test_folder_that_vanishes_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    import untaught.pipeline.tasks.denoise

    (folder / "place").mkdir()
    real = untaught.pipeline.tasks.denoise.denoise

    def vanish(*args: object, **more: object) -> object:
        (folder / "place").rmdir()
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(untaught.pipeline.tasks.denoise, "denoise", vanish)
    assert main(["denoise", "in.png", "-o", "place/out.png", *QUICK]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, "place"), err
