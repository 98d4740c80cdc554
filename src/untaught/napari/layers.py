"""Layers as pictures and pictures as layers: axes, steps, units and place are kept.

A layer is what napari hands to plugins: its data, and a dictionary of its attributes. Rows and columns are its
last two dimensions; the colours of an RGB layer come behind them and count as none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.errors import InputError, quoted
from untaught.image.array_like import array_like, axes_of
from untaught.image.image import Image
from untaught.image.values import native
from untaught.results.restoration import Restoration

LayerData = tuple[Any, dict[str, Any], str]
"""Data, attributes, and the kind of a layer."""
Meta = Mapping[str, Any]
OURS = "untaught"
"""Under this name a layer's metadata hold what a file said beside its pixels."""
LEADING = ("", "Z", "TZ", "TCZ", "QTCZ", "PQTCZ")
"""What dimensions before the rows are, by their number, where nothing says so."""
UNITS = {
    **{"um": "micrometer", "nm": "nanometer", "mm": "millimeter", "cm": "centimeter", "m": "meter"},
    **{"A": "angstrom", "s": "second", "ms": "millisecond", "min": "minute", "h": "hour"},
}
"""Units as a picture names them, and as napari does."""
SHORT = {long: short for short, long in UNITS.items()}
TIMES = ("second", "millisecond", "microsecond", "nanosecond", "minute", "hour", "day")
NO_UNIT = "pixel"
SEEN = ("colormap", "gamma", "interpolation2d", "interpolation3d", "rendering")
TURNED = ("rotate", "shear", "affine")


def layer_axes(shape: Sequence[int], meta: Meta) -> str:
    """Return what the dimensions of a layer are taken for, as letters that `picture_of` takes.

    What a file said counts first, then the labels of the layer's axes, then units of time, then their number.
    """
    colours = "S" if meta.get("rgb") else ""
    lead = len(shape) - 2 - len(colours)
    known = dict(meta.get("metadata") or {}).get(OURS, {}).get("axes", "")
    if len(known) == len(shape) and known.endswith(f"YX{colours}"):
        return str(known)
    labels = tuple(map(str, meta.get("axis_labels") or ()))
    named = axes_of(labels) if len(labels) == lead + 2 else None
    if named is not None and named.endswith("YX"):
        return named + colours
    letters = LEADING[lead] if 0 <= lead < len(LEADING) else ""
    timed = [at for at, unit in enumerate(meta.get("units") or ()) if str(unit) in TIMES and at < lead]
    if timed and letters:
        others = letters.replace("T", "") if "T" in letters else letters[1:]
        letters = f"{others[: timed[0]]}T{others[timed[0] :]}"
    return f"{letters}YX{colours}"


def picture_of(data: Any, meta: Meta, axes: str | None = None) -> Image:
    """Return the picture that a layer shows, with the steps of its axes and what its file said.

    Parameters
    ----------
    data : array
        Of the layer, in memory or not; of one with several resolutions the finest is taken.
    meta : mapping
        The layer's attributes.
    axes : str, optional
        What the dimensions are, one letter each; else as `layer_axes` finds. The S of an RGB layer may be missing.

    Raises
    ------
    InputError
        Where it is no picture, or the axes do not fit it.
    """
    found = array_like(data[0] if meta.get("multiscale") else data)
    if found is None:
        raise InputError(f"the layer holds {quoted(data)}, which is no picture; choose an image layer")
    array = native(found.array)
    axes = _checked(axes, array.shape, meta)
    said = dict(meta.get("metadata") or {}).get(OURS, {})
    metadata = dict(said.get("metadata", {})) | {"spacing": _spacing(axes, meta)}
    if not metadata["spacing"]:
        del metadata["spacing"]
    alpha = axes.endswith("S") and array.shape[-1] == 4
    picture = Image.of(array, axes, alpha=alpha, metadata=metadata, source=said.get("source"))
    if said.get("value_range") and str(array.dtype) == said.get("dtype"):
        picture = replace(picture, value_range=said["value_range"])
    return replace(picture, axes_given=True)


def _checked(axes: str | None, shape: tuple[int, ...], meta: Meta) -> str:
    if not axes:
        return layer_axes(shape, meta)
    colours = "S" if meta.get("rgb") else ""
    axes = axes.upper().removesuffix(colours) + colours
    if len(axes) == len(shape) and axes.endswith(f"YX{colours}"):
        return axes
    example = layer_axes(shape, {"rgb": bool(colours)}).removesuffix("S")
    raise InputError(
        f"axes {quoted(axes.removesuffix(colours))} do not fit the layer, which has the shape {shape}; name them "
        f"one letter each, rows and columns last as napari shows them, such as {example!r}"
    )


def _spacing(axes: str, meta: Meta) -> dict[str, tuple[float, str]]:
    """Return the steps along the axes that have a unit, or another step than one."""
    scale = [float(step) for step in meta.get("scale", ())] or [1.0] * len(axes)
    units = [SHORT.get(str(unit), "") for unit in meta.get("units") or ()] or [""] * len(scale)
    each = zip(axes.removesuffix("S"), scale, units, strict=False)
    return {axis: (step, unit) for axis, step, unit in each if axis != "C" and step > 0 and (unit or step != 1)}


def layers_of(picture: Image, name: str) -> list[LayerData]:
    """Return the layers that show a picture.

    Up to four channels become layers of their own; more stay one, for such planes help each other when they are
    restored.
    """
    array, axes = picture.samples_last(picture.array), picture.lead_axes + "YXS"
    colours = array.shape[-1] in (3, 4) and array.shape[-1] - picture.alpha == 3
    if not colours and array.shape[-1] > 1:  # samples that are no colours are channels
        array, axes = np.moveaxis(array, -1, -3), picture.lead_axes + ("U" if "C" in axes else "C") + "YX"
    elif not colours:
        array, axes = array[..., 0], axes[:-1]
    at = axes.find("C")
    if at < 0 or not 1 < array.shape[at] <= 4:
        return [_layer(array, axes, picture, name, picture.metadata)]
    names = picture.metadata.get("channels") or [f"C{number}" for number in range(array.shape[at])]
    kept = {key: value for key, value in picture.metadata.items() if key in ("spacing", "resolution", "exif")}
    return [
        _layer(np.take(array, number, at), axes.replace("C", ""), picture, f"{name} {channel}", kept)
        for number, channel in enumerate(names[: array.shape[at]])
    ]


def _layer(array: NDArray[Any], axes: str, picture: Image, name: str, metadata: dict[str, Any]) -> LayerData:
    spacing, places = picture.metadata.get("spacing", {}), axes.removesuffix("S")
    said = {
        "axes": axes,
        "metadata": metadata,
        "source": picture.source,
        "value_range": picture.value_range,
        "dtype": str(array.dtype),
    }
    steps = [spacing.get(axis, (1.0, "")) for axis in places]
    meta = {
        "name": name,
        "rgb": axes.endswith("S") and array.shape[-1] in (3, 4),
        "scale": [step if step > 0 else 1.0 for step, _ in steps],
        "units": [UNITS.get(unit, NO_UNIT) for _, unit in steps],
        "axis_labels": [axis.lower() for axis in places],
        "metadata": {OURS: said},
    }
    return array, meta, "image"


def restored_layer(result: Restoration, meta: Meta) -> LayerData:
    """Return the layer of a result, in the place and the contrast of the one that was restored."""
    said = dict(dict(meta.get("metadata") or {}).get(OURS, {})) | {"axes": result.picture.axes}
    new = _placed(result.picture, result.input, meta)
    new |= {"name": f"{meta.get('name', 'picture')} restored", "metadata": {OURS: said}}
    if not new["rgb"]:
        new |= {key: meta[key] for key in (*SEEN, "contrast_limits") if meta.get(key) is not None}
    return result.image, new, "image"


def uncertainty_layer(result: Restoration, meta: Meta) -> LayerData | None:
    """Return the standard deviation of every pixel in the layer's own values; None where the method has none."""
    if result.std is None:
        return None
    std, picture = np.asarray(result.std), result.picture
    if picture.axes.endswith("S"):  # napari draws no deviations of colours: the mean over them
        std = std[..., : std.shape[-1] - picture.alpha].mean(axis=-1)
        picture = Image.of(std, picture.axes[:-1])
    new = _placed(picture, result.input, meta)
    return std, new | {"name": f"{meta.get('name', 'picture')} uncertainty", "colormap": "magma"}, "image"


def preview_layer(values: NDArray[np.float32], plane: int, picture: Image, meta: Meta) -> LayerData:
    """Return the layer of a plane that is being fitted, at its place in the stack.

    Parameters
    ----------
    values : ndarray
        (H, W, C) in the picture's own units; H and W a multiple of the picture's where it is made larger.
    plane : int
        Which plane of the picture.
    picture, meta : Image, mapping
        What is restored, and the attributes of its layer.
    """
    colours = values.shape[-1] == 3
    shown = np.asarray(values if colours else values[..., 0])
    if colours:  # napari draws colours that are floats from 0 to 1
        low, high = picture.value_range
        shown = np.clip((shown - np.float32(low)) / np.float32(high - low), 0, 1)
    lead = np.unravel_index(plane // len(picture.groups), picture.lead_shape) if picture.lead_shape else ()
    shown = shown.reshape((1,) * len(lead) + shown.shape)
    made = Image.of(shown, picture.lead_axes + "YX" + ("S" if colours else ""))
    new = _placed(made, picture, meta, tuple(map(int, lead)))
    if not colours:
        new |= {key: meta[key] for key in ("colormap", "gamma", "contrast_limits") if meta.get(key) is not None}
    return shown, new | {"name": f"{meta.get('name', 'picture')} so far"}, "image"


def _placed(made: Image, given: Image, meta: Meta, lead: tuple[int, ...] = ()) -> dict[str, Any]:
    """Return where a picture lies that was made of a layer: pixels of another size fill the same place."""
    places = len(given.axes.removesuffix("S"))
    scale = np.asarray([float(step) for step in meta.get("scale", ())] or [1.0] * places)
    before = np.asarray([float(step) for step in meta.get("translate", ())] or [0.0] * places)
    factor = np.ones(places)
    factor[-2:] = given.height / made.height, given.width / made.width
    offset = np.zeros(places)
    offset[: len(lead)] = lead
    offset[-2:] += (factor[-2:] - 1) / 2  # pixels are named by their centres
    turned = np.asarray(meta.get("rotate", 0.0), float)
    turn = turned if turned.ndim == 2 else np.eye(places)
    new = {key: meta[key] for key in (*TURNED, "units", "axis_labels") if meta.get(key) is not None}
    new |= {
        "scale": (scale * factor).tolist(),
        "translate": (before + turn @ (scale * offset)).tolist(),
        "rgb": made.axes.endswith("S") and made.size("S") in (3, 4),
    }
    return new
