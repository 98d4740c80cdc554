"""The command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import clean, noisy, psnr
from tests.test_bad_input import COMMAND, levels, pixels, says, started
from untaught import __version__
from untaught.cli import main
from untaught.cli.progress import Show, describe
from untaught.cli.signals import Interrupts
from untaught.fit import Progress

QUICK = ("--method", "nonlocal", "--noise", "gaussian:25")
KEYS = ["input", "output", "method", "why", "noise", "stopped", "seconds", "psnr_estimate", "seed", "version"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a noisy picture of 32 x 48, and its clean version, and go there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTAUGHT_DEBUG", raising=False)
    Pillow.fromarray(levels(noisy(clean(32, 48)))).save("in.png")
    Pillow.fromarray(levels(clean(32, 48))).save("clean.png")
    return tmp_path


# -- light ---------------------------------------------------------------------------------------------------


def timed(*argv: str) -> tuple[float, str]:
    """Return the least time of three runs of Python, and what the last one printed."""
    times, out = [], ""
    for _ in range(3):
        begun = time.monotonic()
        out = subprocess.run([sys.executable, *argv], capture_output=True, text=True, check=True).stdout
        times.append(time.monotonic() - begun)
    return min(times), out


def test_import_is_light() -> None:
    code = "import sys, untaught; print([m for m in ('numpy', 'torch', 'typer', 'rich') if m in sys.modules])"
    seconds, out = timed("-c", code)
    assert out.strip() == "[]"
    assert seconds < 3 * 0.2


def test_help_is_light() -> None:
    code = (
        "import sys; from untaught.cli import main; main(['--help']); "
        "print([m for m in ('numpy', 'torch', 'rich', 'pydantic', 'skimage') if m in sys.modules])"
    )
    seconds, out = timed("-c", code)
    assert out.strip().endswith("[]")
    assert seconds < 3 * 0.5


def test_help_names_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert all(f"\n  {name} " in out for name in ("inspect", "denoise", "compare", "demo", "doctor"))


@pytest.mark.parametrize("command", ["inspect", "denoise", "compare", "demo", "doctor"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Usage: untaught {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"untaught {__version__}\n"


# -- denoise -------------------------------------------------------------------------------------------------


def test_json_as_promised(folder: Path) -> None:
    """The real command: one object with the promised keys on standard output, and nothing else anywhere."""
    argv = ("denoise", "in.png", "-o", "out.png", *QUICK, "--seed", "3", "--reference", "clean.png", "--json")
    process = started(folder, *argv)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == ""
    assert out.count("\n") == 1
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert list(found)[: len(KEYS)] == KEYS
    assert found["input"] == "in.png"
    assert found["output"] == "out.png"
    assert found["method"] == "nonlocal"
    assert found["seed"] == 3
    assert found["version"] == __version__
    assert found["noise"]["kind"] == "gaussian"
    assert found["noise"]["sigma"] == pytest.approx(25, abs=1e-3)
    assert found["noise"]["measured"] is False
    assert found["stopped"]["step"] == 0
    assert found["stopped"]["reason"]
    assert found["interrupted"] is False
    estimate = found["psnr_estimate"]
    assert estimate["low"] < estimate["value"] < estimate["high"]
    restored, truth = pixels(folder / "out.png"), pixels(folder / "clean.png")
    assert restored.shape == (32, 48, 3)
    assert found["psnr"] == pytest.approx(psnr(restored, truth, 255), abs=1e-6)
    assert found["psnr"] > psnr(pixels(folder / "in.png"), truth, 255) + 3
    assert 0.5 < found["ssim"] < 1


def test_json_without_reference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoise", "in.png", "-o", "out.png", *QUICK, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "psnr" not in found
    assert "ssim" not in found


def test_json_where_there_is_no_estimate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Psnr_estimate is null; and a picture equal to the reference has no finite PSNR to print."""
    assert (
        main(
            [
                "denoise",
                "clean.png",
                "-o",
                "o.png",
                "--noise",
                "gaussian:0.01",
                "--reference",
                "clean.png",
                "--json",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["method"] == "none"
    assert found["psnr"] is None
    assert found["ssim"] == 1


def test_summary_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["denoise", "in.png", "-o", "out.png", *QUICK, "--reference", "clean.png", "--report", "r.html"]
    assert main([*argv, "--recipe", "r.json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for words in ("level 25.0", "As given", "nonlocal", "formula", "Estimated PSNR", "the input's is", "SSIM"):
        assert words in out
    assert out.splitlines()[-1].split() == ["output", "out.png"]
    assert "<html" in Path("r.html").read_text()
    assert json.loads(Path("r.json").read_text())["planes"][0]["method"] == "nonlocal"


def test_quiet_is_quiet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoise", "in.png", "-o", "out.png", *QUICK, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert Path("out.png").exists()


def test_an_older_output_is_replaced(folder: Path) -> None:
    Path("out.png").write_text("older")
    assert main(["denoise", "in.png", "-o", "out.png", *QUICK, "--quiet"]) == 0
    assert pixels(Path("out.png")).shape == (32, 48, 3)
    assert sorted(p.name for p in folder.iterdir()) == ["clean.png", "in.png", "out.png"]


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_stack_of_any_depth(dtype: type, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tifffile

    stack = noisy(clean(24, 32, 1))[..., 0]
    values = np.clip(np.stack([stack, stack[::-1]]), 0, 1) * (65535 if dtype is np.uint16 else 1)
    tifffile.imwrite("in.tif", values.astype(dtype), photometric="minisblack")
    assert main(["denoise", "in.tif", "-o", "out.tif", *QUICK, "--json"]) == 0
    assert "2 planes" in " ".join(json.loads(capsys.readouterr().out)["notes"])
    restored = tifffile.imread("out.tif")
    assert restored.dtype == dtype
    assert restored.shape == (2, 24, 32)
    assert (restored != values.astype(dtype)).mean() > 0.5


def test_name_that_is_no_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"caf\xe9 in.png")
    Path("in.png").rename(name)
    assert main(["denoise", name, "-o", "out.png", *QUICK, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["input"] == "caf\N{REPLACEMENT CHARACTER} in.png"
    assert main(["denoise", name, "-o", name]) == 2
    assert says(capsys.readouterr().err, "input")


# -- where things go wrong that are not the person's fault ------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MemoryError(), 2, "memory"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"), 2, "memory"),
        (OSError(5, "Input/output error", "x.bin"), 2, "x.bin"),
        (ZeroDivisionError("what\nnow"), 1, "internal error: ZeroDivisionError: what now"),
    ],
)
def test_any_error_is_a_sentence(
    error: Exception, status: int, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def fail(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr("untaught.restore.denoise", fail)
    assert main(["denoise", "in.png", "-o", "out.png"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("untaught: ")
    assert err.count("\n") == 1
    assert words in err
    assert not Path("out.png").exists()
    monkeypatch.setenv("UNTAUGHT_DEBUG", "1")
    with pytest.raises(type(error)):
        main(["denoise", "in.png", "-o", "out.png"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_summary_that_cannot_be_printed(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        process = started(folder, "denoise", "in.png", "-o", "out.png", *QUICK, "--json", stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert says(err, "No space left"), err
    assert pixels(folder / "out.png").shape == (32, 48, 3)


def test_reader_that_has_gone(folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        result = subprocess.run([*COMMAND, "--help"], stdout=write, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(write)
    assert result.returncode == 0
    assert result.stderr == b""


# -- progress ------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """What looks like a terminal."""

    def isatty(self) -> bool:
        return True


def look(step: int, plane: int = 0, planes: int = 1, score: float = 0.5) -> Progress:
    """Return a look at a fit of ten steps."""
    return Progress(
        phase="dip",
        step=step,
        steps=10,
        loss=0.25,
        score=score,
        score_name="windowed variance",
        seconds=2.0,
        seconds_left=8.0,
        preview=lambda: pytest.fail("nobody asked for a preview"),
        plane=plane,
        planes=planes,
    )


def test_line_says_where_the_fit_is() -> None:
    assert describe(look(3), 2.0) == (
        "step 3/10, loss 0.25, windowed variance 0.5, 0:02 so far, at most 0:08 left"
    )
    # 8 s of this plane, and 10 s for each of the two behind it
    assert describe(look(3, plane=1, planes=4, score=math.nan), 4000.0) == (
        "plane 2/4, step 3/10, loss 0.25, 1:06:40 so far, at most 0:28 left"
    )


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    with Show(Interrupts()) as show:
        show(look(1))
        assert capsys.readouterr() == ("", "")  # too early for a line
        monkeypatch.setattr("untaught.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
        show(look(2))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dip: step 2/10")
    assert err.count("\n") == 1


def test_one_bar_for_a_stack_that_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    shares = []
    with Show(Interrupts()) as show:
        for plane in range(3):
            for step in (2, 9, 4):
                show(look(step, plane, planes=3))
                assert show.bar is not None
                shares.append(show.bar.tasks[0].percentage)
        assert len(show.bar.tasks) == 1
        show.bar.refresh()
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(100 * 2.9 / 3)
    assert "plane 3/3" in terminal.getvalue()


def test_quiet_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("untaught.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    with Show(Interrupts(), quiet=True) as show:
        show(look(1))
    assert terminal.getvalue() == ""


def test_signal_that_was_swallowed_ends_the_fit_at_the_next_look() -> None:
    interrupts = Interrupts()
    with Show(interrupts, quiet=True) as show:
        show(look(1))
        interrupts.count = 1
        with pytest.raises(KeyboardInterrupt):
            show(look(2))


# -- inspect, demo, doctor -----------------------------------------------------------------------------------


def test_inspect(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = levels(noisy(clean(128, 128)))
    Pillow.fromarray(picture).save("big.png")
    assert main(["inspect", "big.png", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert found["shape"] == [128, 128, 3]
    assert found["noise"]["sigma"] == pytest.approx(25, rel=0.15)
    assert found["plan"]
    methods = {row["method"]: row for row in found["methods"]}
    assert set(found["plan"]) <= {name for name, row in methods.items() if row["fits"]}
    assert main(["inspect", "big.png"]) == 0
    out = capsys.readouterr().out
    assert found["advice"] in out
    assert all(name in out for name in methods)


def test_inspect_finds_what_does_not_fit(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(0).normal(size=(128, 128)), 1.0)
    np.save("c.npy", (0.5 + 0.3 * clean(128, 128, 1)[..., 0] + 0.1 * noise / noise.std()).astype(np.float32))
    assert main(["inspect", "c.npy", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["noise"]["kind"] == "correlated"
    r2r = next(row for row in found["methods"] if row["method"] == "r2r")
    assert not r2r["fits"]
    assert "neighbours" in r2r["objection"]


def test_demo_picture_is_what_its_page_says() -> None:
    from skimage import data

    from untaught.demo import pictures

    crop = data.astronaut()[0:256, 100:356]
    noise = np.random.default_rng(0).normal(0, 25, crop.shape)
    given, truth = pictures()
    assert np.array_equal(truth.array, crop)
    assert np.array_equal(given.array, np.clip(np.rint(crop + noise), 0, 255).astype(np.uint8))


def test_demo(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from untaught.io import read

    monkeypatch.setattr("untaught.demo.pictures", lambda: (read("in.png"), read("clean.png")))
    monkeypatch.setattr("untaught.demo.TIME_LIMIT", 0.5)
    assert main(["demo", "-o", "there/demo"]) == 0
    out = capsys.readouterr().out
    assert "before   PSNR" in out
    assert "after    PSNR" in out
    made = sorted(p.name for p in Path("there/demo").iterdir())
    assert made == ["clean.png", "noisy.png", "report.html", "restored.png", "strip.png"]
    strip = pixels(Path("there/demo/strip.png"))
    assert np.array_equal(strip[22:54, 8:56], pixels(Path("in.png")))
    assert np.array_equal(strip[22:54, 120:168], pixels(Path("clean.png")))


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert found["untaught"] == __version__
    assert found["cores"] >= 1
    assert found["torch"]["gflops_float32"] > 0
    assert found["versions"]["numpy"] == np.__version__
    assert "r2r" in found["speed"]
    assert main(["doctor"]) == 0
    assert f"numpy {np.__version__}" in capsys.readouterr().out


def test_doctor_finds_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from untaught import doctor

    def broken() -> None:
        raise ImportError("libgomp.so.1 is not there")

    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "tifffile" else real(name))
    monkeypatch.setattr(doctor, "_torch", broken)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "pip install tifffile" in out
    assert "libgomp" in out
    assert "until torch works" in out


def test_doctor_knows_the_limits_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from untaught import doctor

    monkeypatch.setattr(doctor, "CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text(f"{2**30}\n")
    assert doctor._cores() == 1
    assert doctor._memory() == 1.0
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor._memory() != 1.0
