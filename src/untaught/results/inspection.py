"""What a look at a picture's noise found, as plain data and as lines for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from untaught.image.image import Image
from untaught.image.lazy import in_words
from untaught.noise import NoiseReport
from untaught.noise.estimation.photon_transfer import Transfer
from untaught.noise.estimation.temporal import Temporal
from untaught.results.noise_curve import curve_words
from untaught.results.noise_spectrum import Spectrum
from untaught.results.text import noise_dict, noise_sentence, with_units


@dataclass(frozen=True)
class PlaneNoise:
    """What was measured on one plane."""

    index: int
    label: str
    report: NoiseReport


@dataclass(frozen=True)
class Option:
    """A method: whether it fits the noise (`objection` is None), and about how long the picture takes it."""

    method: str
    summary: str
    objection: str | None
    seconds: float | None


@dataclass(frozen=True)
class Effort:
    """How much may be tried: the methods of `auto`, and about how many seconds they take here, if known."""

    name: str
    methods: tuple[str, ...]
    seconds: float | None

    def describe(self) -> str:
        """Return the line for a person."""
        seconds = "unknown" if self.seconds is None else f"{self.seconds:.{1 if self.seconds < 10 else 0}f} s"
        return (
            f"{self.name:<8} {seconds:<10}{', '.join(self.methods) or 'nothing: the picture comes back as it is'}"
        )


@dataclass(frozen=True)
class Needed:
    """The memory that restoring takes.

    Attributes
    ----------
    whole : int
        Bytes, at most, for a plane at once, with the program and what is held of the picture.
    side : int or None
        Of the parts, in pixels, in which a plane is restored instead, where so much is not to be used.
    """

    whole: int
    side: int | None = None

    def describe(self) -> str:
        """Return the line for a person."""
        words = f"up to {in_words(self.whole)}"
        if self.side is None:
            return words
        return f"{words}, which is more than may be used (--memory): in parts of {self.side} x {self.side} pixels"


@dataclass(frozen=True)
class Inspected:
    """What a look at a picture found.

    Attributes
    ----------
    name : str
        The file, or "the picture".
    shape, axes, dtype, value_range
        Of the array; `value_range` is what stands for black and white.
    n_planes : int
        Planes that would be restored one by one; `planes` holds those that were measured.
    planes : tuple of PlaneNoise
        The noise of at most 16 planes, evenly spread over a stack.
    advice : str
        What the noise is, whether that is believed, and what to do, in one paragraph.
    plan : tuple of str
        The methods that 'auto' would try, in order.
    efforts : tuple of Effort
        What `--effort` would try, and how long that takes on this machine.
    options : tuple of Option
        Every method, with the objection to it where there is one.
    notes : tuple of str
        Sentences worth reading: missing values, clipping ...
    temporal : Temporal or None
        Of a stack, how much consecutive planes differ.
    spectrum : Spectrum or None
        Of the noise of the first plane that was measured, where it has enough flat patches.
    transfer : Transfer or None
        The photon transfer curve of the frames that were given with it.
    needed : Needed or None
        The memory that denoising takes.
    picture : Image
        What was looked at.
    """

    picture: Image

    name: str
    shape: tuple[int, ...]
    axes: str
    dtype: str
    value_range: tuple[float, float]
    n_planes: int
    planes: tuple[PlaneNoise, ...]
    advice: str
    plan: tuple[str, ...]
    efforts: tuple[Effort, ...]
    options: tuple[Option, ...]
    notes: tuple[str, ...]
    temporal: Temporal | None = None
    spectrum: Spectrum | None = None
    transfer: Transfer | None = None
    needed: Needed | None = None

    def describe(self) -> str:
        """Return the findings as lines for a person."""
        size = " x ".join(str(n) for n in self.shape)
        low, high = self.value_range
        lines = [
            f"picture  {self.name}: {size} ({self.axes}), {self.dtype}, value range {low:g} to {high:g}",
            *(
                f"noise    {self._prefix(p)}{noise_sentence(p.report.model, self.value_range)}"
                for p in self.planes
            ),
            *([] if self.transfer is None else [f"frames   {self.transfer.describe()}"]),
            *(
                []
                if self.temporal is None
                else [f"stack    {with_units(self.temporal.describe(), self.value_range)}"]
            ),
            *(f"curve    {self._prefix(p)}{curve_words(p.report, self.value_range)}" for p in self.planes[:1]),
            *([] if self.spectrum is None else [f"spectrum {self.spectrum.describe()}"]),
            *(f"note     {note}" for note in self.notes),
            f"advice   {self.advice}",
            *(f"effort   {effort.describe()}" for effort in self.efforts),
            *([] if self.needed is None else [f"memory   {self.needed.describe()}"]),
            "cost     at most, roughly, on one core of a server (of this machine: 'untaught doctor'):",
            *(f"  {option.method:<19}{option_words(option)}" for option in self.options),
        ]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the findings for JSON.

        Levels are on the 0..255 scale, `sigma_units` and `frames` in the data's units.
        """
        return {
            "input": self.name,
            "shape": list(self.shape),
            "axes": self.axes,
            "dtype": self.dtype,
            "value_range": list(self.value_range),
            "n_planes": self.n_planes,
            "noise": self._noise(self.planes[0].report) if self.planes else None,
            "planes": [{"index": p.index, "label": p.label, "noise": self._noise(p.report)} for p in self.planes],
            "advice": self.advice,
            "plan": list(self.plan),
            "efforts": [
                {"effort": e.name, "methods": list(e.methods), "seconds": e.seconds} for e in self.efforts
            ],
            "methods": [
                {"method": o.method, "fits": o.objection is None, "objection": o.objection, "seconds": o.seconds}
                for o in self.options
            ],
            "memory": None if self.needed is None else {"bytes": self.needed.whole, "tile": self.needed.side},
            "notes": list(self.notes),
            "temporal": None if self.temporal is None else self.temporal.as_dict(),
            "spectrum": None if self.spectrum is None else self.spectrum.as_dict(),
            "frames": None if self.transfer is None else self.transfer.as_dict(),
        }

    def _noise(self, report: NoiseReport) -> dict[str, Any]:
        return report.as_dict() | {"sigma_units": noise_dict(report.model, self.picture)["sigma_units"]}

    def _prefix(self, plane: PlaneNoise) -> str:
        return f"plane {plane.index + 1}/{self.n_planes} ({plane.label}): " if self.n_planes > 1 else ""


def option_words(option: Option) -> str:
    """Return what there is to say of a method: seconds, whether it fits, what it is."""
    seconds = "unknown" if option.seconds is None else f"{option.seconds:g} s"
    verdict = "fits" if option.objection is None else f"not for this picture: {option.objection}"
    return f"{seconds:<10}{verdict} ({option.summary})"
