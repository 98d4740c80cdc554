"""The notebooks of the documentation: one a task, executed, small, and their code still runs."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import untaught
from untaught.pipeline.tasks.registry import TASKS

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
MOST_BYTES = 300_000


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def test_there_is_one_a_task() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(TASKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_executed_and_small(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    outputs = [output for cell in cells(path) for output in cell["outputs"]]
    shown = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]
    assert sum('class="untaught"' in html for html in shown) == 1, "it shows no result"
    assert "error" not in {output["output_type"] for output in outputs}
    text = path.read_text("utf-8")
    assert not [folder for folder in ("/home/", "/tmp/", f"{DOCS.parent}/", "site-packages") if folder in text]
    assert not re.findall(r"[\s\"'(]/(?:[\w.-]+/)+[\w.-]+\.(?:py|ipynb|png|tif)\b", text), "a path of some machine"


def test_the_code_of_one_runs() -> None:
    names: dict[str, Any] = {}
    for cell in cells(DOCS / "notebooks" / "upscale.ipynb"):
        exec("".join(cell["source"]), names)
    assert names["result"].image.shape == (128, 128)


@pytest.mark.filterwarnings("ignore")  # of Jupyter's own use of other libraries
def test_one_is_executed_as_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nbclient", reason='nbclient is missing: pip install nbclient "untaught[notebook]"')
    pytest.importorskip("ipykernel", reason='a kernel is missing: pip install "untaught[notebook]"')
    found = importlib.util.spec_from_file_location("make_notebooks", DOCS / "scripts" / "make_notebooks.py")
    assert found is not None
    assert found.loader is not None
    page = importlib.util.module_from_spec(found)
    found.loader.exec_module(page)
    paths = [str(Path(untaught.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    made = page.executed(DOCS / "notebooks" / "denoise.ipynb", 120)
    outputs = [output for cell in made.cells for output in cell.get("outputs", [])]
    shown = [output for output in outputs if "text/html" in output.get("data", {})]
    assert len(shown) == 1, "the bar was to be taken away, and the result to be shown"
    assert "estimated PSNR" in shown[0].data["text/html"]
    assert outputs[-1].text.startswith("True | interrupted")
