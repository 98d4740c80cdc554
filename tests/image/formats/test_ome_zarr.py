"""OME-Zarr folders, made by zarr: every scale is written anew, and labels and what is said come back."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.command import contents
from tests.helpers.files import again, noise, refusal
from untaught.cli import main
from untaught.errors import InputError, OutputError
from untaught.image import lazy
from untaught.image.files import check_writable, read, write
from untaught.image.formats import ome_zarr_layout, zarr_here
from untaught.image.formats.ome_zarr_layout import _borders, smaller
from untaught.image.image import Image
from untaught.image.output_type import typed

zarr = pytest.importorskip("zarr", reason="needs zarr, which OME-Zarr is read with")
AXES = [
    {"name": "t", "type": "time", "unit": "second"},
    {"name": "c", "type": "channel"},
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space", "unit": "micrometer"},
]
OMERO = {"channels": [{"label": "DAPI", "color": "0000FF", "window": {"start": 0, "end": 9, "min": 0, "max": 9}}]}


def scales(group, version, values):
    """Fill a group with a picture of two scales, and say so."""
    options = {"chunks": (1, 1, 16, 16)}
    if version == "0.5":
        options |= {"shards": (1, 1, 32, 32), "dimension_names": list("tcyx")}
    else:
        options |= {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
    datasets = []
    for name, factor in (("0", 1), ("1", 2)):
        level = values[..., ::factor, ::factor]
        group.create_array(name, data=level, **options)
        scale = [2.0, 1.0, 0.5 * factor, 0.25 * factor]
        datasets.append({"path": name, "coordinateTransformations": [{"type": "scale", "scale": scale}]})
    about = [{"axes": AXES, "datasets": datasets, "name": "cells", "version": "0.4"}]
    if version == "0.5":
        group.attrs["ome"] = {"version": "0.5", "multiscales": about, "omero": OMERO}
    else:
        group.attrs.update({"multiscales": about, "omero": OMERO})


def picture(path, version="0.4", dtype=np.uint16):
    group = zarr.open_group(path, mode="w", zarr_format=3 if version == "0.5" else 2)
    scales(group, version, noise((2, 2, 40, 48), dtype))
    labels = group.create_group("labels/cells")
    labels.create_array("0", data=noise((40, 48), np.uint8))
    labels.attrs["image-label"] = {"version": version}
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_every_scale_is_written_anew_and_the_rest_comes_back(tmp_path, version):
    path = picture(tmp_path / "a.ome.zarr", version)
    before = contents(path)
    image = read(path)
    assert (image.axes, image.array.dtype, image.metadata["channels"]) == ("TCYX", np.uint16, ("DAPI",))
    assert image.metadata["spacing"] == {"T": (2.0, "s"), "Y": (0.5, "um"), "X": (0.25, "um")}
    assert write(tmp_path / "b.ome.zarr", again(image)) == tmp_path / "b.ome.zarr"
    old, new = zarr.open(path, mode="r"), zarr.open(tmp_path / "b.ome.zarr", mode="r")
    np.testing.assert_array_equal(new["0"][...], image.array)
    np.testing.assert_array_equal(new["1"][...], smaller(image.array, (2, 2, 20, 24)))
    np.testing.assert_array_equal(new["labels/cells/0"][...], old["labels/cells/0"][...])
    assert dict(new.attrs) == dict(old.attrs)
    for level in "01":
        assert new[level].metadata == old[level].metadata
    assert contents(path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ome.zarr", "b.ome.zarr"]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_another_type_and_another_size_are_true_in_all_scales(tmp_path, version):
    image = read(picture(tmp_path / "a.zarr", version))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is no part of the standard of version 3
        zarr.consolidate_metadata(tmp_path / "a.zarr")
    twice = Image.of(image.array.repeat(2, 2).repeat(2, 3), "TCYX", metadata=image.metadata, source=image.source)
    for name, one in (("b", typed(image, "float32")), ("c", twice)):
        back = read(write(tmp_path / f"{name}.zarr", one))
        np.testing.assert_array_equal(back.array, one.array)
        assert back.array.dtype == one.array.dtype
        assert back.metadata["spacing"]["X"][0] == 0.25 * 48 / one.width
        level = zarr.open(tmp_path / f"{name}.zarr", mode="r")["1"]
        assert (level.shape[-1], level.chunks, level.dtype) == (one.width // 2, (1, 1, 16, 16), one.array.dtype)


def test_an_old_picture_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    image = read(picture(tmp_path / "a.zarr"))
    out = write(tmp_path / "b.zarr", image)
    (out / "stale").touch()
    write(out, image)
    assert not (out / "stale").exists()
    before = contents(tmp_path)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zarr_here, "opened_array", fail)
    with pytest.raises(OutputError, match=r"b\.zarr could not be written: No space left"):
        write(out, image)
    assert contents(tmp_path) == before


def test_no_thread_is_begun(tmp_path, monkeypatch):
    """Python waits for ever for one that has no memory to begin with."""

    def fail(_):
        raise AssertionError("a thread")

    path = picture(tmp_path / "a.zarr")
    monkeypatch.setattr(threading.Thread, "start", fail)
    image = read(path)
    for name, one in (("b", image), ("c", typed(image, "float32")), ("d", replace(image, source=None))):
        np.testing.assert_array_equal(read(write(tmp_path / f"{name}.zarr", one)).array, image.array)


def test_notebooks_where_a_loop_is_running_already(tmp_path):
    image = read(picture(tmp_path / "a.zarr"))

    async def cell():
        return read(write(tmp_path / "b.zarr", image))

    np.testing.assert_array_equal(asyncio.run(cell()).array, image.array)


def test_places_that_are_not_written_over(tmp_path):
    image = read(picture(tmp_path / "a.zarr"))
    (tmp_path / "other.zarr").mkdir()
    check_writable(tmp_path / "other.zarr", image)  # an empty folder
    (tmp_path / "other.zarr" / "diary.txt").touch()
    (tmp_path / "file.zarr").touch()
    for name in ("other.zarr", "file.zarr"):
        with pytest.raises(OutputError, match="something else already"):
            check_writable(tmp_path / name, image)
    inside = read(tmp_path / "a.zarr" / "1", axes="TCYX")
    for one in (image, inside):
        with pytest.raises(InputError, match="is an input"):
            check_writable(tmp_path / "a.zarr", one)


def test_a_chunk_that_is_lost_is_a_sentence_and_an_empty_one_a_note(tmp_path):
    path = picture(tmp_path / "a.zarr")
    (path / "0" / "1" / "0" / "1" / "1").unlink()
    assert "1 of 36 chunks" in refusal(path)
    assert "are missing, amid a picture that is there" in refusal(path)
    values = noise((2, 2, 40, 48), np.uint16)
    values[1] = 0
    values[0, :, 20:] = 0
    group = zarr.open_group(tmp_path / "b.zarr", mode="w", zarr_format=2)
    scales(group, "0.4", values)
    assert "were taken for empty" in refusal(tmp_path / "b.zarr")


def test_several_pictures_in_one_folder(tmp_path):
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2, attributes={"bioformats2raw.layout": 3})
    for name in ("0", "1"):
        scales(root.create_group(name), "0.4", noise((2, 2, 40, 48), np.uint8, seed=int(name)))
    image = read(tmp_path / "a.zarr", series=1)
    write(tmp_path / "b.zarr", again(image))
    first, second = (read(tmp_path / "b.zarr", series=k).array for k in (0, 1))
    np.testing.assert_array_equal(second, noise((2, 2, 40, 48), np.uint8, seed=1))
    np.testing.assert_array_equal(first, noise((2, 2, 40, 48), np.uint8, seed=0))
    assert "picture '0' is restored" in refusal(tmp_path / "a.zarr")
    assert "from 0 to 1" in refusal(tmp_path / "a.zarr", series=2)


def test_a_bare_array(tmp_path):
    made = zarr.create_array(tmp_path / "a.zarr", data=noise((5, 20, 24)), dimension_names=["z", "y", "x"])
    made.attrs["who"] = "we"
    image = read(tmp_path / "a.zarr")
    assert image.axes == "ZYX"
    write(tmp_path / "b.zarr", again(image))
    new = zarr.open(tmp_path / "b.zarr", mode="r")
    assert new.attrs["who"] == "we"
    np.testing.assert_array_equal(new[...], image.array)
    zarr.create_array(tmp_path / "c.zarr", data=noise((2, 5, 20, 24)))
    assert "nothing says what its axes are" in refusal(tmp_path / "c.zarr")
    assert read(tmp_path / "c.zarr", axes="CZYX").axes == "CZYX"


def test_a_picture_from_elsewhere_gets_scales(tmp_path):
    metadata = {"spacing": {"Y": (0.5, "um"), "X": (0.25, "um"), "T": (2.0, "s")}, "channels": ("a", "b")}
    image = Image.of(noise((2, 3, 520, 600), np.uint16), "CTYX", metadata=metadata)
    back = read(write(tmp_path / "a.zarr", image))
    assert back.axes == "TCYX"
    np.testing.assert_array_equal(back.array, image.array.transpose(1, 0, 2, 3))
    assert {name: back.metadata[name] for name in metadata} == metadata
    about = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    shapes = [
        zarr.open(tmp_path / "a.zarr", mode="r")[d["path"]].shape for d in about["multiscales"][0]["datasets"]
    ]
    assert shapes == [(3, 2, 520, 600), (3, 2, 260, 300)]
    assert about["version"] == "0.5"
    with pytest.raises(InputError, match="no axis P"):
        check_writable(tmp_path / "b.zarr", Image.of(noise((2, 20, 24)), "PYX"))


@pytest.mark.parametrize("missing", ["0", "0/.zarray"])
def test_broken_folders_are_sentences(tmp_path, missing):
    path = picture(tmp_path / "a.zarr")
    target = path / missing
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    assert any(word in refusal(path) for word in ("lacks the array '0'", "amid a picture", "corrupt")), refusal(
        path
    )


@pytest.mark.parametrize(
    "said", [[5], [{}], [{"datasets": [{"path": "0"}], "axes": 7}], [{"datasets": [{"path": "labels"}]}]]
)
def test_whatever_a_folder_says_of_itself_is_a_sentence(tmp_path, said):
    zarr.open(picture(tmp_path / "a.zarr"), mode="r+").attrs["multiscales"] = said
    assert any(word in refusal(tmp_path / "a.zarr") for word in ("corrupt OME-Zarr", "lacks the array"))


def test_folders_that_are_no_picture_are_sentences(tmp_path):
    zarr.open_group(tmp_path / "p.zarr", mode="w", zarr_format=2, attributes={"plate": {}})
    zarr.open_group(tmp_path / "g.zarr", mode="w").create_array("raw", data=noise((20, 24)))
    assert "a plate or a well of many pictures" in refusal(tmp_path / "p.zarr")
    assert "give an array in it: g.zarr/raw" in refusal(tmp_path / "g.zarr")
    assert "is a folder; give one picture in it" in refusal(tmp_path)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "zarr.json").write_text("{not json")
    assert "corrupt OME-Zarr" in refusal(tmp_path / "b")


def test_the_command_reads_and_writes_folders(tmp_path, capsys):
    path, out = picture(tmp_path / "a.zarr", dtype=np.uint8), tmp_path / "b.zarr"
    assert main(["denoise", str(path), "-o", str(out), "--method", "nonlocal", "--noise", "gaussian:9"]) == 0
    assert "untaught:" not in capsys.readouterr().err
    assert read(out).array.shape == (2, 2, 40, 48)
    assert read(out).array.std() < read(path).array.std()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_large_one_is_read_into_a_file_and_written_box_by_box(tmp_path, monkeypatch, version):
    path = picture(tmp_path / "a.zarr", version)
    held = read(path)
    monkeypatch.setattr(ome_zarr_layout, "SMALL", 0)
    monkeypatch.setattr(lazy, "SMALL", 0)
    image = read(path)
    assert lazy.is_mapped(image.array)
    np.testing.assert_array_equal(image.array, held.array)
    write(tmp_path / "b.zarr", image)
    write(tmp_path / "c.zarr", held)
    assert contents(tmp_path / "b.zarr") == contents(tmp_path / "c.zarr")


SIZES = st.tuples(*[st.integers(1, 9)] * 3)


@given(SIZES, SIZES, SIZES, SIZES, st.sampled_from([np.uint8, np.float32]))
@settings(max_examples=30, deadline=None)
def test_parts_of_a_scale_are_those_of_the_whole(full, fewer, first, length, dtype):
    shape = tuple(min(pair) for pair in zip(full, fewer, strict=True))
    starts = [min(at, count) - 1 for at, count in zip(first, shape, strict=True)]
    box = tuple(slice(at, min(at + n, count)) for at, n, count in zip(starts, length, shape, strict=True))
    values = noise(full, dtype)
    part = ome_zarr_layout.part_of_smaller(lambda where: values[where], full, shape, box)
    np.testing.assert_array_equal(part, smaller(values, shape)[box])
    edges = [np.round(np.arange(n + 1) * size / n).astype(int) for size, n in zip(full, shape, strict=True)]
    corner = tuple(slice(edge[at], edge[at + 1]) for edge, at in zip(edges, starts, strict=True))
    np.testing.assert_allclose(part[0, 0, 0], values[corner].mean(), atol=0.5 if part.dtype.kind == "u" else 1e-6)


def test_where_a_chunk_borders_on_one_that_is_lost():
    """On all four sides in its plane; in a stack, where there is a plane before it and one behind it too."""
    absent = {(1, 1, 1)}

    def edges(counts: list[int]) -> list[tuple[int | None, ...]]:
        found = _borders((1, 1, 1), (1, 10, 20), counts, absent)
        return [tuple(None if isinstance(one, slice) else one for one in place) for place in found]

    plane = [(None, 9, None), (None, 20, None), (None, None, 19), (None, None, 40)]
    assert edges([2, 3, 3]) == plane  # the last of a stack: what was never taken is not lost
    assert edges([3, 3, 3]) == [(0, None, None), (2, None, None), *plane]
    assert edges([2, 2, 2]) == [plane[0], plane[2]]
    [first, *_] = _borders((1, 1, 1), (1, 10, 20), [2, 3, 3], absent)
    assert first == (slice(1, 2), 9, slice(20, 40))
