"""Operators written down: as JSON, from which they can be made again, and as a short fingerprint."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from untaught.errors import InputError, one_of, quoted
from untaught.operators.base import Composition, Operator, Shape
from untaught.operators.blur import Blur
from untaught.operators.compressed_sensing import RandomCompression, StructuredCompression
from untaught.operators.downsample import Downsample
from untaught.operators.fourier import Fourier
from untaught.operators.jpeg import Jpeg
from untaught.operators.mask import Identity, Mask
from untaught.operators.mosaic import Mosaic
from untaught.operators.radon import Radon
from untaught.operators.screen import Screen

OURS: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Blur,
        Composition,
        Downsample,
        Fourier,
        Identity,
        Jpeg,
        Mask,
        Mosaic,
        Radon,
        RandomCompression,
        Screen,
        StructuredCompression,
    )
}
"""What can be made again from its settings; a function or another package's object cannot."""

BITS = "bits"  # type of a tensor of nothing but 0 and 1
MOST_BYTES = 2**31  # of a tensor: more is no mask and no kernel
_BROKEN = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RuntimeError, zlib.error)
"""What settings of other types, and tensors that are not what they say, lead to."""
DIGITS = 4  # of a response that have to agree; the last ones depend on the number of threads


def written(operator: Operator) -> dict[str, Any] | None:
    """Return an operator's class and settings for JSON, or None where it cannot be made again from them."""
    if OURS.get(type(operator).__name__) is not type(operator):  # one of another's may bear the same name
        return None
    settings = {f.name: getattr(operator, f.name) for f in fields(operator) if f.init}  # type: ignore[arg-type]
    found = {name: _plain(value) for name, value in settings.items()}
    parts = [found[name] for name, value in settings.items() if isinstance(value, Operator)]
    return None if None in parts else {"kind": type(operator).__name__, **found}


def operator_of(saved: Mapping[str, Any]) -> Operator:
    """Make the operator again.

    Raises
    ------
    InputError
        If it is of a kind that this version does not have, or its settings are none of that kind.
    """
    settings = dict(saved)
    kind = settings.pop("kind", None)
    if not one_of(kind, OURS):
        raise InputError(f"the recipe names an operator {quoted(kind)} that this version does not have")
    try:
        made: Operator = OURS[str(kind)](**{name: _value(value) for name, value in settings.items()})
    except InputError:
        raise
    except _BROKEN:
        raise InputError(
            f"the recipe has settings of the operator {kind} that cannot be; give it as it was written"
        ) from None
    return made


def fingerprint(operator: Operator | None, picture_shape: Shape) -> str:
    """Return what differs between two operators that differ: of their settings, or else of what they do."""
    if operator is None:
        return ""
    text = json.dumps(written(operator), sort_keys=True)
    if text == "null":
        x = torch.rand(picture_shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            response = operator.A(x).double().flatten().cpu()
        probe = torch.linspace(-1, 1, len(response), dtype=torch.float64).cos()
        text = f"{operator.name} {float(response.norm()):.{DIGITS}g} {float(response @ probe):.{DIGITS}g}"
    return hashlib.sha256(text.encode()).hexdigest()


def hashed(tensor: Tensor | None) -> str:
    """Return the hash of a tensor's values; empty for None."""
    return "" if tensor is None else hashlib.sha256(tensor.detach().cpu().numpy().tobytes()).hexdigest()


def _plain(value: Any) -> Any:
    """Return a setting for JSON."""
    if isinstance(value, Tensor):
        return _packed(value)
    if isinstance(value, Operator):
        return written(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value


def _value(saved: Any) -> Any:
    """Return the setting that `_plain` made `saved` of."""
    if isinstance(saved, Mapping):
        return _unpacked(saved) if "tensor" in saved else operator_of(saved)
    if isinstance(saved, list):
        return tuple(_value(part) for part in saved)
    return saved


def _packed(tensor: Tensor) -> dict[str, Any]:
    values = tensor.detach().cpu().numpy()
    binary = bool(((values == 0) | (values == 1)).all())
    raw = np.packbits(values.astype(bool)) if binary else values
    packed = base64.b64encode(zlib.compress(raw.tobytes(), 9)).decode()
    return {"tensor": packed, "type": BITS if binary else str(values.dtype), "shape": list(values.shape)}


def _unpacked(saved: Mapping[str, Any]) -> Tensor:
    shape = tuple(saved["shape"])
    binary = saved["type"] == BITS
    dtype = np.dtype(np.uint8 if binary else saved["type"])
    nbytes = -(-math.prod(shape) // 8) if binary else math.prod(shape) * dtype.itemsize
    if dtype.kind not in "fiub" or not 0 < nbytes <= MOST_BYTES or min(shape) < 1:
        raise ValueError("no such tensor")
    raw = zlib.decompressobj().decompress(base64.b64decode(saved["tensor"]), nbytes)
    if binary:
        bits = np.unpackbits(np.frombuffer(raw, np.uint8), count=math.prod(shape))
        return torch.from_numpy(bits.reshape(shape).astype(np.float32))
    return torch.from_numpy(np.frombuffer(raw, dtype).reshape(shape).copy())
