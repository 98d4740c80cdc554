"""Which Dask cluster is meant by what was written behind `--dask`, and one of this machine's own processes."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from untaught.errors import InputError, legible, quoted
from untaught.jobs.workers import environment

LOCAL = "local"
CONFIGS = (".yaml", ".yml")
INSTALL = 'pip install "untaught[dask]"'
QUEUED = tuple(f"{kind}Cluster" for kind in ("SLURM", "PBS", "SGE", "LSF", "HTCondor", "OAR", "Moab"))
SAYS = "address, or cluster, options and scale"
SECONDS = 10.0  # to reach a scheduler
UNWATCHED = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}  # keeps stacks of every second for an hour


@dataclass(frozen=True)
class Address:
    """What was written, understood: a scheduler that runs, or how a cluster is started.

    Attributes
    ----------
    address : str
        Of a scheduler; empty where a cluster is started.
    cluster : str
        The class that starts it, one of `QUEUED` or 'LocalCluster'; empty for our own processes.
    options : mapping
        What that is called with.
    scale : int or mapping
        How many workers it has, or between which numbers it adapts: minimum, maximum.
    """

    address: str = ""
    cluster: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    scale: int | Mapping[str, int] = 1


def address_of(dask: str | None) -> Address | None:
    """Return what was meant: 'local', the address of a scheduler, or a file that says it; None for nothing.

    Raises
    ------
    InputError
        Where it is none of these, or Dask is not installed.
    """
    if dask is None:
        return None
    if not isinstance(dask, str) or not dask:
        raise InputError(f"the Dask cluster is {quoted(dask)}; give local, the address of a scheduler, or a .yaml")
    _require()
    if dask == LOCAL:
        return Address()
    if dask.lower().endswith(CONFIGS):
        return _configured(Path(dask))
    if ":" not in dask:
        raise InputError(
            f"--dask is {quoted(dask)}; give local, the address of a scheduler, such as tcp://10.0.0.1:8786, or "
            "a file CONFIG.yaml"
        )
    return Address(dask)


def _require() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise InputError(f"--dask needs the package 'distributed' here; run {INSTALL}") from error


def _configured(path: Path) -> Address:
    """Return what a file says."""
    import yaml

    try:
        told = yaml.safe_load(path.read_text())
    except OSError as error:
        raise InputError(f"{legible(path)} cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{legible(path)} is no YAML: {' '.join(str(error).split())[:120]}") from error
    told = told if isinstance(told, dict) else {}
    odd = sorted(map(str, set(told) - {"address", "cluster", "options", "scale"}))
    if odd or not {"address", "cluster"} & set(told):
        wrong = f"says {odd[0]!r}, which is not known" if odd else "says neither address nor cluster"
        raise InputError(f"{legible(path)} {wrong}; a cluster is told by {SAYS}")
    if "address" in told:
        return Address(str(told["address"]))
    found = Address("", str(told["cluster"]).rpartition(".")[2], told.get("options") or {}, told.get("scale") or 1)
    if found.cluster not in (*QUEUED, "LocalCluster"):
        raise InputError(
            f"{legible(path)} names the cluster {quoted(told['cluster'])}; choose {', '.join(QUEUED)} or "
            "LocalCluster"
        )
    _check_scale(path, found.scale)
    return found


def _check_scale(path: Path, scale: object) -> None:
    each = list(scale.values()) if isinstance(scale, dict) else [scale]
    known = not isinstance(scale, dict) or {"maximum"} <= set(scale) <= {"minimum", "maximum"}
    if not known or not all(type(one) is int and one >= 0 for one in each) or not any(each):
        raise InputError(
            f"{legible(path)} gives the scale {quoted(scale)}; give a number of workers, or minimum and maximum"
        )


def started(where: Address, path: str) -> Any:
    """Start the cluster that a file names.

    Raises
    ------
    InputError
        Where its package is missing, or it does not take the options.
    """
    make = _class_of(where)
    try:
        made = make(**where.options)
    except Exception as error:  # whatever the class has against its options, or the machine
        why = " ".join(str(error).split())[:200]
        raise InputError(f"{where.cluster} of {legible(path)} could not be started: {why}") from error
    scale = where.scale
    if isinstance(scale, int):
        made.scale(scale)
    else:
        made.adapt(**scale)
    return made


def _class_of(where: Address) -> Callable[..., Any]:
    if where.cluster == "LocalCluster":
        import distributed

        return cast(Callable[..., Any], distributed.LocalCluster)
    try:
        import dask_jobqueue
    except ImportError as error:
        raise InputError(
            f"{where.cluster} needs the package 'dask-jobqueue' here; run pip install dask-jobqueue"
        ) from error
    found: Any = getattr(dask_jobqueue, where.cluster)
    command = shlex.split(found.job_cls.submit_command)[0]
    if shutil.which(command) is None:
        raise InputError(
            f"{where.cluster} starts workers by '{command}', which is not here; call from a machine of the cluster"
        )
    return cast(Callable[..., Any], found)


class Own:
    """A scheduler in this process, and workers in others, each with its share of the cores.

    A worker is a new interpreter, so that nothing of the caller's main module is run again there; one that dies is
    replaced.
    """

    def __init__(self, count: int) -> None:
        from distributed import LocalCluster

        self.cluster = LocalCluster(
            n_workers=0,
            processes=True,  # so that it listens to other processes
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
        self.environment = {**environment(count), **UNWATCHED}
        self.processes = [self._process() for _ in range(count)]

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(self.cluster.scheduler_address)

    def mend(self) -> None:
        """Start another worker in the place of one that has ended."""
        for at, process in enumerate(self.processes):
            if process.poll() is not None:
                self.processes[at] = self._process()

    def close(self) -> None:
        """End all, whatever they are doing."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        self.cluster.close()

    def _process(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_worker", self.address]
        options = ["--no-nanny", "--no-dashboard", "--nworkers", "1", "--nthreads", "1", "--memory-limit", "0"]
        return subprocess.Popen(
            [*command, *options, "--death-timeout", str(SECONDS)],
            env=self.environment,
            cwd=os.getcwd(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the one that was asked, who ends the others
        )
