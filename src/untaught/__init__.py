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
    from untaught.comparing import compare as compare
    from untaught.dejpegging import dejpeg as dejpeg
    from untaught.denoising import denoise as denoise
    from untaught.denoising import rerun as rerun
    from untaught.errors import InputError as InputError
    from untaught.errors import OutputError as OutputError
    from untaught.errors import UntaughtError as UntaughtError
    from untaught.explaining import explain as explain
    from untaught.image.files import read as read
    from untaught.image.files import write as write
    from untaught.image.image import Image as Image
    from untaught.inspection import inspect as inspect
    from untaught.reconstruct import deblur as deblur
    from untaught.reconstruct import demosaic as demosaic
    from untaught.reconstruct import inpaint as inpaint
    from untaught.reconstruct import restore as restore
    from untaught.reconstruct import upscale as upscale
    from untaught.results.restoration import Recipe as Recipe
    from untaught.results.restoration import Result as Result
    from untaught.training.apply import apply as apply
    from untaught.training.train import train as train

_HOME = {
    "denoise": "untaught.denoising",
    "rerun": "untaught.denoising",
    "restore": "untaught.reconstruct",
    "inpaint": "untaught.reconstruct",
    "upscale": "untaught.reconstruct",
    "deblur": "untaught.reconstruct",
    "dejpeg": "untaught.dejpegging",
    "demosaic": "untaught.reconstruct",
    "inspect": "untaught.inspection",
    "compare": "untaught.comparing",
    "explain": "untaught.explaining",
    "train": "untaught.training.train",
    "apply": "untaught.training.apply",
    "read": "untaught.image.files",
    "write": "untaught.image.files",
    "Image": "untaught.image.image",
    "Result": "untaught.results.restoration",
    "Recipe": "untaught.results.restoration",
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
