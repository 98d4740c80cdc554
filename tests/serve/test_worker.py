"""The process that restores: a stop that a fit has heard does not break off the finishing of its answer."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from untaught.fitting.progress import Progress
from untaught.image.image import Image
from untaught.serve import answers, work, worker

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there is no SIGUSR1 here")


@pytest.fixture
def breakable() -> Iterator[worker.Breakable]:
    kept = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGUSR1)
    yield worker.Breakable()
    signal.signal(signal.SIGINT, kept[0])
    signal.signal(signal.SIGUSR1, kept[1])


@pytest.mark.parametrize("heard", [True, False])
def test_only_what_has_not_heard_of_the_stop_is_broken_off(
    heard: bool, breakable: worker.Breakable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restored(
        picture: Image, settings: object, uploads: object, on_progress: Callable[[Progress], None]
    ) -> str:
        if heard:
            with pytest.raises(KeyboardInterrupt):
                on_progress(Progress.before("dip", lambda: torch.zeros(1, 1, 16, 16)))
        os.kill(os.getpid(), signal.SIGUSR1)  # as the server does after a second
        time.sleep(0.01)
        return "the best so far"

    told: list[tuple[str, Any]] = []
    monkeypatch.setattr(work, "opened", lambda name, reads: Image.of(np.zeros((16, 16), np.uint8), "YX"))
    monkeypatch.setattr(work, "restored", restored)
    monkeypatch.setattr(answers, "answer", lambda result, folder: result)
    monkeypatch.setattr(answers, "write_files", lambda result, name, folder: {})
    given = {
        "settings": {},
        "name": "a.png",
        "reads": {},
        "reports": b"",
        "uploads": {},
        "answer": "run",
        "contrast": (0, 255),
    }
    flag = SimpleNamespace(is_set=lambda: True)
    order = worker.Order("a", worker.FIT, "", given)
    worker.obey(order, lambda word, **said: told.append((word, said)), (flag, flag), breakable)
    expected = ["begun", "restored", "written"] if heard else ["begun", "stopped"]
    assert [word for word, _ in told] == expected
