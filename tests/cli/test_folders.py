"""Folders on the command line: what is printed, with which exit status, and what is left behind."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import clean, noisy
from tests.helpers.command import contents, levels, says, small_files_only, started
from untaught.cli import main
from untaught.image.files import write
from untaught.image.image import Image

FAST = ("--method", "nlm", "--noise", "gaussian:25")


def lay(name: str, seed: int = 0) -> None:
    write(name, Image.of(levels(noisy(clean(16, 16), seed=seed)), "YXS"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with three small noisy pictures in `raw`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTAUGHT_DEBUG", raising=False)
    Path("raw").mkdir()
    for seed, name in enumerate(("a.png", "b.png", "c.tif")):
        lay(f"raw/{name}", seed)
    return tmp_path


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, object]], str]:
    out, err = capsys.readouterr()
    return [json.loads(line) for line in out.splitlines()], err


def test_a_folder_is_restored_and_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoise", "raw", "-o", "clean", *FAST]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        *("pictures 3: 3 done", "table    clean/results.csv", "gallery  clean/gallery.html", "output   clean")
    ]
    assert err == ""
    assert main(["denoise", "raw", "-o", "clean", *FAST, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_json_is_a_line_a_picture_and_failures_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("raw/bad\nname.png").write_bytes(b"no picture")
    assert main(["denoise", "raw", "-o", "clean", *FAST, "--json", "--report", "why", "--recipe", "why"]) == 3
    told, err = lines(capsys)
    assert {str(each["input"]): each["status"] for each in told} == {
        **{"raw/a.png": "done", "raw/b.png": "done", "raw/c.tif": "done"},
        "raw/bad\\nname.png": "failed",
    }
    assert {"psnr_estimate", "noise", "why", "report"} <= set(told[0])
    assert err.splitlines()[0] == "untaught: 1 of 4 pictures failed:"
    assert "raw/bad\\nname.png" in err.splitlines()[1]
    assert sorted(path.name for path in Path("why").iterdir()) == sorted(
        f"{name}.{ending}" for name in ("a.png", "b.png", "c.tif") for ending in ("html", "json")
    )
    assert main(["denoise", "raw", "-o", "clean", *FAST, "--json"]) == 3
    again, _ = lines(capsys)
    assert sorted(str(each["status"]) for each in again) == ["failed", "kept", "kept", "kept"]


def test_one_picture_goes_into_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoise", "raw/a.png", "-o", "new/", *FAST, "--json"]) == 0
    assert lines(capsys)[0][0]["output"] == "new/a.png"
    assert main(["denoise", "raw/c.tif", "-o", "new", *FAST, "--suffix", "npy", "--quiet"]) == 0
    assert sorted(path.name for path in Path("new").iterdir()) == ["a.png", "c.npy"]


def test_other_verbs_take_folders_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upscale", "raw/*.png", "-o", "large", "--factor", "2", "--method", "pnp", "--json"]) == 0
    told, _ = lines(capsys)
    assert [each["output"] for each in told] == ["large/a.png", "large/b.png"]
    mask = np.full((16, 16), 255, np.uint8)
    mask[4:6, 4:6] = 0
    write("mask.png", Image.of(mask, "YX"))
    call = ["inpaint", "raw/a.png", "raw/b.png", "-o", "full", "--mask", "mask.png", "--noise", "gaussian:0"]
    assert main([*call, "--quiet"]) == 0
    assert main([*call, "--json"]) == 0
    assert [each["status"] for each in lines(capsys)[0]] == ["kept", "kept"]


def test_inspect_takes_folders_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("raw/empty.png").touch()
    before = contents(Path("raw"))
    assert main(["inspect", "raw", "--json"]) == 3
    told, err = lines(capsys)
    assert [each["status"] for each in told] == ["done", "done", "done", "failed"]
    assert all("advice" in each for each in told[:3])
    assert "raw/empty.png" in err
    assert main(["inspect", "raw", "--shard", "1/4"]) == 0
    assert capsys.readouterr().out.startswith("picture  raw/a.png")
    assert contents(Path("raw")) == before


def test_all_shards_together_are_all(capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(1, 5):
        assert main(["denoise", "raw", "-o", "clean", *FAST, "--shard", f"{index}/4", "--json"]) == 0
    told, _ = lines(capsys)
    assert sorted(str(each["output"]) for each in told) == ["clean/a.png", "clean/b.png", "clean/c.tif"]
    assert len(list(Path("clean").glob("results-*-of-4.csv"))) == 4
    assert (
        "none in this shard"
        in (main(["denoise", "raw", "-o", "c", *FAST, "--shard", "4/4"]), *capsys.readouterr())[1]
    )


def test_shared_noise_is_one_law(capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(3):
        picture = levels(noisy(clean(64, 64, 1), seed=seed))[..., 0]
        write(f"raw/grey{seed}.png", Image.of(picture, "YX"))
    call = ["denoise", "raw/grey*.png", "-o", "clean", "--method", "nlm", "--noise", "shared", "--json"]
    assert main([*call, "--shard", "1/2"]) == 0
    kept = Path("clean/.untaught/noise.json").read_text()
    assert main([*call, "--shard", "2/2"]) == 0
    assert Path("clean/.untaught/noise.json").read_text() == kept
    told, _ = lines(capsys)
    sigmas = {each["noise"]["sigma"] for each in told}  # type: ignore[index]
    assert len(told) == 3
    assert len(sigmas) == 1
    assert abs(sigmas.pop() - 25) < 2.5
    assert main(call) == 0
    assert {each["status"] for each in lines(capsys)[0]} == {"kept"}


BAD = {
    "in itself": ("denoise raw -o raw", ("raw", "is the input folder")),
    "below itself": ("denoise raw -o raw/clean", ("raw/clean", "lies in")),
    "one output twice": ("denoise raw/a.png other/a.png -o clean", ("raw/a.png", "other/a.png", "clean/a.png")),
    "over an input": ("denoise raw/a.png raw/b.png -o raw", ("raw/a.png", "is an input")),
    "one over itself": ("denoise raw/a.png -o raw/", ("folder", "raw/a.png")),
    "into a file": ("denoise raw -o other/a.png", ("other/a.png", "is a file")),
    "empty folder": ("denoise void -o clean", ("void", "holds no picture")),
    "no match": ("denoise *.foo -o clean", ("*.foo", "matches no file")),
    "shard": ("denoise raw -o clean --shard 17/16", ("'17/16'",)),
    "shard of one": ("denoise raw/a.png -o b.png --shard 1/2", ("--shard",)),
    "no workers": ("denoise raw -o clean --workers 0", ("workers is 0",)),
    "no such option": ("denoise raw -o clean --method nonlokal", ("nonlokal",)),
    "reference": ("denoise raw -o clean --reference raw/a.png", ("--reference", "one picture")),
    "report": ("denoise raw -o clean --report r.html", ("--report", "folder")),
    "shared noise of one": ("denoise raw/a.png -o b.png --noise shared", ("--noise shared",)),
    "shared noise of masks": ("inpaint raw -o clean --noise shared", ("only denoise",)),
    "plot of many": ("inspect raw --plot p.png", ("p.png", "one picture")),
    "watch a file": ("watch raw/a.png -o clean", ("raw/a.png", "no folder")),
    "watch in itself": ("watch raw -o raw/clean", ("lies in",)),
    "settle": ("watch raw -o clean --settle 0", ("settle is 0",)),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_call_is_one_sentence(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call, words = BAD[case]
    Path("void").mkdir()
    Path("other").mkdir()
    lay("other/a.png")
    before = contents(folder)
    assert main(call.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, *words), err
    assert contents(folder) == before


def test_watch_waits_until_a_file_is_whole(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    whole = Path("raw/b.png").read_bytes()
    Path("raw/b.png").write_bytes(whole[:100])
    pauses = []

    def pause(seconds: float) -> None:
        """Let the instrument write on while nobody looks."""
        pauses.append(seconds)
        if len(pauses) == 2:
            Path("raw/b.png").write_bytes(whole)
        real(seconds)

    real = time.sleep
    monkeypatch.setattr("untaught.jobs.watch.time.sleep", pause)
    assert main(["watch", "raw", "-o", "clean", *FAST, "--settle", ".2", "--once", "--json"]) == 0
    told, err = lines(capsys)
    assert [each["status"] for each in told] == ["done", "done", "done"]
    assert err == ""
    assert main(["watch", "raw", "-o", "clean", *FAST, "--settle", ".1", "--idle-exit", ".1", "--json"]) == 0
    assert [each["status"] for each in lines(capsys)[0]] == ["kept", "kept", "kept"]


def test_watch_tries_again_when_a_file_changes(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    whole = Path("raw/a.png").read_bytes()
    Path("raw/a.png").write_bytes(whole[:100])
    real, done = time.sleep, Path("clean/b.png")

    def pause(seconds: float) -> None:
        if done.exists():
            Path("raw/a.png").write_bytes(whole)
            done.unlink()
        real(seconds)

    monkeypatch.setattr("untaught.jobs.watch.time.sleep", pause)
    assert main(["watch", "raw", "-o", "clean", *FAST, "--settle", ".1", "--idle-exit", ".5", "--json"]) == 0
    told, _ = lines(capsys)
    assert [each["status"] for each in told if each["output"] == "clean/a.png"] == ["failed", "done"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_it_and_the_same_call_goes_on(workers: str, folder: Path, capsys) -> None:
    slow = ("--method", "dip", "--noise", "gaussian:25", "--stop", "steps", "--time-limit", "60")
    process = started(folder, "denoise", "raw", "-o", "clean", *slow, "--workers", workers)
    end = time.monotonic() + 120
    while not Path("clean/.untaught/done.jsonl").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "0 of 3 pictures are done" in err
    assert "Traceback" not in err
    assert not [path for path in Path("clean").iterdir() if path.suffix in (".png", ".tif", ".tmp")]
    assert main(["denoise", "raw", "-o", "clean", *FAST, "--quiet"]) == 0
    assert len(list(Path("clean").glob("*.[pt][ni][gf]"))) == 3


def test_files_that_cannot_be_written_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    write("raw/a.png", Image.of(levels(noisy(clean(48, 48))), "YXS"))
    before = contents(Path("raw"))
    with small_files_only():
        assert main(["denoise", "raw", "-o", "clean", *FAST]) == 3
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert "clean/a.png could not be written" in err
    assert sorted(path.name for path in Path("clean").glob("*.???")) == ["b.png", "c.tif", "results.csv"]
    assert contents(Path("raw")) == before
