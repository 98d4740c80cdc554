"""The calls that are killed: each with its inputs, its outputs, and what makes it take a moment only."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NONLOCAL = ("--method", "nonlocal", "--noise", "gaussian:25", "--quiet")
WAVELET = ("--method", "wavelet", "--noise", "gaussian:25", "--quiet")


@dataclass(frozen=True)
class Scene:
    """Something to be killed.

    Attributes
    ----------
    lay : callable
        Puts inputs, and older outputs, into a folder.
    calls : tuple of tuples of str
        Arguments of the commands, one after the other.
    outputs : tuple of str
        Patterns of the pictures and models that come out.
    pages : tuple of str
        Patterns of what is text and differs from run to run.
    kept : bool
        Whether a further call does nothing more.
    share : int
        How often it is drawn beside others: less where a call starts processes of its own.
    """

    lay: Callable[[Path], None]
    calls: tuple[tuple[str, ...], ...]
    outputs: tuple[str, ...] = ("out.png",)
    pages: tuple[str, ...] = ()
    kept: bool = False
    share: int = 10


def drawn(seed: int, *shape: int) -> NDArray[np.uint8]:
    """Return noisy waves, (..., H, W), of another shape for every seed."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[-2], : shape[-1]]
    down, across = rng.uniform(3, 9, 2)
    waves = 128 + 50 * np.sin(rows / down) + 30 * np.sign(np.sin(columns / across))
    return np.clip(waves + rng.normal(0, 25, shape), 0, 255).astype(np.uint8)


def one(side: int, old: str = "", columns: int = 0) -> Callable[[Path], None]:
    """Return what lays out one picture, and an older output."""

    def lay(folder: Path) -> None:
        Image.fromarray(drawn(1, side, columns or side)).save(folder / "in.png")
        if old.endswith(".zarr"):
            from untaught.image.files import write
            from untaught.image.image import Image as Picture

            write(folder / old, Picture.of(drawn(9, 8, 8), "YX"))
        elif old:
            Image.fromarray(drawn(9, 8, 8)).save(folder / old)

    return lay


def several(folder: Path) -> None:
    """Lay out a folder of pictures, one of them in a folder in it."""
    (folder / "raw" / "more").mkdir(parents=True)
    for number in range(3):
        place = folder / "raw" / ("more" if number == 2 else "")
        Image.fromarray(drawn(number, 20, 24)).save(place / f"{number}.png")


def series(folder: Path) -> None:
    """Lay out planes that show the same."""
    rng = np.random.default_rng(3)
    scene = drawn(3, 16, 16).astype(float)
    np.save(folder / "in.npy", np.clip(scene + rng.normal(0, 25, (6, 16, 16)), 0, 255).astype(np.uint8))


def to_learn(folder: Path) -> None:
    """Lay out a folder to learn from, and a picture to restore."""
    (folder / "raw").mkdir()
    for number in range(4):
        Image.fromarray(drawn(number, 40, 40)).save(folder / "raw" / f"{number}.png")
    Image.fromarray(drawn(8, 32, 32)).save(folder / "in.png")


FOLDER = ("denoise", "raw", "-o", "clean", "--recursive", *WAVELET)
TABLES = ("clean/results*.csv", "clean/gallery*.html", "clean/.untaught/*")
MODEL = ("train", "raw", "-o", "m.safetensors", "--resume", "--network", "unet:6,2", "--noise", "gaussian:25")
SMALL = ("--patch", "16", "--batch", "2", "--epochs", "8", "--quiet")
DIP = ("denoise", "in.png", "-o", "out.png", "--method", "dip", "--noise", "gaussian:25")
SCENES = {
    "fit": Scene(
        one(24, "out.png"),
        ((*DIP, "--stop", "steps", "--checkpoint", "state", "--quiet"),),
    ),
    "formula": Scene(
        one(32, "out.png"),
        (("denoise", "in.png", "-o", "out.png", *NONLOCAL, "--report", "r.html", "--recipe", "r.json"),),
        pages=("r.html", "r.json"),
    ),
    "zarr": Scene(one(32, "out.zarr"), (("denoise", "in.png", "-o", "out.zarr", *WAVELET),), ("out.zarr",)),
    "tiles": Scene(
        one(96, columns=48), (("denoise", "in.png", "-o", "out.png", *NONLOCAL, "--memory", "470MiB"),)
    ),
    "series": Scene(
        series,
        (("denoise", "in.npy", "-o", "out.npy", "--axes", "TYX", *NONLOCAL, "--checkpoint", "kept"),),
        ("out.npy",),
    ),
    "folder": Scene(several, (FOLDER,), ("clean/**/*.png",), TABLES, kept=True),
    "shards": Scene(
        several,
        ((*FOLDER, "--shard", "1/2"), (*FOLDER, "--shard", "2/2"), FOLDER),
        ("clean/**/*.png",),
        TABLES,
        kept=True,
    ),
    "workers": Scene(several, ((*FOLDER, "--workers", "2"),), ("clean/**/*.png",), TABLES, kept=True, share=2),
    "watch": Scene(
        several,
        (("watch", "raw", "-o", "clean", "--recursive", "--once", "--settle", "0.1", *WAVELET),),
        ("clean/**/*.png",),
        TABLES,
        kept=True,
    ),
    "training": Scene(
        to_learn,
        ((*MODEL, *SMALL), ("apply", "m.safetensors", "in.png", "-o", "out.png", "--quiet")),
        ("m.safetensors", "out.png"),
    ),
}


def prepare(*names: str) -> None:
    """Load all that the calls need, and let fits and blocks be small.

    The defaults are set for this process and its forks alone: what the program does with them is as ever.
    """
    import torch

    import untaught.training.train as train
    from untaught.cli import main
    from untaught.fitting.progress import Options
    from untaught.methods.networks.hourglass import HourglassShape
    from untaught.methods.untrained.dip import DIP
    from untaught.pipeline.stacks import blocks
    from untaught.pipeline.tiles import memory_need

    torch.set_num_threads(1)
    train.STEPS, train.EPOCHS, train.LOOKS = 30, 1, 10
    blocks.LARGEST = 3
    memory_need.LEAST = 64
    _default(Options, checkpoint_every=5)
    _default(DIP, steps=30, shape=HourglassShape(width=8, depth=2, skip=4))
    for name in names:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            SCENES[name].lay(Path(folder))
            for argv in SCENES[name].calls:
                assert main(list(argv)) == 0


def _default(made: Any, **values: object) -> None:
    """Change what fields are where nobody names them."""
    init = made.__init__

    def filled(self: object, *args: object, **more: object) -> None:
        init(self, *args, **(more if args else values | more))

    made.__init__ = filled
