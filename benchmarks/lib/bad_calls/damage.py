"""What happens to bytes on their way: bits turn, runs are lost, blocks change places, the end is missing."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

from lib.bad_calls.call import Random
from lib.bad_calls.samples import packed

EXTREME = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 10**9)
WIDTHS = {1: "B", 2: "H", 4: "I", 8: "Q"}


def damaged(rng: Random, data: bytes) -> tuple[bytes, str]:
    """Return bytes with one to three things wrong, and what these are."""
    done = []
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        if not data:
            break
        way = WAYS[int(rng.integers(len(WAYS)))]
        data = way(rng, data)
        done.append(way.__name__.strip("_"))
    return data, "+".join(done)


def _place(rng: Random, data: bytes) -> int:
    """Return where: half of the times in the head, where damage tells most."""
    end = min(len(data), 512) if rng.random() < 0.5 else len(data)
    return int(rng.integers(end))


def _bits(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(int(rng.choice([1, 1, 3, 20]))):
        changed[_place(rng, data)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _cut(rng: Random, data: bytes) -> bytes:
    return data[: _place(rng, data)]


def _run(rng: Random, data: bytes) -> bytes:
    at, length = _place(rng, data), int(rng.choice([1, 4, 16, 64, 512]))
    filled = bytes([int(rng.choice([0, 255, int(rng.integers(256))]))]) * length
    return data[:at] + filled[: len(data) - at] + data[at + length :]


def _lost(rng: Random, data: bytes) -> bytes:
    at, length = _place(rng, data), int(rng.choice([1, 2, 4, 16, 64, 512]))
    return data[:at] + data[at + length :]


def _more(rng: Random, data: bytes) -> bytes:
    at, length = _place(rng, data), int(rng.choice([1, 2, 4, 16, 512]))
    return data[:at] + rng.bytes(length) + data[at:]


def _swapped(rng: Random, data: bytes) -> bytes:
    a, b = sorted((_place(rng, data), _place(rng, data)))
    length = min(int(rng.choice([1, 4, 32, 256])), b - a)
    return data[:a] + data[b : b + length] + data[a + length : b] + data[a : a + length] + data[b + length :]


def _number(rng: Random, data: bytes) -> bytes:
    """Put an extreme number at a place where one may be."""
    width = int(rng.choice([1, 2, 4, 4, 8]))
    at = _place(rng, data)
    at -= at % min(width, 2)
    value = int(rng.choice(EXTREME)) % 2 ** (8 * width)
    number = struct.pack(("<", ">")[int(rng.integers(2))] + WIDTHS[width], value)
    return (data[:at] + number + data[at + width :])[: max(len(data), 1)]


def _digits(rng: Random, data: bytes) -> bytes:
    """Put other digits where digits are, as in headers that are text; or something else, where there are none."""
    places = [at for at, byte in enumerate(data[:8192]) if 48 <= byte < 58]
    if not places:
        return _number(rng, data)
    at = int(rng.choice(places))
    word = [b"-1", b"0", b"999999999", b"1e999", b"nan", b"x", b"99999999999999999999"][int(rng.integers(7))]
    return data[:at] + word + data[at + (len(word) if rng.random() < 0.5 else 1) :]


WAYS = (_bits, _bits, _cut, _run, _lost, _more, _swapped, _number, _number, _digits)


def damaged_inside(rng: Random, data: bytes, name: str) -> tuple[bytes, str]:
    """Damage what lies behind a checksum, and make the checksum anew: of PNG a chunk, of gzip what it holds."""
    if name.endswith(".gz"):
        inside, done = damaged(rng, gzip.decompress(data))
        return packed(inside), f"inside: {done}"
    if name.endswith(".png"):
        chunks = _chunks(data)
        at = int(rng.integers(len(chunks)))
        kind, content = chunks[at]
        if kind == b"IDAT" and rng.random() < 0.5:
            content, done = damaged(rng, zlib.decompress(content))
            content = zlib.compress(content)
        else:
            content, done = damaged(rng, content or b"\0")
        chunks[at] = kind, content
        return png(chunks), f"in {kind.decode()}: {done}"
    return damaged(rng, data)


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG of chunks, with the checksums that belong to them."""
    made = b"\x89PNG\r\n\x1a\n"
    for kind, content in chunks:
        made += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return made


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    at, found = 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def damage_folder(rng: Random, folder: Path) -> str:
    """Damage a file of a folder that is one picture, or take it away."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = [path for path in files if path.name.startswith((".z", "zarr")) or path.suffix == ".json"]
    path = (told or files)[int(rng.integers(len(told or files)))] if rng.random() < 0.7 else files[-1]
    if rng.random() < 0.1:
        path.unlink()
        return f"without {path.name}"
    content, done = damaged(rng, path.read_bytes())
    path.write_bytes(content)
    return f"{path.name}: {done}"
