"""What a page may ask for: names from lists and numbers, never a path; and the command line that says the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from untaught.methods.registry import METHODS
from untaught.serve.reads import written

NUMBERS = r"-?[0-9.]+(?:e-?[0-9]+)?(?:,-?[0-9.]+(?:e-?[0-9]+)?){0,3}"
LAW = re.compile(rf"(?:gaussian|poisson|rician|impulse|speckle|correlated):{NUMBERS}")
PSF = re.compile(rf"(?:gaussian|disk|motion):{NUMBERS}")
FILE = "file"
"""What stands for a point-spread function that was uploaded."""
VERBS = {"guided": "restore"}
"""Tasks whose command has another name."""
NEEDED = {"guided": "guide"}
"""What has to be uploaded beside the picture, by task."""

Task = Literal["denoise", "inpaint", "upscale", "deblur", "dejpeg", "demosaic", "descreen", "despeckle", "guided"]
NOISELESS = ("dejpeg", "descreen", "despeckle")
"""Tasks that the picture itself tells everything of, and that take no noise."""
Pixels = Annotated[int, Field(ge=0, le=10**7)]


class Settings(BaseModel):
    """What is to be done with a picture. `psf` is in words, or 'file' for one that was uploaded."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    task: Task = "denoise"
    method: str = "auto"
    effort: Literal["quick", "normal", "best"] = "normal"
    noise: str = "auto"
    region: tuple[Pixels, Pixels, Pixels, Pixels] | None = None
    seed: int = Field(default=0, ge=0, lt=2**31)
    time_limit: float | None = Field(default=None, gt=0, le=86400)
    factor: int = Field(default=2, ge=2, le=16)
    kernel: Literal["bicubic", "lanczos2", "lanczos3", "box", "nearest", "linear", "cubic"] = "bicubic"
    psf: str = "gaussian:2"
    border: Literal["valid", "reflect", "replicate", "circular"] = "valid"
    pattern: Literal["RGGB", "BGGR", "GRBG", "GBRG", "X-TRANS"] = "RGGB"
    translucent: bool = False
    mask_marks: Literal["kept", "missing"] | None = None
    strength: float = Field(default=1.0, ge=0, le=1)

    @field_validator("method")
    @classmethod
    def _known(cls, method: str) -> str:
        if method != "auto" and method not in METHODS:
            raise ValueError("there is no such method")
        return method

    @field_validator("noise")
    @classmethod
    def _law(cls, noise: str) -> str:
        if noise != "auto" and not LAW.fullmatch(noise):
            raise ValueError(
                "write the noise as gaussian:25, poisson:GAIN,READ,OFFSET, rician:LEVEL, impulse:0.1 ..."
            )
        return noise

    @field_validator("psf")
    @classmethod
    def _in_words(cls, psf: str) -> str:
        if psf != FILE and not PSF.fullmatch(psf):
            raise ValueError(
                "write the blur as gaussian:SIGMA, disk:RADIUS or motion:LENGTH,ANGLE, or upload a file"
            )
        return psf

    @property
    def operands(self) -> dict[str, Any]:
        """What the task is given beside the picture, by options of its command; files are left out."""
        of_tasks: dict[str, dict[str, Any]] = {
            "inpaint": {"translucent": True} if self.translucent else {},
            "upscale": {"factor": self.factor, "kernel": self.kernel},
            "deblur": {"psf": self.psf, "border": self.border},
            "demosaic": {"pattern": self.pattern},
        }
        return of_tasks.get(self.task, {})

    @property
    def needs(self) -> str | None:
        """The upload without which the task cannot be done, if it needs one."""
        return "psf" if self.task == "deblur" and self.psf == FILE else NEEDED.get(self.task)


def command_line(
    settings: Settings, names: tuple[str, str], uploads: Mapping[str, str], reads: Sequence[str] = ()
) -> str:
    """Return the command that does what was asked for.

    Parameters
    ----------
    settings : Settings
        What was asked for.
    names : tuple of str
        How the picture is named, and its answer.
    uploads : mapping of str to str
        Names of the files that were given with it: 'mask', 'guide', 'psf'.
    reads : sequence of str
        Options that say how the picture is read.
    """
    options = settings.operands | (
        {"psf": uploads.get("psf", "PSF")} if settings.operands.get("psf") == FILE else {}
    )
    if settings.task == "inpaint" and "mask" in uploads:
        options = {"mask": uploads["mask"], **options}
        if settings.mask_marks is not None:
            options["mask_marks"] = settings.mask_marks
    if settings.task == "guided":
        options["guide"] = uploads.get("guide", "GUIDE")
    default, shared = Settings(), ["method", "effort", "noise", "seed", "time_limit"]
    if settings.task == "denoise":
        shared.append("strength")
    options |= {
        field: getattr(settings, field) for field in shared if getattr(settings, field) != getattr(default, field)
    }
    if settings.region is not None:
        options["noise-region"] = ",".join(map(str, settings.region))
    picture, output = names
    words = ["untaught", VERBS.get(settings.task, settings.task), picture, "-o", output, *reads]
    for option, value in options.items():
        words += [f"--{option.replace('_', '-')}", *([] if value is True else [written(value)])]
    return shlex.join(words)
