"""Write the recipe for conda-forge from pyproject.toml, so that the two ask for the same.

    python packaging/conda/make_recipe.py
    python packaging/conda/make_recipe.py --sdist dist/untaught-1.2.3.tar.gz -o FILE

The first writes recipe.yaml, which is kept in the repository and builds from it. The second is of what is
on PyPI, by its hash, for conda-forge, with `--homepage` and `--maintainer`, which are names on a public host.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "lazy_loader": "lazy-loader"}  # on conda-forge
RECIPE = """\
# Written by packaging/conda/make_recipe.py from pyproject.toml.
schema_version: 1

context:
  version: "{version}"
  python_min: "{python}"

package:
  name: untaught
  version: ${{{{ version }}}}

source:
{source}

build:
  number: 0
  noarch: python
  script: ${{{{ PYTHON }}}} -m pip install . -vv --no-deps --no-build-isolation
  python:
    entry_points:
{entry_points}

requirements:
  host:
    - python ${{{{ python_min }}}}.*
    - pip
{host}
  run:
    - python >=${{{{ python_min }}}}
{run}

tests:
  - python:
      imports:
        - untaught
      pip_check: true
      python_version: ${{{{ python_min }}}}.*
  - script:
      - untaught --version
      - untaught demo -o demo

about:
{homepage}  summary: "{summary}"
  license: {licence}
  license_file: LICENSE
{maintainers}"""


def asked(requirement: str) -> str:
    """Return a requirement as conda writes it."""
    name, bounds = re.fullmatch(r"([\w.-]+)(?:\[.*\])?(.*)", requirement.replace(" ", "")).groups()
    return f"{NAMES.get(name, name.lower())} {bounds}".strip()


def listed(lines: list[str]) -> str:
    """Return entries of a list in a list."""
    return "\n".join(f"    - {line}" for line in lines)


def recipe(sdist: Path | None = None, homepage: str = "", maintainers: tuple[str, ...] = ()) -> str:
    """Return the recipe, of the checkout or of a source distribution that is on PyPI."""
    whole: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = whole["project"]
    version = re.findall(
        r'"([^"]+)"$', (ROOT / whole["tool"]["hatch"]["version"]["path"]).read_text(), re.MULTILINE
    )[-1]
    return RECIPE.format(
        version=version,
        python=project["requires-python"].removeprefix(">="),
        source=source(sdist),
        entry_points="\n".join(f"      - {name} = {where}" for name, where in project["scripts"].items()),
        host=listed([asked(one) for one in whole["build-system"]["requires"]]),
        run=listed([asked(one) for one in project["dependencies"]]),
        homepage=f"  homepage: {homepage}\n" if homepage else "",
        summary=project["description"],
        licence=project["license"],
        maintainers="\nextra:\n  recipe-maintainers:\n" + listed([*maintainers]) + "\n" if maintainers else "",
    )


def source(sdist: Path | None) -> str:
    """Return where the source is."""
    if sdist is None:
        return "  path: ../.."
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    return f"  url: https://pypi.org/packages/source/u/untaught/{sdist.name}\n  sha256: {digest}"


def main() -> None:
    """Write the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sdist", type=Path)
    parser.add_argument("--homepage", default="")
    parser.add_argument("--maintainer", action="append", default=[])
    parser.add_argument("-o", "--output", type=Path, default=HERE / "recipe.yaml")
    given = parser.parse_args()
    text = recipe(given.sdist, given.homepage, tuple(given.maintainer))
    given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
