"""The protocols by which denoisers are compared in papers, and what others have published for them.

Every figure is the mean PSNR in dB over all pictures of the set. What is said to be *as quoted in the project's
issue* was not looked up by us; where a figure was read, and in what, is said with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ISSUE = "as quoted in the project's issue"
DNCNN = "Zhang et al., DnCNN, IEEE TIP 2017, as repeated by an implementation (papercoming/dncnn-tensorflow)"
RESTORMER = "as repeated with the tables of Zamir et al., Restormer, CVPR 2022"


@dataclass(frozen=True)
class Published:
    """What others reached: a figure a level, in dB, or from which to which; and where it was read."""

    method: str
    psnr: dict[int, str]
    source: str = ISSUE


@dataclass(frozen=True)
class Protocol:
    """A set of pictures and what is done to them.

    `folders` are names, in small letters, under which the set may lie; `pictures` is how many it has; `side` is
    that of the central square that is taken, 0 for whole pictures. With `blind` the noise is cut off at 0 and 255
    and rounded to 8 bits, and the level is not given; without, it is neither, and the level is.
    """

    title: str
    folders: tuple[str, ...]
    pictures: int
    grey: bool = False
    side: int = 0
    blind: bool = False
    levels: tuple[int, ...] = (15, 25, 50)
    published: tuple[Published, ...] = field(default=())


def _three(method: str, psnr: str, source: str = ISSUE) -> Published:
    """Return the figures for the levels 15, 25 and 50."""
    return Published(method, dict(zip((15, 25, 50), psnr.split("/"), strict=True)), source)


def _two(method: str, psnr: str) -> Published:
    """Return the figures for the levels 25 and 50."""
    return Published(method, dict(zip((25, 50), psnr.split("/"), strict=True)))


PROTOCOLS = {
    "bsd68": Protocol(
        "BSD68, grey",
        ("bsd68",),
        68,
        grey=True,
        published=(
            _three("BM3D", "31.07/28.57/25.62", DNCNN),
            _three("DnCNN", "31.73/29.23/26.23", DNCNN),
            _three("DRUNet", "31.91/29.48/26.59", RESTORMER),
        ),
    ),
    "set12": Protocol(
        "Set12, grey",
        ("set12",),
        12,
        grey=True,
        published=(
            _three("BM3D", "32.37/29.97/26.72"),
            _three("DRUNet", "33.25/30.94/27.90", RESTORMER),
        ),
    ),
    "cbsd68": Protocol(
        "CBSD68, colour",
        ("cbsd68",),
        68,
        published=(
            _three("CBM3D", "33.50/30.69/27.36"),
            _three("FFDNet", "33.87/31.21/27.96", RESTORMER),
            _three(
                "Restormer",
                "34.29/31.64/28.41",
                f"{ISSUE}; the tables of Zamir et al., CVPR 2022, are repeated elsewhere with 34.40, 31.79, 28.60",
            ),
        ),
    ),
    "kodak24": Protocol(
        "Kodak24, colour",
        ("kodak24", "kodak"),
        24,
        published=(
            Published("CBM3D", {25: "31.7 to 31.9"}),
            Published("DnCNN", {25: "32.1"}),
            Published("FFDNet", {25: "32.1"}),
        ),
    ),
    "kodak256": Protocol(
        "Kodak24, colour, central 256 x 256 pixels",
        ("kodak24", "kodak"),
        24,
        side=256,
        blind=True,
        levels=(25, 50),
        published=(
            _two("ZS-HPD", "29.88/26.36"),
            _two("Pixel2Pixel", "29.31/26.26"),
            _two("ZS-N2N", "29.07/24.81"),
        ),
    ),
}
