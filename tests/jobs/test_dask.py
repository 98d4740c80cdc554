"""A Dask cluster of real processes on this machine: what dies in the middle loses nothing and doubles nothing."""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import untaught
from tests.conftest import clean, noisy
from untaught._version import __version__
from untaught.errors import InputError
from untaught.jobs import cluster as clusters
from untaught.jobs import dask_crew, dask_tasks
from untaught.jobs.asked import Asked, FolderResult
from untaught.jobs.by_blocks import ByBlocks
from untaught.jobs.dask_address import UNWATCHED, Address, address_of, started
from untaught.jobs.one_picture import Work
from untaught.jobs.outputs import Job
from untaught.jobs.run import restore_pictures
from untaught.methods.untrained.dip import DIP
from untaught.pipeline.stacks import blocks as blocks_of_series
from untaught.pipeline.tiles import memory_need

pytest.importorskip("distributed", reason="needs distributed, which a Dask cluster is made of")
WORK = Work("denoise", {"method": "nlm", "noise": "gaussian:25"})


class Processes:
    """A scheduler and its workers, each a process that can be killed."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.all: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start_scheduler()
        self.workers = [self.start_worker() for _ in range(2)]

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        return self._started("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-show")

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._started("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--death-timeout", "30")

    def _started(self, which: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{which}", *options, "--no-dashboard"]
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.all.append(process)
        return process

    def close(self) -> None:
        for process in self.all:
            process.kill()
        for process in self.all:
            process.wait()


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    found = Processes()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay(count: int, side: int = 16) -> None:
    """Write small noisy pictures, no two of them alike."""
    Path("raw").mkdir()
    for seed in range(count):
        picture = np.clip(noisy(clean(side, side), seed=seed), 0, 1)
        untaught.write(f"raw/{seed:02d}.png", untaught.Image.of(np.rint(255 * picture).astype(np.uint8), "YXS"))
    os.replace("raw/00.png", b"raw/00\n\xe9.png")  # names need not be text


def restored(output: str, dask: str | None = None, **more: object) -> FolderResult:
    asked = Asked((Path("raw"),), Path(output), WORK, dask=dask)
    return restore_pictures(replace(asked, **more))  # type: ignore[arg-type]


def told(folder: str) -> list[dict[str, str]]:
    """Return the table of a folder without what differs from run to run."""
    with Path(folder, "results.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return [{name: value for name, value in row.items() if name not in ("output", "seconds")} for row in rows]


def contents(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*.png"))}


def in_time(seconds: float, met: object) -> None:
    """Wait until something is met."""
    until = time.monotonic() + seconds
    while not met():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_worker_and_the_scheduler_end_in_the_middle_and_nothing_is_lost_or_doubled(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(12)
    restored("alone")
    seen: list[str] = []

    def heard(row: object, number: int, total: int) -> None:
        seen.append(row.input.name)  # type: ignore[attr-defined]
        if number == 2:
            processes.workers[0].kill()
        if number == 5:  # and with it, the other worker
            processes.scheduler.kill()
            processes.scheduler.wait()
            processes.scheduler = processes.start_scheduler()
            processes.workers = [processes.start_worker()]

    asked = Asked((Path("raw"),), Path("spread"), WORK, dask=processes.address)
    found = restore_pictures(asked, heard)
    assert [row.status for row in found] == ["done"] * 12
    assert sorted(seen) == ["00\n\udce9.png", *(f"{k:02d}.png" for k in range(1, 12))]
    assert contents("spread") == contents("alone")
    assert told("spread") == told("alone")
    assert sorted(path.name for path in Path("spread/.untaught").iterdir()) == ["done.jsonl", "thumbnails"]
    assert [row.status for row in restored("spread")] == ["kept"] * 12  # the same record, whoever reads it


def volume(path: str, shape: tuple[int, ...] = (9, 16, 24)) -> Path:
    """Write a noisy OME-Zarr of two scales, of which planes next to each other show the same."""
    zarr = pytest.importorskip("zarr", reason="needs zarr, which OME-Zarr is read with")
    depth, rows, columns = np.indices(shape)
    values = 120 + 60 * np.sin(rows / 5 + depth / 9) + 40 * np.cos(columns / 4)
    values += 15 * np.random.default_rng(0).standard_normal(shape)
    group = zarr.open_group(path, mode="w", zarr_format=2)
    options = {"chunks": (5, 16, 16), "dtype": np.uint8}
    group.create_array("0", shape=shape, **options)[...] = np.clip(values, 0, 255).astype(np.uint8)
    group.create_array("1", shape=(shape[0] // 2, *(size // 2 for size in shape[1:])), **options)
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}]
    return Path(path)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class Alone:
    """Stands for a cluster: does what it is given at once, from bytes, as a worker would; last come first."""

    room = 3
    memory = 2**30

    def __init__(self) -> None:
        self.given: list[tuple[object, object, bytes]] = []

    def submit(self, ticket: object, function: object, *args: object) -> None:
        self.given.append((ticket, function, clusters.packed(args)))

    def next(self) -> tuple[object, object]:
        ticket, function, payload = self.given.pop()
        return ticket, function(payload)  # type: ignore[operator]

    def forget(self, tickets: set[object]) -> None:
        self.given = [one for one in self.given if one[0] not in tickets]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"strength": 0.7, "value_range": (0, 400)}, "volume.zarr"),  # a series, in blocks
        ({"method": "nlm", "noise": "gaussian:15"}, "volume.zarr"),  # planes
        ({"method": "wavelet", "noise": "gaussian:15", "memory": "480MiB"}, "large.zarr"),  # tiles of planes
        ({"method": "wavelet", "noise": "gaussian:15", "memory": "480MiB"}, "plane.tif"),  # tiles
        ({"noise": "gaussian:15", "output_type": "float32"}, "volume.tif"),
        ({"method": DIP(steps=2), "noise": "gaussian:15"}, "series.tif"),  # each begins where the last one ended
    ],
)
def test_parts_that_others_restore_are_those_of_one_process_to_the_bit(
    options: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks_of_series, "LARGEST", 5)
    monkeypatch.setattr(memory_need, "LEAST", 96)
    shape = {"volume": (9, 16, 24), "series": (3, 16, 24)}.get(name.partition(".")[0], (2, 100, 96))
    path = volume("volume.zarr", shape)
    picture = untaught.read(path)
    if name.endswith(".tif"):
        array = picture.array[0] if name == "plane.tif" else picture.array
        path = untaught.write(name, untaught.Image.of(array, "ZYX"[3 - array.ndim :]))
        picture = untaught.read(path)
    result = untaught.denoise(picture, **{"memory": 2**30, **options})  # type: ignore[arg-type]
    with ByBlocks(Alone(), Path("two")) as by:  # type: ignore[arg-type]
        spread = by.denoise(picture, **{"memory": 2**30, **options})
        untaught.write(f"one{path.suffix}", result.picture)
        by.write(Path(f"two{path.suffix}"), spread.picture)
    np.testing.assert_array_equal(spread.image, result.image)
    assert any("was restored in" in note for note in result.notes) == (shape[0] == 2)
    assert (spread.psnr, spread.psnr_input, spread.notes) == (result.psnr, result.psnr_input, result.notes)
    assert [plane.noise for plane in spread.planes] == [plane.noise for plane in result.planes]
    if path.suffix == ".zarr":
        assert tree(Path("two.zarr")) == tree(Path("one.zarr"))
    else:
        assert Path("two.tif").read_bytes() == Path("one.tif").read_bytes()
    assert not list(Path().glob(".untaught*"))


def test_a_volume_goes_to_real_workers_although_one_ends(processes: Processes) -> None:
    path = volume("volume.zarr")
    options = {"memory": 2**30, "noise": "gaussian:15"}
    untaught.denoise(path, output="one.zarr", **options)
    processes.workers.append(processes.start_worker())
    threading.Timer(1.0, processes.workers[0].kill).start()
    found = untaught.denoise(path, output="two.zarr", dask=processes.address, **options)
    assert [row.status for row in found] == ["done"], found.rows
    assert tree(Path("two.zarr")) == tree(Path("one.zarr"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cluster: NoCluster", "names the cluster 'NoCluster'; choose SLURMCluster"),
        ("cluster: SLURMCluster\nscale: -1", "gives the scale -1"),
        ("cluster: SLURMCluster\nscale: {most: 3}", "give a number of workers, or minimum and maximum"),
        ("workers: 3", "says 'workers', which is not known"),
        ("- 1", "says neither address nor cluster"),
        ("a: [", "is no YAML"),
    ],
)
def test_files_that_name_no_cluster_are_sentences(text: str, words: str) -> None:
    Path("c.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        address_of("c.yaml")


def test_what_a_file_says_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("c.yaml").write_text("cluster: dask_jobqueue.SLURMCluster\noptions: {cores: 4}\nscale: {maximum: 64}")
    found = address_of("c.yaml")
    assert found == Address("", "SLURMCluster", {"cores": 4}, {"maximum": 64})
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(InputError, match="SLURMCluster needs the package 'dask-jobqueue' here; run pip install"):
        started(found, "c.yaml")
    queues = SimpleNamespace(SLURMCluster=SimpleNamespace(job_cls=SimpleNamespace(submit_command="no-sbatch -q")))
    monkeypatch.setitem(sys.modules, "dask_jobqueue", queues)
    with pytest.raises(InputError, match="SLURMCluster starts workers by 'no-sbatch', which is not here"):
        started(found, "c.yaml")
    Path("c.yaml").write_text("address: tcp://10.0.0.1:8786")
    assert address_of("c.yaml") == Address("tcp://10.0.0.1:8786")


def test_what_a_cluster_cannot_do_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    lay(2)
    with pytest.raises(InputError, match="give local, the address of a scheduler"):
        restored("out", "elsewhere")
    with pytest.raises(InputError, match=r"missing\.yaml cannot be read"):
        restored("out", "missing.yaml")
    monkeypatch.setattr(clusters, "SECONDS", 0.3)
    with pytest.raises(InputError, match=r"there is no Dask scheduler at tcp://127\.0\.0\.1:9"):
        restored("out", "tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="or one that is denoised; leave it out to upscale one"):
        untaught.upscale("raw/00.png", factor=2, output="out.png", dask="local")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r'run pip install "untaught\[dask\]"'):
        restored("out", "local")
    assert not Path("out").exists()


def test_a_cluster_that_does_not_take_its_options_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Queue:
        job_cls = SimpleNamespace(submit_command=sys.executable)

        def __init__(self, cores: int) -> None:
            raise ValueError(f"no {cores} cores")

    monkeypatch.setitem(sys.modules, "dask_jobqueue", SimpleNamespace(PBSCluster=Queue))
    for options, words in (({"cores": 99}, "no 99 cores"), ({"colour": 1}, "unexpected keyword")):
        with pytest.raises(InputError, match=rf"PBSCluster of c\.yaml could not be started: .*{words}"):
            started(Address("", "PBSCluster", options), "c.yaml")


@pytest.mark.parametrize(
    "option", [{"stripes": "auto"}, {"time_limit": 3.0}, {"checkpoint": "c"}, {"flicker": "remove"}]
)
def test_what_goes_with_one_process_alone_is_a_sentence(option: dict[str, Any]) -> None:
    lay(2)
    with (
        ByBlocks(Alone(), Path("out.png")) as by,  # type: ignore[arg-type]
        pytest.raises(InputError, match="is for one process; leave it out, or --dask"),
    ):
        by.denoise(untaught.read("raw/01.png"), **option)
    assert not list(Path().glob(".untaught*"))


def test_large_files_of_a_folder_come_last_and_are_restored_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    lay(1)
    volume("large.zarr")
    monkeypatch.setattr(dask_crew, "LARGE", 2000)
    cluster = Alone()
    crew = dask_crew.DaskCrew(cluster, replace(WORK, options={**WORK.options, "memory": 2**30}), Path("out"))  # type: ignore[arg-type]
    small = next(Path("raw").iterdir())
    Path("out").mkdir()
    for path in (Path("large.zarr"), small):
        crew.submit(Job(path, Path("out", path.name), Path(path.name)))
    assert [function for _, function, _ in cluster.given] == [dask_tasks.restored]
    rows = [crew.next()[1] for _ in range(2)]
    assert [(row.input, row.status) for row in rows] == [(small, "done"), (Path("large.zarr"), "done")]
    alone = untaught.denoise("large.zarr", memory=2**30, **WORK.options)
    np.testing.assert_array_equal(untaught.read("out/large.zarr").array, alone.image)
    shutil.rmtree(crew.folder)  # type: ignore[arg-type]
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(["large.zarr", small.name])


def asked_of(options: dict[str, Any], version: str = __version__, folder: str = ".") -> str:
    work = Work("denoise", options)
    return dask_tasks.ready(clusters.packed((version, clusters.packed((os.path.abspath(folder), work)))))


def test_a_worker_looks_at_the_options_before_the_first_picture() -> None:
    assert asked_of({"method": "nlm"}) == ""
    assert asked_of({"effort": "quik"}) == "the effort is 'quik'; choose quick, normal or best"
    assert asked_of({"effort": "quik"}, version="0").startswith(f"the workers have untaught {__version__}")
    assert "do not see the folder" in asked_of({"effort": "quik"}, folder="elsewhere")


def test_options_are_looked_at_there_unless_they_have_to_be_understood_here() -> None:
    asked = Asked((Path("raw"),), Path("out"), WORK, dask="local")
    assert asked.checked_there
    for other in (
        replace(asked, dask=None),
        replace(asked, work=Work("denoise", {"noise": "shared"})),
        replace(asked, work=Work("inspect")),
    ):
        assert not other.checked_there


def test_who_hands_pictures_out_does_not_load_what_restores_them() -> None:
    """Loading it a second time was most of what a cluster of one worker takes more than one process."""
    code = "import sys, untaught.jobs.run, untaught.jobs.dask_crew; print({'torch', 'numba'} & {*sys.modules})"
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "set()"


def test_workers_of_our_own_keep_no_stacks_of_every_second() -> None:
    """Over planes of a megapixel, each of which took some twenty seconds, a worker had grown by 2.6 MB a plane."""
    code = "import dask, distributed; print(dask.config.get('distributed.worker.profile.enabled'))"
    environment = {**os.environ, **UNWATCHED}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False"
