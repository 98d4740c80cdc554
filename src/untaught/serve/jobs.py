"""A picture on the page, and what became of it."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from untaught.serve.reads import Reads
from untaught.serve.settings import Settings

State = Literal["looking", "ready", "queued", "running", "done", "refused"]
KEPT = ".job.json"  # a leading dot, which no file has that was sent
PICTURE, RESULT, SPREAD = "picture", "result", "spread"
"""Planes of what was given, of the answer, and of its standard deviation."""
MOST_POINTS = 400
"""Of the curve of a fit; every second one is left out where there are more."""


@dataclass
class Job:
    """A picture on the page.

    Attributes
    ----------
    key, name, folder, size, digest
        Its number in addresses, the file's name, where it is kept, bytes and SHA-256.
    path : str
        The picture in that folder: the file, or the folder that was packed in it.
    reads : Reads
        How it is read.
    reading, looks
        Whether it is being read; how often it was: its planes are in a folder of that number.
    state : str
        'looking' at it, 'ready' to start, 'queued', 'running', 'done', or 'refused': it cannot be read.
    message : str
        What went wrong, in a sentence; empty where nothing did.
    about : dict
        What is known of the picture: `kind`, `noise`, `advice`, `efforts`, `methods`, `notes`.
    planes : list of dict
        Label, size and contrast of each plane.
    uploads : dict
        Files that were given with it, by what they are: 'mask', 'guide', 'psf'.
    measured : dict or None
        The rectangle whose noise was measured alone, and the sentence about it.
    settings, command
        What was asked for last, and the command line that does the same.
    run : int
        How often it was started: the answer is in a folder of that number.
    progress, curve, warnings, preview, previews
        Of the fit that is running: where it is; steps and scores; sentences; the picture as it stands, as JPEG,
        and how many there were.
    reports : bytes
        What was measured, for the process that restores it; nothing where that is too much, or was lost.
    result, files
        What there is to say of the answer; what can be downloaded.
    """

    key: str
    name: str
    folder: Path
    size: int
    digest: str
    path: str = ""
    reads: Reads = field(default_factory=Reads)
    reading: bool = True
    looks: int = 0
    state: State = "looking"
    message: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    planes: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, str] = field(default_factory=dict)
    measured: dict[str, Any] | None = None
    settings: Settings = field(default_factory=Settings)
    command: str = ""
    run: int = 0
    started: float = 0.0
    progress: dict[str, Any] | None = None
    curve: list[tuple[int, float | None]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    preview: bytes | None = None
    previews: int = 0
    reports: bytes = b""
    result: dict[str, Any] | None = None
    files: dict[str, str] = field(default_factory=dict)
    answered: int = 0

    def __post_init__(self) -> None:
        self.path = self.path or self.name

    def shown(self, said: dict[str, Any]) -> None:
        """Note what a reader found; what was made of the picture as it was read before goes."""
        for left in (self.planes_of(PICTURE), self.folder / f".run-{self.answered}"):
            if left is not None:
                shutil.rmtree(left, ignore_errors=True)
        self.path, self.looks, self.reads = said.pop("path"), said.pop("number"), Reads(**said.pop("reads"))
        self.planes, self.about, self.reports = said.pop("planes"), said, b""
        self.result, self.measured, self.files, self.answered, self.reading = None, None, {}, 0, False
        self.settings = self.settings.model_copy(update={"region": None})

    def begin(self, settings: Settings, command: str) -> None:
        """Queue it."""
        self.settings, self.command = settings, command
        self.state, self.message = "queued", ""
        self.progress, self.curve, self.warnings, self.preview = None, [], [], None
        self.run += 1

    @property
    def rests(self) -> State:
        """What it is when nothing is done with it."""
        return "done" if self.result else "ready"

    @property
    def answer(self) -> Path:
        """The folder of the answer."""
        return self.folder / f".run-{self.run}"

    def planes_of(self, which: str) -> Path | None:
        """Return the folder with the planes of the picture, the result or its spread; None where there is none."""
        if which == PICTURE:
            return self.folder / f".{PICTURE}-{self.looks}" if self.planes else None
        if which in (RESULT, SPREAD) and self.result is not None:
            folder = self.folder / f".run-{self.answered}" / which
            return folder if folder.is_dir() else None
        return None

    def goes(self, said: dict[str, Any]) -> None:
        """Note where the fit is."""
        picture = said.pop("picture", None)
        if picture is not None:
            self.preview, self.previews = picture, self.previews + 1
        before = self.progress
        if before is not None and (before["phase"], before["plane"]) != (said["phase"], said["plane"]):
            self.curve = []
        value = said["score"] if said["score"] is not None else said["loss"]
        if said["step"] and value is not None:
            self.curve.append((said["step"], value))
            if len(self.curve) > MOST_POINTS:
                self.curve = self.curve[::2]
        self.progress = {**said, "previews": self.previews, "elapsed": round(time.monotonic() - self.started, 1)}

    def keep(self) -> None:
        """Write down what a server has to know that takes this one's place."""
        kept = self.as_dict() | {name: getattr(self, name) for name in ("digest",)}
        new = self.folder / f"{KEPT}.new"
        new.write_text(json.dumps(kept), "utf-8")
        new.replace(self.folder / KEPT)

    @classmethod
    def again(cls, folder: Path) -> Job | None:
        """Return what was written down in a folder by a server that was killed, None where nothing is."""
        try:
            kept = json.loads((folder / KEPT).read_text("utf-8"))
            job = cls(**{**kept, "folder": folder, **asked_again(kept)})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        half = job.result is not None and not job.files  # shown, and not written for those who want to fetch it
        if half:
            job.result, job.answered = None, 0
        if half or job.state in ("queued", "running"):
            job.state = job.rests
            job.message = "The server was ended in the middle of it; start it again."
        job.progress, job.curve, job.preview = None, [], None
        job.tidy()
        return job

    def tidy(self) -> None:
        """Remove what was made of it and is not shown any more, or not yet."""
        shown = {f".{PICTURE}-{self.looks}", f".run-{self.answered}"}
        for pattern in (f".{PICTURE}-*", ".run-*", f"{KEPT}.new", "*.part", ".*.new"):
            for left in self.folder.glob(pattern):
                if left.name not in shown:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()

    def as_dict(self) -> dict[str, Any]:
        """Return what the page has to know."""
        plain = (
            "key name path size state message reading looks about planes uploads measured command run progress "
            "curve warnings result files answered"
        )
        models = {"settings": self.settings.model_dump(), "reads": self.reads.model_dump()}
        return {name: getattr(self, name) for name in plain.split()} | models


def asked_again(kept: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked for, of what was written down."""
    return {"settings": Settings(**kept["settings"]), "reads": Reads(**kept["reads"])}
