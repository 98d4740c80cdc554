"""`untaught formats`: what can be read and written here, and what to install for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from untaught.cli.app import AsJson, Job, app
from untaught.cli.signals import Interrupts

if TYPE_CHECKING:
    from untaught.image.formats.base import Format


@app.command(short_help="Say which files can be read and written here.")
def formats(as_json: AsJson = False) -> Job:
    """Say which files can be read and written here, and what to install for the others."""

    def job(interrupts: Interrupts) -> int:
        return run_formats(as_json, interrupts)

    return job


def run_formats(as_json: bool, interrupts: Interrupts) -> int:
    """List the formats, those of other packages behind ours."""
    with interrupts.held():
        from untaught.cli.console import print_json
        from untaught.image.formats import FORMATS
        from untaught.image.formats.plugins import plugins
    interrupts.check()
    rows = [_row(fmt, "untaught") for fmt in FORMATS]
    others = plugins()
    rows += [_row(other.format, other.package) for other in others if other.format is not None]
    broken = [
        {"name": other.name, "package": other.package, "fault": other.fault} for other in others if other.fault
    ]
    if as_json:
        print_json({"formats": rows, "not_loaded": broken})
    else:
        print(
            "\n".join(
                [*_lines(rows), *(f"not loaded: {b['name']} of {b['package']}: {b['fault']}" for b in broken)]
            )
        )
    return 0


def _row(fmt: Format, package: str) -> dict[str, Any]:
    there = fmt.library is None or fmt.library.there
    return {
        "name": fmt.name,
        "suffixes": list(fmt.suffixes),
        "read": there,
        "write": there and fmt.write is not None,
        "only_read": fmt.write is None,
        "install": None if there or fmt.library is None else fmt.library.install,
        "package": package,
    }


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    names, endings = (max(map(len, words)) for words in zip(*map(_words, rows), strict=True))
    return [f"{name:{names}}  {ending:{endings}}  {_said(row)}" for row in rows for name, ending in [_words(row)]]


def _words(row: dict[str, Any]) -> tuple[str, str]:
    by = "" if row["package"] == "untaught" else f" ({row['package']})"
    return row["name"] + by, " ".join(row["suffixes"])


def _said(row: dict[str, Any]) -> str:
    can = "read" if row["only_read"] else "read, write"
    return can if row["install"] is None else f"{row['install']}  to {can.replace(', ', ' and ')}"
