"""What the plugin offers is there, and is what the package can do."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import untaught
from untaught.image.formats import FORMATS
from untaught.napari import samples
from untaught.napari.layers import picture_of

PLACE = Path(untaught.__file__).parent / "napari" / "napari.yaml"
npe2 = pytest.importorskip("npe2", reason="npe2 is missing: pip install npe2")


@pytest.fixture(scope="module")
def manifest() -> Any:
    return npe2.PluginManifest.from_file(PLACE)


def test_the_package_names_it_for_napari() -> None:
    project = Path(untaught.__file__).parents[2] / "pyproject.toml"
    if not project.exists():
        pytest.skip("not run in a checkout")
    named = tomllib.loads(project.read_text("utf-8"))["project"]["entry-points"]["napari.manifest"]
    assert named == {"untaught": "untaught.napari:napari.yaml"}


def test_all_that_it_names_is_there(manifest: Any) -> None:
    given = manifest.contributions
    used = [each.command for each in (*given.widgets, *given.readers, *given.writers, *given.sample_data)]
    assert sorted(used) == sorted(command.id for command in given.commands)
    for command in given.commands:
        module, _, name = command.python_name.partition(":")
        if module.endswith(".widget"):  # which needs Qt
            assert f"\nclass {name}(" in (PLACE.parent / "widget.py").read_text("utf-8")
        else:
            assert callable(getattr(import_module(module), name))


def test_endings_are_those_of_the_formats(manifest: Any) -> None:
    read = {f"*{suffix}" for fmt in FORMATS for suffix in fmt.suffixes}
    written = {suffix for fmt in FORMATS if fmt.write is not None for suffix in fmt.suffixes}
    assert set(manifest.contributions.readers[0].filename_patterns) == read
    assert set(manifest.contributions.writers[0].filename_extensions) == written | {".ome.tif"}
    assert set(manifest.contributions.writers[1].filename_extensions) <= written | {".ome.tif"}


@pytest.mark.parametrize("name", ["photograph", "few_photons", "volume", "film", "damaged"])
def test_samples_are_small_pictures_that_can_be_restored(name: str) -> None:
    first, *more = getattr(samples, name)()
    picture = picture_of(first[0], first[1])
    assert 64 <= picture.width <= 256
    assert picture.array.nbytes < 1_000_000
    assert picture.axes == {"photograph": "YXS", "volume": "ZYX", "film": "TYX", "damaged": "YXS"}.get(name, "YX")
    assert [layer[2] for layer in more] == (["labels"] if name == "damaged" else [])
