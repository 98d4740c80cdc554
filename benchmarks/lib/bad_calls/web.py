"""The page's server, asked by strangers: odd addresses, odd JSON, damaged files, odd names."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from lib.bad_calls.call import Call, Random
from lib.bad_calls.damage import damaged, damaged_inside
from lib.bad_calls.folders import NAMES
from lib.bad_calls.odd_json import VALUES, odd

HERE = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "cookie": "untaught-8000=secret"}
MOST, WAITS = 200_000, 20.0
SETTINGS = {
    "task": "denoise",
    "method": "nlm",
    "effort": "quick",
    "noise": "gaussian:5",
    "seed": 0,
    "time_limit": 0.3,
}
_served: dict[str, Any] = {}


def client() -> tuple[Any, Any]:
    """Return a client and the desk of a server in this process, started once; its processes end with it."""
    if not _served:
        from fastapi.testclient import TestClient

        from untaught.serve.app import make_app
        from untaught.serve.desk import Desk
        from untaught.serve.guard import Guard

        folder = tempfile.TemporaryDirectory(prefix="desk-", dir=Path(tempfile.gettempdir()).parent)
        desk = Desk(Path(folder.name), MOST)
        guarded = Guard(make_app(desk), "secret", "127.0.0.1", 8000)
        asks = TestClient(guarded, base_url="http://127.0.0.1:8000", headers=HERE, raise_server_exceptions=True)
        asks.__enter__()
        _served.update(client=asks, desk=desk, folder=folder)
    return _served["client"], _served["desk"]


def close() -> None:
    """End the server, where there is one, and its processes."""
    if _served:
        _served["client"].__exit__(None, None, None)
        _served["folder"].cleanup()
        _served.clear()


def bad_request(rng: Random, pool: Path) -> Call:
    """Return a request, or an upload that is waited for."""
    asks, desk = client()
    way = rng.random()
    if way < 0.35:
        return _uploaded(rng, pool, asks, desk)
    key = next(iter(desk.jobs), "none")
    if way < 0.7:
        return _started(rng, asks, key)
    method = str(rng.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"]))
    words = [
        "api",
        "jobs",
        key,
        "none",
        "files",
        "tiles",
        "1",
        "0",
        "-1",
        "9" * 30,
        "result",
        "picture",
        "..",
        "%2e%2e",
        "%00",
        "é",
    ]
    words += [
        "profile",
        "preview",
        "uploads",
        "mask",
        "start",
        "stop",
        "static",
        "events2",
        "nan",
        "reading",
        "region",
        "command",
    ]
    path = "/" + "/".join(str(rng.choice(words)) for _ in range(int(rng.integers(1, 9))))
    if rng.random() < 0.4:
        kind, number = (
            str(rng.choice(["picture", "result", "spread", "x"])),
            str(rng.choice(["0", "1", "-1", "9999999", "x"])),
        )
        low = rng.choice(["0", "nan", "x", "1e999"])
        path = f"/api/jobs/{key}/tiles/0/{kind}/{number}/0/{number}/0?low={low}&high=1"
    headers = {"x-name": "a", "content-length": "9"} if rng.random() < 0.1 else {}
    body = json.dumps(VALUES[int(rng.integers(len(VALUES)))]).encode()
    return Call(
        python=lambda: _sound(asks.request(method, path, content=body, headers=headers)),
        said=f"{method} {path:.90}",
    )


def _started(rng: Random, asks: Any, key: str) -> Call:
    part = str(rng.choice(["start", "command", "reading", "region"]))
    good: dict[str, Any] = {"reading": {"axes": "YX", "series": 0}, "region": [0, 0, 8, 8]}
    content, said = odd(rng, good.get(part, SETTINGS))
    if part == "start":  # nobody waits for it
        part = "command" if rng.random() < 0.7 else part
    body = json.dumps(content).encode()
    if rng.random() < 0.2:
        body, done = damaged(rng, body)
        said += done
    return Call(python=lambda: _sound(asks.post(f"/api/jobs/{key}/{part}", content=body)), said=f"{part} {said}")


def _uploaded(rng: Random, pool: Path, asks: Any, desk: Any) -> Call:
    files = [path for path in sorted(pool.iterdir()) if path.is_file()]
    good = files[int(rng.integers(len(files)))]
    data = good.read_bytes()
    content, done = damaged_inside(rng, data, good.name) if rng.random() < 0.5 else damaged(rng, data)
    name = (
        good.name
        if rng.random() < 0.7
        else NAMES[int(rng.integers(len(NAMES)))].encode("ascii", "replace").decode()
    )
    name = name.replace("\n", "%0a").replace("\t", "%09")
    return Call(python=lambda: _looked_at(asks, desk, content, name), said=f"upload {good.name}: {done}")


def _looked_at(asks: Any, desk: Any, content: bytes, name: str) -> str:
    answer = asks.post("/api/files", content=content, headers={"x-name": name})
    _sound(answer)
    if answer.status_code != 201:
        return "refused"
    key = answer.json()["key"]
    end = time.monotonic() + WAITS
    while desk.jobs[key].state in ("looking", "queued", "running"):
        if time.monotonic() > end:
            raise TimeoutError(f"the picture is still {desk.jobs[key].state}")
        time.sleep(0.02)
    told = json.dumps(desk.jobs[key].as_dict(), allow_nan=False)
    for word in ("internal error", "Traceback", "NoneType", "the process that worked on it ended"):
        if word in told:
            raise AssertionError(f"the page says {told[max(0, told.find(word) - 90) : told.find(word) + 200]}")
    if len(desk.jobs) > 8:
        asks.delete(f"/api/jobs/{next(iter(desk.jobs))}")
    return "looked at"


def _sound(answer: Any) -> str:
    """Refuse an answer that is a fault of the server, or of which a person has nothing."""
    if answer.status_code >= 500:
        raise AssertionError(f"status {answer.status_code}: {answer.text[:200]}")
    if (
        answer.content
        and answer.status_code >= 400
        and answer.headers.get("content-type", "").startswith("application/json")
    ):
        error = answer.json().get("error", "")
        if not isinstance(error, str) or len(error) < 10:
            raise AssertionError(f"status {answer.status_code} and no sentence: {answer.text[:200]}")
    return str(answer.status_code)
