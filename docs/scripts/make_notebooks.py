"""Execute the notebooks of docs/notebooks in their places, and keep what they show; needs nbclient and ipykernel.

python docs/scripts/make_notebooks.py [NAME ...]

Without names, all of them. Counts of runs, and lines on standard error, are left out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
MOST_BYTES = 300_000
SECONDS = 600


def executed(path: Path, seconds: int = SECONDS) -> Any:
    """Return a notebook with what its cells show now; an error in a cell is raised."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=seconds, resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [kept(output) for output in cell.outputs if is_result(output)]
    return notebook


def is_result(output: Any) -> bool:
    """Tell whether an output is to be kept: no warnings, and no bar that was taken away at the end."""
    return output.get("name") != "stderr" and output.get("data", {}).get("text/html", "-") != ""


def kept(output: Any) -> Any:
    """Return an output without what differs from run to run, and without text that nobody sees beside its HTML."""
    if "execution_count" in output:
        output.execution_count = None
    if "text/html" in output.get("data", {}):
        output.data.pop("text/plain", None)
    return output


def main() -> None:
    """Execute them, and write those that are small enough."""
    import nbformat

    wanted = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    for name in wanted:
        path = FOLDER / f"{name}.ipynb"
        text = nbformat.writes(executed(path)) + "\n"
        if len(text) > MOST_BYTES:
            sys.exit(f"{path} would have {len(text)} bytes; show less")
        path.write_text(text, "utf-8")
        print(f"{path.name}: {len(text) // 1000} kB", flush=True)


if __name__ == "__main__":
    main()
