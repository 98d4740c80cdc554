from .files import as_image as as_image
from .files import check_writable as check_writable
from .files import read as read
from .files import write as write
from .formats import FORMATS as FORMATS
from .image import Image as Image
from .plane import Plane as Plane
