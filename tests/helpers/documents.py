"""The pages that people read, README and docs/: their headings, links and commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^( {4}|\t).*$", re.MULTILINE)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
COMMAND = re.compile(r"(?:^ {4,}|`|&& )untaught ([a-z]+)\b([^`#\n]*)", re.MULTILINE)
MANY_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Document:
    """A page of Markdown."""

    path: Path

    @property
    def name(self) -> str:
        """Where it lies in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def anchors(self) -> set[str]:
        """What its headings are called in links, as hosts of code and mkdocs both make them."""
        return {slug(heading) for heading in HEADING.findall(FENCE.sub("", self.text))}

    @cached_property
    def links(self) -> list[str]:
        """Targets of its links and pictures, but those in code."""
        prose = INDENTED.sub("", FENCE.sub("", self.text))
        return LINK.findall(CODE.sub("", prose))

    @cached_property
    def commands(self) -> list[tuple[str, str]]:
        """Calls of the program that it shows: the command, and what follows on its line."""
        indented = FENCE.sub(lambda fence: fence[0].replace("\n", "\n    "), self.text)
        return COMMAND.findall(indented.replace("\\\n", " "))


def slug(heading: str) -> str:
    """Return the name of a heading in links."""
    bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return MANY_SPACES.sub("-", re.sub(r"[^\w\s-]", "", bare).strip().lower())


def documents() -> list[Document]:
    """Return README, the pages at the top and those in docs/."""
    return [Document(path) for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])]
