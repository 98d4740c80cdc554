"""What the formats share: what a format is, decoding errors as sentences, Pillow without surprises."""

from __future__ import annotations

import logging
import math
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, UntaughtError
from untaught.image.formats.exif import EXIF_HEADER, exif_orientation
from untaught.image.image import Image
from untaught.image.limits import refuse_to_hold
from untaught.image.reading import Reading
from untaught.image.unnamed import Unnamed

if TYPE_CHECKING:
    import PIL.Image

PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, RuntimeError),
    struct.error,
)
"""What Pillow raises for a broken file."""
_VOWELS, _SPELLED = "AEIO", ("HDF", "MRC", "ND2", "LIF")  # as they are spoken
_pillow_lock = threading.Lock()


@dataclass(frozen=True)
class Library:
    """What a format needs that is not always installed: a module to import, and the extra that has it."""

    module: str
    extra: str

    @property
    def there(self) -> bool:
        """Whether it can be imported here; it is not, for that."""
        try:
            return find_spec(self.module) is not None
        except (ImportError, ValueError):
            return False

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f'pip install "untaught[{self.extra}]"'


@dataclass(frozen=True)
class Format:
    """A family of files: how to know, read and write one.

    Attributes
    ----------
    name : str
        What people call it.
    suffixes : tuple of str
        Lower case, with the dot; the first is the usual one.
    matches : callable
        Whether the first bytes of a file (up to `known_kinds.HEADER`) are of this format.
    read : callable
        Path and `Reading` to `Image`, or to `Unnamed` where the file does not say what every axis is.
        `CutOffError` and `BrokenError` mean a broken file, and `decoding` makes a sentence of them; anything else
        that is no `InputError` is a fault of the program.
    write : callable or None
        Writes an `Image` to a binary stream opened for writing and reading; into an empty folder, a `Path`, where
        a picture of the format is a folder. None where the format is only read.
    objection : callable
        Why the format cannot hold an `Image`, as the end of a sentence; None when it can.
    library : Library or None
        What `read` and `write` import beyond what is always there.
    packed : bool
        Whether a gzip archive of such a file is one too; `opened` reads both.
    folder : callable or None
        Where a picture is a folder, whether a path is such a folder.
    written_as : str
        The ending under which a picture of a format that is only read is written, where nobody names one.
    """

    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[bytes], bool]
    read: Callable[[Path, Reading], Image | Unnamed]
    write: Callable[[Any, Image], None] | None
    objection: Callable[[Image], str | None]
    library: Library | None = None
    packed: bool = False
    folder: Callable[[Path], bool] | None = None
    written_as: str = ".tif"

    @property
    def article(self) -> str:
        """The word before its name."""
        return "an" if self.name[0] in _VOWELS or self.name[:3] in _SPELLED else "a"

    def require(self, path: object) -> None:
        """Refuse a file whose library is not there.

        Raises
        ------
        InputError
            With the command that installs it.
        """
        if self.library is not None and not self.library.there:
            kind = "folder" if self.folder is not None else "file"
            what, command = f"{self.article} {self.name} {kind}", self.library.install
            raise InputError(
                f"{path} is {what}, which needs the package {self.library.module!r} here; run {command}"
            )

    def fits(self, path: Path) -> int:
        """Return how much of a path's name is a suffix of this format; 0 where none is."""
        name = path.name.lower()
        return max((len(suffix) for suffix in self.suffixes if name.endswith(suffix)), default=0)


def number_of(said: object) -> float:
    """Return the number that metadata say, 0 where they say none, or one that is not finite."""
    try:
        number = float(said)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def no_objection(image: Image) -> str | None:
    """Object to nothing, for a format that is only read."""
    return None


class CutOffError(Exception):
    """The file ends before the picture does."""


class BrokenError(Exception):
    """The file contradicts itself or its format; the message says where, if there is a word for it."""


@contextmanager
def broken_by(*errors: type[Exception]) -> Iterator[None]:
    """Take `errors` for a broken file: those that a library is known to raise for one.

    Only calls of the library belong inside, so that a fault of ours is never put down to the file. What a decoder
    says by an error of its own class is repeated; what Python says is not, for it means nothing to a person.
    """
    try:
        yield
    except (CutOffError, BrokenError, UntaughtError, MemoryError, UnicodeEncodeError):  # the last is of a name
        raise
    except errors as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's, not the file's
            raise
        own = type(error).__module__.partition(".")[0] in _SPEAKING
        raise BrokenError(" ".join(str(error).split())[:120] if own else "") from error


_SPEAKING = ("tifffile", "imagecodecs", "zlib", "nibabel")  # their errors say what they found in the file


ANYTHING = (Exception,)
"""What a library raises that is written in Python and trusts what it parses: whatever comes of that."""
_TALKING = ("tifffile", "liffile", "pydicom", "nibabel", "PIL", "zarr", "nd2", "mrcfile", "h5py")


def hush_loggers() -> None:
    """Keep off the screen what libraries log while they read, unless the program that uses them shows logs.

    Python prints warnings of a logger that nobody listens to on standard error.
    """
    for name in _TALKING:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


@contextmanager
def decoding(path: Path, name: str) -> Iterator[None]:
    """Turn what `path`, a file of the format `name`, is refused for into one `InputError`; let faults pass."""
    hush_loggers()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UntaughtError:
        raise
    except MemoryError as error:
        raise InputError(f"{path} does not fit in memory; cut it into pieces") from error
    except UnicodeEncodeError as error:
        raise InputError(f"{path} has a name that the library for {name} does not take; rename it") from error
    except CutOffError as error:
        raise InputError(f"{path} is cut off: the {name} file ends before its picture") from error
    except BrokenError as error:
        where = f" ({error})" if str(error) else ""
        raise InputError(f"{path} is a cut-off or corrupt {name} file{where}; fetch or save it again") from error
    except OSError as error:
        if error.errno is None:
            raise
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


@contextmanager
def pillow(data: bytes, path: Path, memory: int | None = None) -> Iterator[PIL.Image.Image]:
    """Open `data` with Pillow, its limit on pixels replaced by ours; nothing is decoded yet."""
    import PIL.Image

    with _pillow_lock:
        limit, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
        try:
            with broken_by(*PILLOW_ERRORS):
                opened = PIL.Image.open(BytesIO(data))
            with opened:
                refuse_to_hold(path, opened.width * opened.height * len(opened.getbands()), memory)
                yield opened
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = limit


def pillow_pixels(opened: PIL.Image.Image) -> NDArray[Any]:
    """Decode what Pillow has opened."""
    with broken_by(*PILLOW_ERRORS):
        return np.array(opened)


def pillow_metadata(info: dict[Any, Any]) -> dict[str, Any]:
    """Return ICC, EXIF, XMP, resolution and comment from Pillow's `info`."""
    found: dict[str, Any] = {}
    for key, name in (("icc_profile", "icc"), ("exif", "exif"), ("xmp", "xmp")):
        if info.get(key):
            found[name] = bytes(info[key])
    if "exif" in found:
        found["exif"] = found["exif"].removeprefix(EXIF_HEADER)
        orientation = exif_orientation(found["exif"])
        if orientation is not None:
            found["orientation"] = orientation
    if "dpi" in info and min(info["dpi"]) > 0:
        found["resolution"] = (float(info["dpi"][0]), float(info["dpi"][1]), "inch")
    if info.get("comment"):
        found["comment"] = info["comment"]
    return found


def dots_per_inch(metadata: dict[str, Any]) -> tuple[float, float] | None:
    """Return the resolution in dots an inch, None where it has no unit of length."""
    x, y, unit = metadata.get("resolution", (0, 0, "none"))
    scale = {"inch": 1.0, "cm": 2.54}.get(unit)
    return None if scale is None else (x * scale, y * scale)


def flat_objection(image: Image, format_name: str, depths: tuple[Any, ...]) -> str | None:
    """Say why a picture of one plane in `depths` cannot hold `image`."""
    pages = image.array.size // max(1, image.height * image.width * image.size("S"))
    samples = image.size("S") - image.alpha
    if pages > 1:
        return f"{format_name} cannot hold a stack of {pages} planes; write .tif or .npy instead"
    if image.array.dtype not in depths:
        fitting = ".png, .tif" if image.array.dtype == np.uint16 else ".tif"
        return f"{format_name} cannot hold {image.array.dtype} values; write {fitting} or .npy instead"
    if samples not in (1, 3):
        opacity = "; an array whose last channel is opacity is untaught.Image.of(array, 'YXS', alpha=True)"
        hint = opacity if samples in (2, 4) and image.source is None else ""
        return f"{format_name} cannot hold {samples} channels; write .tif or .npy instead{hint}"
    return None


def flat(image: Image) -> NDArray[Any]:
    """Return the one plane of `image`, (H, W) or (H, W, S), unsigned, black at zero.

    1-bit pictures become 0 and 255.
    """
    array = image.samples_last(image.array).reshape(image.height, image.width, image.size("S"))
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    if image.metadata.get("photometric") == "miniswhite":
        array = np.array(array)
        colours = array[..., : array.shape[-1] - image.alpha]
        colours[...] = np.iinfo(array.dtype).max - colours
    return np.ascontiguousarray(array[..., 0] if array.shape[-1] == 1 else array)
