"""What the widget runs: one thing at a time, told on the way, stopped with the best so far. No Qt is needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import clean, noisy, psnr
from untaught import Image, InputError, denoise
from untaught.fitting.progress import Progress
from untaught.napari import session as page
from untaught.napari.session import Asked, Session, Told

PICTURE = Image.of((1000 * noisy(clean(32, 32, 1))[..., 0] + 2000).astype(np.float32), "YX")


def heard(session: Session, until: Callable[[Told], bool] = lambda told: told.kind == "ended") -> list[Told]:
    """Return what is told until something is."""
    found: list[Told] = []
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found += session.told()
        if any(map(until, found)):
            return found
        time.sleep(0.01)
    raise AssertionError(f"it was never told; only {found}")


def kinds(told: list[Told]) -> list[str]:
    return [each.kind for each in told]


def test_a_picture_is_restored_and_told_with_its_noise_and_error() -> None:
    session = Session()
    session.start(PICTURE, Asked(noise="gaussian:25", effort="quick"))
    assert session.running
    told = heard(session)
    assert not session.running
    assert kinds(told)[-2:] == ["restored", "ended"]
    answer = told[-2]
    assert answer.result is not None
    assert answer.result.image.dtype == np.float32
    assert "PSNR" in answer.text
    assert "Gaussian noise" in answer.text


def test_previews_are_in_the_units_of_the_picture_and_stop_keeps_the_best() -> None:
    session = Session()
    session.start(PICTURE, Asked(method="dip", noise="gaussian:25"))
    told = heard(session, lambda each: each.kind == "preview" and each.share is None)
    shown = next(each.values for each in told if each.values is not None)
    assert shown.shape == (32, 32, 1)
    assert 1500 < shown.mean() < 3500
    with pytest.raises(InputError, match="under way"):
        session.start(PICTURE, Asked())
    heard(session, lambda each: "step" in each.text)
    session.stop()
    session.stop()
    answer = next(each for each in heard(session) if each.kind == "restored").result
    assert answer is not None
    assert answer.interrupted
    assert psnr(answer.image, PICTURE.array, 1000) < 60


def test_what_tells_nothing_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def endless(*_: Any, **__: Any) -> None:
        begun.set()
        while True:
            time.sleep(0.005)

    monkeypatch.setattr(page, "PATIENCE", 0.05)
    monkeypatch.setattr(page, "verb_of", lambda asked: endless)
    session = Session()
    session.start(PICTURE, Asked())
    begun.wait(10)
    session.stop()
    [refused, _] = heard(session)
    assert "before there was anything to keep" in refused.text
    assert not session.running


def test_a_fit_that_heard_of_the_stop_may_finish_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean over draws that some methods answer with takes longer than the patience."""
    began, result = threading.Event(), denoise(PICTURE, method="nlm", noise="gaussian:25")

    def slow(*_: Any, on_progress: Callable[[Progress], bool], **__: Any) -> Any:
        began.set()
        while on_progress(Progress.before("dip", lambda: torch.zeros(1, 1, 32, 32))):
            time.sleep(0.005)
        for _ in range(40):
            time.sleep(0.005)
        return result

    monkeypatch.setattr(page, "PATIENCE", 0.05)
    monkeypatch.setattr(page, "verb_of", lambda asked: slow)
    session = Session()
    session.start(PICTURE, Asked(preview=False))
    began.wait(10)
    session.stop()
    assert heard(session)[-2].result is result


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Asked(noise="gaussian:loud"), "gaussian:loud"),
        (Asked(task="inpaint"), "nothing says which pixels"),
        (Asked(task="inpaint", mask=np.zeros((32, 32))), "mask"),
        (Asked(task="deblur", psf="wide"), "wide"),
        (Asked(method="unheard"), "unheard"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_session_lives_on(asked: Asked, sentence: str) -> None:
    session = Session()
    session.start(PICTURE, asked)
    told = heard(session)
    assert kinds(told)[-2:] == ["refused", "ended"]
    assert sentence in told[-2].text
    assert not session.running


def test_an_unknown_task_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="choose denoise"):
        Session().start(PICTURE, Asked(task="paint"))


def test_marked_pixels_are_filled_in_and_others_stay() -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[10:13, 10:13] = 1
    session = Session()
    session.start(PICTURE, Asked(task="inpaint", noise="gaussian:0", mask=mask))
    answer = heard(session)[-2].result
    assert answer is not None
    changed = answer.image != PICTURE.array
    assert changed[mask == 1].all()
    assert not changed[mask == 0].any()


def test_only_the_newest_preview_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "BETWEEN", 0.0)
    monkeypatch.setattr(page, "SHARE", 1e9)
    session = Session()
    watch = page.Watch(PICTURE, True, session._tell, lambda: False)
    for level in (0.0, 0.5, 1.0):
        assert watch(Progress.before("dip", lambda level=level: torch.full((1, 1, 32, 32), level)))
    told = session.told()
    assert kinds(told) == ["progress", "preview"]
    _, high = PICTURE.value_range
    assert told[1].values is not None
    assert np.allclose(told[1].values, high)


def test_noise_is_measured() -> None:
    session = Session()
    session.measure(PICTURE)
    told = heard(session)
    assert kinds(told) == ["measured", "ended"]
    assert "noise" in told[0].text
    assert "untaught denoise" in told[0].text
