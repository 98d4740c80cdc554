"""What strangers send along: recipes, models, checkpoints, each with something odd in it."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np

from lib.bad_calls.call import Call, Random
from lib.bad_calls.damage import damaged
from lib.bad_calls.odd_json import odd

Y = (np.add.outer(np.arange(16), np.arange(16)) * 4 + np.random.default_rng(0).normal(0, 5, (16, 16))).astype(
    np.float32
)
WITH = ("denoise", "inpaint", "upscale", "deblur", "demosaic", "dip", "fusion")
_good: dict[str, Any] = {}


def recipe(verb: str) -> dict[str, Any]:
    """Return a good recipe as JSON has it, made once a process."""
    import untaught

    if verb not in _good:
        limit: dict[str, Any] = {"time_limit": 0.3, "noise": "gaussian:5"}
        calls: dict[str, Any] = {
            "denoise": lambda: untaught.denoise(Y, method="nlm", **limit),
            "inpaint": lambda: untaught.inpaint(Y, np.indices(Y.shape).sum(0) % 5 > 0, **limit),
            "upscale": lambda: untaught.upscale(Y, 2, **limit),
            "deblur": lambda: untaught.deblur(Y, np.ones((3, 3)) / 9, **limit),
            "demosaic": lambda: untaught.demosaic(Y, **limit),
            "dip": lambda: untaught.denoise(Y, method="dip", **limit),
            "fusion": lambda: untaught.denoise(Y, method="fusion", **limit),
        }
        _good[verb] = json.loads(calls[verb]().recipe.model_dump_json())
    found: dict[str, Any] = json.loads(json.dumps(_good[verb]))
    return found


def bad_recipe(rng: Random, pool: Path) -> Call:
    """Return a call that makes a picture again from a recipe that somebody changed."""
    import untaught

    verb = WITH[int(rng.integers(len(WITH)))]
    content = recipe(verb)
    for plane in content["planes"]:  # nobody waits for a fit
        plane["steps"] = min(plane["steps"], 3)
    changed, said = odd(rng, content)
    if rng.random() < 0.5:  # of what is checked least: what methods and operators are made of
        part = "planes" if content["operator"] is None or rng.random() < 0.6 else "operator"
        content[part], said = odd(rng, content[part])
        changed = content

    def call() -> Any:
        import pydantic

        try:
            made = untaught.Recipe.model_validate_json(json.dumps(changed))
        except pydantic.ValidationError:
            return None  # the answer of what reads it
        return untaught.rerun(made, Y, on_progress=_short())

    return Call(python=call, said=f"rerun({verb}: {said})")


def _short() -> Any:
    """Return what ends a fit after a moment, as a person may whose recipe asks for a thousand million steps."""
    import time

    began = time.monotonic()
    return lambda progress: time.monotonic() - began < 3


def model() -> bytes:
    """Return a good model, trained once a process for a moment."""
    if "model" not in _good:
        import untaught

        folder = Path("learned")
        folder.mkdir()
        for k in range(6):
            np.save(folder / f"{k}.npy", Y + k)
        out = Path("good.safetensors")
        settings: dict[str, Any] = {
            "network": "dncnn:3,4",
            "noise": "gaussian:5",
            "patch": 8,
            "batch": 2,
            "epochs": 1,
        }
        untaught.train(folder, out, device="cpu", bfloat16=False, time_limit=5, **settings)
        _good["model"] = out.read_bytes()
        shutil.rmtree(folder)
        for path in Path().glob("good*"):
            path.unlink()
    found: bytes = _good["model"]
    return found


def bad_model(rng: Random, pool: Path) -> Call:
    """Return a call that restores with a model that somebody changed."""
    data = model()
    np.save("in.npy", Y)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    way = rng.random()
    if way < 0.3:
        data, said = damaged(rng, data)
    elif way < 0.7:
        inner, said = odd(rng, json.loads(header["__metadata__"]["untaught"]))
        header["__metadata__"]["untaught"] = json.dumps(inner)
        data = _with_header(header, data[8 + length :])
    elif way < 0.95:
        changed, said = odd(rng, header)
        data = _with_header(changed, data[8 + length :])
    else:
        size = [2**63, 2**64 - 1, 10**9, 0][int(rng.integers(4))]
        data, said = struct.pack("<Q", size) + data[8:], f"a header of {size} bytes"
    Path("model.safetensors").write_bytes(data)
    if rng.random() < 0.7:
        argv = ("apply", "model.safetensors", "in.npy", "-o", "out.npy", "-q")
    else:
        argv = (
            "denoise",
            "in.npy",
            "-o",
            "out.npy",
            "--method",
            "model:model.safetensors",
            "-q",
            "--time-limit",
            "0.3",
        )
    return Call(argv, said=said, may_change=("out.npy",))


def _with_header(header: Any, rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


def checkpoint(kind: str) -> bytes:
    """Return a good checkpoint: of a fit, or of a training."""
    if kind not in _good:
        import untaught

        if kind == "fit":

            def stop(progress: Any) -> bool:
                return bool(progress.step < 3)

            untaught.denoise(
                Y, method="dip", noise="gaussian:5", checkpoint="state", on_progress=stop, time_limit=3
            )
            found = Path("state")
            if not found.exists():
                import torch

                torch.save({"identity": {}, "step": 3, "network": {"a": torch.zeros(3)}}, found)
            _good[kind] = found.read_bytes()
            found.unlink()
    data: bytes = _good[kind]
    return data


def bad_checkpoint(rng: Random, pool: Path) -> Call:
    """Return a call that is to go on from a checkpoint that somebody changed."""
    np.save("in.npy", Y)
    if rng.random() < 0.8:
        data, said = damaged(rng, checkpoint("fit"))
    else:
        data, said = _pickled(rng)
    if rng.random() < 0.6:
        Path("state").write_bytes(data)
        argv = (
            "denoise",
            "in.npy",
            "-o",
            "out.npy",
            "--method",
            "dip",
            "--noise",
            "gaussian:5",
            "--checkpoint",
            "state",
            "-q",
        )
        return Call((*argv, "--time-limit", "0.3"), said=said, may_change=("out.npy", "state"))
    Path("folder").mkdir()
    for k in range(4):
        np.save(f"folder/{k}.npy", Y + k)
    Path("m.safetensors.checkpoint").write_bytes(data)
    argv = (
        "train",
        "folder",
        "-o",
        "m.safetensors",
        "--resume",
        "-q",
        "--time-limit",
        "0.5",
        "--network",
        "dncnn:3,4",
    )
    made = ("m.safetensors", "m.safetensors.checkpoint")
    return Call((*argv, "--patch", "8", "--batch", "1", "--noise", "gaussian:5"), said=said, may_change=made)


def _pickled(rng: Random) -> tuple[bytes, str]:
    """Return archives and pickles that do something else."""
    import pickle
    import zipfile
    from io import BytesIO

    class Bad:
        def __reduce__(self) -> Any:
            return (open, ("harmed", "w"))

    held = BytesIO()
    kind = int(rng.integers(4))
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        content = [pickle.dumps(Bad()), pickle.dumps({"identity": {}}), bytes(2**28), b"x"][kind]
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3")
        archive.writestr("archive/byteorder", "little")
    return held.getvalue(), ["a pickle that opens a file", "a pickle of little", "zeros, packed", "no pickle"][
        kind
    ]
