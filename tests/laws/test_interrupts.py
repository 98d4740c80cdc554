"""Ctrl-C at any moment: exit status 130, no traceback, the best picture so far or none."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import untaught
from tests.conftest import clean, noisy
from tests.helpers.command import QUICK, lay_out, pixels, says, started
from untaught.cli import main
from untaught.cli.signals import Interrupts

SLOW = ("--method", "dip:hourglass-2", "--noise", "gaussian:25", "--stop", "steps", "--time-limit", "60")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a noisy picture of 32 x 32, and its clean version, and go there."""
    return lay_out(tmp_path, monkeypatch, 32, 32)


@contextmanager
def running(folder: Path, *argv: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command, and be sure that it ends."""
    process = started(folder, "denoise", "in.png", "-o", "out.png", *argv)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path, process: subprocess.Popen[str], seconds: float = 300) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.01)


# Put where Python looks first, it sends Ctrl-C to its own process as a certain module is about to be loaded.
HOOK = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            for _ in range(int(os.environ["INTERRUPTS"])):
                os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""


def interrupted_at(module: str, times: int, folder: Path, hook: Path, *argv: str) -> tuple[int, str]:
    """Run the command with Ctrl-C at the moment when it loads a module; return exit status and standard error."""
    (hook / "sitecustomize.py").write_text(HOOK)
    variables = {"PYTHONPATH": str(hook), "INTERRUPT_AT": module, "INTERRUPTS": str(times)}
    process = started(folder, "denoise", "in.png", "-o", "out.png", *argv, variables=variables)
    _, err = process.communicate(timeout=300)
    return process.returncode, err


@pytest.fixture
def hook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the hook, apart from the pictures."""
    return tmp_path_factory.mktemp("hook")


@pytest.mark.parametrize(
    ("module", "times", "last"),
    [
        ("untaught.cli.program", 1, ""),  # nobody counts yet: silent
        ("untaught.cli.app", 1, "there is no result"),
        ("typer", 4, "there is no result"),
        ("numpy", 1, "there is no result"),
        ("torch", 1, "the picture as it was"),
        ("torch", 4, "there is no result"),
    ],
)
def test_interrupted_while_something_is_loaded(
    module: str, times: int, last: str, folder: Path, hook: Path
) -> None:
    status, err = interrupted_at(module, times, folder, hook, *QUICK)
    assert status == 130
    lines = err.splitlines()
    assert all(line.startswith("untaught: ") for line in lines), err
    assert last in lines[-1] if last else not lines
    written = sorted(path.name for path in folder.iterdir())
    assert written == ["clean.png", "in.png"] + ["out.png"] * ("as it was" in last)


def test_interrupted_while_the_report_is_made(folder: Path, hook: Path) -> None:
    """The picture is there already: all is written, and the exit status says that somebody pressed Ctrl-C."""
    status, err = interrupted_at("PIL.BmpImagePlugin", 1, folder, hook, *QUICK, "--report", "r.html")
    assert status == 130
    assert says(err, "best picture so far"), err
    assert not np.array_equal(pixels(folder / "out.png"), pixels(folder / "in.png"))
    assert (folder / "r.html").read_text().endswith("</html>\n")


@pytest.mark.parametrize(("seconds", "how"), [(0.3, signal.SIGINT), (0.8, signal.SIGINT), (0.8, signal.SIGTERM)])
def test_interrupted_at_the_start(seconds: float, how: int, folder: Path) -> None:
    before = (folder / "in.png").read_bytes()
    with running(folder, *SLOW) as process:
        time.sleep(seconds)
        process.send_signal(how)
        _, err = process.communicate(timeout=300)
    if seconds < 0.5 and process.returncode == -how:  # on a busy machine Python itself is not up yet
        assert sorted(path.name for path in folder.iterdir()) == ["clean.png", "in.png"]
        return
    assert process.returncode == 128 + how
    assert says(err, "interrupted"), err
    assert (folder / "in.png").read_bytes() == before
    if (folder / "out.png").exists():  # it had been read: the best so far is the picture itself
        assert np.array_equal(pixels(folder / "out.png"), pixels(folder / "in.png"))
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("times", [1, 2])
def test_interrupted_in_the_fit(times: int, folder: Path) -> None:
    before = (folder / "in.png").read_bytes()
    with running(folder, *SLOW, "--checkpoint", "state", "--json", "--quiet") as process:
        wait_for(folder / "state", process)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert says(err.splitlines()[-1], "best picture so far"), err
    assert '"interrupted": true' in out
    assert (folder / "in.png").read_bytes() == before
    restored, given, truth = (pixels(folder / f"{name}.png").astype(float) for name in ("out", "in", "clean"))
    assert np.square(restored - truth).mean() < np.square(given - truth).mean()
    assert not list(folder.glob(".*"))


def send(times: int = 1) -> None:
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)


def test_what_is_held_is_raised_at_the_next_check() -> None:
    before = signal.getsignal(signal.SIGINT)  # a shell's background job starts with it ignored
    with Interrupts() as interrupts:
        send()  # nobody catches it yet
        with interrupts.held():
            assert interrupts.count == 1
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert signal.getsignal(signal.SIGINT) is before


def test_the_third_leaves_even_what_is_held(capfd: pytest.CaptureFixture[str]) -> None:
    with Interrupts() as interrupts, interrupts.held():
        send(2)
        assert not interrupts.leaving
        assert (
            capfd.readouterr().err == "untaught: writing the best picture so far; once more to leave without it\n"
        )
        with pytest.raises(KeyboardInterrupt):
            send()
        assert interrupts.leaving


def test_after_the_end_nothing_changes_any_more(capfd: pytest.CaptureFixture[str]) -> None:
    with Interrupts() as interrupts:
        with interrupts.final():
            pass
        send(2)
        assert interrupts.count == 0
        assert interrupts.ended("all") == 0
    assert capfd.readouterr() == ("", "")


def test_a_result_is_kept_when_the_signal_comes_behind_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The progress bar takes a moment to go away: what was made until then must not be lost."""
    from untaught.cli.progress import Show

    monkeypatch.setattr(Show, "__exit__", lambda *_: send())
    assert main(["denoise", "in.png", "-o", "out.png", *QUICK, "--quiet"]) == 130
    assert not np.array_equal(pixels(folder / "out.png"), pixels(folder / "in.png"))


def test_a_result_is_put_together_although_the_signal_comes_then(monkeypatch: pytest.MonkeyPatch) -> None:
    from untaught.pipeline import combine_planes

    real, calls = combine_planes._combined, []

    def cut_once(*args: object, **more: object) -> object:
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(combine_planes, "_combined", cut_once)
    result = untaught.denoise(noisy(clean(24, 24)), method="wavelet", noise="gaussian:25")
    assert result.interrupted
    assert result.method == "wavelet"


def test_a_module_that_is_being_loaded_is_loaded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cut_while_loaded.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhole = True\n", "utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with Interrupts() as interrupts:
        import cut_while_loaded

        assert cut_while_loaded.whole
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
def test_a_terminal_that_is_closed_ends_it_as_sigterm_does_and_nohup_keeps_it() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGHUP)
            assert interrupts.count == 1
            assert interrupts.status == 129
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGHUP)
            assert not interrupts.count
    finally:
        signal.signal(signal.SIGHUP, before)
