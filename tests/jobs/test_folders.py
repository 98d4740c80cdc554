"""Many pictures: which, where their answers go, what is done again, and who does it."""

from __future__ import annotations

import csv
import json
import os
import pickle
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import untaught
from tests.conftest import clean, noisy
from untaught.cli import main
from untaught.errors import InputError
from untaught.jobs import one_picture, run, workers
from untaught.jobs.asked import Asked, FolderResult
from untaught.jobs.inputs import Listing, Source, listed, shard_of
from untaught.jobs.one_picture import Work
from untaught.jobs.outputs import Job, planned
from untaught.jobs.record import Record, call_hash
from untaught.jobs.run import restore_pictures
from untaught.jobs.workers import THREADS, Workers, environment
from untaught.methods.classical.tv import TV
from untaught.results.picture_table import COLUMNS, Row, table_text

WORK = Work("denoise", {"method": "nlm", "noise": "gaussian:25"})
SIDE = 16


def lay(*names: str) -> None:
    """Write small noisy pictures, no two of them alike."""
    for seed, name in enumerate(names):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        picture = np.clip(noisy(clean(SIDE, SIDE), seed=seed), 0, 1)
        untaught.write(name, untaught.Image.of(np.rint(255 * picture).astype(np.uint8), "YXS"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with three pictures in `raw`, one of them deeper."""
    monkeypatch.chdir(tmp_path)
    lay("raw/a.png", "raw/b.tif", "raw/deep/c.png")
    Path("raw/notes.txt").write_text("not a picture")
    return tmp_path


def restored(*inputs: str, **more: object) -> FolderResult:
    asked = Asked(tuple(map(Path, inputs or ("raw",))), Path("clean"), WORK)
    return restore_pictures(replace(asked, **more))  # type: ignore[arg-type]


def names(listing: Listing) -> list[str]:
    return [source.place.as_posix() for source in listing.sources]


def statuses(found: FolderResult) -> dict[str, str]:
    return {row.output.name: row.status for row in found}


def test_folders_patterns_and_files_are_listed() -> None:
    lay("more/d.png", "raw/.hidden.png")
    assert names(listed([Path("raw")], recursive=False)) == ["a.png", "b.tif"]
    assert names(listed([Path("raw")], recursive=True)) == ["a.png", "b.tif", "deep/c.png"]
    assert names(listed([Path("raw/**/*.png")], recursive=False)) == ["a.png", "deep/c.png"]
    assert names(listed([Path("raw/b.tif"), Path("more"), Path("raw/b.tif")], recursive=False)) == [
        "b.tif",
        "d.png",
    ]


def test_names_with_brackets_are_no_patterns() -> None:
    lay("raw/e[1].png")
    assert names(listed([Path("raw/e[1].png")], recursive=False)) == ["e[1].png"]


def test_a_picture_without_an_ending_is_known_by_its_content() -> None:
    Path("raw/a.png").rename("raw/SLICE0001")
    found = planned(listed([Path("raw")], recursive=False), Path("clean"))
    assert [job.output.name for job in found] == ["SLICE0001.png", "b.tif"]


def test_circles_of_links_end_and_are_said() -> None:
    os.symlink("..", "raw/deep/up")
    os.symlink("../..", "raw/deep/above")
    os.symlink("deep", "raw/twice")
    found = listed([Path("raw")], recursive=True)
    assert names(found) == ["a.png", "b.tif", "deep/c.png"]
    assert sorted(note.split()[0] for note in found.notes) == ["raw/deep/above", "raw/deep/up", "raw/twice"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (["nothing"], "does not exist"),
        (["*.foo"], "matches no file"),
        (["void"], "the folder void holds no picture"),
        (["outer"], "--recursive"),
    ],
)
def test_nothing_to_do_is_refused(inputs: list[str], words: str) -> None:
    Path("void").mkdir()
    Path("outer/inner").mkdir(parents=True)
    with pytest.raises(InputError, match=words):
        listed([Path(name) for name in inputs], recursive=False)


@pytest.mark.parametrize(
    ("inputs", "output", "words"),
    [
        (["raw"], "raw", "is the input folder"),
        (["raw"], "raw/clean", "lies in the input folder"),
        (["raw"], "raw/a.png", "is a file"),
        (["raw/a.png", "raw/b.tif"], "raw", "is an input"),
        (["raw", "other"], "clean", "would both be written to"),
    ],
)
def test_places_that_cannot_be_are_refused(inputs: list[str], output: str, words: str) -> None:
    lay("other/a.png")
    with pytest.raises(InputError, match=words):
        planned(listed([Path(name) for name in inputs], recursive=False), Path(output))


def test_what_is_only_read_is_written_as_something_else() -> None:
    sources = [Source(Path(name), Path(name)) for name in ("a.czi", "b.dng", "c.nii.gz", "d.heic", "e.PNG")]
    listing = Listing(tuple(sources), ())
    assert [job.output.name for job in planned(listing, Path("o"))] == [
        *("a.ome.tif", "b.dng", "c.nii.gz", "d.tif", "e.PNG"),
    ]
    assert {job.output.suffix for job in planned(listing, Path("o"), "npy")} == {".npy"}
    with pytest.raises(InputError, match="no format is written"):
        planned(listing, Path("o"), ".czi")


@pytest.mark.parametrize("shard", ["17/16", "0/3", "3", "a/b", "-1/2", (1, 0), (1.0, 2), True])
def test_shards_that_cannot_be_are_refused(shard: object) -> None:
    with pytest.raises(InputError, match="the shard is"):
        shard_of(shard)  # type: ignore[arg-type]


@given(st.integers(0, 40), st.integers(1, 17))
def test_every_picture_is_in_one_shard(count: int, shards: int) -> None:
    listing = Listing(tuple(Source(Path(str(n)), Path(str(n))) for n in range(count)), ())
    parts = [listing.shard((index, shards)).sources for index in range(1, shards + 1)]
    assert sorted(int(str(n.path)) for part in parts for n in part) == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_tree_is_mirrored_and_told() -> None:
    found = restored(recursive=True)
    assert statuses(found) == {"a.png": "done", "b.tif": "done", "c.png": "done"}
    assert untaught.read("clean/deep/c.png").array.shape == (SIDE, SIDE, 3)
    table = list(csv.DictReader(Path("clean/results.csv").read_text().splitlines()))
    assert tuple(table[0]) == COLUMNS
    assert [row["output"] for row in table] == ["clean/a.png", "clean/b.tif", "clean/deep/c.png"]
    assert all(" to " in row["interval"] and row["method"] == "nlm" for row in table)
    page = Path("clean/gallery.html").read_text()
    assert 'href="deep/c.png"' in page
    for link in (text.split('"')[0] for text in page.split('src="')[1:]):
        assert (Path("clean") / link).is_file()


def test_what_is_done_is_not_done_again() -> None:
    restored()
    before = {path: path.stat().st_mtime_ns for path in Path("clean").glob("*.*") if path.suffix != ".csv"}
    found = restored()
    assert statuses(found) == {"a.png": "kept", "b.tif": "kept"}
    assert found.rows[0].method == "nlm"
    assert all(path.stat().st_mtime_ns == before[path] for path in before if path.name != "gallery.html")
    lay("raw/b.tif")  # another picture under that name
    assert statuses(restored()) == {"a.png": "kept", "b.tif": "done"}
    other = replace(WORK, options={**WORK.options, "seed": 1})
    assert statuses(restored(work=other)) == {"a.png": "done", "b.tif": "done"}


def test_what_others_made_is_not_written_over() -> None:
    lay("clean/b.tif")
    before = Path("clean/b.tif").read_bytes()
    found = restored()
    assert statuses(found) == {"a.png": "done", "b.tif": "failed"}
    assert "--overwrite" in found.failed[0].note
    Path("clean/a.png").write_bytes(Path("raw/a.png").read_bytes())  # changed since by somebody
    assert statuses(restored()) == {"a.png": "failed", "b.tif": "failed"}
    assert Path("clean/b.tif").read_bytes() == before
    assert statuses(restored(overwrite=True)) == {"a.png": "done", "b.tif": "done"}
    assert not restored().failed


def test_what_killed_writers_left_is_removed_in_time() -> None:
    Path("clean/deep").mkdir(parents=True)
    old, young = Path("clean/deep/.untaught-1-a.tmp"), Path("clean/.untaught-2-b.tmp")
    old.touch()
    young.touch()
    os.utime(old, (1, 1))
    restored()
    assert not old.exists()
    assert young.exists()


def test_a_table_of_others_is_not_written_over() -> None:
    Path("clean").mkdir()
    Path("clean/results.csv").write_text("mine")
    with pytest.raises(InputError, match=r"results\.csv is there already"):
        restored()
    assert [path.name for path in Path("clean").iterdir()] == ["results.csv"]


def test_one_that_fails_does_not_stop_the_others() -> None:
    Path("raw/bad.png").write_bytes(Path("raw/a.png").read_bytes()[:60])
    os.symlink("gone.png", "raw/dangling.png")
    os.symlink("self.png", "raw/self.png")
    found = restored()
    assert statuses(found) == {
        **{"a.png": "done", "b.tif": "done"},
        **{"bad.png": "failed", "dangling.png": "failed", "self.png": "failed"},
    }
    assert "cut off" in found.failed[0].note
    lay("raw/bad.png")
    assert statuses(restored())["bad.png"] == "done"


def test_a_file_that_vanishes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = one_picture.done

    def vanishing(work: Work, job: Job, on_progress: object = None) -> Row:
        Path("raw/b.tif").unlink(missing_ok=True)
        return real(work, job)

    monkeypatch.setattr("untaught.jobs.workers.done", vanishing)
    found = restored()
    assert statuses(found) == {"a.png": "done", "b.tif": "failed"}
    assert "raw/b.tif does not exist" in found.failed[0].note


def test_a_worker_that_cannot_be_started_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it."""

    def none_left(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr("untaught.jobs.workers.subprocess.Popen", none_left)
        found = restored("raw", workers=2)
    assert {row.status for row in found} == {"failed"}
    assert all("no process could be started" in row.note and "fewer workers" in row.note for row in found)


def test_a_full_disk_ends_the_run_and_the_same_call_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        raise untaught.OutputError(f"{path} could not be written: No space left") from OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr("untaught.image.files.write", full)
        found = restored()
    assert statuses(found) == {"a.png": "failed", "b.tif": "not reached"}
    assert not Path("clean/a.png").exists()
    assert statuses(restored()) == {"a.png": "done", "b.tif": "done"}


def test_what_failed_after_it_was_written_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise untaught.OutputError("the report could not be written")

    with monkeypatch.context() as patch:
        patch.setattr("untaught.results.thumbnails.write_thumbnails", full)
        assert statuses(restored()) == {"a.png": "failed", "b.tif": "failed"}
    assert Path("clean/a.png").exists()
    assert statuses(restored()) == {"a.png": "done", "b.tif": "done"}


def test_what_others_made_stays_theirs_where_writing_over_it_failed() -> None:
    lay("clean/a.png")
    Path("raw/a.png").write_bytes(b"nothing")
    assert statuses(restored(overwrite=True)) == {"a.png": "failed", "b.tif": "done"}
    lay("raw/a.png")
    assert "--overwrite" in restored().failed[0].note


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_was_broken_off_goes_on(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the second picture is written, or when it is but nobody has noted it."""
    real = one_picture.done

    def broken(work: Work, job: Job, on_progress: object = None) -> Row:
        row = real(work, job) if moment == "after" or job.place.name == "a.png" else None
        if job.place.name != "a.png":
            raise KeyboardInterrupt
        assert row is not None
        return row

    with monkeypatch.context() as patch:
        patch.setattr("untaught.jobs.workers.done", broken)
        found = restored(recursive=True)
    assert found.interrupted
    assert statuses(found) == {"a.png": "done", "b.tif": "not reached", "c.png": "not reached"}
    assert Path("clean/b.tif").exists() == (moment == "after")
    with open("clean/.untaught/done.jsonl", "ab") as stream:
        stream.write(b'{"place": "cut o')
    again = restored(recursive=True)
    assert statuses(again) == {"a.png": "kept", "b.tif": "done", "c.png": "done"}
    assert set(statuses(restored(recursive=True)).values()) == {"kept"}


def test_an_interrupted_picture_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(progress: object) -> None:
        raise KeyboardInterrupt

    slow = Work("denoise", {"method": "dip", "noise": "gaussian:25", "stop": "steps", "time_limit": 5})
    asked = Asked((Path("raw"),), Path("clean"), slow)
    found = restore_pictures(asked, on_progress=interrupted)
    assert found.interrupted
    assert not list(Path("clean").glob("*.png"))


def test_shards_share_a_folder() -> None:
    lay(*(f"raw/{n}.png" for n in range(5)))
    parts = [restored(shard=(index, 3)) for index in (1, 2, 3)]
    places = [row.output for part in parts for row in part]
    assert len(places) == len(set(places)) == 7
    assert sorted(path.name for path in Path("clean").glob("results*")) == [
        f"results-{index}-of-3.csv" for index in (1, 2, 3)
    ]
    assert set(statuses(restored()).values()) == {"kept"}


def test_an_empty_shard_is_no_fault() -> None:
    assert len(restored(shard=(9, 9))) == 0


def test_files_that_options_name_are_inputs_too() -> None:
    lay("clean/a.png")
    masked = replace(WORK, options={**WORK.options, "mask": "clean/a.png"})
    with pytest.raises(InputError, match="is an input"):
        restored("raw/a.png", work=masked)


def test_wrong_options_are_refused_before_anything_is_written() -> None:
    for option in ({"method": "nonlokal"}, {"noise": "gausian:3"}, {"seed": -1}):
        with pytest.raises(InputError):
            restored(work=Work("denoise", option))
    assert not Path("clean").exists()


def test_names_that_are_no_text_come_through() -> None:
    for name in (b"line\nbreak.png", b"caf\xe9.png", b"100%#?.png"):
        os.link("raw/a.png", os.path.join(b"raw", name))
    found = restored()
    assert not found.failed
    assert {b"caf\xe9.png", b"line\nbreak.png"} <= set(os.listdir(b"clean"))
    table = Path("clean/results.csv").read_text()
    assert "raw/caf\\xe9.png" in table
    assert "raw/line\\nbreak.png" in table
    assert len(table.splitlines()) == 6
    assert 'href="caf%E9.png"' in Path("clean/gallery.html").read_text()
    assert set(statuses(restored()).values()) == {"kept"}
    Path(os.fsdecode(b"raw/none\n.png")).write_text("a letter")
    (failed,) = restored().failed
    assert failed.note.startswith("raw/none\\n.png is a text file")


# Other processes


def test_workers_do_the_same() -> None:
    alone = restored()
    together = restored(output=Path("together"), workers=2)
    assert statuses(together) == statuses(alone) == {"a.png": "done", "b.tif": "done"}
    for row in together:
        same = untaught.read(Path("clean") / row.output.name).array
        np.testing.assert_array_equal(untaught.read(row.output).array, same)


def test_workers_lose_only_what_kills_them() -> None:
    """Asked for what they do not know, they answer at once, without loading anything to restore with."""
    lay(*(f"raw/{n}.png" for n in range(4)))
    asked = Asked((Path("raw"),), Path("together"), Work("unheard of"), workers=2)
    with run.Run(asked).crew() as crew:
        assert isinstance(crew, Workers)
        jobs = planned(listed([Path("raw")], recursive=False), Path("together"))
        crew.submit(jobs[0])
        rows = [crew.next()[1]]
        first = {process.pid for process in crew._processes.values()}
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        for process in crew._processes.values():
            process.wait()
        crew._processes[0].poll = lambda: None  # type: ignore[method-assign]  # nobody has seen it die
        for job in jobs[1:]:
            crew.submit(job)
        rows += [crew.next()[1] for _ in jobs[1:]]
    assert sorted(row.output.name for row in rows) == sorted(job.output.name for job in jobs)
    killed = ["was killed" in row.note for row in rows]
    assert killed.count(True) == 1
    answered = ["unheard of" in row.note for row in rows]
    assert [not one for one in answered] == killed


@dataclass(frozen=True)
class Elsewhere(TV):
    """A method of which other processes know nothing, as of those of a script."""


def test_what_cannot_go_to_another_process_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="leave workers at 1"):
        Workers(2, replace(WORK, told=lambda *_: {}))
    monkeypatch.setattr(Elsewhere, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Elsewhere", Elsewhere, raising=False)
    found = restored(work=replace(WORK, options={"method": Elsewhere(), "noise": "gaussian:25"}), workers=2)
    assert sorted(row.status for row in found) == ["failed", "not reached"]  # the other would fail too
    assert "leave workers at 1" in found.failed[0].note


def test_a_worker_ends_with_whoever_asked() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "untaught.jobs.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(1),
    )
    assert process.stdin is not None
    slow = Work("denoise", {"method": "dip", "noise": "gaussian:25", "stop": "steps", "time_limit": 100})
    process.stdin.write(
        pickle.dumps(pickle.dumps(slow)) + pickle.dumps(Job(Path("raw/a.png"), Path("x.png"), Path("x.png")))
    )
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    assert not Path("x.png").exists()
    assert process.stdout is not None
    process.stdout.close()


# Python


def test_python_takes_many_where_an_output_is_named() -> None:
    found = untaught.denoise("raw/", output="clean/", method="nlm", noise="gaussian:25")
    assert isinstance(found, FolderResult)
    assert found.outputs == (Path("clean/a.png"), Path("clean/b.tif"))
    assert found.table == Path("clean/results.csv")
    larger = untaught.upscale(["raw/a.png", "raw/b.tif"], 2, output="large", method="pnp", noise="gaussian:0")
    assert untaught.read(larger.outputs[0]).array.shape == (2 * SIDE, 2 * SIDE, 3)


def test_python_on_one_picture_is_as_before() -> None:
    result = untaught.denoise("raw/a.png", method="nlm", noise="gaussian:25")
    assert result.image.shape == (SIDE, SIDE, 3)
    one = untaught.denoise("raw/a.png", output="one.png", method="nlm", noise="gaussian:25")
    assert one.outputs == (Path("one.png"),)
    assert one.table is None
    np.testing.assert_array_equal(untaught.read("one.png").array, result.image)
    inside = untaught.denoise("raw/a.png", output="new/", method="nlm", noise="gaussian:25")
    assert inside.outputs == (Path("new/a.png"),)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image": "raw"}, "give output"),
        ({"image": ["raw/a.png", "raw/b.tif"]}, "give output"),
        ({"image": "raw/a.png", "workers": 2}, "give output"),
        ({"image": np.zeros((16, 16)), "output": "x.png"}, r"result\.save"),
        ({"image": "raw", "output": "clean", "workers": 0}, "number of workers is 0"),
        ({"image": "raw", "output": "clean", "shard": "3/2"}, "the shard is"),
        ({"image": "raw", "output": "clean", "checkpoint": "c"}, "one picture"),
        ({"image": "raw/a.png", "output": "raw/a.png"}, "is an input"),
    ],
)
def test_python_refuses_in_a_sentence(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        untaught.denoise(**arguments)  # type: ignore[arg-type]


# What is kept


def test_the_hash_of_a_call_knows_what_files_hold() -> None:
    first = call_hash({"mask": "raw/a.png", "seed": 0})
    assert first == call_hash({"seed": 0, "mask": "raw/a.png"})
    lay("raw/b.tif", "raw/a.png")
    assert first != call_hash({"mask": "raw/a.png", "seed": 0})
    assert call_hash({"mask": np.zeros(3)}) != call_hash({"mask": np.ones(3)})


def test_two_shards_know_of_each_other() -> None:
    job = Job(Path("raw/a.png"), Path("clean/a.png"), Path("a.png"))
    one, other = (Record(Path("clean"), "call", f"-{n}-of-2") for n in (1, 2))
    one.begin(job)
    lay("clean/a.png")
    one.finish(job, Row(job.input, job.output, "done", method="tv"))
    assert other.standing(job) == "done"
    assert other.kept(job).method == "tv"
    lines = Path("clean/.untaught/done-1-of-2.jsonl").read_text().splitlines()
    assert [json.loads(line)["place"] for line in lines] == ["a.png", "a.png"]


def test_a_table_is_one_line_a_picture() -> None:
    row = Row(Path("a"), Path("b"), "failed", note='several\nlines, with "quotes"')
    assert len(table_text([row, row]).splitlines()) == 3


def test_the_job_array_of_the_docs_does_what_one_call_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its script is taken from the page, and every job of it is run."""
    lay("raw/d.png", "raw/deep/e.png")
    text = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text()
    script = text.partition("```bash\n")[2].partition("```")[0]
    jobs = int(re.findall(r"--array=1-(\d+)", script)[0])
    line = script[script.index("untaught ") :].replace("\\\n", " ")
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "3")
    assert jobs > 3
    quick = ["--method", "nlm", "--noise", "gaussian:25", "-q"]
    for number in range(1, 4):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", str(number))
        assert main([*shlex.split(os.path.expandvars(line))[1:], *quick]) == 0
    assert main(["denoise", "raw", "-o", "alone", "--recursive", *quick]) == 0
    assert main(["denoise", "raw/", "-o", "clean/", "--recursive", "--memory", "6GiB", *quick]) == 0
    both = [
        {str(p.relative_to(where)): p.read_bytes() for p in Path(where).rglob("*") if p.suffix in (".png", ".tif")}
        for where in ("clean", "alone")
    ]
    assert len(both[0]) == 5
    assert both[0] == both[1]
    with Path("clean/results.csv").open() as stream:
        assert [row["status"] for row in csv.DictReader(stream)] == ["kept"] * 5


def test_a_worker_has_no_more_threads_than_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(workers, "cores", lambda: 8)
    assert {environment(2)[name] for name in THREADS} == {"4"}
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # what the other libraries go by, too
    assert {environment(2)[name] for name in THREADS} == {"1"}
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    assert [environment(1)[name] for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")] == ["1", "3"]
