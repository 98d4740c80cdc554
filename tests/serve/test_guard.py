"""Who may ask: the browser with the token, from its own page, under a name of the server."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from untaught.serve.guard import Guard

HERE = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000", "cookie": "untaught-8000=secret"}


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def ask(headers: dict[str, str], path: str = "/", method: str = "GET", host: str = "127.0.0.1") -> Any:
    """Ask a guarded application that answers hello."""
    client = TestClient(Guard(hello, "secret", host, 8000), base_url="http://127.0.0.1:8000")
    return client.request(method, path, headers=headers, follow_redirects=False)


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
