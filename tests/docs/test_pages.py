"""What README and docs/ say of each other and of the program is so; without mkdocs, so that it is always tried."""

from __future__ import annotations

import inspect
import re
import tomllib
from importlib import import_module

import pytest
import typer

import untaught
from tests.helpers.documents import ROOT, Document, documents, slug
from untaught.cli.app import app
from untaught.cli.parse import COMMANDS
from untaught.jobs.verbs import ABOUT_MANY

PAGES = documents()
OPTION = re.compile(r"(?<!\S)\[?(--[a-z][a-z-]*)")
NAV = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]


def broken(page: Document) -> list[str]:
    """Return the links of a page that lead nowhere in the repository."""
    return [link for link in page.links if not _is_there(page, link)]


def _is_there(page: Document, link: str) -> bool:
    if link.startswith(("https://", "http://", "mailto:")):
        return True
    there, _, anchor = link.partition("#")
    target = (page.path.parent / there).resolve() if there else page.path
    within = target.is_relative_to(ROOT) and target.is_file()
    return within and (not anchor or anchor in Document(target).anchors)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_a_target(page: Document) -> None:
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.test_pages.ROOT", tmp_path)
    (tmp_path / "a.md").write_text("# A thing, `this`\n[b](b.md) [own](#a-thing-this) [c](c.md)\n`[d](d.md)`\n")
    (tmp_path / "b.md").write_text(
        "[back](a.md#a-thing-this) [no](a.md#a-thing) [out](../a.md)\n```\n[e](e.md)\n```\n"
    )
    assert broken(Document(tmp_path / "a.md")) == ["c.md"]
    assert broken(Document(tmp_path / "b.md")) == ["a.md#a-thing", "../a.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_is_in_the_navigation(page: Document) -> None:
    assert not page.name.startswith("docs/") or f": {page.name.removeprefix('docs/')}\n" in NAV


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name.startswith("docs/")], ids=lambda page: page.name
)
def test_every_page_of_the_site_has_a_picture_that_is_described(page: Document) -> None:
    found = re.findall(r"!\[([^\]]*)\]\((img/[\w.-]+)\)", page.path.read_text(encoding="utf-8"))
    assert found
    for described, picture in found:
        assert len(described) > 20
        assert (page.path.parent / picture).stat().st_size > 0


def test_every_entry_of_the_navigation_is_a_page() -> None:
    hooks = (ROOT / "docs" / "scripts" / "site.py").read_text(encoding="utf-8")
    outside = dict(re.findall(r'"([\w.-]+)": "([\w./-]+)",', hooks))
    for entry in re.findall(r": ([\w.-]+\.md)\n", NAV):
        assert (ROOT / outside.get(entry, f"docs/{entry}")).is_file(), entry


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_shown_exist_with_the_options_that_are_shown(page: Document) -> None:
    known = options()
    for command, rest in page.commands:
        assert command in known, f"untaught {command}{rest}"
        unknown = [option for option in OPTION.findall(rest) if option not in known[command]]
        assert not unknown, f"untaught {command}{rest}"


def options() -> dict[str, set[str]]:
    """Return the options of every command."""
    for name in COMMANDS:
        import_module(f"untaught.cli.commands.{name}")
    group = typer.main.get_command(app)
    return {
        name: {"--help", *(option for parameter in command.params for option in parameter.opts)}
        for name, command in group.commands.items()
    }


def test_every_public_name_is_on_the_page_of_python() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^::: (\S+)\n    options:\n      heading: untaught\.(\w+)$", page, re.MULTILINE))
    assert sorted(shown.values()) == sorted(name for name in untaught.__all__ if name != "__version__")
    for path, name in shown.items():
        module, _, own = path.rpartition(".")
        there, public = getattr(import_module(module), own), getattr(untaught, name)
        assert inspect.unwrap(public) is there
    assert all(f"| `{name}` |" in page for name in ("output", *ABOUT_MANY))


def test_every_dependency_stands_with_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    used = [name for name in extras if name not in ("all", "test", "dev", "docs")]
    asked = [*project["dependencies"], *(one for name in used for one in extras[name])]
    page = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    names = {re.match(r"[\w-]+", one)[0].lower().replace("_", "-") for one in asked}
    assert not [name for name in names if f"| {name} | " not in page]


def test_headings_are_named_as_hosts_name_them() -> None:
    assert slug("A law of noise (2 files)") == "a-law-of-noise-2-files"
    assert slug("`nonlocal`") == "nonlocal"
