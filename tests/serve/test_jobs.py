"""The server at work: what is said of what is wrong, and that it lives on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import clean, noisy
from tests.helpers.command import levels

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from untaught.serve.app import make_app
from untaught.serve.desk import Desk
from untaught.serve.guard import Guard
from untaught.serve.jobs import Job

HERE = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "cookie": "untaught-8000=secret"}
MOST = 200_000


def png(height: int = 40, width: int = 48, channels: int = 1) -> bytes:
    """Return a noisy picture as a PNG."""
    stream = BytesIO()
    values = levels(noisy(clean(height, width, channels)))
    Pillow.fromarray(values.squeeze()).save(stream, "PNG")
    return stream.getvalue()


class Page:
    """The page of a server with its processes, as a browser has it."""

    def __init__(self, client: TestClient, desk: Desk) -> None:
        self.client, self.desk = client, desk

    def add(self, data: bytes, name: str) -> Any:
        return self.client.post("/api/files", content=data, headers={"x-name": name})

    def until(self, key: str, there: Callable[[Job], bool], seconds: float = 180) -> Job:
        """Wait until something is so for a job; on a new machine the compiler comes first."""
        end = time.monotonic() + seconds
        while not there(self.desk.jobs[key]):
            assert time.monotonic() < end, self.desk.jobs[key].as_dict()
            time.sleep(0.02)
        return self.desk.jobs[key]

    def added(self, data: bytes, name: str) -> Job:
        key = self.add(data, name).json()["key"]
        return self.until(key, lambda job: job.state != "looking")

    def started(self, job: Job, **settings: Any) -> Any:
        return self.client.post(f"/api/jobs/{job.key}/start", json=settings)

    def restored(self, job: Job, **settings: Any) -> Job:
        answer = self.started(job, **settings)
        assert answer.status_code == 200, answer.text
        return self.until(job.key, lambda job: job.state not in ("queued", "running") and job.progress is None)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    desk = Desk(tmp_path_factory.mktemp("serve"), MOST)
    guarded = Guard(make_app(desk), "secret", "127.0.0.1", 8000)
    with TestClient(guarded, base_url="http://127.0.0.1:8000", headers=HERE) as client:
        yield Page(client, desk)


def png_with(*extra: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(extra)


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (png()[:-400], "cut.png", "cut.png"),
        (b"\x7fELF" + bytes(4000), "program.png", "program.png"),
        (b"MZ" + bytes(4000), "setup.tif", "setup.tif"),
        (b"not a picture", "notes.txt", "notes.txt"),
        (png(4, 4), "tiny.png", "too small"),
    ],
)
def test_what_is_no_picture_is_said_and_the_server_lives_on(page: Page, data: bytes, name: str, said: str) -> None:
    job = page.added(data, name)
    assert job.state == "refused"
    assert said in job.message
    assert str(page.desk.folder) not in job.message
    assert "internal error" not in job.message
    assert page.started(job).status_code == 422
    assert page.client.get("/api/alive").status_code == 200


def test_too_large_too_empty_and_the_same_again(page: Page) -> None:
    before = len(page.desk.jobs)
    large = page.add(bytes(MOST + 1), "large.png")
    assert large.status_code == 422
    assert "--most" in large.json()["error"]
    empty = page.add(b"", "empty.png")
    assert empty.json()["error"] == "the file is empty"
    assert len(page.desk.jobs) == before
    assert len([path for path in page.desk.folder.iterdir() if path.is_dir()]) == before
    first = page.added(png(41), "first.png")
    again = page.add(png(41), "second.png").json()
    assert again["key"] == first.key
    assert "on the page already, as first.png" in again["note"]


def test_names_cannot_leave_the_folder(page: Page) -> None:
    job = page.added(png(42), "..%2F..%2Fescaped.png")
    assert (job.folder / "escaped.png").is_file()
    assert job.folder.parent == page.desk.folder
    for path in (
        f"{job.key}/files/..%2F..%2Fserver.json",
        "..%2F..%2Fetc/files/result",
        f"{job.key}/files/recipe",
    ):
        assert page.client.get(f"/api/jobs/{path}").status_code in (404, 422)
    assert page.client.get("/static/..%2Fapp.py").status_code == 404
    slot = page.client.put(f"/api/jobs/{job.key}/uploads/..%2Fx", content=b"x")
    assert slot.status_code in (404, 422)


def test_hdf5_that_is_cut_off_is_a_sentence(page: Page, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")

    with h5py.File(tmp_path / "a.h5", "w") as tree:
        tree["a"] = np.zeros((40, 48))
    job = page.added((tmp_path / "a.h5").read_bytes()[:-300], "a.h5")
    assert job.state == "refused"
    assert "corrupt HDF5" in job.message
    assert "internal" not in job.message


def test_hdf5_that_leads_to_other_files_is_refused(page: Page, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret.bin").write_bytes(bytes(range(256)) * 16)
    with h5py.File(tmp_path / "a.h5", "w") as tree:
        outside = [(str(tmp_path / "secret.bin"), 0, 4096)]
        tree.create_dataset("raw", (64, 64), "u1", external=outside)
    job = page.added((tmp_path / "a.h5").read_bytes(), "a.h5")
    assert job.state == "refused"
    assert "lies in other files" in job.message


def test_a_picture_is_looked_at_restored_shown_and_fetched(page: Page) -> None:
    job = page.added(png(), "noisy.png")
    assert "noise" in job.about["noise"]
    assert {each["effort"] for each in job.about["efforts"]} == {"quick", "normal", "best"}
    assert job.reports  # which the fit need not measure again
    job = page.restored(job, effort="quick")
    assert (job.state, job.message) == ("done", "")
    assert job.result is not None
    assert job.result["psnr"]
    assert page.desk.folder.name not in json.dumps(job.as_dict())

    for kind in ("picture", "result", "residual"):
        path = f"/api/jobs/{job.key}/tiles/{job.answered}/{kind}/0/0/0/0?low=0&high=255"
        tile = page.client.get(path)
        with Pillow.open(BytesIO(tile.content)) as opened:
            assert opened.size == (48, 40)
            if kind == "picture":
                with Pillow.open(BytesIO(png())) as original:
                    np.testing.assert_array_equal(np.asarray(opened), np.asarray(original))
    profile = page.client.get(f"/api/jobs/{job.key}/profile/0/7").json()
    assert len(profile["picture"]) == len(profile["result"]) == 48

    for which, start in (("result", b"\x89PNG"), ("report", b"<!"), ("recipe", b"{")):
        got = page.client.get(f"/api/jobs/{job.key}/files/{which}")
        assert got.content.startswith(start)
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.headers["content-type"] == "application/octet-stream"
        assert str(page.desk.folder).encode() not in got.content


def test_a_mask_of_nothing_is_said(page: Page) -> None:
    job = page.added(png(43), "holes.png")
    assert "nothing says which pixels" in page.restored(job, task="inpaint").message
    stream = BytesIO()
    Pillow.new("L", (48, 43), 255).save(stream, "PNG")
    sent = page.client.put(f"/api/jobs/{job.key}/uploads/mask", content=stream.getvalue())
    assert sent.status_code == 200
    assert "nothing to fill in" in page.restored(job, task="inpaint").message
    missing = page.started(job, task="guided")
    assert missing.status_code == 422
    assert "add the guide first" in missing.json()["error"]


def test_a_region_is_measured_alone(page: Page) -> None:
    flat = np.clip(np.random.default_rng(0).normal(120, 9, (48, 64)), 0, 255).astype(np.uint8)
    stream = BytesIO()
    Pillow.fromarray(flat).save(stream, "PNG")
    job = page.added(stream.getvalue(), "flat.png")
    assert page.client.post(f"/api/jobs/{job.key}/region", json=[4, 4, 40, 32]).status_code == 200
    job = page.until(job.key, lambda job: job.measured is not None)
    assert job.measured is not None
    assert "noise" in job.measured["noise"]
    beyond = page.client.post(f"/api/jobs/{job.key}/region", json=[40, 4, 400, 32])
    assert beyond.status_code == 200
    assert "64" in page.until(job.key, lambda job: bool(job.message)).message


def test_fits_wait_for_each_other_and_are_stopped(page: Page) -> None:
    slow, next_one = page.added(png(44, channels=3), "slow.png"), page.added(png(45), "next.png")
    page.started(slow, method="dip")
    page.started(next_one, effort="quick")
    page.until(slow.key, lambda job: job.state == "running" and len(job.curve) > 1)
    assert page.desk.queue == [next_one.key]
    assert page.started(slow).status_code == 422
    page.client.post(f"/api/jobs/{slow.key}/stop")
    slow = page.until(slow.key, lambda job: job.state == "done")
    assert slow.result is not None
    assert slow.result["interrupted"]
    assert page.until(next_one.key, lambda job: job.state == "done").result is not None


def test_a_process_that_ends_costs_one_picture(page: Page) -> None:
    job = page.added(png(46, channels=3), "unlucky.png")
    page.started(job, method="dip")
    page.until(job.key, lambda job: job.state == "running")
    page.desk.fits.process.kill()
    job = page.until(job.key, lambda job: job.state == "ready" and bool(job.message))
    assert "the process that worked on it ended" in job.message
    assert page.desk.fits.process.is_alive()  # another has taken its place


def test_what_is_removed_is_gone(page: Page) -> None:
    job = page.added(png(47), "gone.png")
    assert page.client.delete(f"/api/jobs/{job.key}").status_code == 200
    assert not job.folder.exists()
    assert page.client.get(f"/api/jobs/{job.key}/tiles/0/picture/0/0/0/0?low=0&high=1").status_code == 404


def test_what_a_killed_server_had_is_there_again(page: Page) -> None:
    job = page.added(png(48), "kept.png")
    job.state = "running"
    job.keep()
    again = Job.again(job.folder)
    assert again is not None
    assert (again.name, again.digest, again.planes) == (job.name, job.digest, job.planes)
    assert again.state == "ready"
    assert "start it again" in again.message
    job.state = "ready"
    (job.folder / ".job.json").write_text("{")
    assert Job.again(job.folder) is None
