"""The server of the page: who may ask, what is taken, what is said of what is wrong, and that it lives on."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from tests.conftest import clean, noisy
from tests.helpers.command import levels
from untaught.cli.parse import parse
from untaught.cli.serve.folder import PREFIX, private_folder, receive, safe_name, token_of
from untaught.cli.serve.settings import Settings, command_line
from untaught.errors import InputError

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from untaught.cli.serve.app import make_app
from untaught.cli.serve.desk import Desk
from untaught.cli.serve.guard import Guard
from untaught.cli.serve.jobs import Job
from untaught.cli.serve.run import Asked, announce, bound

HERE = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "cookie": "untaught-8000=secret"}
MOST = 200_000


def png(height: int = 40, width: int = 48, channels: int = 1) -> bytes:
    """Return a noisy picture as a PNG."""
    stream = BytesIO()
    values = levels(noisy(clean(height, width, channels)))
    Pillow.fromarray(values.squeeze()).save(stream, "PNG")
    return stream.getvalue()


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def ask(headers: dict[str, str], path: str = "/", method: str = "GET", host: str = "127.0.0.1") -> Any:
    """Ask a guarded application that answers hello."""
    client = TestClient(Guard(hello, "secret", host, 8000), base_url="http://127.0.0.1:8000")
    return client.request(method, path, headers=headers, follow_redirects=False)


# Who may ask


def test_the_token_in_the_address_becomes_a_cookie() -> None:
    answer = ask({}, "/?token=secret")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    kept = answer.headers["set-cookie"]
    assert kept.startswith("untaught-8000=secret;")
    assert "HttpOnly" in kept
    assert "SameSite=Strict" in kept
    assert ask(HERE).text == "hello"


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({}, "/"),
        ({}, "/?token=wrong"),
        ({}, "/?token="),
        ({}, "/api/events?token=secret"),
        ({"cookie": "untaught-8000=wrong"}, "/"),
        ({"cookie": "untaught-8001=secret"}, "/"),
        ({"cookie": "token=secret; \x7f"}, "/"),
    ],
)
def test_without_the_token_nothing_is_answered(headers: dict[str, str], path: str) -> None:
    answer = ask(headers, path)
    assert answer.status_code == 403
    assert "open the one that `untaught serve` printed" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "foreign",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8001"},
        {"origin": "https://127.0.0.1:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_pages_are_not_answered(foreign: dict[str, str], method: str) -> None:
    assert ask(HERE | foreign, "/api/files", method).status_code == 403


def test_what_changes_something_has_to_say_where_it_comes_from() -> None:
    silent = {name: value for name, value in HERE.items() if name != "origin"}
    assert ask(silent, "/api/files", "POST").status_code == 403
    assert ask(silent, "/api/files", "DELETE").status_code == 403
    assert ask(silent, "/api/events").status_code == 200


@pytest.mark.parametrize(
    ("listens", "name", "known"),
    [
        ("127.0.0.1", "127.0.0.1:8000", True),
        ("127.0.0.1", "localhost:8000", True),
        ("127.0.0.1", "[::1]:8000", True),
        ("127.0.0.1", "evil.example:8000", False),
        ("127.0.0.1", "127.0.0.1:8001", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", "192.168.0.7:8000", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "127.0.0.1:8000.evil.example", False),
        ("0.0.0.0", "192.168.0.7:8000", True),
        ("0.0.0.0", "evil.example:8000", False),
    ],
)
def test_a_name_that_leads_here_is_not_enough(listens: str, name: str, known: bool) -> None:
    """DNS rebinding: a page of evil.example whose name is pointed to this machine afterwards."""
    headers = HERE | {"host": name, "origin": f"http://{name}"}
    assert ask(headers, host=listens).status_code == (200 if known else 421)


def test_every_answer_forbids_what_the_page_does_not_need() -> None:
    for answer in (ask(HERE), ask({}), ask({}, "/?token=secret")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


# Where files are kept


@given(st.text(max_size=200))
def test_names_lead_nowhere(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not set(safe) & set("/\\:\0 ")
    assert safe[0] not in ".-"
    assert len(safe) < 100


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\pictures\\a b.tif", "a_b.tif"),
        (".bashrc", "bashrc"),
        ("größe.png", "größe.png"),
        ("volume.h5:/raw", "raw"),
        ("", "picture"),
    ],
)
def test_names_are_kept_where_they_can_be(name: str, safe: str) -> None:
    assert safe_name(name) == safe


async def chunks(*parts: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if error is not None:
        raise error


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    lost = chunks(b"half", error=RuntimeError("the connection was lost"))
    with pytest.raises(RuntimeError):
        asyncio.run(receive(lost, tmp_path / "a.png", 100))
    for parts in ((b"too much", b" of it"), ()):
        with pytest.raises(InputError):
            asyncio.run(receive(chunks(*parts), tmp_path / "a.png", 10))
    assert not list(tmp_path.iterdir())
    assert asyncio.run(receive(chunks(b"all", b" of it"), tmp_path / "a.png", 9))[0] == 9
    assert (tmp_path / "a.png").read_bytes() == b"all of it"


def test_the_folder_is_private_and_follows_one_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    same, other = (tmp_path / f"{PREFIX}{gone.pid}-{name}" for name in "ab")
    lives, strange = tmp_path / f"{PREFIX}{os.getppid()}-c", tmp_path / f"{PREFIX}x"
    for folder in (same, other, lives, strange):
        folder.mkdir()
    token = token_of(same, 8000)
    found = private_folder(8000)
    assert stat.S_IMODE(found.stat().st_mode) == 0o700 or found.stat().st_uid == os.getuid()
    assert token_of(found, 8000) == token
    assert {path.name for path in tmp_path.iterdir()} == {found.name, lives.name, strange.name}
    fresh = private_folder(8001)
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o700
    assert token_of(fresh, 8001) != token


# What may be asked for


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": "curve:/etc/passwd"},
        {"noise": "map:secret.png"},
        {"noise": "gaussian:25/../x"},
        {"method": "/tmp/model.safetensors"},
        {"method": "tuned:model.safetensors"},
        {"psf": "/etc/passwd"},
        {"psf": "motion:x"},
        {"task": "train"},
        {"factor": 1},
        {"seed": -1},
        {"time_limit": 0},
        {"region": [0, 0, -1, 5]},
        {"checkpoint": "/tmp/x"},
    ],
)
def test_no_path_can_be_asked_for(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("settings", "uploads", "words"),
    [
        ({}, {}, "denoise 'a b.png' -o 'a b-restored.png'"),
        ({"effort": "quick", "seed": 3}, {}, "denoise 'a b.png' -o 'a b-restored.png' --effort quick --seed 3"),
        (
            {"noise": "poisson:4,2,0", "time_limit": 60},
            {},
            "denoise 'a b.png' -o 'a b-restored.png' --noise poisson:4,2,0 --time-limit 60",
        ),
        ({"region": [1, 2, 30, 40]}, {}, "denoise 'a b.png' -o 'a b-restored.png' --noise-region 1,2,30,40"),
        ({"task": "inpaint"}, {"mask": "m.png"}, "inpaint 'a b.png' -o 'a b-restored.png' --mask m.png"),
        (
            {"task": "inpaint", "translucent": True},
            {"mask": "m.png"},
            "inpaint 'a b.png' -o 'a b-restored.png' --mask m.png --translucent",
        ),
        (
            {"task": "upscale", "factor": 3},
            {},
            "upscale 'a b.png' -o 'a b-restored.png' --factor 3 --kernel bicubic",
        ),
        (
            {"task": "deblur", "psf": "file"},
            {"psf": "k.npy"},
            "deblur 'a b.png' -o 'a b-restored.png' --psf k.npy --border valid",
        ),
        ({"task": "demosaic"}, {}, "demosaic 'a b.png' -o 'a b-restored.png' --pattern RGGB"),
        ({"task": "guided"}, {"guide": "g.png"}, "restore 'a b.png' -o 'a b-restored.png' --guide g.png"),
        ({"task": "dejpeg"}, {}, "dejpeg 'a b.png' -o 'a b-restored.png'"),
    ],
)
def test_the_command_says_the_same(settings: dict[str, Any], uploads: dict[str, str], words: str) -> None:
    command = command_line(Settings(**settings), "a b.png", uploads)
    assert command == f"untaught {words}"
    assert callable(parse(shlex.split(command)[1:]))  # the program understands it


# The server at work


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
    desk = Desk(tmp_path_factory.mktemp("serve"))
    guarded = Guard(make_app(desk, MOST), "secret", "127.0.0.1", 8000)
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
    (job.folder / "job.json").write_text("{")
    assert Job.again(job.folder) is None


@pytest.mark.parametrize(
    ("argv", "said"),
    [(["--port", "70000"], "from 0"), (["--host", "256.1.2.3"], "cannot listen"), (["--most", "lots"], "memory")],
)
def test_what_cannot_be_served_is_said(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    from untaught.cli import main

    assert main(["serve", *argv]) == 2
    assert said in capsys.readouterr().err


def test_a_file_cannot_lead_to_others(tmp_path: Path) -> None:
    """As an OME-TIFF can, whose description names the files of the other planes."""
    from untaught.cli.serve.confined import confined
    from untaught.image.files import as_image

    (tmp_path / "job").mkdir()
    planes = np.random.default_rng(0).integers(0, 255, (2, 32, 32)).astype(np.uint8)
    secret = tmp_path / "secret.ome.tif"
    tifffile.imwrite(secret, planes[1], metadata={"axes": "YX"})
    described = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:a">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="32" SizeY="32" '
        'SizeZ="2" SizeC="1" SizeT="1"><TiffData IFD="0" FirstZ="0" PlaneCount="1"><UUID FileName="a.ome.tif">'
        f'urn:uuid:a</UUID></TiffData><TiffData IFD="0" FirstZ="1" PlaneCount="1"><UUID FileName="{secret}">'
        "urn:uuid:b</UUID></TiffData></Pixels></Image></OME>"
    )
    path = tmp_path / "job" / "a.ome.tif"
    tifffile.imwrite(path, planes[0], description=described, metadata=None)
    assert (as_image(path).array[1] == planes[1]).all()
    with pytest.raises(InputError, match="leads to other files"), confined(path.parent):
        as_image(path)
    with pytest.raises(InputError, match="leads to other files"), confined(path.parent):
        (path.parent / ".." / "secret.ome.tif").read_bytes()
    with confined(path.parent):
        assert path.read_bytes()
    assert secret.read_bytes()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from untaught.cli import main

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", "--port", "0"]) == 2
    assert 'pip install "untaught[page]"' in capsys.readouterr().err


def test_who_listens_to_others_is_told_what_that_means(capsys: pytest.CaptureFixture[str]) -> None:
    for host, warned in (("127.0.0.1", False), ("0.0.0.0", True)):
        announce(Asked(host, 8000, False, MOST), "http://127.0.0.1:8000/?token=x", 8000)
        said = capsys.readouterr()
        assert "http://127.0.0.1:8000/?token=x" in said.out
        assert ("unencrypted" in said.err) is warned


def test_a_port_that_is_taken_is_said() -> None:
    with bound("127.0.0.1", 0) as taken, pytest.raises(InputError, match="choose another --port"):
        bound("127.0.0.1", taken.getsockname()[1])
