"""Make docs/img/napari.jpg: the plugin's dock in napari, with a part of a film restored beside the noisy one.

xvfb-run python docs/scripts/make_napari.py

In an environment with napari and the plugin; its canvas needs OpenGL, for which Mesa's will do.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication
from skimage import data

import napari
from untaught.napari.widget import RestoreWidget

TARGET = Path(__file__).resolve().parents[1] / "img" / "napari.jpg"
SIZE = (1180, 760)


def cells(rng: np.random.Generator) -> np.ndarray:
    """Return a volume of a cell in few photons, (slices, rows, columns)."""
    whole = data.cell()[: 2 * 330, : 2 * 275].astype(np.float32)
    clean = whole.reshape(330, 2, 275, 2).mean((1, 3))[60:, 20:]
    depths = np.linspace(0.6, 1, 5)[:, None, None]
    return rng.poisson(0.2 * depths * clean).astype(np.uint16)


def main() -> None:
    """Restore the layer, and keep what is seen."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    widget = RestoreWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Restore (untaught)")
    viewer.add_image(cells(np.random.default_rng(0)), name="cells")
    viewer.dims.set_point(0, 2)
    widget.start.click()
    while widget.session.running:
        QApplication.processEvents()
        time.sleep(0.02)
    restored = viewer.layers["cells restored"]
    restored.contrast_limits = viewer.layers["cells"].contrast_limits
    viewer.canvas.grid.enabled = True
    viewer.reset_view()
    for _ in range(20):
        QApplication.processEvents()
    seen = viewer.screenshot(canvas_only=False, flash=False)
    Image.fromarray(seen[..., :3]).save(TARGET, quality=84, optimize=True)
    viewer.close()


if __name__ == "__main__":
    main()
