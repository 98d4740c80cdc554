"""Hooks of mkdocs: pages that lie outside of docs/ are part of the site, and links lead to where things are there.

Links are written as they are right in the repository, such as `../README.md#benchmarks`; here they are moved.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {  # where it is on the site: where it lies in the repository
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "third-party.md": "THIRD_PARTY.md",
    "demo-picture.md": "src/untaught/data/README.md",
    "LICENSE.txt": "LICENSE",
    "CITATION.cff": "CITATION.cff",
}
ON_SITE = {there: here for here, there in OUTSIDE.items()}
LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add what lies outside of docs/."""
    for here, there in OUTSIDE.items():
        files.append(File.generated(config, here, abs_src_path=str(ROOT / there)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    here = page.file.src_uri
    folder = PurePosixPath(OUTSIDE.get(here, f"docs/{here}")).parent

    def moved(link: re.Match[str]) -> str:
        there = os.path.normpath(folder / link[2])
        known = there.startswith("docs/") or there in ON_SITE
        target = ON_SITE.get(there, there.removeprefix("docs/")) if known else link[2]
        if known:
            target = os.path.relpath(target, PurePosixPath(here).parent)
        return f"{link[1]}{target}{link[3] or ''})"

    return LINK.sub(moved, markdown)
