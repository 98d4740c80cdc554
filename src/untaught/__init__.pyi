from .errors import InputError as InputError
from .errors import OutputError as OutputError
from .errors import UntaughtError as UntaughtError
from .fitting.notebook_progress import notebook_progress as notebook_progress
from .image.files import read as read
from .image.files import write as write
from .image.image import Image as Image
from .jobs.verbs import deblur as deblur
from .jobs.verbs import dejpeg as dejpeg
from .jobs.verbs import demosaic as demosaic
from .jobs.verbs import denoise as denoise
from .jobs.verbs import descreen as descreen
from .jobs.verbs import despeckle as despeckle
from .jobs.verbs import inpaint as inpaint
from .jobs.verbs import restore as restore
from .jobs.verbs import upscale as upscale
from .pipeline.tasks.compare import compare as compare
from .pipeline.tasks.inspect import inspect as inspect
from .pipeline.tasks.rerun import rerun as rerun
from .results.recipe import Recipe as Recipe
from .results.result import Result as Result
from .theory.explain import explain as explain
from .training.apply import apply as apply
from .training.train import train as train

__version__: str
