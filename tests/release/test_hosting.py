"""The files for a public host and for conda-forge say what pyproject.toml says, and pin what they run."""

from __future__ import annotations

import hashlib
import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.helpers.documents import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def script(path: Path) -> ModuleType:
    """Load a script of packaging/."""
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def conda() -> ModuleType:
    return script(ROOT / "packaging" / "conda" / "make_recipe.py")


@pytest.fixture
def releases() -> ModuleType:
    return script(ROOT / "packaging" / "check_version.py")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_jobs_may_do_nothing_by_default(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r"  # v\d+\.\d+\.\d+", comment), action
    assert "\npermissions: {}\n" in text


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_of_a_workflow_does_one_thing_and_every_job_ends(workflow: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, which Dask brings")
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    for name, job in jobs.items():
        assert {"name", "runs-on", "timeout-minutes", "permissions", "steps"} <= set(job), name
        assert set(job.get("needs", ())) <= set(jobs), name
        assert all(("run" in step) != ("uses" in step) for step in job["steps"]), name


def test_all_versions_of_python_are_tried() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    tried = re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.*)\]", text)[1])
    assert PROJECT["requires-python"] == f">={tried[0]}"
    assert tried == ["3.11", "3.12", "3.13", "3.14"]


def locked() -> dict[str, list[tuple[str, str, int]]]:
    """Return the versions that are locked, with their conditions and numbers of hashes, by name."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    text = (ROOT / "packaging" / "locked.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        entry = re.fullmatch(r"([\w.-]+)==(\S+)(?: ; (.+?))?((?:\s+--hash=sha256:[0-9a-f]{64})+)", line.rstrip())
        assert entry, line
        name, version, condition, hashes = entry.groups()
        found.setdefault(canonicalize_name(name), []).append((version, condition or "", hashes.count("--hash")))
    return found


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_what_is_locked_is_what_the_package_and_its_tests_ask_for(python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    known, asked = locked(), list(PROJECT["dependencies"])
    extras = ["test"]
    while extras:
        for one in map(Requirement, PROJECT["optional-dependencies"][extras.pop()]):
            extras += one.extras if one.name == "untaught" else []
            asked += [] if one.name == "untaught" else [str(one)]
    for one in map(Requirement, asked):
        versions = [
            version
            for version, condition, _ in known[canonicalize_name(one.name)]
            if not condition or Marker(condition).evaluate(environment)
        ]
        assert len(versions) == 1, one
        assert versions[0] in one.specifier, f"{one}: sh packaging/lock.sh"
    pinned = re.search(r"^torch==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[1]
    assert [version for version, *_ in known["torch"]] == [pinned]


def test_the_recipe_is_up_to_date(conda: ModuleType) -> None:
    kept = (ROOT / "packaging" / "conda" / "recipe.yaml").read_text(encoding="utf-8")
    assert kept == conda.recipe(), "python packaging/conda/make_recipe.py"
    run = kept.partition("  run:\n")[2].partition("\n\n")[0]
    assert run.count("    - ") == len(PROJECT["dependencies"]) + 1


def test_the_recipe_of_a_release_names_its_hash(conda: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "untaught-1.2.3.tar.gz").write_bytes(b"source")
    made = conda.recipe(tmp_path / "untaught-1.2.3.tar.gz", "https://example.org", ("someone",))
    assert f"  sha256: {hashlib.sha256(b'source').hexdigest()}\n" in made
    assert "/untaught-1.2.3.tar.gz\n" in made
    assert '\nabout:\n  homepage: https://example.org\n  summary: "' in made
    assert made.endswith("\nextra:\n  recipe-maintainers:\n    - someone\n")


def test_a_tag_is_refused_unless_version_changelog_and_citation_know_it(
    releases: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src" / "untaught").mkdir(parents=True)
    (tmp_path / "src" / "untaught" / "_version.py").write_text('"""It."""\n\n__version__ = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.3] - 2027-01-01\n")
    (tmp_path / "CITATION.cff").write_text("title: it\nversion: 1.2.3\ndate-released: 2027-01-01\n")
    monkeypatch.setattr(releases, "ROOT", tmp_path)
    assert releases.objections("v1.2.3") == []
    assert len(releases.objections("v1.2.4")) == 1
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n")
    (tmp_path / "CITATION.cff").write_text("title: it\n")
    assert len(releases.objections("v1.2.3")) == 3


def test_this_version_may_be_tagged(releases: ModuleType) -> None:
    own = releases.version()
    if "dev" in own:
        pytest.skip("between two releases")
    assert releases.objections(f"v{own}") == []
