"""What is built holds all that the package needs when it runs, and nothing of the checkout's."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.helpers.documents import ROOT

TOP = {"src", "tests", "benchmarks", "docs", "packaging", ".github"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """Build a wheel and a source distribution; return what is in them."""
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is missing: pip install hatchling")
    sdist = pytest.importorskip("hatchling.builders.sdist")
    folder = str(tmp_path_factory.mktemp("dist"))
    first = next(wheel.WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"]))
    second = next(sdist.SdistBuilder(str(ROOT)).build(directory=folder, versions=["standard"]))
    with zipfile.ZipFile(first) as archive, tarfile.open(second) as tape:
        return set(archive.namelist()), {name.partition("/")[2] for name in tape.getnames()}


def own_files(folder: Path) -> set[str]:
    """Return what lies in a folder and is kept by git; without git, all but what Python leaves behind."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", str(folder)]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    return {
        path.relative_to(ROOT).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_file_of_the_package_is_in_the_wheel(built: tuple[set[str], set[str]]) -> None:
    wanted = {name.removeprefix("src/") for name in own_files(ROOT / "src")}
    assert {"untaught/py.typed", "untaught/data/noisy.png", "untaught/serve/static/index.html"} <= wanted
    assert wanted - built[0] == set()


def test_the_wheel_holds_nothing_else(built: tuple[set[str], set[str]]) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in built[0]} == {"untaught"}
    assert not [name for name in built[0] if "__pycache__" in name or name.endswith((".pyc", ".part"))]
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in built[0])


def test_the_source_holds_what_is_needed_to_test_and_to_document_it(built: tuple[set[str], set[str]]) -> None:
    wanted = {name for top in TOP for name in own_files(ROOT / top)}
    wanted |= {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "THIRD_PARTY.md",
        "mkdocs.yml",
        "Dockerfile",
    }
    assert wanted - built[1] == set()
