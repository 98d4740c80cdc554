"""What `make coverage` prints, and when it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "scripts" / "covered.py"


def summary(lines: int, branches: int) -> dict[str, dict[str, int]]:
    counts = {"covered_lines": lines, "num_statements": 100, "covered_branches": branches, "num_branches": 10}
    return {"summary": counts}


@pytest.mark.parametrize(("readers", "lines", "status"), [(10, 96, 0), (9, 96, 1), (10, 93, 1)])
def test_both_bars_have_to_be_reached(readers: int, lines: int, status: int, tmp_path: Path) -> None:
    files = {"src/untaught/image/png.py": summary(lines, readers), "src/untaught/method.py": summary(95, 0)}
    (tmp_path / "c.json").write_text(json.dumps({"files": files}))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "c.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    assert f"lines of the package: {(lines + 95) / 2:.1f} %" in done.stdout
    assert f"branches of the package: {5 * readers:.1f} %" in done.stdout
    assert f"branches of what reads files (image): {10 * readers:.1f} %" in done.stdout
