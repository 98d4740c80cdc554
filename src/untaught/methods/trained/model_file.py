"""Trained networks on disk: safetensors, with a header in JSON that says what they are and what they are for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from torch import nn

from untaught.errors import InputError, first_fault
from untaught.image.atomic import whole_file
from untaught.methods.self_supervised.learner import Learner
from untaught.methods.self_supervised.learners import learner
from untaught.methods.trained.network import network_of, shape_from

KEY = "untaught"  # of the header among the file's metadata
FORMAT = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FilesHeader(_Strict):
    """The folder that was learned from: how many planes, how many judged by, and the hash of the list of files."""

    learned: int
    judged: int
    sha256: str


class FitHeader(_Strict):
    """How the weights came about: settings, the step they are from, and the risk on the pictures kept back."""

    steps: int
    epochs: float
    step: int
    batch: int
    parts: int
    side: int
    rate: float
    least: float
    decay: float
    bfloat16: bool
    seed: int
    stopped: str
    risk: float | None


class Header(_Strict):
    """What a model file says of itself.

    Attributes
    ----------
    format : int
        Version of this header.
    method, settings : str, dict
        The learner and its fields, from which the readout follows.
    network : dict
        Name and sizes of the network.
    channels : int
        Channels of a plane: 1 grey, 3 colours.
    neighbours : int
        Planes on each side that it sees beside the one it restores.
    noise : dict
        Kind and level (of 255, on the range of each picture's own values) of the noise on the pictures judged by,
        and whether it was given or measured.
    ranges : list of (low, high)
        Value ranges of the pictures, which became [0, 1].
    axes, types : list of str
        Axes and number types of the pictures.
    files, fit : FilesHeader, FitHeader
        What was learned from, and how.
    versions : dict
        Of what the weights may depend on.
    """

    format: int = FORMAT
    method: str
    settings: dict[str, Any]
    network: dict[str, Any]
    channels: int = Field(ge=1, le=1024)
    neighbours: int = Field(default=0, ge=0, le=64)
    noise: dict[str, Any]
    ranges: tuple[tuple[float, float], ...]
    axes: tuple[str, ...]
    types: tuple[str, ...]
    files: FilesHeader
    fit: FitHeader
    versions: dict[str, str]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with what is known of it; `sha256` is the hash of its file, empty before there is one."""

    header: Header
    network: nn.Module
    learner: Learner
    sha256: str = ""


def settings_of(method: Learner) -> dict[str, Any]:
    """Return a learner's fields as JSON gives them back."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(method)))  # type: ignore[call-overload]
    return found


def write_model(path: Path, model: Model) -> None:
    """Write a model, whole or not at all.

    Raises
    ------
    OutputError
        When the disk is full or refuses.
    """
    from safetensors.torch import save

    tensors = {name: value.detach().cpu().contiguous() for name, value in model.network.state_dict().items()}
    content = save(tensors, {KEY: model.header.model_dump_json()})
    with whole_file(path) as stream:
        stream.write(content)


def read_model(path: Path, device: str = "cpu") -> Model:
    """Read a model.

    Raises
    ------
    InputError
        If there is no such file, it is none of ours, or damaged.
    """
    content = _content(path)
    header, tensors = _parsed(path, content)
    try:
        known = learner(header.method)
        method: Learner = TypeAdapter(type(known)).validate_python(header.settings)
        shape = shape_from(header.network)
    except (InputError, ValidationError) as error:
        raise InputError(f"{path} cannot be used by this version of untaught: {first_fault(error)}") from None
    with torch.device("meta"):
        network = network_of(shape, header.channels, method, header.neighbours)
    expected = {name: value.shape for name, value in network.state_dict().items()}
    if expected != {name: value.shape for name, value in tensors.items()}:
        raise InputError(f"{path} is damaged: its weights do not fit the network it names")
    network.load_state_dict(tensors, assign=True)
    network = network.requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(header, network, method, hashlib.sha256(content).hexdigest())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the name") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; give a model that 'untaught train' wrote") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path!s:.100} cannot be read: {reason}") from None


def _parsed(path: Path, content: bytes) -> tuple[Header, dict[str, torch.Tensor]]:
    """Return header and weights: eight bytes of length, the header as JSON, the numbers."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    length = int.from_bytes(content[:8], "little")
    foreign = InputError(f"{path} is no model of untaught; give one that 'untaught train' wrote")
    if len(content) < 10 or content[8:9] != b"{":
        raise foreign
    if 8 + length > len(content):
        raise InputError(f"{path} is cut off; copy it anew, or train it again")
    try:
        said = json.loads(content[8 : 8 + length])["__metadata__"][KEY]
    except (ValueError, KeyError, TypeError):
        raise foreign from None
    try:
        header = Header.model_validate_json(said)
    except ValidationError as error:
        raise InputError(f"{path} cannot be used by this version of untaught: {first_fault(error)}") from None
    try:
        return header, load(content)
    except (SafetensorError, ValueError, RuntimeError):
        raise InputError(f"{path} is cut off or damaged; copy it anew, or train it again") from None
