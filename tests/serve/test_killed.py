"""What a server that was killed has left, and how the next one goes on with it."""

from __future__ import annotations

import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("fastapi")

from untaught.image.image import Image
from untaught.serve.jobs import Job
from untaught.serve.planes import keep_planes
from untaught.serve.run import closed_with_its_terminal


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return a picture that was looked at."""
    (tmp_path / "a.png").touch()
    made = Job("0", "a.png", tmp_path, 0, "", state="ready", reading=False, looks=1)
    made.planes = keep_planes(Image.of(np.zeros((8, 8), np.uint8), "YX"), tmp_path / ".picture-1")
    return made


def test_planes_are_laid_out_again_where_somebody_has_begun_that(tmp_path: Path) -> None:
    picture = Image.of(np.zeros((8, 8), np.uint8), "YX")
    (tmp_path / ".picture-1").mkdir()
    (tmp_path / ".picture-1" / "half").touch()
    assert len(keep_planes(picture, tmp_path / ".picture-1")) == 1
    assert not (tmp_path / ".picture-1" / "half").exists()


def test_an_answer_that_was_shown_and_not_written_is_made_again(job: Job) -> None:
    job.run = job.answered = 1
    job.state, job.result = "done", {"method": "wavelet"}
    (job.folder / ".run-1").mkdir()
    job.keep()
    again = Job.again(job.folder)
    assert again is not None
    assert again.state == "ready"
    assert again.result is None
    assert "start it again" in again.message
    assert not (job.folder / ".run-1").exists()
    assert (job.folder / ".picture-1").exists()


def test_what_nobody_shows_is_taken_away(job: Job) -> None:
    job.run, job.answered, job.result, job.files = 2, 1, {"method": "tv"}, {"result": "a.png"}
    job.keep()
    for name in (".run-1", ".run-2", ".picture-2"):
        (job.folder / name).mkdir()
    for name in (".job.json.new", "mask.png.part", ".mask.new"):
        (job.folder / name).touch()
    assert Job.again(job.folder) is not None
    assert sorted(path.name for path in job.folder.iterdir()) == [".job.json", ".picture-1", ".run-1", "a.png"]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
def test_a_server_ends_with_its_terminal_unless_that_is_ignored() -> None:
    heard: list[int] = []
    server = SimpleNamespace(handle_exit=lambda number, _: heard.append(number))
    before = signal.getsignal(signal.SIGHUP)
    try:
        for handler in (signal.SIG_DFL, signal.SIG_IGN):
            signal.signal(signal.SIGHUP, handler)
            with closed_with_its_terminal(server):  # type: ignore[arg-type]
                signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == handler
    finally:
        signal.signal(signal.SIGHUP, before)
    assert heard == [signal.SIGHUP]
