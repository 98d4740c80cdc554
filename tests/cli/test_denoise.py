"""The command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import clean, noisy, psnr
from tests.helpers.command import COMMAND, QUICK, lay_out, pixels, says, started
from untaught import __version__
from untaught.cli import main

KEYS = ["input", "output", "method", "why", "noise", "stopped", "seconds", "psnr_estimate", "seed", "version"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a noisy picture of 32 x 48, and its clean version, and go there."""
    return lay_out(tmp_path, monkeypatch, 32, 48)


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


def test_json_as_promised(folder: Path) -> None:
    """The real command: one object with the promised keys on standard output, and nothing else anywhere."""
    argv = ("denoise", "in.png", "-o", "out.png", *QUICK, "--seed", "3", "--reference", "clean.png", "--json")
    process = started(folder, *argv)
    out, err = process.communicate(timeout=300)
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


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MemoryError(), 2, "memory"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"), 2, "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 2, "memory"),
        (OSError(12, "Cannot allocate memory"), 2, "memory"),
        (OSError(5, "Input/output error", "x.bin"), 2, "x.bin"),
        (ZeroDivisionError("what\nnow"), 1, "internal error: ZeroDivisionError: what now"),
    ],
)
def test_any_error_is_a_sentence(
    error: Exception, status: int, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def fail(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr("untaught.pipeline.tasks.denoise.denoise", fail)
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
        _, err = process.communicate(timeout=300)
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
