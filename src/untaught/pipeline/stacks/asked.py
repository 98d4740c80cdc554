"""What is asked of a picture some of whose planes are restored together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from untaught.image.image import Image
from untaught.pipeline.elsewhere import Elsewhere
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task


@dataclass(frozen=True)
class Asked:
    """What is asked of a picture whose planes are restored together."""

    picture: Image
    requests: Sequence[Request | None]
    task: Task
    started: float
    in_parts: bool = False  # whether planes are not to be held
    elsewhere: Elsewhere | None = None  # who restores blocks of planes, where that is not this process
    apart: set[int] = field(default_factory=set)  # planes for which there was no time to take them together

    def request(self, plane: int) -> Request:
        """Return what is asked of a plane of a series."""
        return cast(Request, self.requests[plane])

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.started

    @property
    def late(self) -> bool:
        """Whether the time is over that there was for all of it."""
        seconds = next((one.seconds for one in self.requests if one is not None), None)
        return seconds is not None and self.spent > seconds
