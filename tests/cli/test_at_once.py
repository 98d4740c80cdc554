"""Commands at once with one output and one checkpoint: all come to their end, and one answer is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.command import lay_out, pixels
from untaught.cli import main

CALL = ("denoise", "in.png", "-o", "out.png", "--method", "dip:hourglass-2", "--noise", "gaussian:25", "--quiet")
MORE = ("--checkpoint", "state", "--stop", "steps", "--time-limit", "1")


def forked(said: Path, *argv: str) -> int:
    """Run the command in a fork, which has loaded everything, so that all begin at once; return its process."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT), 2)
        status = main([*CALL, *MORE, *argv])
    finally:
        os._exit(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the tests' own process has threads
def test_commands_write_one_whole_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that are the same, and one of another seed."""
    (tmp_path / "f").mkdir()
    folder = lay_out(tmp_path / "f", monkeypatch, 16, 16)
    logs = [tmp_path / f"{k}.log" for k in range(3)]
    children = [forked(log, "--seed", seed) for log, seed in zip(logs, "001", strict=True)]
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    for status, log in zip(ended, logs, strict=True):  # where the other's checkpoint was seen, that is said
        said = log.read_text()
        assert status == 0 or (status == 2 and "another picture, method or seed" in said), said
    assert 0 in ended
    assert pixels(folder / "out.png").shape == (16, 16, 3)
    names = {path.name for path in folder.iterdir()} - {"state"}
    assert names == {"in.png", "out.png", "clean.png"}
