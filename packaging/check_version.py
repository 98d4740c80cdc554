"""Refuse a tag that is not the version, or that the changelog or the citation does not know.

python packaging/check_version.py v1.2.3
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version() -> str:
    """Return the version of the package."""
    page = (ROOT / "src" / "untaught" / "_version.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', page, re.MULTILINE)[0]


def objections(tag: str) -> list[str]:
    """Return what stands against a release under this tag, a sentence each."""
    own = version()
    found = [] if tag == f"v{own}" else [f"the tag is {tag}, the version {own} (src/untaught/_version.py)"]
    if f"## [{own}]" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        found.append(f"CHANGELOG.md has no heading [{own}]")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for line in (f"version: {own}\n", "date-released: "):
        if f"\n{line}" not in citation:
            found.append(f"CITATION.cff has no line '{line.strip()}'")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(objections(sys.argv[1])))
