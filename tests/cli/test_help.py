"""What help texts list is what there is: they are written by hand, so that --help loads next to nothing."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.conftest import clean
from untaught.cli.app import app
from untaught.cli.parse import COMMANDS
from untaught.errors import InputError
from untaught.image.formats import FORMATS
from untaught.methods.networks.denoisers import SHAPES
from untaught.methods.registry import METHODS, make
from untaught.noise.models.registry import MODELS
from untaught.operators import Blur
from untaught.operators.psf import WORDS
from untaught.pipeline.plane.choose_reconstruction import checked
from untaught.pipeline.task import Task


def help_of(*words: str) -> str:
    from importlib import import_module

    for name in COMMANDS:
        import_module(f"untaught.cli.commands.{name}")
    text = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "500"}).output
    return " ".join(text.split()).replace("- ", "-")  # words are broken at their hyphens


def test_every_format_is_named() -> None:
    text = help_of().casefold()
    for format_ in FORMATS:
        assert any(word in text for word in (*format_.suffixes, format_.name.casefold())), format_.name


@pytest.mark.parametrize("command", ["denoise", "inpaint", "compare"])
def test_every_law_of_noise_is_named(command: str) -> None:
    text = help_of(command)
    forms = [law.form for law in MODELS.values() if law.kind != "unknown"]
    assert not [form for form in forms if form.partition(":")[0] not in text]


def test_every_method_is_named_where_it_can_be_used() -> None:
    assert not [name for name in METHODS if name not in help_of("denoise")]
    task = Task("deblur", Blur(clean(5, 5, 1)[..., 0] / clean(5, 5, 1).sum()))
    text = help_of("deblur")
    for name in METHODS:
        try:
            checked(make(name), task)
        except InputError:
            continue
        assert name in text, name


def test_every_network_and_every_point_spread_function_is_named() -> None:
    assert not [name for name in SHAPES if name not in help_of("train")]
    assert not [word for word in WORDS if word not in help_of("deblur")]
