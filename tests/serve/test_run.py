"""How the server starts, and what keeps it from that."""

from __future__ import annotations

import sys

import pytest

from untaught.errors import InputError

pytest.importorskip("fastapi")

from untaught.serve.run import Asked, announce, bound

MOST = 200_000


@pytest.mark.parametrize(
    ("argv", "said"),
    [(["--port", "70000"], "from 0"), (["--host", "256.1.2.3"], "cannot listen"), (["--most", "lots"], "memory")],
)
def test_what_cannot_be_served_is_said(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    from untaught.cli import main

    assert main(["serve", *argv]) == 2
    assert said in capsys.readouterr().err


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
