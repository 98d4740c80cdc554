"""The kinds of bad calls. A call's number says its kind: the millions, in the order of this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lib.bad_calls.arrays import bad_array
from lib.bad_calls.bombs import bomb
from lib.bad_calls.call import Call, Random
from lib.bad_calls.files import bad_file, bad_operand
from lib.bad_calls.folders import bad_folder, bad_volume
from lib.bad_calls.headers import bad_header
from lib.bad_calls.options import bad_options
from lib.bad_calls.strangers import bad_checkpoint, bad_model, bad_recipe
from lib.bad_calls.web import bad_request

EACH = 10**6

KINDS: Mapping[str, Callable[[Random, Path], Call]] = {
    "file": bad_file,
    "operand": bad_operand,
    "header": bad_header,
    "bomb": bomb,
    "array": bad_array,
    "options": bad_options,
    "recipe": bad_recipe,
    "model": bad_model,
    "checkpoint": bad_checkpoint,
    "folder": bad_folder,
    "volume": bad_volume,
    "page": bad_request,
}
SHARES: Mapping[str, int] = {
    "file": 26, "operand": 6, "header": 16, "bomb": 8, "array": 14, "options": 14, "recipe": 4, "model": 3,
    "checkpoint": 1,
    "folder": 4, "volume": 1, "page": 3,
}  # fmt: skip
"""Of a hundred calls, how many are of a kind."""
QUICK = ("file", "operand", "header", "array", "options", "folder")
"""Kinds of which nothing has to be trained or started first."""


def kind_of(number: int) -> str:
    """Return the kind of a call."""
    return list(KINDS)[number // EACH]


def number_of(kind: str, index: int) -> int:
    """Return the number of a call by its kind."""
    return list(KINDS).index(kind) * EACH + index
