"""Make docs/img/page.jpg, the page of `untaught serve` with the demo picture; needs Chromium and its driver.

PYTHONPATH=. python docs/scripts/make_page.py
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from tests.helpers.browser import Server, Tab

import untaught

TARGET = Path(__file__).resolve().parents[1] / "img" / "page.jpg"
NOISY = Path(untaught.__file__).parent / "data" / "noisy.png"
SIZE = (1180, 760)
QUALITY = 84


def main() -> None:
    """Drop the picture, restore it, and keep what is seen."""
    folder = Path(tempfile.mkdtemp())
    server, tab = Server(folder), Tab(folder)
    try:
        view = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
        tab.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
        tab.driver.get(server.address)
        tab.until(lambda: tab.find("#drop").is_displayed())
        tab.drop((NOISY.name, NOISY.read_bytes()))
        tab.until(lambda: tab.states().get(NOISY.name) == "ready", 60)
        tab.find("#start").click()
        tab.until(lambda: tab.find("#get-result").get_attribute("aria-disabled") == "false", 60)
        with Image.open(io.BytesIO(tab.driver.get_screenshot_as_png())) as seen:
            seen.convert("RGB").save(TARGET, quality=QUALITY, optimize=True)
    finally:
        tab.driver.quit()
        server.end()


if __name__ == "__main__":
    main()
