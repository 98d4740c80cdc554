"""Options that no picture could be restored with, refused before the first one is begun."""

from __future__ import annotations

from untaught.errors import InputError
from untaught.jobs.one_picture import Work

SHARED = "shared"  # in place of a law of noise: one for all files of a camera


def check_options(work: Work) -> None:
    """Refuse options that no picture could be restored with.

    Raises
    ------
    InputError
        One sentence about the first.
    """
    from untaught.pipeline.request import DenoiseOptions, request_of
    from untaught.pipeline.tasks.check_operands import check_operands

    told = {name: value for name, value in work.options.items() if name in DenoiseOptions.__annotations__}
    if told.get("noise") == SHARED:
        if work.verb != "denoise":
            raise InputError(f"only denoise takes a shared noise, not {work.verb}; give the noise as a law")
        del told["noise"]
    request_of(told)  # type: ignore[arg-type]
    check_operands(work.verb, work.options)
