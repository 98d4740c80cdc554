"""What is shown while a fit runs: one bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest

from untaught.cli.progress import Show, describe
from untaught.cli.signals import Interrupts
from untaught.fitting.progress import Progress


class Terminal(io.StringIO):
    """What looks like a terminal."""

    def isatty(self) -> bool:
        return True


def look(step: int, plane: int = 0, planes: int = 1, score: float = 0.5) -> Progress:
    """Return a look at a fit of ten steps."""
    return Progress(
        phase="dip",
        step=step,
        steps=10,
        loss=0.25,
        score=score,
        score_name="windowed variance",
        seconds=2.0,
        seconds_left=8.0,
        preview=lambda: pytest.fail("nobody asked for a preview"),
        plane=plane,
        planes=planes,
    )


def test_line_says_where_the_fit_is() -> None:
    assert describe(look(3), 2.0) == (
        "step 3/10, loss 0.25, windowed variance 0.5, 0:02 so far, at most 0:08 left"
    )
    # 8 s of this plane, and 10 s for each of the two behind it
    assert describe(look(3, plane=1, planes=4, score=math.nan), 4000.0) == (
        "plane 2/4, step 3/10, loss 0.25, 1:06:40 so far, at most 0:28 left"
    )
    # a look at a part of a large plane, with two more behind it
    assert describe(replace(look(3, score=math.nan), part=1, parts=4), 2.0) == (
        "part 2/4, step 3/10, loss 0.25, 0:02 so far, at most 0:28 left"
    )


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    with Show(Interrupts()) as show:
        show(look(1))
        assert capsys.readouterr() == ("", "")  # too early for a line
        monkeypatch.setattr("untaught.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
        show(look(2))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dip: step 2/10")
    assert err.count("\n") == 1


def test_one_bar_for_a_stack_that_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    shares = []
    with Show(Interrupts()) as show:
        for plane in range(3):
            for step in (2, 9, 4):
                show(look(step, plane, planes=3))
                assert show.bar is not None
                shares.append(show.bar.tasks[0].percentage)
        assert len(show.bar.tasks) == 1
        show.bar.refresh()
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(100 * 2.9 / 3)
    assert "plane 3/3" in terminal.getvalue()


def test_quiet_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("untaught.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    with Show(Interrupts(), quiet=True) as show:
        show(look(1))
    assert terminal.getvalue() == ""


def test_signal_that_was_swallowed_ends_the_fit_at_the_next_look() -> None:
    interrupts = Interrupts()
    with Show(interrupts, quiet=True) as show:
        show(look(1))
        interrupts.count = 1
        with pytest.raises(KeyboardInterrupt):
            show(look(2))
