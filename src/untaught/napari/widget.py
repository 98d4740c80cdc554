"""The dock widget: what is clicked and shown. What it means is in `session` and `layers`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from untaught.errors import InputError
from untaught.methods.registry import METHODS
from untaught.napari.layers import (
    LayerData,
    layer_axes,
    picture_of,
    preview_layer,
    restored_layer,
    uncertainty_layer,
)
from untaught.napari.session import EFFORTS, NOISELESS, PATTERNS, TASKS, Asked, Session, Told

EVERY = 100
"""Milliseconds between two looks at what a session told."""
NEEDED_BY = {"mask": "inpaint", "factor": "upscale", "psf": "deblur", "pattern": "demosaic"}
"""Rows of the form that are there for one task only."""
CHOOSE = "Choose an image layer."


class RestoreWidget(QWidget):
    """Restores the selected layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.session = Session()
        self.source: dict[str, Any]  # attributes of the layer that is restored
        self.so_far: Any = None  # the layer of the preview
        self._make_form()
        self._make_rest()
        self.timer = QTimer(self)
        self.timer.timeout.connect(self.hear)
        self.viewer.layers.selection.events.active.connect(self.look)
        for event in (self.viewer.layers.events.inserted, self.viewer.layers.events.removed):
            event.connect(self._list_masks)
        self._list_masks()
        self.look()

    def _make_form(self) -> None:
        self.layer, self.axes = QLabel(CHOOSE), QLineEdit()
        self.axes.setToolTip("One letter a dimension: T times, Z slices, C channels, Y rows, X columns")
        self.task, self.method, self.effort = QComboBox(), QComboBox(), QComboBox()
        self.task.addItems(TASKS)
        self.method.addItems(["auto", *METHODS])
        for at, entry in enumerate(METHODS.values(), 1):
            self.method.setItemData(at, entry.summary, 3)  # Qt.ToolTipRole
        self.effort.addItems(EFFORTS)
        self.effort.setCurrentText("normal")
        self.noise, self.mask = QLineEdit("auto"), QComboBox()
        self.noise.setToolTip("auto, or what you know: gaussian:25, poisson:GAIN,READ,OFFSET, rician:LEVEL ...")
        self.mask.setToolTip("A layer of labels; what is labelled is filled in")
        self.factor, self.psf, self.pattern = QSpinBox(), QLineEdit("gaussian:2"), QComboBox()
        self.factor.setRange(2, 16)
        self.pattern.addItems(PATTERNS)
        self.form = QFormLayout()
        rows = ("layer", "axes", "task", "method", "effort", "noise", *NEEDED_BY)
        for name in rows:
            self.form.addRow(name.capitalize(), getattr(self, name))
            getattr(self, name).setAccessibleName(name)
        self.task.currentTextChanged.connect(self._show_rows)
        self._show_rows(self.task.currentText())

    def _make_rest(self) -> None:
        self.preview, self.uncertainty = QCheckBox("Show it while it is fitted"), QCheckBox("Uncertainty layer")
        self.preview.setChecked(True)
        self.measure, self.start, self.stop = (QPushButton(name) for name in ("Measure noise", "Start", "Stop"))
        self.stop.setToolTip("Ends the fit; the best so far is the answer")
        self.measure.clicked.connect(self.begin_measuring)
        self.start.clicked.connect(self.begin)
        self.stop.clicked.connect(self.session.stop)
        buttons = QHBoxLayout()
        for button in (self.measure, self.start, self.stop):
            buttons.addWidget(button)
        self.bar, self.place, self.said = QProgressBar(), QLabel(), QPlainTextEdit()
        self.bar.setTextVisible(False)
        self.place.setWordWrap(True)
        self.said.setReadOnly(True)
        self.said.setAccessibleName("what was found")
        whole = QVBoxLayout(self)
        whole.addLayout(self.form)
        for row in (self.preview, self.uncertainty):
            whole.addWidget(row)
        whole.addLayout(buttons)
        for row in (self.bar, self.place, self.said):
            whole.addWidget(row)
        self._allow()

    def _show_rows(self, task: str) -> None:
        for name, needed in NEEDED_BY.items():
            self.form.setRowVisible(getattr(self, name), task == needed)
        self.form.setRowVisible(self.noise, task not in NOISELESS)

    def _list_masks(self, event: object = None) -> None:
        """Offer the layers of labels as masks."""
        chosen = self.mask.currentText()
        self.mask.clear()
        self.mask.addItems([layer.name for layer in self.viewer.layers if isinstance(layer, Labels)])
        self.mask.setCurrentText(chosen)

    def look(self, event: object = None) -> None:
        """Take up the selected layer: say which it is, and what its axes are taken for."""
        layer = self.viewer.layers.selection.active
        if isinstance(layer, ImageLayer):
            data, meta, _ = layer.as_layer_data_tuple()
            shape = (data[0] if meta.get("multiscale") else data).shape
            self.layer.setText(layer.name)
            self.axes.setText(layer_axes(shape, meta).removesuffix("S" if meta.get("rgb") else ""))
        else:
            self.layer.setText(CHOOSE)
        self._allow()

    def _allow(self) -> None:
        ready = self.layer.text() != CHOOSE and not self.session.running
        self.start.setEnabled(ready)
        self.measure.setEnabled(ready)
        self.stop.setEnabled(self.session.running)

    def begin(self) -> None:
        """Restore the selected layer."""
        self._try(lambda given: self.session.start(given, self.asked()))

    def begin_measuring(self) -> None:
        """Measure the noise of the selected layer."""
        self._try(self.session.measure)

    def _try(self, begin: Any) -> None:
        layer = self.viewer.layers.selection.active
        try:
            if not isinstance(layer, ImageLayer):
                raise InputError(CHOOSE)
            data, meta, _ = layer.as_layer_data_tuple()
            begin(partial(picture_of, data, meta, self.axes.text()))
        except InputError as error:
            self.said.setPlainText(str(error))
            return
        self.source = meta
        self.said.setPlainText("")
        self.bar.setRange(0, 0)
        self.timer.start(EVERY)
        self._allow()

    def asked(self) -> Asked:
        """Return what is chosen.

        Raises
        ------
        InputError
            Where a mask is wanted and there is none.
        """
        return Asked(
            task=self.task.currentText(),
            method=self.method.currentText(),
            effort=self.effort.currentText(),
            noise=self.noise.text().strip(),
            mask=self._marked() if self.task.currentText() == "inpaint" else None,
            factor=self.factor.value(),
            psf=self.psf.text().strip(),
            pattern=self.pattern.currentText(),
            path=self._file(),
            preview=self.preview.isChecked(),
        )

    def _file(self) -> str | None:
        """Return the file that the selected layer was read from, as napari knows it."""
        path = getattr(getattr(self.viewer.layers.selection.active, "source", None), "path", None)
        return None if path is None else str(path)

    def _marked(self) -> Any:
        if not self.mask.currentText():
            raise InputError("add a layer of labels, and paint on it what is to be filled in")
        labels = np.asarray(self.viewer.layers[self.mask.currentText()].data)
        return labels.any(axis=tuple(range(labels.ndim - 2)))

    def hear(self) -> None:
        """Show what the session told."""
        for told in self.session.told():
            getattr(self, f"_{told.kind}")(told)

    def _progress(self, told: Told) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * (told.share or 0)))
        self.place.setText(told.text)

    def _preview(self, told: Told) -> None:
        assert told.values is not None
        assert told.picture is not None
        shown = preview_layer(told.values, told.plane, told.picture, self.source)
        if self.so_far not in self.viewer.layers or self.so_far.data.shape != shown[0].shape:
            self._end_preview()
            self.so_far = self._added(shown)
        else:
            self.so_far.data, self.so_far.translate = shown[0], shown[1]["translate"]

    def _note(self, told: Told) -> None:
        self.said.setPlainText("\n\n".join(text for text in (self.said.toPlainText(), told.text) if text))

    _measured = _refused = _note

    def _restored(self, told: Told) -> None:
        assert told.result is not None
        self._end_preview()
        self.said.setPlainText(told.text.replace("\n", "\n\n"))
        self._added(restored_layer(told.result, self.source))
        if self.uncertainty.isChecked():
            layer = uncertainty_layer(told.result, self.source)
            if layer is None:
                self._note(Told("note", f"{told.result.method} has no uncertainty; self2self has."))
            else:
                self._added(layer)

    def _ended(self, told: Told) -> None:
        self.timer.stop()
        self._end_preview()
        self.bar.setRange(0, 1000)
        self.bar.setValue(0)
        self.place.setText("")
        self._allow()

    def _added(self, shown: LayerData) -> Any:
        """Add a layer, and leave selected what was."""
        selected = self.viewer.layers.selection.active
        data, meta, _ = shown
        layer = self.viewer.add_image(data, **meta)
        self.viewer.layers.selection.active = selected
        return layer

    def _end_preview(self) -> None:
        if self.so_far in self.viewer.layers:
            self.viewer.layers.remove(self.so_far)
        self.so_far = None

    def closeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """End what is done when the widget is closed."""
        self.session.stop()
        super().closeEvent(event)
