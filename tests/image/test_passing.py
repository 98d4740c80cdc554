"""What is not to stay: litter of those who were killed goes, what others write stays, and names are never bare."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from untaught.errors import OutputError
from untaught.image import atomic, passing
from untaught.image.atomic import into_place, whole_file, whole_folder, write_text
from untaught.image.passing import claimed, passing_file, passing_folder, passing_name, remove_litter

pytest.importorskip("fcntl")

KILLED = """
import os, signal, sys
from pathlib import Path
from untaught.image.atomic import whole_file, whole_folder

with (whole_folder if sys.argv[1] == "folder" else whole_file)(Path("out")) as made:
    (made / "part").write_text("half") if sys.argv[1] == "folder" else made.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which folders were looked through."""
    monkeypatch.setattr(passing, "_looked_through", {})


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_writer_left_goes_with_the_next_one(kind: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, kind], cwd=tmp_path, check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".untaught-")
    write_text(tmp_path / "other.txt", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_what_somebody_writes_is_no_litter(tmp_path: Path) -> None:
    """Nor when the clock says that it is old."""
    path, stream, held = passing_file(tmp_path)
    folder, other = passing_folder(tmp_path)
    for one in (path, folder):
        os.utime(one, (0, 0))
    remove_litter(tmp_path, deep=True)
    assert {path, folder} == set(tmp_path.iterdir())
    stream.close()
    held.let_go()
    other.let_go()
    remove_litter(tmp_path, deep=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("age", "stays"), [(60, True), (2 * passing.LITTER, False)])
def test_what_another_machine_has_begun_is_litter_after_a_day(age: float, stays: bool, tmp_path: Path) -> None:
    path = tmp_path / ".untaught-1-00000000-0123abcd.tmp"
    path.touch()
    now = path.stat().st_mtime
    os.utime(path, (now - age, now - age))
    remove_litter(tmp_path)
    assert path.exists() is stays


def test_a_file_that_was_taken_for_litter_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, names = passing._held, [passing_name() for _ in range(2)]

    def first_too_late(descriptor: int) -> passing.Held:
        (tmp_path / names[0]).unlink(missing_ok=True)
        return real(descriptor)

    left = iter(names)
    monkeypatch.setattr(passing, "passing_name", lambda: next(left))
    monkeypatch.setattr(passing, "_held", first_too_late)
    path, stream, _ = passing_file(tmp_path)
    stream.close()
    assert path.name == names[1]
    assert path.exists()


def test_a_folder_with_much_in_it_is_not_looked_through_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 2.0, 3.0, 100.0, 101.0])
    monkeypatch.setattr("untaught.image.passing.time.monotonic", lambda: next(clock))
    seen = []
    monkeypatch.setattr(Path, "glob", lambda *_: seen.append(1) or iter(()))
    for _ in range(4):
        remove_litter(tmp_path)
    assert len(seen) == 2


def test_a_lock_that_is_shared_keeps_out_who_wants_all(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    one, two = claimed(path, shared=True), claimed(path, shared=True)
    assert one is not None
    assert two is not None
    assert claimed(path) is None
    one.let_go()
    two.let_go()
    whole = claimed(path)
    assert whole is not None
    assert claimed(path, shared=True) is None


def folder_with(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "what").write_text(text)
    return path


def test_a_folder_is_replaced_without_a_moment_when_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = folder_with(tmp_path / "a", "old"), folder_with(tmp_path / "b", "new")
    if not atomic._exchanged(old, new):
        pytest.skip("this file system has no exchange of names")

    def never(*_: object) -> None:
        raise AssertionError("a name was taken away")

    monkeypatch.setattr(atomic.os, "replace", never)
    into_place(new, old)
    assert (old / "what").read_text() == "old"  # which the first exchange has put there
    assert not new.exists()


def test_where_names_cannot_be_exchanged_what_was_there_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_exchanged", lambda *_: False)
    old, new = folder_with(tmp_path / "a", "old"), folder_with(tmp_path / "b", "new")
    into_place(new, old)
    assert (old / "what").read_text() == "new"
    real = os.replace

    def refused(source: Path, target: Path) -> None:
        if Path(source).name == "c":
            raise OSError(13, "Permission denied")
        real(source, target)

    monkeypatch.setattr(atomic.os, "replace", refused)
    with pytest.raises(OSError, match="Permission"):
        into_place(folder_with(tmp_path / "c", "newest"), old)
    assert (old / "what").read_text() == "new"
    assert not list(tmp_path.glob(".untaught-*"))


def test_without_locks_all_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows; what was left is then litter after a day."""
    monkeypatch.setattr(passing, "_can_lock", lambda: False)
    with whole_file(tmp_path / "a") as stream:
        stream.write(b"whole")
    with whole_folder(tmp_path / "b") as folder:
        (folder / "part").touch()
    assert claimed(tmp_path / "a") is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    with pytest.raises(OutputError), whole_file(tmp_path / "a" / "c"):
        pass
