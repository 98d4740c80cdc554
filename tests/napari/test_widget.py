"""The dock widget in Qt, without a screen, on the list of layers that a viewer has."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import clean, noisy

if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
with warnings.catch_warnings():  # napari warns of its own use of other libraries
    warnings.simplefilter("ignore")
    pytest.importorskip("qtpy", reason='Qt is missing: pip install "untaught[napari]"')
    pytest.importorskip("napari", reason='napari is missing: pip install "untaught[napari]"')
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QApplication

    from untaught.napari.reader import read_layers
    from untaught.napari.session import Asked, Told
    from untaught.napari.widget import CHOOSE, RestoreWidget

pytestmark = pytest.mark.filterwarnings("ignore")

VALUES = (1000 * noisy(clean(32, 32, 1))[..., 0] + 2000).astype(np.float32)
PLACE: dict[str, Any] = {
    "scale": (3.0, 0.5, 0.25),
    "translate": (10.0, -3.0, 7.0),
    "units": ("micrometer",) * 3,
    "axis_labels": ("z", "y", "x"),
}


@pytest.fixture
def widget() -> Iterator[RestoreWidget]:
    application = QApplication.instance() or QApplication([])
    made = RestoreWidget(ViewerModel())
    yield made
    made.close()
    wait(made, lambda: not made.session.running)
    made.deleteLater()
    application.processEvents()


def wait(widget: RestoreWidget, until: Any) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end, f"it did not come to be; the widget says {widget.said.toPlainText()!r}"
        QApplication.processEvents()
        time.sleep(0.01)


def names(widget: RestoreWidget) -> list[str]:
    return [layer.name for layer in widget.viewer.layers]


def test_it_waits_for_an_image_layer(widget: RestoreWidget) -> None:
    assert widget.layer.text() == CHOOSE
    assert not widget.start.isEnabled()
    widget.viewer.add_points(np.zeros((1, 2)))
    assert not widget.start.isEnabled()
    widget.viewer.add_image(VALUES, name="cell")
    assert widget.layer.text() == "cell"
    assert widget.axes.text() == "YX"
    assert widget.start.isEnabled()
    assert not widget.stop.isEnabled()


def test_the_layer_of_a_jpeg_file_is_restored_by_its_steps(widget: RestoreWidget, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Pillow.fromarray((255 * clean(32, 48, 3)).astype(np.uint8)).save(path, quality=15)
    [(data, meta, _)] = read_layers(str(path))
    widget.viewer.add_image(data, **meta)
    widget.task.setCurrentText("dejpeg")
    assert not widget.form.isRowVisible(widget.noise)
    widget.start.click()
    wait(widget, lambda: not widget.session.running)
    assert names(widget) == ["a.jpg", "a.jpg restored"]
    assert widget.viewer.layers["a.jpg restored"].data.shape == (32, 48, 3)
    widget.viewer.layers.selection.active = widget.viewer.layers["a.jpg restored"]
    widget.start.click()
    wait(widget, lambda: not widget.session.running)
    assert "does not show what a.jpg holds" in widget.said.toPlainText()
    assert len(widget.viewer.layers) == 2


def test_a_volume_is_restored_in_its_place(widget: RestoreWidget) -> None:
    widget.viewer.add_image(
        np.stack([VALUES, VALUES, VALUES]), name="cells", contrast_limits=(1800, 3100), **PLACE
    )
    assert widget.axes.text() == "ZYX"
    widget.effort.setCurrentText("quick")
    widget.noise.setText("gaussian:25")
    widget.start.click()
    wait(widget, lambda: not widget.session.running)
    assert names(widget) == ["cells", "cells restored"]
    given, made = widget.viewer.layers
    assert made.data.shape == given.data.shape
    assert float(np.abs(made.data - given.data).max()) > 10
    assert np.array_equal(made.scale, given.scale)
    assert np.array_equal(made.translate, given.translate)
    assert made.units == given.units
    assert tuple(made.axis_labels) == tuple(given.axis_labels)
    assert made.contrast_limits == given.contrast_limits
    assert "PSNR" in widget.said.toPlainText()
    assert widget.viewer.layers.selection.active is given


def test_it_shows_the_fit_and_stops_with_the_best(widget: RestoreWidget) -> None:
    widget.viewer.add_image(VALUES, name="cell", translate=(5, 6))
    widget.method.setCurrentText("dip")
    widget.noise.setText("gaussian:25")
    widget.uncertainty.setChecked(True)
    widget.start.click()
    assert not widget.start.isEnabled()
    wait(widget, lambda: "cell so far" in names(widget) and "step" in widget.place.text())
    assert tuple(widget.viewer.layers["cell so far"].translate) == (5, 6)
    widget.stop.click()
    wait(widget, lambda: not widget.session.running)
    assert names(widget) == ["cell", "cell restored"]
    assert "It was stopped" in widget.said.toPlainText()
    assert "has no uncertainty" in widget.said.toPlainText()
    assert widget.start.isEnabled()


def test_uncertainty_is_a_layer(widget: RestoreWidget) -> None:
    from tests.helpers.quick import crop
    from untaught import denoise

    widget.viewer.add_image(np.clip(crop(), 0, 1), name="face", rgb=True)
    result = denoise(np.clip(crop(), 0, 1), method="nlm", sigma=0.1)
    result.std = np.full(result.image.shape, 0.1)
    widget.uncertainty.setChecked(True)
    layer = widget.viewer.layers["face"]
    widget.source = layer.as_layer_data_tuple()[1]
    widget._restored(Told("restored", "done", 1.0, result=result))
    assert names(widget) == ["face", "face restored", "face uncertainty"]
    assert widget.viewer.layers["face restored"].rgb
    assert widget.viewer.layers["face uncertainty"].data.shape == (32, 32)


def test_what_is_labelled_is_the_mask(widget: RestoreWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Asked] = []
    monkeypatch.setattr(widget.session, "start", lambda given, wanted: asked.append(wanted))
    image = widget.viewer.add_image(VALUES, name="cell")
    widget.task.setCurrentText("inpaint")
    widget.start.click()
    assert "paint on it" in widget.said.toPlainText()
    labels = np.zeros((2, 32, 32), np.uint8)
    labels[1, 10:13, 10:13] = 5
    widget.viewer.add_labels(labels, name="holes")
    widget.viewer.layers.selection.active = image
    assert widget.mask.currentText() == "holes"
    widget.start.click()
    [one] = asked
    assert one.task == "inpaint"
    assert np.array_equal(one.mask, labels[1] != 0)


def test_what_is_wrong_is_said(widget: RestoreWidget) -> None:
    widget.viewer.add_image(VALUES, name="cell")
    widget.axes.setText("ZYX")
    widget.start.click()
    wait(widget, lambda: not widget.session.running)
    assert "one letter each" in widget.said.toPlainText()
    widget.axes.setText("YX")
    widget.noise.setText("loud")
    widget.start.click()
    wait(widget, lambda: not widget.session.running)
    assert "loud" in widget.said.toPlainText()
    widget.measure.click()
    wait(widget, lambda: not widget.session.running)
    assert "untaught denoise" in widget.said.toPlainText()


def test_rows_of_other_tasks_are_not_shown(widget: RestoreWidget) -> None:
    widget.task.setCurrentText("upscale")
    assert widget.form.isRowVisible(widget.factor)
    assert not widget.form.isRowVisible(widget.mask)
    widget.task.setCurrentText("denoise")
    assert not widget.form.isRowVisible(widget.factor)
