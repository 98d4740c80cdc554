"""Fits and formulas on a CUDA device: seconds a picture and a stack, milliseconds a step, the share of the peak.

    python benchmarks/gpu.py --data DIR [--quick] [--kinds step,nine,stack] [--methods auto,nonlocal,...]

`step` times the steps of the deep image prior with and without recorded graphs, bfloat16 and channels_last, and
counts their operations; `nine` restores the nine pictures one by one, the level not given; `stack` restores nine
squares of 512 x 512 as one stack. One process and one JSON line a case. The device is started before it is timed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lib.harness import SET9, answer, machine, psnr, set9

METHODS = "nonlocal,dip,auto"
CROPPED = "dip,dip-paper"
STEPS, REPEATS = 40, 5
PEAK = 8192  # side of the matrices whose product is the peak


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Return what has to be run."""
    pictures = SET9[:2] if args.quick else SET9
    common = {"level": 25, "seed": 0, "pictures_of": ",".join(pictures), "data": str(args.data)}
    for kind in args.kinds.split(","):
        if kind == "step":
            yield from ({"kind": kind, "side": side, **common} for side in (256, 512))
            continue
        runs = [(name, 512 if kind == "stack" else 0) for name in args.methods.split(",")]
        if kind == "nine":
            runs += [(name, 256) for name in args.cropped.split(",")]
        for name, side in runs:
            yield {"kind": kind, "method": name, "side": side, **common}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    torch.cuda.reset_peak_memory_stats()
    found = {"step": _steps, "nine": _nine, "stack": _stack}[case["kind"]](case)
    return {
        **found,
        "gpu_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def _pictures(case: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [set9(Path(case["data"]), case["level"], name, case["side"]) for name in case["pictures_of"].split(",")]


def _method(name: str) -> Any:
    from untaught.methods.untrained.dip import DIP

    return DIP.paper() if name == "dip-paper" else name


def _start(noisy: Any) -> None:
    """Restore a corner, so that what follows does not wait for the device to be made ready."""
    import untaught

    untaught.denoise(noisy[:64, :64], method="dip", device="cuda", time_limit=2)


def _nine(case: dict[str, Any]) -> dict[str, Any]:
    import untaught

    restore = partial(untaught.denoise, method=_method(case["method"]), device="cuda", seed=case["seed"])
    if case["method"] == "dip-paper":
        restore = partial(restore, stop="steps")
    pictures = _pictures(case)
    _start(pictures[0][1])
    rows = []
    for clean, noisy in pictures:
        started = time.monotonic()
        result = restore(noisy)
        seconds = time.monotonic() - started
        rows.append((psnr(result.image, clean), seconds, result.stopped.step, result.method))
    keys = ("psnr", "seconds", "step", "method")
    return {key: [_rounded(row[k]) for row in rows] for k, key in enumerate(keys)}


def _stack(case: dict[str, Any]) -> dict[str, Any]:
    import untaught

    clean, noisy = (np.stack(part) for part in zip(*_pictures(case), strict=True))
    _start(noisy[0])
    started = time.monotonic()
    result = untaught.denoise(untaught.Image.of(noisy, "ZYXS"), method=case["method"], device="cuda")
    seconds = time.monotonic() - started
    scores = [psnr(a, b) for a, b in zip(result.image, clean, strict=True)]
    return {"seconds": round(seconds, 2), "psnr": [_rounded(score) for score in scores]}


def _steps(case: dict[str, Any]) -> dict[str, Any]:
    from untaught.methods.untrained.dip import DIP

    y = _tensor(_pictures(case)[0][1])
    plain, paper = DIP(), DIP.paper()
    ways = {
        "dip": (plain, True, True),
        "dip, no graph": (plain, False, True),
        "dip, float32": (replace(plain, bfloat16=False), True, True),
        "dip, channels first": (plain, True, False),
        "dip-paper": (paper, True, True),
        "dip-paper, no graph": (paper, False, True),
        "dip-paper, bfloat16": (replace(paper, bfloat16=True), True, True),
    }
    peak = _peak()
    found = {}
    for name, (method, graph, last) in ways.items():
        step = _stepping(method, y, graph, last)
        milliseconds = [_timed(step) for _ in range(REPEATS)]
        operations = _operations(_stepping(method, y, False, True))
        found[name] = {
            "ms": round(median(milliseconds), 3),
            "ms_of": [round(value, 3) for value in milliseconds],
            "gflop": round(operations / 1e9, 2),
            "share_of_peak": round(operations / (median(milliseconds) / 1e3) / peak, 4),
        }
    return {"steps": found, "peak_tflops": round(peak / 1e12, 1)}


def _tensor(picture: Any) -> Tensor:
    return torch.from_numpy(picture / np.float32(255)).permute(2, 0, 1)[None].contiguous().to("cuda")


def _stepping(method: Any, y: Tensor, graph: bool, last: bool) -> Callable[[], None]:
    """Return what takes one step of a fit, as the loop does."""
    from untaught.methods.averaging import Averaged
    from untaught.noise import Gaussian
    from untaught.problem import Problem

    problem = Problem(y, torch.ones_like(y[:, :1]), Gaussian(25 / 255))
    wrapped = Averaged(method)
    state = wrapped.init(problem, 0)
    if not last:
        state.network.to(memory_format=torch.contiguous_format)
        state.tensors["code"] = state.tensors["code"].contiguous()
    if not graph:
        state.passes = (state.passes[0].plain,)  # type: ignore[assignment]

    def step() -> None:
        loss = wrapped.loss(problem, state, 0)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        state.optimizer.step()

    return step


def _timed(step: Callable[[], None]) -> float:
    """Return the milliseconds of a step."""
    for _ in range(5):
        step()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    for _ in range(STEPS):
        step()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / STEPS


def _operations(step: Callable[[], None]) -> float:
    """Return the floating-point operations of a step's convolutions."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def _peak() -> float:
    """Return the operations a second of a large product of random matrices in bfloat16 on this device."""
    a, b = (torch.randn(PEAK, PEAK, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    seconds = median(_timed(lambda: torch.mm(a, b)) for _ in range(REPEATS)) / 1e3
    return 2 * PEAK**3 / seconds


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="two pictures only")
    parser.add_argument("--kinds", default="step,nine,stack")
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--cropped", default=CROPPED, help="methods for the 256 x 256 crops")
    answer(parser, (__file__, cases, run), "set9_awgn")


if __name__ == "__main__":
    main()
