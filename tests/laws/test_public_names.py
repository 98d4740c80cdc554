"""The public names are what they say, whatever was imported before."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import untaught

AFRESH = """
import os, sys, numba, skimage, torch, typer  # what takes the time; nothing of ours
for first in ("denoise", "compare"):
    child = os.fork()
    if not child:
        import untaught
        getattr(untaught, first)
        names = [name for name in untaught.__all__ if name != "__version__"]
        print(first, [name for name in names if not callable(getattr(untaught, name))], flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_functions_are_not_hidden_by_modules_of_the_same_name() -> None:
    done = subprocess.run([sys.executable, "-c", AFRESH], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["denoise []", "compare []"]


@pytest.mark.parametrize(
    "room",
    ["image", "noise", "operators", "risk", "methods", "fitting", "results", "pipeline", "training", "theory"],
)
def test_a_room_hands_on_its_names(room: str) -> None:
    face = importlib.import_module(f"untaught.{room}")
    assert face.__all__
    assert not [name for name in face.__all__ if not hasattr(face, name)]
    assert not [name for name in face.__all__ if inspect.ismodule(getattr(face, name))]


def test_every_method_is_handed_on_under_its_own_name() -> None:
    from untaught import methods

    for entry in methods.METHODS.values():
        assert getattr(methods, entry.attribute) is entry.open()


def test_no_module_has_the_name_of_a_function() -> None:
    """Whoever imports such a module, this package too, would put it in the function's place."""
    modules = {module.name for module in pkgutil.iter_modules(untaught.__path__)}
    assert not modules & set(untaught.__all__)
