"""Print what an extra of pyproject.toml asks for, for environments that have no need of the package itself.

For example

    python docs/scripts/extra.py docs

for the site, which reads the code without running it.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def asked(extra: str) -> list[str]:
    """Return the requirements of an extra."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"][extra])


if __name__ == "__main__":
    print(*asked(sys.argv[1]))
