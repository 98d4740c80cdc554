"""untaught: image restoration with networks that nobody taught.

    import untaught
    result = untaught.denoise("noisy.tif")
    result.save("restored.tif")

The names below are loaded when they are first used, so that `import untaught` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from untaught._version import __version__

if TYPE_CHECKING:
    from untaught.errors import InputError as InputError
    from untaught.errors import OutputError as OutputError
    from untaught.errors import UntaughtError as UntaughtError
    from untaught.image.files import read as read
    from untaught.image.files import write as write
    from untaught.image.image import Image as Image
    from untaught.pipeline.tasks.compare import compare as compare
    from untaught.pipeline.tasks.deblur import deblur as deblur
    from untaught.pipeline.tasks.dejpeg import dejpeg as dejpeg
    from untaught.pipeline.tasks.demosaic import demosaic as demosaic
    from untaught.pipeline.tasks.denoise import denoise as denoise
    from untaught.pipeline.tasks.inpaint import inpaint as inpaint
    from untaught.pipeline.tasks.inspect import inspect as inspect
    from untaught.pipeline.tasks.rerun import rerun as rerun
    from untaught.pipeline.tasks.restore import restore as restore
    from untaught.pipeline.tasks.upscale import upscale as upscale
    from untaught.results.recipe import Recipe as Recipe
    from untaught.results.result import Result as Result
    from untaught.theory.explain import explain as explain
    from untaught.training.apply import apply as apply
    from untaught.training.train import train as train

_HOME = {
    "denoise": "untaught.pipeline.tasks.denoise",
    "rerun": "untaught.pipeline.tasks.rerun",
    "restore": "untaught.pipeline.tasks.restore",
    "inpaint": "untaught.pipeline.tasks.inpaint",
    "upscale": "untaught.pipeline.tasks.upscale",
    "deblur": "untaught.pipeline.tasks.deblur",
    "dejpeg": "untaught.pipeline.tasks.dejpeg",
    "demosaic": "untaught.pipeline.tasks.demosaic",
    "inspect": "untaught.pipeline.tasks.inspect",
    "compare": "untaught.pipeline.tasks.compare",
    "explain": "untaught.theory.explain",
    "train": "untaught.training.train",
    "apply": "untaught.training.apply",
    "read": "untaught.image.files",
    "write": "untaught.image.files",
    "Image": "untaught.image.image",
    "Result": "untaught.results.result",
    "Recipe": "untaught.results.recipe",
    "InputError": "untaught.errors",
    "OutputError": "untaught.errors",
    "UntaughtError": "untaught.errors",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'untaught' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
