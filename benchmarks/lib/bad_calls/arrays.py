"""What people hand to Python's verbs: arrays of every type and shape, what is no array, and values of no sense."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lib.bad_calls.call import Call, Random

TYPES = (
    *(
        "u1",
        "i1",
        "u2",
        "<i4",
        ">i4",
        "u8",
        "i8",
        "f2",
        "f4",
        "f8",
        ">f8",
        "f16",
        "?",
        "c8",
        "c16",
        "O",
        "U5",
        "S5",
    ),
    *("M8[s]", "m8[ms]", "V4", "f4,f4", "f4", "f8", "u1", "u2"),
)
SHAPES: tuple[tuple[int, ...], ...] = (
    *(
        (),
        (0,),
        (1,),
        (16,),
        (0, 0),
        (16, 0),
        (1, 16),
        (16, 1),
        (8, 8),
        (7, 9),
        (16, 16),
        (16, 16, 1),
        (16, 16, 2),
    ),
    *((16, 16, 3), (3, 16, 16), (16, 16, 4), (16, 16, 0), (2, 16, 16), (1, 1, 1), (1, 16, 16, 3), (2, 3, 12, 12)),
    *((2, 2, 2, 8, 8), (1,) * 20, (16, 300), (16, 16), (16, 16), (12, 12)),
)
QUICK = {"method": "nlm", "noise": "gaussian:5"}
LIMIT: dict[str, Any] = {"time_limit": 0.2}


class Sub(np.ndarray):
    """An array of another class."""


class Strange:
    """Something that says it is an array."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __array__(self, *args: Any, **more: Any) -> Any:
        """Return what it was made with, or raise it."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def __repr__(self) -> str:
        """Return nothing that is short."""
        return "strange\n" * 100


def odd_array(rng: Random) -> tuple[Any, str]:
    """Return an array of some type and shape, with odd values and memory."""
    kind, shape = TYPES[int(rng.integers(len(TYPES)))], SHAPES[int(rng.integers(len(SHAPES)))]
    said = f"{kind} {shape}"
    plain = rng.random(shape) * (255 if rng.random() < 0.7 else 1)
    try:
        array = np.asarray(plain).astype(kind)
    except (TypeError, ValueError):
        array = np.zeros(shape, kind)
    if array.dtype.kind == "f" and array.size:
        values = (np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-40, 0.0, 6e4)
        for value, share in zip(values, rng.choice([0, 0, 0, 0.1, 0.5, 1], len(values)), strict=True):
            with np.errstate(over="ignore"):
                array[np.asarray(rng.random(shape) < share * (rng.random() < 0.5))] = value
        said += " odd values"
    elif array.dtype.kind in "iu" and array.size and rng.random() < 0.3:
        ends = np.iinfo(array.dtype)
        array = np.where(rng.random(shape) < 0.5, ends.min, ends.max).astype(array.dtype)
        said += " extremes"
    way = int(rng.integers(10))
    if way == 0 and array.ndim:
        array, said = array[::-1], said + " reversed"
    elif way == 1 and array.ndim > 1:
        array, said = array[..., ::2], said + " every second"
    elif way == 2:
        array, said = np.asfortranarray(array), said + " by columns"
    elif way == 3:
        array, said = array.view(Sub), said + " of a subclass"
    elif way == 4 and array.dtype.kind != "V":
        array, said = np.ma.masked_array(array, rng.random(shape) < 0.3), said + " masked"
    elif way == 5:
        array.flags.writeable, said = False, said + " closed to writing"
    elif way == 6 and array.ndim > 1:
        array, said = np.broadcast_to(array[:1], array.shape), said + " one row again and again"
    elif way == 7:
        array, said = np.require(array, requirements="W").T, said + " turned"
    return array, said


def odd_thing(rng: Random) -> tuple[Any, str]:
    """Return what is no array, or says that it is one."""
    import torch

    y = np.arange(256.0).reshape(16, 16)
    things: list[Any] = [
        None, True, 3, -1.5, float("nan"), 10**400, "", "x", "a\nb\0", "\u202e", b"x", bytearray(9), [], [[]],
        [1, [2, 3]],
        y.tolist(), (y, y), {"a": y}, {1, 2}, range(9), (x for x in y), iter([]), object(), int, len, np,
        Path("no"), "/",
        datetime.datetime(2020, 1, 1), memoryview(y), y.astype("M8[s]"), np.float64(3), np.void(b"ab"), slice(3),
        Strange(y), Strange(ValueError("no\nsuch")), Strange(None), Strange("x"), Strange(np.ones((16, 16),
        object)),
        torch.tensor(y), torch.tensor(y, requires_grad=True), torch.tensor(y).to_sparse(), torch.empty(0),
        np.ma.masked,
        torch.tensor(y, dtype=torch.bfloat16), torch.tensor(y, dtype=torch.complex64), torch.empty(16, 16,
        device="meta"),
        complex(1, 2), frozenset(), NotImplemented, ..., np.matrix([[1.0, 2], [3,
        4]]) if rng.random() < 0 else y[None],
        np.rec.array(np.zeros((16, 16), "f4,f4")), np.char.array(["a"]), Exception("x"), property(), y.flat,
    ]  # fmt: skip
    at = int(rng.integers(len(things)))
    return things[at], f"thing {at} {type(things[at]).__name__}"


def verbs() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Return the public verbs with a good call of each."""
    import untaught
    from untaught.image.image import Image
    from untaught.theory.compress import code

    y = np.random.default_rng(0).random((16, 16)).astype(np.float32)
    mask = np.pad(np.zeros((4, 4)), 6, constant_values=1)
    return {
        "denoise": (untaught.denoise, {"image": y, **QUICK, **LIMIT}),
        "inpaint": (untaught.inpaint, {"image": y, "mask": mask, **LIMIT, "noise": "gaussian:5"}),
        "upscale": (untaught.upscale, {"image": y, "factor": 2, **LIMIT, "noise": "gaussian:5"}),
        "deblur": (untaught.deblur, {"image": y, "psf": "gaussian:1", **LIMIT, "noise": "gaussian:5"}),
        "demosaic": (untaught.demosaic, {"image": y, **LIMIT, "noise": "gaussian:5"}),
        "restore": (untaught.restore, {"y": y, **LIMIT, "noise": "gaussian:5"}),
        "dejpeg": (untaught.dejpeg, {"image": y, **LIMIT}),
        "inspect": (untaught.inspect, {"image": y}),
        "compare": (untaught.compare, {"image": y, "methods": ["nlm"], **LIMIT}),
        "apply": (untaught.apply, {"model": "none.safetensors", "image": y}),
        "compress": (code, {"image": y, "time_limit": 0.05}),
        "train": (untaught.train, {"folder": ".", "output": "model.safetensors", **LIMIT}),
        "read": (untaught.read, {"path": "in.npy"}),
        "write": (untaught.write, {"path": "out.npy", "image": Image.of(y, "YX")}),
        "Image.of": (Image.of, {"array": y, "axes": "YX"}),
    }


PICTURES = ("image", "y", "array", "mask", "psf", "guide", "reference")


def bad_array(rng: Random, pool: Path) -> Call:
    """Return a call of Python with something odd for its picture, and perhaps for another argument."""
    table = verbs()
    names = list(table)
    weights = np.array([6, 3, 3, 3, 3, 3, 1, 4, 2, 1, 1, 1, 1, 1, 4], float)
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    verb, given = table[name]
    np.save("in.npy", np.arange(256, dtype=np.uint8).reshape(16, 16))
    known = [each for each in inspect.signature(verb).parameters if each not in ("options", "on_progress")]
    own = [each for each in known if each in PICTURES]
    chosen = (
        own[int(rng.integers(len(own)))] if own and rng.random() < 0.8 else known[int(rng.integers(len(known)))]
    )
    value, said = odd_array(rng) if rng.random() < 0.7 else odd_thing(rng)
    odd = {chosen: value}
    text = f"{name}({chosen}={said}"
    if rng.random() < 0.25:
        more, about = odd_option(rng)
        odd |= more
        text += f", {about}"
    if name == "write" and rng.random() < 0.7:
        return _written(rng, value, text)

    def call() -> Any:
        try:
            return verb(**given | odd)
        except TypeError as error:
            if any(f"unexpected keyword argument {word!r}" in str(error) for word in odd):
                return None  # Python's own answer to an option that a verb has not
            raise

    return Call(
        python=call, said=text + ")", may_change=("out.npy", "model.safetensors", "model.safetensors.checkpoint")
    )


def _written(rng: Random, value: Any, text: str) -> Call:
    """Return a call that writes an odd array in some format."""
    import untaught

    suffixes = (
        ".png",
        ".jpg",
        ".webp",
        ".tif",
        ".npy",
        ".jp2",
        ".jxl",
        ".avif",
        ".bmp",
        ".gif",
        ".pgm",
        ".pfm",
        ".exr",
    )
    suffixes += (
        ".fits",
        ".nii",
        ".nii.gz",
        ".mrc",
        ".h5",
        ".zarr",
        ".ome.tif",
        ".dcm",
        ".dng",
        ".heic",
        ".xyz",
        "",
    )
    out = "out" + suffixes[int(rng.integers(len(suffixes)))]

    def call() -> Any:
        from untaught.image.image import image_of_array

        array = value if isinstance(value, np.ndarray) else np.zeros((16, 16))
        axes = {2: "YX", 3: "ZYX", 4: "TZYX"}.get(array.ndim)
        return untaught.write(out, image_of_array(array, axes=axes))

    return Call(python=call, said=f"{text} -> {out})", may_change=(out,))


def odd_option(rng: Random) -> tuple[dict[str, Any], str]:
    """Return an option with a value that it may or may not take."""
    names = ("axes", "noise", "seed", "device", "stop", "output_type", "stripes", "memory", "together", "strength")
    names += (
        "effort",
        "method",
        "value_range",
        "fixed_pattern",
        "flicker",
        "noise_region",
        "checkpoint",
        "output",
    )
    name = names[int(rng.integers(len(names)))]
    values: list[Any] = [
        None, "", "x", 0, -1, 1, 2.5, float("nan"), 10**30, [], (0, 1), (1, 0), (0, float("nan")), "YX", "XY",
        "YXS", "ZYX",
        "gaussian:0", "gaussian:1e9", "poisson:1,1,1", "rician:3", "impulse:1", "speckle:9", "correlated:5,99",
        "float64",
        "rows", "columns", "auto", "1KiB", "100MiB", "T", "best", "quick", "remove", (0, 0, 8, 8), (0, 0, 99,
        99), object(),
        (-1, 0, 8, 8), (2, 2, 0, 0), 0.0, True, "wavelet", "pixels", "fusion", "self2self", "out", b"x", {},
        np.nan, "\n",
    ]  # fmt: skip
    at = int(rng.integers(len(values)))
    return {name: values[at]}, f"{name}={values[at]!r:.30}"
