from .errors import InputError as InputError
from .errors import OutputError as OutputError
from .errors import UntaughtError as UntaughtError
from .image.files import read as read
from .image.files import write as write
from .image.image import Image as Image
from .pipeline.tasks.compare import compare as compare
from .pipeline.tasks.deblur import deblur as deblur
from .pipeline.tasks.dejpeg import dejpeg as dejpeg
from .pipeline.tasks.demosaic import demosaic as demosaic
from .pipeline.tasks.denoise import denoise as denoise
from .pipeline.tasks.inpaint import inpaint as inpaint
from .pipeline.tasks.inspect import inspect as inspect
from .pipeline.tasks.rerun import rerun as rerun
from .pipeline.tasks.restore import restore as restore
from .pipeline.tasks.upscale import upscale as upscale
from .results.recipe import Recipe as Recipe
from .results.result import Result as Result
from .theory.explain import explain as explain
from .training.apply import apply as apply
from .training.train import train as train

__version__: str
