"""Files become layers and layers files, by the formats of the package; napari itself is not needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from untaught import Image, InputError, read, write
from untaught.napari.reader import get_reader, read_layers
from untaught.napari.writer import write_channels, write_layer

RANDOM = np.random.default_rng(0)
SPACING = {"Z": (2.0, "um"), "Y": (0.5, "um"), "X": (0.25, "um")}


def test_what_cannot_be_read_is_left_to_others(tmp_path: Path) -> None:
    text = tmp_path / "a.tif"
    text.write_text("no picture at all")
    assert get_reader(str(text)) is None
    assert get_reader(str(tmp_path / "missing.png")) is None
    assert get_reader([str(text)]) is None


@pytest.mark.parametrize("suffix", [".ome.tif", ".tif"])
def test_a_volume_comes_back_with_its_steps(tmp_path: Path, suffix: str) -> None:
    values = RANDOM.integers(0, 4000, (3, 16, 20)).astype(np.uint16)
    path = write(tmp_path / f"in{suffix}", Image.of(values, "ZYX", metadata={"spacing": SPACING}))
    reader = get_reader(str(path))
    assert reader is not None
    [(data, meta, kind)] = reader(str(path))
    assert kind == "image"
    assert meta["scale"] == [2.0, 0.5, 0.25]
    assert meta["units"] == ["micrometer"] * 3
    [target] = write_layer(str(tmp_path / f"out{suffix}"), data, meta)
    back = read(target)
    assert back.axes == "ZYX"
    assert back.metadata["spacing"] == SPACING
    assert np.array_equal(back.array, values)
    with pytest.raises(InputError, match="input"):
        write_layer(str(path), data, meta)


def test_a_picture_that_lies_on_its_side_is_shown_upright(tmp_path: Path) -> None:
    values = RANDOM.integers(0, 255, (16, 24, 3)).astype(np.uint8)
    path = write(tmp_path / "side.png", Image.of(values, "YXS", metadata={"orientation": 6}))
    [(data, meta, _)] = read_layers(str(path))
    assert np.array_equal(data, np.rot90(values, -1))
    assert meta["rgb"]
    [target] = write_layer(str(tmp_path / "up.png"), data, meta)
    assert read(target).metadata.get("orientation", 1) == 1


def test_channels_are_split_and_put_together_again(tmp_path: Path) -> None:
    values = RANDOM.integers(0, 4000, (2, 16, 20)).astype(np.uint16)
    spacing = {key: SPACING[key] for key in "YX"}
    given = Image.of(values, "CYX", metadata={"spacing": spacing, "channels": ["dna", "actin"]})
    path = write(tmp_path / "in.ome.tif", given)
    layers = read_layers(str(path))
    assert [meta["name"] for _, meta, _ in layers] == ["in.ome.tif C0", "in.ome.tif C1"]
    [target] = write_channels(str(tmp_path / "out.ome.tif"), layers)
    back = read(target)
    assert back.axes == "CYX"
    assert np.array_equal(back.array, values)
    assert back.metadata["spacing"] == spacing
    odd = (layers[0][0][:8], layers[0][1], "image")
    with pytest.raises(InputError, match="save it alone"):
        write_channels(str(tmp_path / "odd.ome.tif"), [layers[0], odd])
    assert not (tmp_path / "odd.ome.tif").exists()
    with pytest.raises(InputError, match="input"):
        write_channels(str(path), layers)
