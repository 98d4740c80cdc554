"""What every verb answers: a restored picture that saves itself, reports on itself and shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from untaught.errors import InputError
from untaught.image.atomic import write_text
from untaught.image.files import write
from untaught.results.notebook_view import notebook_view
from untaught.results.page import page
from untaught.results.restoration import Restoration


@dataclass
class Result(Restoration):
    """A restored picture, and why to believe it; see `Restoration` for what it holds."""

    def save(self, path: str | Path) -> Path:
        """Write the restored picture, whole or not at all; never over the input."""
        return write(path, self.picture, protect=self.input.source)

    def to_xarray(self) -> Any:
        """Return the restored picture as an `xarray.DataArray`, with the dimensions and coordinates of the input.

        Of an input that was none, the dimensions are the letters of its axes.

        Raises
        ------
        InputError
            Where xarray is missing.
        """
        try:
            from xarray import DataArray
        except ImportError as error:
            raise InputError("xarray is missing; install it: pip install xarray") from error
        labels = self.input.metadata.get("labels")
        if labels is None:
            return DataArray(self.image, dims=tuple(self.picture.axes))
        return DataArray(self.image, labels.coords, labels.dims, labels.name, labels.attrs)

    def report(self, path: str | Path) -> Path:
        """Write one HTML page that needs no other file and no network: before, after, residual, curves, reasons.

        Parameters
        ----------
        path : str or Path
            Where to write; an earlier report there is replaced, whole or not at all.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        OutputError
            The folder does not exist or cannot be written to, or `path` is a folder.
        InputError
            `path` is the picture that was restored.
        """
        target = Path(path)
        write_text(target, page(self), (self.input.source,))
        return target

    def _repr_html_(self) -> str:
        return notebook_view(self)
