"""What was asked for on the command line, of one picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untaught.errors import InputError
from untaught.image.reading import WHOLE, Reading

if TYPE_CHECKING:
    from untaught.image.image import Image
    from untaught.results.result import Result


@dataclass(frozen=True)
class Call:
    """What was asked for; `options` are those of `untaught.denoise`."""

    input: Path
    output: Path
    options: Mapping[str, Any]
    report: Path | None = None
    recipe: Path | None = None
    reference: Path | None = None
    as_json: bool = False
    quiet: bool = False
    task: str = "denoise"
    function: str = ""  # where the verb is, see `Work`
    reading: Reading = WHOLE

    @property
    def inputs(self) -> tuple[Path | None, ...]:
        """Files that must not be written over."""
        from untaught.methods.registry import model_of

        return self.input, self.reference, model_of(self.options.get("method", ""))

    @property
    def asked(self) -> dict[str, Any]:
        """What the verb is called with beside the picture."""
        return dict(self.options)

    def frame(self, picture: Image) -> Image:
        """Return a picture of the answer's size and type: what is there before anything was made."""
        return picture

    def door(self, picture: Image) -> Callable[..., Result]:
        """Return what makes the answer of the picture and the options."""
        from untaught.pipeline.tasks.denoise import denoise

        return denoise


def range_of(text: str | None) -> tuple[float, float] | None:
    """Return the value range that was written, LOW,HIGH; whether it can be used is seen later.

    Raises
    ------
    InputError
        If it is no numbers with commas between.
    """
    try:
        if text is None:
            return None
        low, high = (float(word) for word in text.split(","))
        return low, high
    except ValueError:
        raise InputError(f"--value-range is {text!r}; write two numbers, LOW,HIGH, such as 0,4095") from None


def region_of(text: str | None) -> tuple[int, ...] | None:
    """Return the rectangle that was written, X,Y,W,H; whether it can be used is seen later.

    Raises
    ------
    InputError
        If it is no whole numbers with commas between.
    """
    try:
        return None if text is None else tuple(int(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"--noise-region is {text!r}; write four whole numbers, X,Y,WIDTH,HEIGHT, such as 10,20,64,48"
        ) from None
