"""Print how much the tests run, from `coverage json`, and end with status 1 where that is too little.

For example

    python docs/scripts/covered.py build/coverage.json

as `make coverage` does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

LEAST = 95.0  # percent of each
READERS = "untaught/image/"


def shares(measured: dict[str, Any]) -> dict[str, float]:
    """Return the percentages, by what they are of."""
    every = [file["summary"] for file in measured["files"].values()]
    readers = [file["summary"] for name, file in measured["files"].items() if READERS in Path(name).as_posix()]
    return {
        "lines of the package": _share(every, "covered_lines", "num_statements"),
        "branches of the package": _share(every, "covered_branches", "num_branches"),
        "branches of what reads files (image)": _share(readers, "covered_branches", "num_branches"),
    }


def _share(summaries: list[dict[str, int]], covered: str, of: str) -> float:
    return 100 * sum(one[covered] for one in summaries) / max(sum(one[of] for one in summaries), 1)


if __name__ == "__main__":
    found = shares(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    for name, share in found.items():
        print(f"{name}: {share:.1f} %")
    lines, _, readers = found.values()
    sys.exit(min(lines, readers) < LEAST)
