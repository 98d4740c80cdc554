"""Make docs/img/page.jpg, the page of `untaught serve` with the demo picture, and notebook.jpg, what a cell shows.

PYTHONPATH=. python docs/scripts/make_page.py

Chromium and its driver are needed.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from tests.helpers.browser import Server, Tab

import untaught

IMAGES = Path(__file__).resolve().parents[1] / "img"
NOISY = Path(untaught.__file__).parent / "data" / "noisy.png"
SIZE = (1180, 760)
CELL = (640, 430)
QUALITY = 84


def main() -> None:
    """Make both."""
    folder = Path(tempfile.mkdtemp())
    tab = Tab(folder)
    try:
        _page(folder, tab)
        _notebook(folder, tab)
    finally:
        tab.driver.quit()


def _page(folder: Path, tab: Tab) -> None:
    """Drop the picture, restore it, and keep what is seen."""
    server = Server(folder)
    try:
        _show(tab, server.address, SIZE)
        tab.until(lambda: tab.find("#drop").is_displayed())
        tab.drop((NOISY.name, NOISY.read_bytes()))
        tab.until(lambda: tab.states().get(NOISY.name) == "ready", 60)
        tab.find("#start").click()
        tab.until(lambda: tab.find("#get-result").get_attribute("aria-disabled") == "false", 60)
        _keep(tab, "page.jpg")
    finally:
        server.end()


def _notebook(folder: Path, tab: Tab) -> None:
    """Show what a notebook shows of a result that is the last line of a cell."""
    cell = folder / "cell.html"
    shown = untaught.denoise(NOISY)._repr_html_()
    cell.write_text(
        f'<meta charset="utf-8"><body style="margin: 12px; font: 14px sans-serif">{shown}</body>', "utf-8"
    )
    _show(tab, cell.as_uri(), CELL)
    _keep(tab, "notebook.jpg")


def _show(tab: Tab, address: str, size: tuple[int, int]) -> None:
    view = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    tab.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    tab.driver.get(address)


def _keep(tab: Tab, name: str) -> None:
    with Image.open(io.BytesIO(tab.driver.get_screenshot_as_png())) as seen:
        seen.convert("RGB").save(IMAGES / name, quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
