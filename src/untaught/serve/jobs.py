"""A picture on the page, and what became of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from untaught.serve.settings import Settings
from untaught.serve.work import PICTURE, RESULT, SPREAD

State = Literal["looking", "ready", "queued", "running", "done", "refused"]
KEPT = "job.json"
MOST_POINTS = 400
"""Of the curve of a fit; every second one is left out where there are more."""


@dataclass
class Job:
    """A picture on the page.

    Attributes
    ----------
    key, name, folder, size, digest
        Its number in addresses, the file's name, where it is kept, bytes and SHA-256.
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
    result, files
        What there is to say of the answer; what can be downloaded.
    """

    key: str
    name: str
    folder: Path
    size: int
    digest: str
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
    result: dict[str, Any] | None = None
    files: dict[str, str] = field(default_factory=dict)
    answered: int = 0

    def begin(self, settings: Settings, command: str) -> None:
        """Queue it."""
        self.settings, self.command = settings, command
        self.state, self.message = "queued", ""
        self.progress, self.curve, self.warnings, self.preview = None, [], [], None
        self.run += 1

    @property
    def answer(self) -> Path:
        """The folder of the answer."""
        return self.folder / f"run-{self.run}"

    def planes_of(self, which: str) -> Path | None:
        """Return the folder with the planes of the picture, the result or its spread; None where there is none."""
        if which == PICTURE:
            return self.folder / PICTURE if self.planes else None
        if which in (RESULT, SPREAD) and self.result is not None:
            folder = self.folder / f"run-{self.answered}" / which
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
            job = cls(**{**kept, "folder": folder, "settings": Settings(**kept["settings"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        if job.state in ("queued", "running"):
            job.state = "done" if job.result else "ready"
            job.message = "The server was ended in the middle of it; start it again."
        job.progress, job.curve, job.preview = None, [], None
        return job

    def as_dict(self) -> dict[str, Any]:
        """Return what the page has to know."""
        plain = (
            "key name size state message about planes uploads measured command run progress curve warnings "
            "result files answered"
        )
        return {name: getattr(self, name) for name in plain.split()} | {"settings": self.settings.model_dump()}
