"""Folders that are pictures: sent as such, as archives, and given back; nothing lands elsewhere."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from untaught.errors import InputError
from untaught.serve.folders import is_zip, packed, path_within, receive_folder, unpacked

MARKERS = ("zarr.json",)
FILES = {"zarr.json": b"{}", "0/c/0": b"some values", "0/c/1": b"", ".zattrs": b"x" * 70_000}


def sent(files: dict[str, bytes], size: int = 4096, cut: int = 0, more: bytes = b"") -> tuple[list[bytes], int]:
    """Return a folder as it is sent, in pieces, and the bytes of its list."""
    head = json.dumps([[name, len(data)] for name, data in files.items()]).encode()
    body = head + b"".join(files.values()) + more
    body = body[: len(body) - cut]
    return [body[at : at + size] for at in range(0, len(body), size)], len(head)


def received(place: Path, pieces: list[bytes], listed: int, most: int = 10**6) -> tuple[int, str]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return asyncio.run(receive_folder(chunks(), place, listed, most))


def held(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_a_folder_arrives_as_it_was(tmp_path: Path, size: int) -> None:
    files = FILES if size > 1 else {"zarr.json": b"{}", "0/a": b"", "0/b": b"abc"}
    total, digest = received(tmp_path / "a.zarr", *sent(files, size))
    assert held(tmp_path / "a.zarr") == files
    assert total == sum(map(len, files.values()))
    assert digest == received(tmp_path / "b.zarr", *sent(files, 13))[1]


@pytest.mark.parametrize(
    ("files", "how", "said"),
    [
        (FILES, {"cut": 1}, "not sent to its end"),
        (FILES, {"cut": 80_000}, "not sent to its end"),
        (FILES, {"more": b"x"}, "has changed"),
        ({"../a": b"x"}, {}, "not taken"),
        ({"a/../../b": b"x"}, {}, "not taken"),
        ({"/etc/a": b"x"}, {}, "not taken"),
        ({"a\\b": b"x"}, {}, "not taken"),
        ({"C:a": b"x"}, {}, "not taken"),
        ({"a": b"x", "a/b": b"y"}, {}, "could not be kept"),
        ({"large": bytes(2 * 10**6)}, {}, "--most"),
        ({}, {}, "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_and_leaves_nothing(
    tmp_path: Path, files: dict[str, bytes], how: dict[str, object], said: str
) -> None:
    pieces, listed = sent(files, **how)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=said):
        received(tmp_path / "a.zarr", pieces, listed)
    assert not list(tmp_path.iterdir())


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    for head in (b"[[1, 2]]", b'[["a", -1]]', b'[["a", true]]', b"[", b'{"a": 1}'):
        with pytest.raises(InputError, match="cannot be read"):
            received(tmp_path / "a.zarr", [head], len(head))
    with pytest.raises(InputError, match="too many"):
        received(tmp_path / "a.zarr", [b"x"], 10**9)
    assert not list(tmp_path.iterdir())


@given(st.text(min_size=1, max_size=60))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    try:
        found = path_within(name)
    except InputError:
        return
    assert not found.is_absolute()
    assert ".." not in found.parts
    assert Path("/x", found).is_relative_to("/x")


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as written:
        for name, data in files.items():
            written.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("prefix", "name", "folder"),
    [
        ("cells.zarr/", "any.zip", "cells.zarr"),
        ("export/cells.zarr/", "any.zip", "cells.zarr"),
        ("", "cells.zarr.zip", "cells.zarr"),
        ("", "cells.zip", "cells.zarr"),
        ("", "cells.zarr", "unpacked-cells.zarr"),
    ],
)
def test_the_folder_of_an_archive_is_found(tmp_path: Path, prefix: str, name: str, folder: str) -> None:
    files = {f"{prefix}{inside}": data for inside, data in FILES.items()}
    path = archive(tmp_path / name, files | {"__MACOSX/cells.zarr/zarr.json": b"?", "readme.txt": b"?"})
    assert is_zip(path)
    found = unpacked(path, MARKERS, 10**6)
    assert found == tmp_path / folder
    assert FILES.items() <= held(found).items()
    assert unpacked(path, MARKERS, 10**6) == found  # as after a server was killed


@pytest.mark.parametrize(
    ("files", "most", "said"),
    [
        ({"a.png": b"x"}, 10**6, "holds no OME-Zarr"),
        ({"a.zarr/zarr.json": b"x", "b.zarr/zarr.json": b"y"}, 10**6, "holds 2 pictures"),
        ({"a.zarr/zarr.json": b"x", "a.zarr/../../b": b"y"}, 10**6, "not taken"),
        ({"a.zarr/zarr.json": bytes(10**6)}, 10**5, "--most"),
    ],
)
def test_an_archive_that_is_none_is_said(tmp_path: Path, files: dict[str, bytes], most: int, said: str) -> None:
    path = archive(tmp_path / "a.zip", files)
    with pytest.raises(InputError, match=said):
        unpacked(path, MARKERS, most)
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_that_is_broken_is_said(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.zarr/zarr.json": b"x" * 5000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="cut off"):
        unpacked(path, MARKERS, 10**6)
    bent = bytearray(archive(path, {"a.zarr/zarr.json": b"x" * 5000}).read_bytes())
    bent[100] ^= 255
    path.write_bytes(bent)
    with pytest.raises(InputError, match="corrupt"):
        unpacked(path, MARKERS, 10**6)
    assert list(tmp_path.iterdir()) == [path]


def test_an_answer_that_is_a_folder_is_packed(tmp_path: Path) -> None:
    folder = tmp_path / "a-restored.zarr"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    found = packed(folder, tmp_path / "a-restored.zarr.zip")
    with zipfile.ZipFile(found) as read:
        assert {one: read.read(one) for one in read.namelist()} == {
            f"a-restored.zarr/{name}": data for name, data in FILES.items()
        }
