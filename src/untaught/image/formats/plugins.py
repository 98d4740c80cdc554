"""Formats of other packages: entry points of the group `untaught.formats`, each a `Format`.

    [project.entry-points."untaught.formats"]
    spe = "our_package.spe:SPE"

They are looked for only where no format of this package fits, so that nobody waits for them. One that cannot be
loaded is named where it might have been wanted, and does no other harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from untaught.image.formats.base import Format

GROUP = "untaught.formats"


@dataclass(frozen=True)
class Plugin:
    """A format of another package.

    Attributes
    ----------
    name : str
        Of the entry point.
    package : str
        What has it, as it is installed.
    format : Format or None
        None where it cannot be loaded.
    fault : str
        Why not.
    """

    name: str
    package: str
    format: Format | None
    fault: str = ""


@cache
def plugins() -> tuple[Plugin, ...]:
    """Return what other packages add, loaded once."""
    return tuple(_loaded(entry) for entry in entry_points(group=GROUP))


def plugged() -> tuple[Format, ...]:
    """Return the formats of other packages."""
    return tuple(plugin.format for plugin in plugins() if plugin.format is not None)


def faults() -> str:
    """Return the end of a sentence that names the formats that could not be loaded; nothing where all were."""
    broken = [f"{plugin.name!r} of {plugin.package} ({plugin.fault})" for plugin in plugins() if plugin.fault]
    return f"; these formats could not be loaded: {', '.join(broken)}" if broken else ""


def _loaded(entry: EntryPoint) -> Plugin:
    package = entry.dist.name if entry.dist is not None else entry.value.partition(".")[0]
    try:
        found = entry.load()
    except Exception as error:  # whatever another package does must not stop this one
        reason = " ".join(str(error).split())[:120]
        return Plugin(entry.name, package, None, f"{type(error).__name__}: {reason}")
    if not isinstance(found, Format):
        return Plugin(entry.name, package, None, f"it is no Format but {type(found).__name__}")
    return Plugin(entry.name, package, found)
