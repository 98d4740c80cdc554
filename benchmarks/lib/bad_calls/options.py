"""Options of the command line, crossed at random: those of every command, with values that fit and do not."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lib.bad_calls.call import Call, Random
from lib.bad_calls.samples_science import noise

WORDS = (
    *(
        "",
        " ",
        "x",
        "-",
        "--",
        "0",
        "-1",
        "1",
        "2",
        "3.5",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1e-320",
        "999999999999999999999",
    ),
    *(
        "None",
        "true",
        "auto",
        "same",
        "\u00e4\u00f6",
        "\U0001f642",
        "\u202ea",
        "a\nb",
        "a\tb",
        "\udcff",
        "%s%n",
        "{}",
        "$(id)",
    ),
    *(
        "../..",
        "/",
        "/dev/null",
        "/dev/full",
        ".",
        "in.png",
        "out.png",
        "nowhere/out.png",
        "*.png",
        "[",
        "x" * 300,
        "1,2",
    ),
    *(
        "0,0,8,8",
        "4095,0",
        "0,4095",
        "YX",
        "YXS",
        "XYZCT",
        "YYX",
        "#ff00ff",
        "255,0,255",
        "1/2",
        "0/0",
        "3/2",
        "1GiB",
        "-5MB",
    ),
)
FITTING: dict[str, tuple[str, ...]] = {
    "method": ("nlm", "tv", "wavelet", "nonlocal-quick", "pixels", "pixel-tv", "fill", "pnp", "r2r", "dip",
               "fusion", "n2n"),
    "methods": ("nlm", "nlm,tv", "tv,tv", ",", "nlm,,", "nlm,none", "auto"),
    "effort": ("quick", "Quick", "fast"),
    "noise": ("gaussian:5", "gaussian:-5", "gaussian:", "gaussian:1e9", "gaussian:0", "poisson:2,3,4",
              "poisson:0,0,0",
              "poisson:nan,1,1", "rician:9", "impulse:2", "impulse:0.1", "speckle:0.2", "correlated:25,3",
              "correlated:25,1e9",
              "map:in.png", "map:none", "curve:c.csv", "curve:0,1/255,4", "shared", "map:", "gaussian:5,clipped"),
    "noise_region": ("0,0,8,8", "0,0,0,0", "-1,-1,9,9", "20,20,9,9", "1,2,3", "0,0,99999999999999,1"),
    "noise_from": ("in.png", "stack.tif", "folder", "none"),
    "output": ("out.tif", "out.png", "out.npy", "out.zarr", "out.h5:/a", "out.gif", "out.nii.gz", "folder",
               "in.png",
               "none/out.png", "out", "out.heic", "/proc/x.png", "out.h5:", ".png", "out.png/", "folder/out.dcm"),
    "seed": ("0", "7", "4294967296", "-1", "1e3", "99999999999999999999"),
    "device": ("cpu", "cuda", "cuda:9", "CPU", "meta", "mps"),
    "stop": ("risk", "steps", "steps:0", "steps:10", "steps:-1", "discrepancy", "none",
             "steps:99999999999999999999", "emv"),
    "output_type": ("same", "float32", "float64", "uint8", "float16", "object"),
    "stripes": ("rows", "columns", "auto", "both"),
    "memory": ("1GiB", "1KiB", "300MiB", "0", "1e9", "-1", "9" * 40),
    "together": ("auto", "none", "T", "Z", "TZ", "ZT", "C"),
    "strength": ("0", "1", "0.5", "2", "-1", "nan"),
    "fixed_pattern": ("auto", "remove", "keep"),
    "flicker": ("keep", "remove"),
    "report": ("r.html", "r.htm", "r.png", "in.png", "none/r.html", "folder", "r.html/x"),
    "recipe": ("r.json", "in.png", "none/r.json", "folder", "r.html"),
    "checkpoint": ("state", "in.png", "none/state", "folder"),
    "reference": ("clean.png", "in.png", "stack.tif", "mask.png", "none.png", "folder"),
    "guide": ("clean.png", "stack.tif", "folder"),
    "mask": ("mask.png", "in.png", "stack.tif", "none"),
    "missing_color": ("#ff00ff", "255,0,255", "#fff", "0", "300", "red", "1,2"),
    "mask_marks": ("kept", "missing"),
    "factor": ("2", "3", "16", "17", "1", "31", "1e9", "0.5"),
    "kernel": ("bicubic", "box", "lanczos3", "nearest", "Lanczos"),
    "psf": ("gaussian:1", "disk:2", "motion:5,30", "psf.npy", "gaussian:0", "gaussian:999", "disk:-1",
            "motion:1", "gaussian:nan",
            "motion:1e9,0", "in.png", "gaussian:1e-9"),
    "border": ("valid", "reflect", "replicate", "circular", "zero"),
    "pattern": ("RGGB", "X-TRANS", "BGGR", "RGB", "rggb"),
    "axes": ("YX", "YXS", "ZYX", "TYX", "XY", "Y", "YXX", "ZZYX", "yx", "Y X"),
    "value_range": ("0,255", "0,1", "255,0", "0,nan", "0", "1e300,1e308", "0,0"),
    "series": ("0", "1", "-1", "99"),
    "page": ("0", "1", "-1", "99"),
    "workers": ("1", "0", "-1", "x"),
    "dask": ("tcp://127.0.0.1:9", "none.yaml", "in.png", "tcp://", "nowhere"),
    "shard": ("1/1", "1/2", "3/2", "0/1", "1", "x/y", "1/0"),
    "suffix": (".tif", ".png", "tif", ".xyz", "", ".", "/x.png", ".h5:/a"),
    "settle": ("0.05", "0", "-1", "nan"),
    "port": ("-1", "70000", "x"),
    "host": ("256.1.1.1", "", "no such", "::g"),
    "most": ("0", "lots", "-1", "nan"),
    "network": ("dncnn:2,4", "unet:4,2", "dncnn:0,0", "dncnn:", "unet:999999,9", "x", "dncnn:2,4,5"),
    "epochs": ("0.1", "0", "-1", "nan", "1e-9"),
    "patch": ("8", "16", "0", "-1", "7", "99999"),
    "batch": ("1", "2", "0", "-1"),
    "neighbours": ("0", "1", "-1", "64", "65"),
    "second": ("folder", "none", "in.png"),
    "plot": ("p.png", "p.pdf", "in.png", "none/p.png", "p.xyz", "p"),
    "noise_curve": ("c.csv", "in.png", "none/c.csv", "c.png"),
}  # fmt: skip
LIMITS = ("0.2", "0.2", "0.2", "0.2", "0", "-1", "nan", "-inf", "1e-9", "x")
NEVER = {"open_page", "help", "time_limit", "idle_exit"}
FOLDERS = ("watch", "train")
WRITES = ("-o", "--output", "--report", "--recipe", "--checkpoint", "--plot", "--noise-curve")


def bad_options(rng: Random, pool: Path) -> Call:
    """Return a call of a command with options that are drawn."""
    import typer.main

    from untaught.cli.app import app

    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    names = [name for name in commands if name != "demo"]
    weights = np.array([{"denoise": 6, "watch": 1, "serve": 1, "train": 1, "explain": 1, "formats": 0.5,
    "doctor": 0.1}.get(n, 2)
                        for n in names])  # fmt: skip
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    lay_out(pool)
    argv = [name, *_options(rng, name, commands[name].params)]
    given = {word.split(":")[0].lstrip("/").split("/")[0] for option, word in pairwise(argv) if option in WRITES}
    made = {*given, "model.safetensors.checkpoint"} - {"in.png", "stack.tif", "in.jpg", "mask.png", ""}
    return Call(tuple(argv), said=name, may_change=tuple(made))


def lay_out(pool: Path) -> None:
    """Put good files into the folder."""
    import tifffile

    shutil.copy(pool / "grey.png", "in.png")
    shutil.copy(pool / "grey.png", "clean.png")
    shutil.copy(pool / "colour.jpg", "in.jpg")
    import PIL.Image

    PIL.Image.fromarray(np.where(np.indices((20, 24)).sum(0) % 5, 255, 0).astype(np.uint8)).save("mask.png")
    tifffile.imwrite("stack.tif", noise((3, 20, 24)), imagej=True)
    np.save("psf.npy", np.ones((3, 3)) / 9)
    Path("c.csv").write_text("0,4\n255,30\n")
    Path("folder").mkdir()
    for k in range(2):
        np.save(f"folder/{k}.npy", noise((20, 24), np.uint8, k))


def _options(rng: Random, name: str, params: list[Any]) -> list[str]:
    """Return arguments and options of a command: those it needs, mostly, and some others."""
    argv: list[str] = []
    limited = [p.name for p in params]
    drawn = int(rng.choice([0, 1, 2, 3, 5]))
    options = [p for p in params if p.name not in NEVER and p.param_type_name == "option"]
    chosen = [options[int(at)] for at in rng.integers(len(options), size=drawn)] if options else []
    for param in (*[p for p in params if p.required and rng.random() < 0.97], *chosen):
        if param.param_type_name == "argument":
            argv += _pictures(rng, name)
        elif getattr(param, "is_flag", False):
            argv.append(param.opts[0])
        else:
            argv += [str(param.opts[int(rng.integers(len(param.opts)))]), _value(rng, name, param.name)]
    if "time_limit" in limited:
        argv += ["--time-limit", str(rng.choice(LIMITS))]
    if name == "watch":
        argv += ["--idle-exit", "0.2", "--once", "--settle", "0.05"]
    if name == "serve":
        argv += ["--port", str(rng.choice(["-1", "70000", "x", "1e3"]))]
    return argv


def _pictures(rng: Random, name: str) -> list[str]:
    if name in FOLDERS and rng.random() < 0.85:
        return ["folder"]
    good = {"dejpeg": "in.jpg", "apply": "model.safetensors"}.get(name, "in.png")
    odd = (
        "in.png",
        "in.png",
        "in.png",
        "stack.tif",
        "folder",
        "folder/*.npy",
        "none.png",
        "in.png/x",
        "",
        "mask.png",
        "psf.npy",
    )
    found = [good if rng.random() < 0.6 else str(rng.choice(odd))]
    return [*found, str(rng.choice(odd))] if rng.random() < 0.1 else found


def _value(rng: Random, command: str, name: str) -> str:
    way, fitting = rng.random(), FITTING.get(name, ())
    if name == "output" and command in ("compare", "explain", "compress") and way < 0.7:
        return "lies"
    if name == "output" and command == "train" and way < 0.7:
        return "model.safetensors"
    if name == "output" and way < 0.6:
        return "out.png" if command not in ("watch",) else "out"
    if fitting and way < 0.85:
        return str(fitting[int(rng.integers(len(fitting)))])
    return WORDS[int(rng.integers(len(WORDS)))].replace("\0", "")
