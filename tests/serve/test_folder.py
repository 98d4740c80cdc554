"""Where files are kept, and what they may lead to."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from untaught.errors import InputError
from untaught.serve.folder import PREFIX, private_folder, receive, safe_name, token_of

pytest.importorskip("fastapi")


@given(st.text(max_size=200))
def test_names_lead_nowhere(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not set(safe) & set("/\\:\0 ")
    assert safe[0] not in ".-"
    assert len(safe) < 100


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\pictures\\a b.tif", "a_b.tif"),
        (".bashrc", "bashrc"),
        ("größe.png", "größe.png"),
        ("volume.h5:/raw", "raw"),
        ("", "picture"),
    ],
)
def test_names_are_kept_where_they_can_be(name: str, safe: str) -> None:
    assert safe_name(name) == safe


async def chunks(*parts: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if error is not None:
        raise error


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    lost = chunks(b"half", error=RuntimeError("the connection was lost"))
    with pytest.raises(RuntimeError):
        asyncio.run(receive(lost, tmp_path / "a.png", 100))
    for parts in ((b"too much", b" of it"), ()):
        with pytest.raises(InputError):
            asyncio.run(receive(chunks(*parts), tmp_path / "a.png", 10))
    assert not list(tmp_path.iterdir())
    assert asyncio.run(receive(chunks(b"all", b" of it"), tmp_path / "a.png", 9))[0] == 9
    assert (tmp_path / "a.png").read_bytes() == b"all of it"


def test_the_folder_is_private_and_follows_one_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    same, other = (tmp_path / f"{PREFIX}{gone.pid}-{name}" for name in "ab")
    lives, strange = tmp_path / f"{PREFIX}{os.getppid()}-c", tmp_path / f"{PREFIX}x"
    for folder in (same, other, lives, strange):
        folder.mkdir()
    token = token_of(same, 8000)
    found = private_folder(8000)
    assert stat.S_IMODE(found.stat().st_mode) == 0o700 or found.stat().st_uid == os.getuid()
    assert token_of(found, 8000) == token
    assert {path.name for path in tmp_path.iterdir()} == {found.name, lives.name, strange.name}
    fresh = private_folder(8001)
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o700
    assert token_of(fresh, 8001) != token


def test_a_file_cannot_lead_to_others(tmp_path: Path) -> None:
    """As an OME-TIFF can, whose description names the files of the other planes."""
    from untaught.image.files import as_image
    from untaught.serve.confined import confined

    (tmp_path / "job").mkdir()
    planes = np.random.default_rng(0).integers(0, 255, (2, 32, 32)).astype(np.uint8)
    secret = tmp_path / "secret.ome.tif"
    ours = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:b"></OME>'
    tifffile.imwrite(secret, planes[1], description=ours, metadata=None)
    described = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:a">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="32" SizeY="32" '
        'SizeZ="2" SizeC="1" SizeT="1"><TiffData IFD="0" FirstZ="0" PlaneCount="1"><UUID FileName="a.ome.tif">'
        f'urn:uuid:a</UUID></TiffData><TiffData IFD="0" FirstZ="1" PlaneCount="1"><UUID FileName="{secret}">'
        "urn:uuid:b</UUID></TiffData></Pixels></Image></OME>"
    )
    path = tmp_path / "job" / "a.ome.tif"
    tifffile.imwrite(path, planes[0], description=described, metadata=None)
    assert (as_image(path).array[1] == planes[1]).all()
    with pytest.raises(InputError, match="leads to other files"), confined(path.parent):
        as_image(path)
    with pytest.raises(InputError, match="leads to other files"), confined(path.parent):
        (path.parent / ".." / "secret.ome.tif").read_bytes()
    with confined(path.parent):
        assert path.read_bytes()
    assert secret.read_bytes()
