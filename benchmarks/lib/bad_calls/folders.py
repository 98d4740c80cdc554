"""Folders with links in circles, names that are no names, and files that are none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from lib.bad_calls.call import Call, Random
from lib.bad_calls.damage import damaged
from lib.bad_calls.files import put
from lib.bad_calls.samples_science import noise, slices

NAMES = (
    *(
        "a b.png",
        "-o.png",
        "--help.png",
        "a\nb.png",
        "\u00e4\U0001f642.png",
        "*.png",
        "[a].png",
        "a;b.png",
        "a'b\".png",
        "~.png",
    ),
    *(
        "%s.png",
        "a\tb.png",
        "\u202egnp.png",
        " .png",
        "a.b.c.png",
        ".hidden.png",
        "A.PNG",
        "con.png",
        "a\\b.png",
        "n" * 240 + ".png",
    ),
)
QUICK = ("--method", "nlm", "--noise", "gaussian:5", "-q", "--time-limit", "0.3")


def bad_folder(rng: Random, pool: Path) -> Call:
    """Return a call on a folder that nobody would make on purpose."""
    folder = Path("raw")
    folder.mkdir()
    said = [
        ways(rng, folder, pool)
        for ways in (WAYS[int(at)] for at in rng.integers(len(WAYS), size=int(rng.integers(1, 4))))
    ]
    about = ", ".join(said)
    way = rng.random()
    more = [(), ("--recursive",), ("--suffix", ".tif"), ("--overwrite",), ("--shard", "1/2")][int(rng.integers(5))]
    out = str(
        rng.choice(["clean", "clean", "clean", "raw", "raw/clean", "raw/0.npy", "clean/deep/deeper", "clean.png"])
    )
    first = "raw" if out.startswith("raw") else out.split("/")[0]
    if way < 0.45:
        inputs = [["raw"], ["raw/*"], ["raw", "raw"], ["raw/*.png", "raw"], ["raw/**"], ["."]][
            int(rng.integers(6))
        ]
        return Call(("denoise", *inputs, "-o", out, *more, *QUICK), said=about, may_change=(first, "clean"))
    if way < 0.6:
        return Call(("inspect", "raw", *(more[:1] if more == ("--recursive",) else ())), said=about)
    if way < 0.7:
        watched = ("--once", "--idle-exit", "0.1", "--settle", "0.05")
        return Call(("watch", "raw", "-o", out, *watched, *QUICK), said=about, may_change=(first, "clean"))
    if way < 0.8:
        quick = (
            "--network",
            "dncnn:2,4",
            "--epochs",
            "0.01",
            "--patch",
            "8",
            "--batch",
            "1",
            "--noise",
            "gaussian:5",
            "-q",
        )
        made = ("model.safetensors", "model.safetensors.checkpoint")
        return Call(("train", "raw", "-o", made[0], *quick, "--time-limit", "0.3"), said=about, may_change=made)
    verb = str(rng.choice(["inpaint", "upscale", "demosaic", "dejpeg"]))
    factor = ("--factor", "2") if verb == "upscale" else ()
    limit = ("-q", "--time-limit", "0.2", "--effort", "quick")
    return Call((verb, "raw", "-o", out, *factor, *limit), said=about, may_change=(first, "clean"))


def _good(rng: Random, folder: Path, pool: Path) -> str:
    for k in range(2):
        np.save(folder / f"{k}.npy", noise((16, 16), np.uint8, k))
    return "good ones"


def _names(rng: Random, folder: Path, pool: Path) -> str:
    for at in rng.integers(len(NAMES), size=2):
        shutil.copy(pool / "grey.png", folder / NAMES[int(at)])
    if rng.random() < 0.4:
        shutil.copy(pool / "grey.png", os.fsencode(folder) + b"/\xff\xfe.png")
    return "odd names"


def _circles(rng: Random, folder: Path, pool: Path) -> str:
    links = {"self.png": "self.png", "there.png": "back.png", "back.png": "there.png", "up": "..", "here": ".",
             "none.png": "nowhere",
             "etc.png": "/etc/passwd", "null.png": "/dev/null"}  # fmt: skip
    for name in (list(links)[int(at)] for at in rng.integers(len(links), size=3)):
        if not os.path.lexists(folder / name):
            (folder / name).symlink_to(links[name])
    return "links in circles"


def _broken(rng: Random, folder: Path, pool: Path) -> str:
    files = [path for path in sorted(pool.iterdir()) if path.is_file()]
    said = []
    for at in rng.integers(len(files), size=2):
        said.append(f"{files[int(at)].name}: {put(rng, files[int(at)], folder / files[int(at)].name)}")
    return "; ".join(said)


def _doubles(rng: Random, folder: Path, pool: Path) -> str:
    for name in ("a.png", "a.jpg", "a.tif"):
        shutil.copy(pool / "grey.png", folder / name)
    return "one name thrice"


def _nothing(rng: Random, folder: Path, pool: Path) -> str:
    (folder / "empty.png").touch()
    (folder / "folder.png").mkdir(exist_ok=True)
    (folder / "text.tif").write_text("no picture")
    if not os.path.lexists(folder / "pipe.png"):
        os.mkfifo(folder / "pipe.png")
    return "what is none"


def _deep(rng: Random, folder: Path, pool: Path) -> str:
    deep = folder / "/".join("d" * 40 if rng.random() < 0.5 else "d" for _ in range(30))
    deep.mkdir(parents=True, exist_ok=True)
    shutil.copy(pool / "grey.png", deep / "in.png")
    return "deep"


def _sizes(rng: Random, folder: Path, pool: Path) -> str:
    for k, shape in enumerate([(7, 9), (16, 16, 3), (2, 16, 16), (16, 16, 2), (1, 1), (300, 8)]):
        np.save(folder / f"s{k}.npy", noise(shape, np.float32, k) if k % 2 else noise(shape, np.uint8, k))
    return "of all sizes"


def _record(rng: Random, folder: Path, pool: Path) -> str:
    """Put down what a folder of answers holds, damaged: the table and the record of an earlier call."""
    Path("clean").mkdir(exist_ok=True)
    data, done = damaged(rng, b'{"input": "raw/0.npy", "output": "clean/0.npy", "status": "done"}\n' * 3)
    for name in (".untaught-record.jsonl", "pictures.csv", "record.jsonl", "untaught.jsonl"):
        Path("clean", name).write_bytes(data)
    return f"an odd record: {done}"


def _slices(rng: Random, folder: Path, pool: Path) -> str:
    try:
        slices(folder / "ct")
    except (ImportError, FileExistsError):
        return "slices, as there are"
    path = sorted((folder / "ct").iterdir())[int(rng.integers(4))]
    content, done = damaged(rng, path.read_bytes())
    path.write_bytes(content)
    return f"slices: {done}"


WAYS = (_good, _good, _names, _circles, _broken, _doubles, _nothing, _deep, _sizes, _record, _slices)


def bad_volume(rng: Random, pool: Path) -> Call:
    """Return a call on a folder of DICOM slices with damage, as one volume."""
    folder = Path("raw")
    folder.mkdir()
    said = _slices(rng, folder, pool) if rng.random() < 0.7 else _broken(rng, folder, pool)
    place = "raw/ct" if (folder / "ct").exists() else "raw"
    if rng.random() < 0.3:
        _nothing(rng, Path(place), pool)
    if rng.random() < 0.3:
        return Call(("inspect", place, "--volume"), said=said)
    out = str(rng.choice(["clean", "clean.nii.gz", "clean.tif", "raw/ct", "clean.zarr"]))
    return Call(("denoise", place, "-o", out, "--volume", *QUICK), said=said, may_change=(out,))
