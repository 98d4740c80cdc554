"""The table of the README: what is reached, beside what others reach on the same pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean

from tables.awgn_published import PROTOCOLS
from tables.markdown import NOTHING, Row, table
from tables.targets import nine, runs

Figure = Callable[[list[Row]], float | None]


@dataclass(frozen=True)
class Peer:
    """One line: what was done, by which of our methods, and what others reach."""

    what: str
    method: str
    own: Figure
    others: tuple[tuple[str, Figure], ...]


def peers(rows: list[Row]) -> str:
    """Return a line a task; those of which something was not measured are left out."""
    lines = [line for peer in PEERS if (line := _line(peer, rows)) is not None]
    return table("What | | mean PSNR | others, on the same pictures", lines) if lines else NOTHING


def _line(peer: Peer, rows: list[Row]) -> list[str] | None:
    own = peer.own(rows)
    beside = [(name, figure(rows)) for name, figure in peer.others]
    if own is None or any(value is None for _, value in beside):
        return None
    return [
        peer.what,
        peer.method,
        f"**{own:.2f} dB**",
        "; ".join(f"{name} {value:.2f} dB" for name, value in beside),
    ]


def _mean(found: Iterable[Row], key: str = "psnr") -> float | None:
    values = [row[key] for row in found]
    return mean(values) if values else None


def _nine(method: str, level: int, side: int = 0) -> Figure:
    return lambda rows: _mean(nine(rows, method, level, side).values())


def _runs(benchmark: str, key: str = "psnr", **case: object) -> Figure:
    return lambda rows: _mean(runs(rows, benchmark, **case), key)


def _real(kind: str) -> tuple[Figure, tuple[tuple[str, Figure], ...]]:
    where = {"set": kind, "method": "nonlocal"}
    others = ("wavelet", "nlm")
    return _runs("real", **where), tuple(
        (f"scikit-image {name}", _runs("real", f"psnr_scikit-image_{name}", **where)) for name in others
    )


def _told(level: int) -> tuple[str, Figure]:
    return "CBM3D, told the level", _nine("cbm3d", level)


def _published(protocol: str, method: str, level: int) -> Figure:
    """Return what others have published for a protocol; of ours `awgn.py` says whether all pictures were there."""
    found = next(each for each in PROTOCOLS[protocol].published if each.method == method)
    return lambda _: float(found.psnr[level])


def _whole_set(protocol: str, level: int) -> Figure:
    """Return our mean by a protocol, if all pictures of its set were there."""

    def read(rows: list[Row]) -> float | None:
        own = runs(rows, "awgn", protocol=protocol, method="nonlocal", level=level)
        return _mean(own) if len(own) == PROTOCOLS[protocol].pictures else None

    return read


SET5 = {"set": "Set5", "factor": 4, "method": "auto"}
BLUR = {"blur": "gaussian:1.6"}
PEERS = (
    Peer("noise of level 25, nine pictures, level not given", "`nonlocal`", _nine("nonlocal", 25), (_told(25),)),
    Peer("the same, noise of level 50", "`nonlocal`", _nine("nonlocal", 50), (_told(50),)),
    Peer(
        "BSD68, grey, level 25, given",
        "`nonlocal`",
        _whole_set("bsd68", 25),
        tuple(
            (f"{name}, published", _published("bsd68", method, 25))
            for name, method in (("BM3D", "BM3D"), ("DnCNN (trained)", "DnCNN"), ("DRUNet (trained)", "DRUNet"))
        ),
    ),
    Peer(
        "level 25, central 256 x 256 pixels, by a network alone",
        "`dip`",
        _nine("dip", 25, 256),
        (("the original deep image prior", _nine("dip-paper-bf16", 25, 256)),),
    ),
    Peer("noise of microscopes (FMD)", "`nonlocal`", *_real("fmd")),
    Peer("noise of camera JPEGs (CC)", "`nonlocal`", *_real("cc")),
    Peer(
        "half of the pixels missing, eleven pictures",
        "`auto`",
        _runs("inpainting", method="auto"),
        (("the original deep image prior", _runs("inpainting", "psnr_published", method="auto")),),
    ),
    Peer(
        "enlarged 4 times (Set5, luminance)",
        "`auto`",
        _runs("super_resolution", "psnr_y", **SET5),
        (("bicubic", _runs("super_resolution", "psnr_y_bicubic", **SET5)),),
    ),
    Peer(
        "blurred, known (Gaussian 1.6)",
        "`auto`",
        _runs("deblurring", method="auto", **BLUR),
        (
            ("Richardson-Lucy", _runs("deblurring", method="richardson-lucy", **BLUR)),
            ("Wiener", _runs("deblurring", method="unsupervised-wiener", **BLUR)),
        ),
    ),
    Peer(
        "behind a colour filter array",
        "`auto`",
        _runs("demosaicing", method="auto"),
        (("Menon", _runs("demosaicing", method="menon")),),
    ),
)
