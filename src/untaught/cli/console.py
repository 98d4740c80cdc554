"""What every command does with standard output and folders; next to nothing is imported here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def print_json(values: Mapping[str, Any]) -> None:
    """Print one object on one line of standard output: ASCII, every number finite."""
    print(json.dumps(values, allow_nan=False), flush=True)


def told(values: Mapping[str, Any], text: str, as_json: bool, quiet: bool) -> None:
    """Say what was found: as JSON, or as a text for people unless they want quiet."""
    if as_json:
        print_json(values)
    elif not quiet:
        print(text)


@contextmanager
def no_empty_folder(folder: Path) -> Iterator[None]:
    """Take a folder away again, and those it is in, where they were made for results of which there are none."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        yield
    except BaseException:
        for place in new:
            if not place.is_dir() or any(place.iterdir()):
                break
            place.rmdir()
        raise
