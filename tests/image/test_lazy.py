"""Large files: never held, whatever is asked of them; and amounts of memory."""

from __future__ import annotations

import errno
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from untaught import InputError
from untaught.errors import OutputError
from untaught.image import lazy, limits
from untaught.image.files import Reading, as_image, read, write
from untaught.image.image import Image
from untaught.image.reading import memory_of
from untaught.image.working import Scale

SHAPE = (1200, 2000)
MOST = 2_500_000  # bytes held at once, of 4.8 million


def picture(dtype: Any = np.uint16) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 60_000, SHAPE).astype(dtype)


def striped(path: Path, array: np.ndarray[Any, Any], **options: Any) -> None:
    tifffile.imwrite(path, array, **options)


KINDS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "npy": ("npy", lambda path: np.save(path, picture())),
    "npy, big-endian": ("npy", lambda path: np.save(path, picture(">u2"))),
    "strips": ("tif", lambda path: striped(path, picture(), rowsperstrip=50)),
    "strips, big-endian": ("tif", lambda path: striped(path, picture(), byteorder=">", rowsperstrip=50)),
    "packed strips": ("tif", lambda path: striped(path, picture(), compression="zlib", rowsperstrip=50)),
    "tiles": ("tif", lambda path: striped(path, picture(), tile=(256, 256))),
    "packed tiles": (
        "tif",
        lambda path: striped(path, picture(), tile=(256, 256), compression="zlib", predictor=2),
    ),
    "BigTIFF": ("tif", lambda path: striped(path, picture(), bigtiff=True, tile=(256, 256))),
}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take small files for large ones."""
    for module in ("untaught.image.lazy", "untaught.image.unnamed", "untaught.image.formats.tiff_pieces"):
        monkeypatch.setattr(f"{module}.SMALL", 2**16)
    monkeypatch.setattr(lazy, "PIECE", 2**14)
    monkeypatch.setattr("untaught.image.formats.tiff_pieces.READ_AT_ONCE", 2**17)
    monkeypatch.setattr("untaught.image.values._SAMPLED", 2**12)


def held(action: Callable[[], Any]) -> tuple[Any, int]:
    """Return what an action gives, and the most memory that NumPy and Python had for it at once, in bytes."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = action()
        return found, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("kind", KINDS)
def test_a_large_file_is_never_held(tmp_path: Path, kind: str) -> None:
    suffix, make = KINDS[kind]
    path = tmp_path / f"in.{suffix}"
    make(path)
    as_image(path)  # whatever is imported is imported now

    image, most = held(lambda: as_image(path))
    assert lazy.is_mapped(image.array)
    assert most < MOST
    assert image.value_range == (0, 65535)
    _, most = held(lambda: write(tmp_path / f"out.{suffix}", image))
    assert most < MOST or suffix == "npy"  # which NumPy writes by 16 MiB
    np.testing.assert_array_equal(image.array, picture())
    np.testing.assert_array_equal(read(tmp_path / f"out.{suffix}").array, picture())


@pytest.mark.usefixtures("small_pieces")
def test_a_stack_of_pages_is_unpacked_in_its_order(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 255, (3, 200, 300, 3)).astype(np.uint8)
    for options in ({"photometric": "rgb"}, {"photometric": "rgb", "tile": (64, 64), "compression": "zlib"}):
        tifffile.imwrite(tmp_path / "a.tif", stack, **options)
        found = read(tmp_path / "a.tif").array
        assert lazy.is_mapped(found)
        np.testing.assert_array_equal(found, stack)


@pytest.mark.usefixtures("small_pieces")
def test_planes_are_put_back_without_holding_the_picture(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", picture(np.float32))
    image = as_image(tmp_path / "a.npy", "YX")
    values = lazy.empty((*SHAPE, 1), np.float32)
    kept = lazy.empty(SHAPE, np.bool_)
    kept[:100] = True
    new, most = held(lambda: image.with_planes([values], [kept]))
    assert most < MOST
    np.testing.assert_array_equal(new.array[:100], image.array[:100])
    np.testing.assert_allclose(new.array[100:], image.value_range[0], atol=1e-3)


def test_a_window_of_a_plane_is_cut_out_of_it() -> None:
    array = np.random.default_rng(0).normal(0.5, 0.1, (40, 50, 3))
    array[7, 9] = np.nan
    image = Image.of(array, "YXS")
    whole, window = image.plane(0), (slice(5, 30), slice(8, 41))
    part = image.plane(0, window)
    np.testing.assert_array_equal(part.missing, whole.missing[window])
    np.testing.assert_array_equal(part.values[~part.missing], whole.values[window][~part.missing])


def test_the_scale_of_parts_is_that_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    array = rng.integers(100, 900, (120, 130)).astype(np.uint16) * 4
    array[:30] = 7  # padding
    plane = Image.of(array, "YX").plane(0)
    assert plane.raw is not None
    halves = [(plane.raw[a:b], plane.missing[a:b]) for a, b in ((0, 50), (50, 120))]
    own = plane.working
    scale = Scale.of((plane.raw, plane.missing), iter(halves), plane.value_range)
    low, high = own.ends(plane.value_range)
    assert (scale.low, scale.high) == pytest.approx((low, high))
    assert scale.step == pytest.approx(own.step)
    assert scale.padding is not None
    assert scale.padding.tolist() == [7]


def test_a_disk_without_room_is_said_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(lazy, "SMALL", 10)
    monkeypatch.setattr(lazy, "_reserve", full)
    with pytest.raises(OutputError, match="no room for 100000 bytes") as caught:
        lazy.empty((100, 1000), np.uint8)
    assert "TMPDIR" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_private_map_keeps_what_was_written_to_it(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", picture())
    private = np.load(tmp_path / "a.npy", mmap_mode="c")
    private[0, 0] = 1
    lazy.release(private)
    assert private[0, 0] == 1


@pytest.mark.parametrize(
    ("said", "nbytes"),
    [("2GiB", 2**31), ("1.5G", 3 * 2**29), ("800 MB", 800_000_000), ("4096", 4096), (10**9, 10**9), (None, None)],
)
def test_amounts_of_memory_are_understood(said: str | int | None, nbytes: int | None) -> None:
    assert memory_of(said) == nbytes


@pytest.mark.parametrize(("free", "bound"), [(2**34, 2**33), (2**34 - 1, 2**32), (3 * 2**30, 2**30), (1, 1)])
def test_half_of_what_is_free_is_used_as_a_power_of_two(
    monkeypatch: pytest.MonkeyPatch, free: int, bound: int
) -> None:
    monkeypatch.setattr(limits, "free_memory", lambda: free)
    assert limits.default_memory() == bound


@pytest.mark.parametrize("said", ["0", 0, -5, "-2GiB", "lots", "2 GiB of it", "", True, 1.5, "nan"])
def test_what_is_no_amount_of_memory_is_refused(said: object) -> None:
    with pytest.raises(InputError, match="the memory is"):
        memory_of(said)  # type: ignore[arg-type]


def test_a_file_that_has_to_be_held_is_refused_beyond_the_memory(tmp_path: Path) -> None:
    image = Image.of(picture(), "YX")
    write(tmp_path / "a.png", image)
    with pytest.raises(InputError, match=r"takes 4.58 MiB unpacked, more than the 4 MiB of memory"):
        as_image(tmp_path / "a.png", None, Reading(memory=2**22))
    assert as_image(tmp_path / "a.png", None, Reading(memory=2**23)).array.shape == SHAPE


@pytest.mark.parametrize("shape", [(), (7,), (90,), (3, 4, 5, 6), (2, 40, 3), (40, 2), (1, 1, 70, 3), (5, 1, 90)])
def test_pieces_cover_an_array_once_and_in_its_order(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy, "PIECE", 30)
    order = np.arange(int(np.prod(shape))).reshape(shape)
    found = [order[piece] for piece in lazy.pieces(shape)]
    assert np.concatenate([part.ravel() for part in found]).tolist() == order.ravel().tolist()
    assert all(part.size <= 30 or part.shape[0] == 1 for part in found)
    assert len(found) <= max(1, 2 * order.size / 30 + sum(shape))


def test_where_the_system_takes_no_room_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.posix_fallocate")
    for nbytes in (0, 1, 2**20, 2**20 + 5):
        with (tmp_path / "a").open("w+b") as file:
            lazy._reserve(file.fileno(), nbytes)
        assert (tmp_path / "a").stat().st_size == nbytes


def test_free_memory_is_that_of_the_system_or_of_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"meminfo": "MemTotal: 9 kB\nMemAvailable:  4096 kB\n", "memory.max": "max\n", "memory.current": "7"}

    def read_text(path: Path, *_: object) -> str:
        if path.name not in said:
            raise FileNotFoundError(path)
        return said[path.name]

    monkeypatch.setattr(Path, "read_text", read_text)
    assert lazy.free_memory() == 4096 * 1024
    said["memory.max"] = "1000"
    assert lazy.free_memory() == 993
    said["memory.current"] = "2000"
    assert lazy.free_memory() == 0
    said["meminfo"] = "MemTotal: 9 kB\n"
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PHYS_PAGES": 100, "SC_PAGE_SIZE": 4096}[name])
    assert lazy.free_memory() == 50 * 4096
    del said["meminfo"]
    monkeypatch.delattr("os.sysconf")
    assert lazy.free_memory() == 2**32
