"""The record of a folder: a clock that is moved, lines of strangers, and two calls at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import untaught
from tests.conftest import clean, noisy
from untaught.errors import InputError, OutputError
from untaught.jobs.asked import Asked
from untaught.jobs.one_picture import Work
from untaught.jobs.outputs import Job
from untaught.jobs.record import Record
from untaught.jobs.run import restore_pictures
from untaught.jobs.watch import Watching, watch_pictures
from untaught.results.picture_table import Row

DAY = 86400 * 10**9
ASKED = Asked((Path("raw"),), Path("clean"), Work("denoise", {"method": "wavelet", "noise": "gaussian:25"}))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a picture in `raw`."""
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    np.save("raw/a.npy", np.clip(noisy(clean(16, 16)), 0, 1))
    return tmp_path


def test_what_is_added_is_later_wherever_the_clock_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that was restored again after the clock was put right would else be taken for somebody's."""
    Path("clean").mkdir()
    job = Job(Path("raw/a.npy"), Path("clean/a.npy"), Path("a.npy"))
    for now, text in ((400 * DAY, "first"), (DAY, "second"), (2 * DAY, "third, and longer")):
        monkeypatch.setattr("untaught.jobs.record.time.time_ns", lambda now=now: now)
        record = Record(Path("clean"), text)
        assert record.standing(job) in ("free", "ours")
        record.begin(job)
        job.output.write_text(text)
        record.finish(job, Row(job.input, job.output, "done"))
        assert Record(Path("clean"), text).standing(job) == "done"


@pytest.mark.parametrize(
    "line",
    [
        b'{"place": "a.npy", "at": "late", "call": "x", "source": [1, 2], "written": null, "row": null}',
        b'{"place": "a.npy", "at": 9e99, "call": "x", "source": 3, "written": null, "row": null}',
        b'{"place": "a.npy", "at": 9, "call": "x", "source": [1, 2], "written": [1], "row": null}',
        b'{"place": "a.npy", "at": 9, "call": "x", "source": [1, 2], "written": [1, 2], "row": {"more": 1}}',
        b'{"place": "a.npy", "at": 9, "call": "x", "source": [1, 2], "written": [1, 2], "row": {"psnr": "a"}}',
        b'["place", "at"]',
        b"[" * 10**5,
        b"\xff\xfe{}",
    ],
)
def test_lines_that_are_not_ours_say_nothing(line: bytes) -> None:
    Path("clean/.untaught").mkdir(parents=True)
    Path("clean/.untaught/done.jsonl").write_bytes(line + b"\n")
    assert [row.status for row in restore_pictures(ASKED)] == ["done"]
    assert [row.status for row in restore_pictures(ASKED)] == ["kept"]


def test_two_calls_on_one_folder_are_one_and_a_sentence() -> None:
    def again(row: Row, *_: int) -> None:
        for call in (lambda: restore_pictures(ASKED), lambda: watch_pictures(ASKED, Watching(once=True))):
            with pytest.raises(InputError, match="another call is writing to clean"):
                call()

    assert [row.status for row in restore_pictures(ASKED, again)] == ["done"]
    assert [row.status for row in restore_pictures(ASKED)] == ["kept"]


def test_shards_write_to_one_folder_at_once_and_a_call_of_all_waits() -> None:
    one, two = (Record(Path("clean"), "x", f"-{number}-of-2") for number in (1, 2))
    with one.alone(), two.alone():
        with pytest.raises(InputError, match="another call"):
            restore_pictures(ASKED)
        with pytest.raises(InputError, match="another call"), Record(Path("clean"), "x", "-1-of-2").alone():
            pass
    assert [row.status for row in restore_pictures(ASKED)] == ["done"]


def test_a_full_disk_ends_a_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would else try again and again, for ever."""

    def full(*_: object) -> None:
        raise OutputError("the record cannot be written: No space left") from OSError(28, "full")

    monkeypatch.setattr(Record, "begin", full)
    found = watch_pictures(ASKED, Watching(settle=0.05))
    assert [row.status for row in found] == ["not reached"]
    assert any("No space left" in note for note in found.notes)


def test_what_the_record_keeps_is_a_line_of_json() -> None:
    untaught.denoise("raw", output="clean", method="wavelet", noise="gaussian:25")
    told = [json.loads(line) for line in Path("clean/.untaught/done.jsonl").read_bytes().splitlines()]
    assert [line["written"] is None for line in told] == [True, False]
    assert told[0]["at"] < told[1]["at"]
