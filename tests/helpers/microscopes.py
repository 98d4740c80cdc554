"""ND2 and LIF files, which no library writes: laid out by hand, as small as they are read."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_MAGIC, _ALIGNED = 0x0ABECEDA, 4096
_FILE = b"ND2 FILE SIGNATURE CHUNK NAME01!"
_MAP, _MAP_NAME = b"ND2 CHUNK MAP SIGNATURE 0000001!", b"ND2 FILEMAP SIGNATURE NAME 0001!"
LIF_XML = """<LMSDataContainerHeader Version="2"><Element Name="file" UniqueID="u"><Children>{}</Children>
</Element></LMSDataContainerHeader>"""
LIF_IMAGE = """<Element Name="{name}" UniqueID="{name}"><Data><Image><ImageDescription><Channels>
<ChannelDescription DataType="0" ChannelTag="0" Resolution="8" NameOfMeasuredQuantity="" Min="0" Max="255"
Unit="" LUTName="Gray" IsLUTInverted="0" BytesInc="0" BitInc="0"/></Channels><Dimensions>{dimensions}</Dimensions>
</ImageDescription></Image></Data><Memory Size="{size}" MemoryBlockID="{block}"/></Element>"""
LIF_DIMENSION = """<DimensionDescription DimID="{}" NumberOfElements="{}" Origin="0" Length="{}" Unit="m"
BytesInc="{}" BitInc="0"/>"""


def variant(values: dict[str, object]) -> bytes:
    """Return what ND2 says of a picture, in the way that it says it."""
    found = b""
    for name, value in values.items():
        text = (name + "\0").encode("utf-16-le")
        head = bytes([{bool: 1, int: 3, float: 6, str: 8, dict: 11}[type(value)], len(name) + 1]) + text
        if isinstance(value, dict):
            inner = variant(value)
            head += struct.pack("<IQ", len(value), len(head) + 12 + len(inner)) + inner + bytes(8 * len(value))
        elif isinstance(value, str):
            head += (value + "\0").encode("utf-16-le")
        else:
            head += struct.pack({bool: "<B", int: "<I", float: "<d"}[type(value)], value)
        found += head
    return found


def write_nd2(path: Path, values: np.ndarray, step: float, names: tuple[str, ...], components: int = 1) -> Path:
    """Write one frame of 16 bits, (C, Y, X), its channels interleaved, that counts so many components in each."""
    count, height, width = values.shape
    attributes = {
        "uiWidth": width, "uiWidthBytes": 2 * width * count, "uiHeight": height, "uiComp": count,
        "uiBpcInMemory": 16, "uiBpcSignificant": 16, "uiSequenceCount": 1, "eCompression": 2,
    }  # fmt: skip
    plane = {"uiCompCount": components, "pFluorescentProbe": {"uiColor": 1}}
    planes = {f"a{k}": {**plane, "sDescription": name} for k, name in enumerate(names)}
    about = {"bCalibrated": True, "dCalibration": step, "sPicturePlanes": {"uiCount": count, "sPlaneNew": planes}}
    chunks = {
        b"ImageAttributesLV!": variant({"SLxImageAttributes": attributes}),
        b"ImageMetadataSeqLV|0!": variant({"SLxPictureMetadata": about}),
        b"ImageDataSeq|0!": bytes(8) + np.ascontiguousarray(np.moveaxis(values, 0, -1)).tobytes(),
    }
    data = struct.pack("<IIQ", _MAGIC, 32, 64) + _FILE + b"Ver3.0".ljust(64, b"\0")
    places = b""
    for name, content in chunks.items():
        data += bytes(-len(data) % _ALIGNED)
        places += name + struct.pack("<QQ", len(data), len(content))
        head = _ALIGNED - 16 - 8 * name.startswith(b"ImageDataSeq")
        data += struct.pack("<IIQ", _MAGIC, head, len(content)) + name.ljust(head, b"\0") + content
    data += bytes(-len(data) % _ALIGNED)
    places += _MAP + struct.pack("<Q", len(data))
    data += struct.pack("<IIQ", _MAGIC, 32, len(places)) + _MAP_NAME + places
    path.write_bytes(data)
    return path


def write_lif(path: Path, images: dict[str, np.ndarray], step: float) -> Path:
    """Write images of 8 bits, (Z, Y, X), with one step along all axes, in metres."""
    described, blocks = "", b""
    for k, (name, values) in enumerate(images.items()):
        sizes = values.shape[::-1]
        increments = np.cumprod([1, *sizes[:-1]])
        dimensions = "".join(
            LIF_DIMENSION.format(d, size, step * (size - 1), by)
            for d, (size, by) in enumerate(zip(sizes, increments, strict=True), start=1)
        )
        block = f"MemBlock_{k}"
        described += LIF_IMAGE.format(name=name, dimensions=dimensions, size=values.size, block=block)
        title = block.encode("utf-16-le")
        inner = struct.pack("<BQBI", 0x2A, values.size, 0x2A, len(block)) + title
        blocks += struct.pack("<II", 0x70, len(inner)) + inner + values.tobytes()
    text = LIF_XML.format(described)
    inner = struct.pack("<BI", 0x2A, len(text)) + text.encode("utf-16-le")
    path.write_bytes(struct.pack("<II", 0x70, len(inner)) + inner + blocks)
    return path
