"""Damaged files: read, restored, written again, and given where another file belongs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from lib.bad_calls.call import Call, Random
from lib.bad_calls.damage import damage_folder, damaged, damaged_inside

QUICK = ("--method", "nlm", "--noise", "gaussian:5", "-q", "--time-limit", "0.3")
SIDE_VERBS = ("inpaint", "upscale", "demosaic", "deblur", "dejpeg", "restore")
WRITTEN = (".tif", ".png", ".npy", ".ome.tif", ".fits", ".nii", ".h5", ".zarr", ".jpg", ".webp", ".exr", ".mrc")


def bad_file(rng: Random, pool: Path) -> Call:
    """Return a call that is given a file with damage, as its picture."""
    names = sorted(path.name for path in pool.iterdir())
    name = names[int(rng.integers(len(names)))]
    done = put(rng, pool / name, Path(name))
    return asked_of(rng, name, f"{name}: {done}")


def put(rng: Random, good: Path, place: Path) -> str:
    """Put a damaged copy of a file somewhere, and return what was done to it."""
    if good.is_dir():
        shutil.copytree(good, place)
        return damage_folder(rng, place)
    data = good.read_bytes()
    inside = rng.random() < 0.5
    content, done = damaged_inside(rng, data, good.name) if inside else damaged(rng, data)
    place.write_bytes(content)
    return done


def asked_of(rng: Random, name: str, said: str) -> Call:
    """Return one of the calls that may be made on a picture."""
    way = rng.random()
    own = name[name.index(".") :]
    out = "out" + (own if rng.random() < 0.6 else str(rng.choice(WRITTEN)))
    if way < 0.3:
        return Call(("inspect", name), said=said)
    if way < 0.55:
        return Call(("denoise", name, "-o", out, *QUICK), said=said, may_change=(out,))
    if way < 0.85:
        return Call(python=lambda: again(name, out), said=f"write(read({said}), {out})", may_change=(out,))
    if way < 0.95:
        verb = str(rng.choice(SIDE_VERBS))
        more = {"upscale": ("--factor", "2"), "deblur": ("--psf", "gaussian:1")}.get(verb, ())
        limit = ("-q", "--time-limit", "0.3", "--effort", "quick")
        return Call((verb, name, "-o", out, *more, *limit), said=said, may_change=(out,))
    argv = ("compare", name, "--methods", "nlm", "-o", "lies", "-q", "--time-limit", "0.3")
    return Call(argv, said=said, may_change=("lies",))


def again(name: str, out: str) -> Any:
    """Read a picture and write it again, as a restoration does."""
    from untaught.image.files import check_writable, read, write

    image = read(name)
    for _ in image.planes():
        pass
    check_writable(out, image)
    return write(out, image)


def bad_operand(rng: Random, pool: Path) -> Call:
    """Return a call that is given a good picture, and a damaged file beside it."""
    shutil.copy(pool / "grey.png", "in.png")
    np.save("psf.npy", np.ones((3, 3)) / 9)
    names = [path.name for path in sorted(pool.iterdir()) if path.is_file()]
    kind = int(rng.integers(8))
    name = names[int(rng.integers(len(names)))]
    if kind in (4, 5):
        name, done = "curve.csv", _bad_table(rng, Path("curve.csv"))
    elif kind == 1 and rng.random() < 0.6:
        done, name = put(rng, Path("psf.npy"), Path("bad.npy")), "bad.npy"
    else:
        done = put(rng, pool / name, Path(name))
    asked: list[tuple[str, ...]] = [
        ("inpaint", "--mask", name),
        ("deblur", "--psf", name),
        ("denoise", "--reference", name, "--method", "nlm"),
        ("denoise", "--noise", f"map:{name}", "--method", "nlm"),
        ("denoise", "--noise", f"curve:{name}", "--method", "nlm"),
        ("denoise", "--noise-from", name, "--method", "nlm"),
        ("denoise", "--noise-from", name, "--noise-from", "in.png", "--method", "nlm"),
        ("restore", "--guide", name),
    ]
    verb, *rest = asked[kind]
    argv = (verb, "in.png", "-o", "out.png", "-q", "--time-limit", "0.3", *rest)
    return Call(argv, said=f"{name}: {done}", may_change=("out.png",))


def _bad_table(rng: Random, path: Path) -> str:
    rows = [f"{x},{v}" for x, v in zip((0, 50, 100, 255), (4, 9, 12, 30), strict=True)]
    words = ["nan", "inf", "-1", "1e999", "", "x", "1,2,3", "0,0", ",", "\u00e4,1", "\0", "9" * 400, "255,1e-320"]
    for _ in range(int(rng.integers(1, 4))):
        rows[int(rng.integers(len(rows)))] = str(rng.choice(words))
    if rng.random() < 0.3:
        data, done = damaged(rng, "\n".join(rows).encode())
        path.write_bytes(data)
        return done
    path.write_text("\n".join(rows))
    return f"rows {rows}"
