"""The same in the formats of instruments: FITS, HDF5, Zarr, DICOM, LIF, ND2, OpenEXR."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from lib.bad_calls.call import Random
from lib.bad_calls.samples_science import dicom, noise, zarr_folder

Way = Callable[[Random, Path], str]


def science_bombs(pool: Path) -> dict[str, Way]:
    """Return what writes them, of the formats whose libraries are there."""
    needs = {"h5py": {"tree.h5": _hdf5, "links.h5": _hdf5}, "zarr": {"chunks.zarr": _zarr, "odd.zarr": _zarr},
             "pydicom": {"deep.dcm": _dicom}, "liffile": {"said.lif": _lif},
             "nd2": {"said.nd2": _nd2}}  # fmt: skip
    found: dict[str, Way] = {"cards.fits": _fits}
    for library, ways in needs.items():
        found |= ways if find_spec(library) is not None else {}
    return found


def card(name: str, value: object) -> bytes:
    """Return a card of a FITS header."""
    text = {True: "T", False: "F"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    return f"{name:<8}= {text:>20}".ljust(80)[:80].encode()


def _fits(rng: Random, path: Path) -> str:
    sizes = (0, 1, 24, -24, 10**5, 10**9, 2**31, 10**18, 10**30, "'x'", "T", 2.5)
    axes = int(rng.choice([0, 1, 2, 3, 10, 999]))
    cards = {"SIMPLE": True, "BITPIX": int(rng.choice([8, 16, -32, 7, 0, 64])), "NAXIS": axes}
    lengths = [sizes[int(rng.integers(len(sizes)))] if rng.random() < 0.6 else 24 for _ in range(min(axes, 12))]
    cards |= {f"NAXIS{k}": length for k, length in enumerate(lengths, 1)}
    odd: dict[str, tuple[Any, ...]] = {
        "BZERO": (32768, "'x'", 1e300), "BSCALE": (0, "NaN", 1e300), "BLANK": (-1, 2.5), "EXTEND": (True,),
        "PCOUNT": (10**9, -1), "GCOUNT": (10**9, 0), "CTYPE1": ("'RA---TAN'", "''"), "CDELT1": ("NaN", 0),
        "CUNIT1": ("'deg'", 3), "BUNIT": ("'\x01'",), "DATAMAX": ("Inf",), "HIERARCH": ("x",), "GROUPS": (True,),
    }  # fmt: skip
    for name in list(odd)[:: int(rng.choice([2, 3, 5]))]:
        if rng.random() < 0.4:
            cards[name] = odd[name][int(rng.integers(len(odd[name])))]
    head = b"".join(card(name, value) for name, value in cards.items()) + b"END".ljust(80)
    path.write_bytes(head.ljust(-(-len(head) // 2880) * 2880) + noise((24, 24), ">i2").tobytes().ljust(2880 * 2))
    return ", ".join(f"{name}={value}" for name, value in cards.items())[:120]


def _hdf5(rng: Random, path: Path) -> str:
    import h5py

    ways = (
        _shapes,
        _shapes,
        _zeros,
        _circle,
        _links,
        _virtual,
        _deep,
        _many,
        _types,
        _types,
        _single,
        _attributes,
    )
    way = ways[int(rng.integers(len(ways)))]
    with h5py.File(path, "w") as file:
        return way(rng, file)


def _shapes(rng: Random, file: Any) -> str:
    shapes: list[tuple[int, ...]] = [(10**6, 10**6), (10**9, 24, 24), (2**20,) * 3, (0, 24), (1, 1)]
    shape = shapes[int(rng.integers(len(shapes)))]
    chunks = tuple(min(64, max(n, 1)) for n in shape)
    file.create_dataset("a", shape, "u1", maxshape=(None, *shape[1:]), chunks=chunks, compression="gzip")
    return f"shape {shape}, no chunk there"


def _zeros(rng: Random, file: Any) -> str:
    file.create_dataset("a", (2**17, 2**17), "u1", chunks=(1024, 1024), compression="gzip")[:1024, :8192] = 0
    return "zeros, packed"


def _circle(rng: Random, file: Any) -> str:
    import h5py

    file["a"] = h5py.SoftLink("/b")
    file["b"] = h5py.SoftLink("/a")
    file["c"] = file["/"]
    return "links in a circle"


def _links(rng: Random, file: Any) -> str:
    import h5py

    file["a"] = h5py.ExternalLink("/etc/passwd", "/")
    file["b"] = h5py.ExternalLink(file.filename, "/a")
    return "links to other files"


def _virtual(rng: Random, file: Any) -> str:
    import h5py

    layout = h5py.VirtualLayout((24, 24), "u2")
    layout[:] = h5py.VirtualSource(str(rng.choice(["none.h5", file.filename, "/etc/passwd"])), "a", (24, 24))
    file.create_virtual_dataset("a", layout)
    return "an array of other files"


def _deep(rng: Random, file: Any) -> str:
    group = file
    for _ in range(400):
        group = group.create_group("g")
    group["a"] = noise((24, 24))
    return "400 groups deep"


def _many(rng: Random, file: Any) -> str:
    for k in range(1500):
        file[f"a{k}"] = noise((8, 8))
    return "1500 arrays"


def _types(rng: Random, file: Any) -> str:
    import h5py

    types: list[Any] = [h5py.string_dtype(), h5py.vlen_dtype("u1"), h5py.ref_dtype, "c16", "S9", ">f2", "u1,u1"]
    types += [np.dtype([("r", "f4"), ("i", "f4")]), h5py.enum_dtype({"a": 1}), h5py.opaque_dtype("M8[s]")]
    which = int(rng.integers(len(types)))
    file.create_dataset("a", (24, 24), types[which])
    return f"of the type {which}"


def _single(rng: Random, file: Any) -> str:
    import h5py

    file["a"], file["b"] = 3.0, "text"
    file.create_dataset("c", data=h5py.Empty("f4"))
    file.attrs["x"] = h5py.Empty("f4")
    return "single values, and one without a shape"


def _attributes(rng: Random, file: Any) -> str:
    data = file.create_dataset("a", data=noise((24, 24)))
    odd: list[Any] = [np.nan, "x", [1, 2, 3, 4, 5], b"\xff", "{", 1e300]
    for name in ("element_size_um", "DIMENSION_LABELS", "axes", "spacing", "resolution", "axistags"):
        data.attrs[name] = odd[int(rng.integers(len(odd)))]
    file["\n"] = noise((12, 12))
    return "odd attributes and names"


def _zarr(rng: Random, path: Path) -> str:
    version = int(rng.choice([2, 3]))
    zarr_folder(path, version)
    kind = int(rng.integers(7))
    about = path / "0" / (".zarray" if version == 2 else "zarr.json")
    told = json.loads(about.read_text())
    if kind == 0:
        size = [10**6, 10**6, 10**6]
        told["shape"] = size
    elif kind == 1:  # chunks of terabytes, of which the file has some
        told["shape"] = [3, 2**20, 2**20]
        told.update({"chunks": [1, 2**20, 2**20]} if version == 2 else
                    {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 2**20,
                    2**20]}}})  # fmt: skip
    elif kind == 2:
        told.update({"compressor": {"id": "zlib", "level": 9}, "dtype": "|u1", "shape": [3, 2**14,
                    2**14]} if version == 2
                    else {"codecs": [{"name": "bytes"}, {"name": "gzip",
                    "configuration": {"level": 9}}]})  # fmt: skip
        packer = zlib.compressobj(9, wbits=15 if version == 2 else 31)
        bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(600)) + packer.flush()
        for chunk in (p for p in (path / "0").rglob("*") if p.is_file() and p != about):
            chunk.write_bytes(bomb)
    elif kind == 3:
        (path / "0" / "circle").symlink_to(path.absolute())
        (path / "1" / "self").symlink_to("self")
    elif kind == 4:
        chunk = next(p for p in sorted((path / "0").rglob("*")) if p.is_file() and p != about)
        chunk.unlink()
        chunk.symlink_to(str(rng.choice(["/etc/passwd", "/dev/zero", chunk.name, "/nowhere"])))
    elif kind == 5:
        for chunk in sorted((path / "0").rglob("*")):
            if chunk.is_file() and chunk != about:
                chunk.unlink()
                chunk.mkdir()
                break
    else:
        told["fill_value"] = ["x", None, "NaN", 10**30, [1], "0x7f"][int(rng.integers(6))]  # type: ignore[call-overload]
    about.write_text(json.dumps(told))
    return f"format {version}, way {kind}"


def _dicom(rng: Random, path: Path) -> str:
    import pydicom

    kind = int(rng.integers(5))
    dicom(path, noise((24, 24)))
    data = path.read_bytes()
    if kind == 0:  # sequences in sequences, of undefined length
        depth = int(rng.choice([50, 1500, 20000]))
        inner = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 2**32 - 1) + struct.pack(
            "<HHI", 0xFFFE, 0xE000, 2**32 - 1
        )
        at = data.find(struct.pack("<HH", 0x0028, 0x0002))
        path.write_bytes(data[:at] + inner * depth + data[at:])
        return f"{depth} sequences deep"
    if kind == 1:
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
        dataset.save_as(path, enforce_file_format=True)
        packer = zlib.compressobj(9, wbits=-15)
        bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(800)) + packer.flush()
        whole = path.read_bytes()
        meta = 132 + 12 + struct.unpack_from("<I", whole, 140)[0]
        path.write_bytes(whole[:meta] + bomb)
        return "deflated zeros"
    if kind == 2:
        path.write_bytes(
            data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2." + (b"2\0", b"9\0")[int(rng.integers(2))])
        )
        return "of another syntax"
    if kind == 3:
        path.write_bytes(data[:132] + rng.bytes(400))
        return "noise behind the head"
    at = data.find(struct.pack("<HH", 0x7FE0, 0x0010))
    path.write_bytes(data[:at] + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 2**32 - 1) + data[at + 12 :])
    return "pixels of undefined length"


def _lif(rng: Random, path: Path) -> str:
    from tests.helpers import microscopes

    n = str(rng.choice(["-1", "0", "1000000000", "99999999999999999999", "x", "1.5", ""]))
    laugh = "<!DOCTYPE o [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    good = microscopes.LIF_DIMENSION.format(1, 24, 1, 1) + microscopes.LIF_DIMENSION.format(2, 24, 1, 24)
    sizes = microscopes.LIF_DIMENSION.format(1, n, n, 1) + microscopes.LIF_DIMENSION.format(2, 24, 1, n)
    image = microscopes.LIF_IMAGE
    texts = [
        laugh + "]>" + microscopes.LIF_XML.format("&k;"),
        microscopes.LIF_XML.format(image.format(name="a", dimensions=sizes, size=576, block="B")),
        microscopes.LIF_XML.format(image.format(name="a", dimensions=good, size=n, block="B")),
        microscopes.LIF_XML.format(image.format(name="a", dimensions=good, size=576, block="C")),
        microscopes.LIF_XML.format(image.format(name="a", dimensions=good * 6, size=576, block="B")),
        microscopes.LIF_XML.format(image.format(name="a", dimensions=good, size=576, block="B").replace('"8"',
        f'"{n}"')),
        microscopes.LIF_XML.format("<Element>" * 3000),
        microscopes.LIF_XML.format("").replace('"2"', f'"{n}"'), "", "<LMSDataContainerHeader",
    ]  # fmt: skip
    text = texts[int(rng.integers(len(texts)))]
    inner = struct.pack("<BI", 0x2A, len(text)) + text.encode("utf-16-le")
    name = "B".encode("utf-16-le")
    block = struct.pack("<BQBI", 0x2A, 576, 0x2A, 1) + name
    content = bytes(range(192)) * 3
    data = struct.pack("<II", 0x70, len(inner)) + inner + struct.pack("<II", 0x70, len(block)) + block + content
    path.write_bytes(data)
    return f"{n} {text[:60]!r}"


def _nd2(rng: Random, path: Path) -> str:
    from tests.helpers import microscopes

    good, said = microscopes.variant, []
    odd: list[Any] = [0, 1, 3, 7, 33, 65535, 2**31, 2**32 - 1, -1.0, float("nan"), "x", True, {}]

    def wrong(values: dict[str, object]) -> bytes:
        changed = dict(values)
        for name in changed:
            if rng.random() < 0.12:
                changed[name] = odd[int(rng.integers(len(odd)))]
                said.append(f"{name}={changed[name]!r}")
        return good(changed)

    microscopes.variant = wrong
    try:
        microscopes.write_nd2(path, noise((2, 20, 24)), 0.25, ("DAPI", "GFP"))
    finally:
        microscopes.variant = good
    return ", ".join(said)
