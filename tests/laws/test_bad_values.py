"""Arguments of another type than a verb takes: one sentence from every verb, never an error from deep inside."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import untaught
from untaught.errors import LONGEST, UntaughtError, quoted
from untaught.image.image import Image
from untaught.pipeline.request import TaskOptions
from untaught.theory.compress import code

Y = np.random.default_rng(0).random((16, 16)).astype(np.float32)
MASK = np.pad(np.zeros((4, 4)), 6, constant_values=1)
QUICK = {"method": "pixels", "noise": "gaussian:5"}
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "denoise": (untaught.denoise, {"image": Y, "method": "nlm", "noise": "gaussian:5"}),
    "inpaint": (untaught.inpaint, {"image": Y, "mask": MASK, **QUICK}),
    "upscale": (untaught.upscale, {"image": Y, "factor": 2, **QUICK}),
    "deblur": (untaught.deblur, {"image": Y, "psf": "gaussian:1", **QUICK}),
    "demosaic": (untaught.demosaic, {"image": Y, **QUICK}),
    "restore": (untaught.restore, {"y": Y, **QUICK}),
    "despeckle": (untaught.despeckle, {"image": Y > 0.5}),
    "descreen": (untaught.descreen, {"image": Y}),
    "dejpeg": (untaught.dejpeg, {"image": Y}),
    "inspect": (untaught.inspect, {"image": Y}),
    "compare": (untaught.compare, {"image": Y, "methods": ["nlm"]}),
    "apply": (untaught.apply, {"model": "none.safetensors", "image": Y}),
    "explain": (untaught.explain, {"image": Y, "time_limit": 1e-3}),
    "compress": (code, {"image": Y, "time_limit": 1e-3}),
    "train": (untaught.train, {"folder": "nowhere", "output": "model.safetensors"}),
    "rerun": (untaught.rerun, {"recipe": None, "image": Y}),
    "read": (untaught.read, {"path": "nowhere.png"}),
    "write": (untaught.write, {"path": "out.npy", "image": Y}),
    "Image.of": (Image.of, {"array": Y, "axes": "YX"}),
}
NO_VALUES: tuple[Any, ...] = (
    *(5, -1.5, "zz", [5], [[1, 2], [3]], {}, object(), b"x", int, complex(1, 2)),
    *(np.ma.masked_array(Y, False), np.array("a"), np.ones((16, 16, 3), complex)),
)
# What some of these are rightly taken for: a number of seconds, a seed, a callable.
TAKEN = {"time_limit": (5,), "seed": (5,), "epochs": (5,), "factor": (5,), "on_progress": (int,)}
ANY = ("resume", "bfloat16", "metadata", "source", "alpha", "protect")  # of which nothing is asked but its truth


def options(call: Callable[..., Any]) -> list[str]:
    names = list(inspect.signature(call).parameters)
    return [*(n for n in names if n != "options"), *(TaskOptions.__annotations__ if "options" in names else ())]


CASES = [(verb, name) for verb, (call, _) in CALLS.items() for name in options(call) if name not in ANY]


@pytest.mark.parametrize(("verb", "name"), CASES)
def test_a_value_of_another_type_is_refused_in_one_sentence(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call, given = CALLS[verb]
    if verb == "rerun":
        given = {**given, "recipe": recipe()}
    for value in NO_VALUES:
        if any(value is taken for taken in TAKEN.get(name, ())):
            continue
        try:
            call(**{**given, name: value})
        except UntaughtError as error:
            sentence = str(error)
            assert "\n" not in sentence
            assert len(sentence) < 500, sentence


@cache
def recipe() -> untaught.Recipe:
    return untaught.denoise(Y, method="nlm", noise="gaussian:5").recipe


WRONG = {
    "image is None": lambda: untaught.denoise(None),
    "image is a list": lambda: untaught.denoise([[1.0, 2.0], [3.0, 4.0]]),
    "image is masked": lambda: untaught.denoise(np.ma.masked_array(Y, False)),
    "mask is a number": lambda: untaught.inpaint(Y, 5),
    "mask is masked": lambda: untaught.inpaint(Y, np.ma.masked_array(MASK, False)),
    "guide is a number": lambda: untaught.restore(Y, guide=5),
    "seed is text": lambda: untaught.denoise(Y, seed="1"),
    "limit is text": lambda: untaught.denoise(Y, time_limit="3"),
    "noise is None": lambda: untaught.denoise(Y, noise=None),
    "checkpoint is a number": lambda: untaught.denoise(Y, checkpoint=5),
    "progress is text": lambda: untaught.denoise(Y, on_progress="yes"),
    "methods are numbers": lambda: untaught.compare(Y, [5]),
    "methods are one text": lambda: untaught.compare(Y, "nonlocal"),
    "methods are None": lambda: untaught.compare(Y, None),
    "reference is a number": lambda: untaught.compare(Y, ["nlm"], reference=5),
    "colour is a number": lambda: untaught.inpaint(Y, missing_colour=5),
    "factor is text": lambda: untaught.upscale(Y, "2"),
    "kernel is a list": lambda: untaught.upscale(Y, 2, kernel=["box"]),
    "psf is a number": lambda: untaught.deblur(Y, 5),
    "border is None": lambda: untaught.deblur(Y, "gaussian:1", border=None),
    "pattern is ragged": lambda: untaught.demosaic(Y, ((0, 1), (2,))),
    "device is an array": lambda: untaught.denoise(Y, device=Y),
    "recipe is None": lambda: untaught.rerun(None, Y),
    "path is a number": lambda: untaught.read(5),
    "picture to write is an array": lambda: untaught.write("out.npy", Y),
}


@pytest.mark.parametrize("case", WRONG)
def test_these_are_refused(case: str) -> None:
    with pytest.raises(untaught.InputError) as caught:
        WRONG[case]()
    assert "\n" not in str(caught.value)


def test_an_unknown_option_is_pythons_error() -> None:
    for call in (untaught.denoise, untaught.restore, untaught.inspect):
        with pytest.raises(TypeError, match="methd"):
            call(Y, methd="nlm")


def test_values_are_quoted_on_one_short_line() -> None:
    assert quoted(Y) == "an array of the shape (16, 16)"
    assert quoted("a\nb") == "'a\\nb'"
    assert len(quoted("x" * 500)) <= LONGEST + 3
