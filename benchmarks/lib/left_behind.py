"""What is in a folder after a call, and what of it must not be so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lib.faults import SIGNALS, Ended, Fault

FILLER = "filler"
STATUS = {"kill": -9, "torn": -25, "clock": -9, "int": 130, "term": 143, "hup": 129}
"""Exit status of each fault; those not named are said in a sentence, with 2, or of several pictures 3."""


class Scene(Protocol):
    """See `lib.killed_scenes.Scene`."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Patterns of outputs."""

    @property
    def pages(self) -> tuple[str, ...]:
        """Patterns of text."""


@dataclass(frozen=True)
class Seen:
    """What is in a folder.

    Attributes
    ----------
    folder : Path
        Which.
    names : frozenset of str
        Of all files.
    outputs : mapping
        Hash of each output by its name; of a folder, of all that is in it.
    inputs : mapping
        Hash of each file that is no output and no page.
    times : mapping
        When each output was written.
    broken : tuple of str
        Pages that are not whole.
    largest : int
        Bytes of the largest file that is no input.
    """

    folder: Path
    names: frozenset[str]
    outputs: Mapping[str, str]
    inputs: Mapping[str, str]
    times: Mapping[str, int]
    broken: tuple[str, ...]
    largest: int


def seen(folder: Path, scene: Scene) -> Seen:
    """Look at a folder."""

    def named(patterns: tuple[str, ...]) -> dict[str, Path]:
        return {str(path.relative_to(folder)): path for pattern in patterns for path in folder.glob(pattern)}

    outputs, pages = named(scene.outputs), named(scene.pages)
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file() and p.name != FILLER}
    inputs = {name: path for name, path in files.items() if name == path.name and name.startswith("in.")}
    inputs |= {name: path for name, path in files.items() if name.startswith("raw/")}
    return Seen(
        folder,
        frozenset(files),
        {name: digest(path) for name, path in outputs.items()},
        {name: digest(path) for name, path in inputs.items()},
        {name: path.stat().st_mtime_ns for name, path in outputs.items()},
        tuple(name for name, path in pages.items() if not whole(path)),
        max((path.stat().st_size for name, path in files.items() if name not in inputs), default=1),
    )


def digest(path: Path) -> str:
    """Return a hash of a file, or of all in a folder."""
    told = hashlib.sha256()
    for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
        told.update(str(one.relative_to(path.parent)).encode() + (one.read_bytes() if one.is_file() else b""))
    return told.hexdigest()


def whole(path: Path) -> bool:
    """Tell whether a page is whole: HTML to its end, JSON and tables that can be read."""
    if path.suffix == ".html":
        return path.read_text("utf-8").endswith("</html>\n")
    if path.suffix == ".json":
        try:
            json.loads(path.read_text("utf-8"))
        except ValueError:
            return False
    return path.suffix != ".csv" or path.read_bytes().endswith(b"\n")


def faults_after(now: Seen, known: tuple[Seen, Seen], ended: Ended, fault: Fault) -> Iterator[str]:
    """Yield what must not be right after a call was killed; `known` are what was there before, and the answer."""
    before, answer = known
    if ended.hung:
        yield "it hung"
    expected = {STATUS[fault.kind]} if fault.kind in STATUS else {2, 3}
    if fault.kind in SIGNALS and not fault.operation:
        expected |= {-SIGNALS[fault.kind]}  # before it had begun
    if ended.status not in expected | {0}:
        yield f"status {ended.status}"
    if "Traceback" in ended.said or "internal error" in ended.said:
        yield f"it said: {ended.said[-600:]}"
    if now.inputs != before.inputs:
        yield "an input is not as it was"
    caught = fault.kind in ("int", "term", "hup") and ended.status > 0
    for name in sorted({*before.outputs, *now.outputs}):
        if name not in now.outputs:
            yield f"{name} was there before, and is gone"
        elif now.outputs[name] not in (before.outputs.get(name), answer.outputs.get(name)) and not (
            caught and readable(now.folder / name)
        ):
            yield f"{name} is neither what it was nor the answer"
    yield from (f"{name} is half written" for name in now.broken)


def faults_at_the_end(now: Seen, answer: Seen, again: list[Ended]) -> Iterator[str]:
    """Yield what must not be after the same call again, that nothing befell."""
    yield from (f"the next call: status {one.status}: {one.said[-600:]}" for one in again if one.status)
    yield from (f"the next call hung: {one.said[-600:]}" for one in again if one.hung)
    for name, told in answer.outputs.items():
        if now.outputs.get(name) != told:
            yield f"{name} has other bits than without a break"
    yield from (f"{name} is left behind" for name in sorted(now.names - answer.names))
    yield from (f"{name} is missing" for name in sorted(answer.names - now.names))
    yield from (f"{name} is half written, still" for name in now.broken)


def faults_when_kept(now: Seen, before: Seen, third: Ended) -> Iterator[str]:
    """Yield what must not be after one more call on pictures that are done."""
    if third.status or now.times != before.times:
        yield f"the third call did it again: {third.said[-600:]}"


def readable(path: Path) -> bool:
    """Tell whether a picture or a model can be read."""
    from untaught.errors import UntaughtError
    from untaught.image.files import read
    from untaught.methods.trained.model_file import read_model

    try:
        read_model(path) if path.suffix == ".safetensors" else read(path)
    except UntaughtError:
        return False
    return True
