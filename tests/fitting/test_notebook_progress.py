"""The bar of a notebook: displayed once, replaced from then on, with the picture as it stands."""

from __future__ import annotations

import base64
import io
import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import untaught
from tests.helpers.quick import crop
from untaught import InputError
from untaught.fitting import notebook_progress as page
from untaught.fitting.progress import Progress


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for IPython: what is displayed, each time it changes."""
    seen: list[str] = []

    def display(content: str, display_id: bool) -> Any:
        assert display_id
        assert not seen, "it was displayed twice"
        seen.append(content)
        return SimpleNamespace(update=seen.append)

    top, inner = ModuleType("IPython"), ModuleType("IPython.display")
    top.get_ipython = object  # type: ignore[attr-defined]
    inner.HTML, inner.display = str, display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", top)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    monkeypatch.setattr(page, "LINES", 0.0)
    return seen


def progress(step: int, **more: Any) -> Progress:
    picture = torch.full((1, 1, 40, 80), 0.5)
    picture[..., :40] = step / 10
    return Progress("dip", step, 10, 0.1, 2.5, "score", 1.0, 2.0, lambda: picture, **more)


def test_a_fit_is_shown_below_the_cell(displayed: list[str]) -> None:
    result = untaught.denoise(crop(), method="nlm", sigma=0.1, on_progress=untaught.notebook_progress())
    assert not result.interrupted
    assert "nlm" in displayed[-1]
    assert "data:image/jpeg" in displayed[-1]


def test_it_says_where_the_fit_is_and_shows_the_picture(
    displayed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "BETWEEN", 0.0)
    monkeypatch.setattr(page, "SHARE", 1e9)
    with untaught.notebook_progress(side=20) as show:
        show(progress(0, notes=("a <b> note",)))
        show(progress(5, plane=1, planes=2))
    assert len(displayed) == 3
    assert 'value="0.750"' in displayed[1]
    assert "plane 2 of 2, step 5 of 10, score 2.5" in displayed[1]
    assert "a &lt;b&gt; note" in displayed[1]
    [code] = re.findall(r"base64,([A-Za-z0-9+/=]+)", displayed[0])
    seen = np.asarray(Pillow.open(io.BytesIO(base64.b64decode(code))))
    assert seen.shape == (10, 20)
    assert seen[5, 2] < 20
    assert seen[5, 17] > 100
    assert displayed[2] == ""


def test_lines_and_pictures_come_now_and_then(displayed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LINES", 100.0)
    show = untaught.notebook_progress()
    for step in range(5):
        show(progress(step))
    assert len(displayed) == 1
    show(progress(6, plane=1, planes=2))
    assert len(displayed) == 2
    assert displayed[0].count("base64") == displayed[1].count("base64") == 1


@pytest.mark.parametrize(("cost", "every"), [(3.0, 150.0), (0.0, page.BETWEEN)])
def test_a_picture_that_takes_long_to_draw_comes_seldom(
    cost: float, every: float, displayed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a fiftieth of the time: of 3 s each, the next comes after 150 s; and not more often than it may."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(page, "time", SimpleNamespace(monotonic=lambda: clock.now))
    drawn: list[float] = []

    def slowly(values: Any, side: int) -> str:
        drawn.append(clock.now)
        clock.now += cost
        return "data:image/jpeg;base64,"

    monkeypatch.setattr(page, "drawn", slowly)
    show = untaught.notebook_progress()
    for step in range(10):
        show(progress(step))
        clock.now = 1000.0 + (step + 1) * every / 2 + 1e-6
    assert drawn == pytest.approx([1000.0 + k * every for k in range(5)], abs=1e-3)
    assert len(displayed) == 10


def test_without_ipython_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(InputError, match=r'pip install "untaught\[notebook\]"'):
        untaught.notebook_progress()


def test_outside_of_a_notebook_nothing_is_shown(displayed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None)
    untaught.notebook_progress()(progress(3))
    assert displayed == []


def decoded(values: np.ndarray) -> np.ndarray:
    code = page.drawn(values.astype(np.float32), 200).partition("base64,")[2]
    return np.asarray(Pillow.open(io.BytesIO(base64.b64decode(code)))).astype(int)


def test_black_and_white_of_an_ordinary_picture_stay_and_others_are_stretched() -> None:
    ramp = np.tile(np.linspace(0.1, 0.9, 128)[None, :, None], (32, 1, 1))
    plain = decoded(ramp)
    assert plain[16, 2] == pytest.approx(255 * ramp[0, 2, 0], abs=6)
    assert plain[16, 125] == pytest.approx(255 * ramp[0, 125, 0], abs=6)
    for odd in (0.4 + 0.1 * ramp, 3 * ramp - 1, 1000 * ramp):
        stretched = decoded(odd)
        assert stretched[16, 0] < 10
        assert stretched[16, 127] > 245
    assert decoded(np.full((8, 8, 1), np.nan)).max() < 10


def test_colours_are_drawn_in_their_order() -> None:
    colours = np.zeros((32, 32, 3))
    colours[..., 0], colours[:16, :, 1] = 1.0, 1.0
    found = decoded(colours)
    assert found.shape == (32, 32, 3)
    assert found[4, 4] == pytest.approx([255, 255, 0], abs=40)
    assert found[28, 4] == pytest.approx([255, 0, 0], abs=40)


def test_another_phase_or_plane_is_shown_at_once_and_the_same_one_waits(
    displayed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(page, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(page, "LINES", 10.0)
    with untaught.notebook_progress(preview=False) as show:
        for step, plane in ((0, 1), (1, 1), (2, 0), (3, 0), (4, 1)):
            clock.now += 1
            show(progress(step, plane=plane, planes=2))
        shown = [re.search(r"plane (\d) of 2, step (\d)", text) for text in displayed]
        assert [found.groups() for found in shown if found] == [("2", "0"), ("1", "2"), ("2", "4")]
        clock.now += 20.4
        show(progress(5, plane=1, planes=2))
    assert ", 25 s" in displayed[-2]
