"""`untaught doctor`: what this machine has, what is missing, and how fast to expect things to be."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from untaught._version import __version__
from untaught.cli.app import AsJson, Job, app
from untaught.cli.signals import Interrupts

CGROUP = Path("/sys/fs/cgroup")
CHANNELS, SIDE, REPEATS = 32, 192, 5  # of the convolution that is timed
# Of the machine on which the seconds in `methods.registry` were measured, by the same convolution.
REFERENCE_GFLOPS = 75.0
ENOUGH_MEMORY = 4.0  # GiB: a 2048 x 2048 colour picture with all its similar patches


@app.command(short_help="Say what this machine has, and what is missing.")
def doctor(as_json: AsJson = False) -> Job:
    """Say what this machine has, what is missing, and how fast to expect things to be."""

    def job(interrupts: Interrupts) -> int:
        return run_doctor(as_json, interrupts)

    return job


def run_doctor(as_json: bool, interrupts: Interrupts) -> int:
    """Say what this machine has; 0 also where something is missing, for the question was answered."""
    with interrupts.held():
        from untaught.cli.console import print_json
    interrupts.check()
    found = examine()
    if as_json:
        print_json(found.as_dict())
    else:
        print(found.describe())
    return 0


@dataclass(frozen=True)
class Torch:
    """What torch can do here; speeds are those of one 3x3 convolution, forward and backward."""

    version: str
    threads: int
    cpu_capability: str
    cuda: str | None
    gflops_float32: float
    gflops_bfloat16: float | None


@dataclass(frozen=True)
class Health:
    """What was found; `missing` lists what has to be installed, empty where all is well."""

    untaught: str
    python: str
    platform: str
    cores: int
    memory_gib: float | None
    torch: Torch | None
    versions: dict[str, str | None]
    missing: tuple[str, ...]
    speed: str

    def as_dict(self) -> dict[str, Any]:
        """Return the findings for JSON."""
        return asdict(self) | {"missing": list(self.missing)}

    def describe(self) -> str:
        """Return the findings as lines for a person."""
        memory = "unknown" if self.memory_gib is None else f"{self.memory_gib:.1f} GiB"
        lines = [
            f"untaught   {self.untaught}, Python {self.python}, {self.platform}",
            f"machine    {self.cores} cores to use, memory {memory}",
            *_torch_lines(self.torch),
            "packages   " + ", ".join(f"{name} {found or 'MISSING'}" for name, found in self.versions.items()),
            "missing    " + ("; ".join(self.missing) or "nothing"),
            f"speed      {self.speed}",
        ]
        return "\n".join(lines)


def examine() -> Health:
    """Look at this machine; takes about two seconds and needs nothing to be installed."""
    versions = _versions()
    missing = [f"{name}: run 'pip install {name}'" for name, found in versions.items() if found is None]
    try:
        torch = _torch()
    except Exception as error:  # whatever is wrong with torch is what the doctor is asked to say
        torch = None
        if versions.get("torch") is not None:
            missing.append(f"a torch that works ({type(error).__name__}: {error})")
    memory = _memory()
    if memory is not None and memory < ENOUGH_MEMORY:
        missing.append(f"memory: {memory:.1f} GiB are enough for small pictures only")
    return Health(
        untaught=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cores=_cores(),
        memory_gib=memory,
        torch=torch,
        versions=versions,
        missing=tuple(missing),
        speed=_speed(torch),
    )


def _versions() -> dict[str, str | None]:
    """Return the version of every package that this one needs, None for those that are not there."""
    try:
        wanted = metadata.requires("untaught") or []
    except metadata.PackageNotFoundError:  # run from a source tree that was never installed
        wanted = ["torch", "numpy", "scipy", "scikit-image"]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in wanted if "extra ==" not in line]
    return {name: _version(name) for name in names}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _torch() -> Torch:
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    flops = 3 * 2 * 9 * CHANNELS**2 * SIDE**2  # forward, and twice that backward
    full = flops / _seconds(_convolution(torch.float32)) / 1e9
    half = flops / _seconds(_convolution(torch.bfloat16)) / 1e9 if _has_bfloat16(torch) else None
    return Torch(
        version=torch.__version__,
        threads=torch.get_num_threads(),
        cpu_capability=capability,
        cuda=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        gflops_float32=round(full, 1),
        gflops_bfloat16=None if half is None else round(half, 1),
    )


def _has_bfloat16(torch: Any) -> bool:
    """Tell whether the processor computes bfloat16 itself; emulated, it is slower than float32."""
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        asked = getattr(torch.cpu, name, None)
        if asked is not None and asked():
            return True
    return False


def _convolution(dtype: Any) -> Callable[[], None]:
    import torch

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, CHANNELS, SIDE, SIDE, generator=generator).to(dtype, memory_format=torch.channels_last)
    layer = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1).to(dtype)
    x.requires_grad_()

    def once() -> None:
        layer(x).float().square().mean().backward()

    return once


def _seconds(work: Callable[[], None]) -> float:
    """Return the least time of a few runs, after one that warms up."""
    work()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _cores() -> int:
    """Return the cores this process may use, the quota of a container taken into account."""
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _first_line(CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        have = min(have, max(1, round(int(quota) / int(period))))
    return have


def _memory() -> float | None:
    """Return the memory in GiB, the limit of a container taken into account."""
    try:
        have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    limit = _first_line(CGROUP / "memory.max")
    return round(min(have, int(limit)) / 2**30 if limit.isdigit() else have / 2**30, 1)


def _first_line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _torch_lines(torch: Torch | None) -> list[str]:
    if torch is None:
        return ["torch      not there, or not working"]
    half = "slower than float32 here, so not used"
    if torch.gflops_bfloat16 is not None:
        half = f"{torch.gflops_bfloat16:.0f} GFLOP/s"
    return [
        f"torch      {torch.version}, {torch.threads} threads, {torch.cpu_capability}",
        f"CUDA       {torch.cuda or 'none: fits run on the processor'}",
        f"measured   a convolution: float32 {torch.gflops_float32:.0f} GFLOP/s; bfloat16 {half}",
    ]


def _speed(torch: Torch | None) -> str:
    """Return what to expect of a 512 x 512 colour picture, from the convolution timed here."""
    if torch is None:
        return "nothing can be restored until torch works"
    if torch.cuda:
        return f"fits run on {torch.cuda}"
    from untaught.methods.registry import seconds_for

    slower = REFERENCE_GFLOPS / max(torch.gflops_float32, 1e-3)
    quarter = 512 * 512 / 1e6
    parts = [
        f"{name} {found * slower:.2g} s"
        for name in ("nonlocal", "r2r", "dip")
        if (found := seconds_for(name, quarter)) is not None
    ]
    return f"for a 512 x 512 colour picture expect at most, roughly, {', '.join(parts)}"
