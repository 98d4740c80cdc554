"""Write THIRD_PARTY.md: the licences of what untaught uses when it runs, from the metadata of what is installed.

    pip install -e '.[all,page,dask,notebook,napari]' packaging && python docs/scripts/third_party.py

What another package asks for on this platform is followed to the end; what is not installed is named as that.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("science", "astro", "medical", "photo", "page", "dask", "notebook", "napari")
LONG = 60  # characters from which a field holds the text of a licence rather than its name
NOT_OURS = ("nvidia-", "cuda-", "triton")  # of builds of torch for GPUs, which a plain processor does not get
HEAD = """\
# Licences of what untaught uses

untaught is under [BSD-3-Clause](LICENSE). Its wheel holds its own code and
[one picture](src/untaught/data/README.md), which is in the public domain, and nothing of others. What it needs
when it runs is installed beside it, each package under its own licence, as its metadata say. Written by
`docs/scripts/third_party.py`. Libraries that wheels bring within themselves are listed by those wheels; the ones
under the LGPL and GPL also in [files](docs/files.md#kind-by-kind).
"""


def installed(name: str) -> Distribution | None:
    """Return a package that is installed."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def licence(package: Distribution) -> str:
    """Return what a package says of its licence: the expression, the classifiers, or the field, if it is short."""
    expression = package.metadata.get("License-Expression")
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in package.metadata.get_all("Classifier") or []
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    field = (package.metadata.get("License") or "").strip().removeprefix("UNKNOWN")
    return expression or (field if 0 < len(field) < LONG else "") or " / ".join(classifiers) or _first_line(field)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "not said; see its wheel")


def needs(package: Distribution, extras: set[str]) -> list[Requirement]:
    """Return what a package asks for here, with these extras."""
    asked = map(Requirement, package.requires or [])
    chosen = [{"extra": extra} for extra in extras] or [{"extra": ""}]
    return [one for one in asked if one.marker is None or any(map(one.marker.evaluate, chosen))]


def closure(asked: list[Requirement]) -> dict[str, Distribution | None]:
    """Return all packages that these lead to."""
    found: dict[str, Distribution | None] = {}
    waiting = list(asked)
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name == "untaught" or name.startswith(NOT_OURS) or name in found:
            continue
        found[name] = installed(name)
        if found[name] is not None:
            waiting += needs(found[name], one.extras)
    return found


def table(packages: dict[str, Distribution | None]) -> str:
    """Return a table of packages and their licences."""
    rows = [
        f"| {name} | {'not installed where this was written' if package is None else licence(package)} |"
        for name, package in sorted(packages.items())
    ]
    return "\n".join(["| package | licence |", "|---|---|", *(re.sub(r"\s+", " ", row) for row in rows)])


def page() -> str:
    """Return the whole page."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    always = closure([Requirement(one) for one in project["dependencies"]])
    parts = [HEAD, "## Always", table(always)]
    for extra in EXTRAS:
        more = closure([Requirement(one) for one in project["optional-dependencies"][extra]])
        parts += [f"## With the extra `{extra}`", table({name: more[name] for name in more if name not in always})]
    return "\n\n".join(part.strip() for part in parts) + "\n"


if __name__ == "__main__":
    (ROOT / "THIRD_PARTY.md").write_text(page(), encoding="utf-8")
