"""A real browser, and the real server for it."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.helpers.command import COMMAND

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1300,850")

DROP = """
const [files, done] = arguments, transfer = new DataTransfer();
for (const [name, text] of files) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name));
}
document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
"""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """`untaught serve`, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.start()

    def start(self) -> None:
        """Start it and wait until it has said where it is."""
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--port", str(self.port)], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found is not None
        self.address = found[0]

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.kill()
        self.close()

    def end(self) -> int:
        """End it as Ctrl-C does, and return its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.close()

    def close(self) -> int:
        """Wait for its end."""
        assert self.process.stdout is not None
        status = self.process.wait(20)
        self.process.stdout.close()
        return status


class Tab:
    """A browser with the page."""

    def __init__(self, downloads: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in FLAGS:
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.downloads = downloads

    def find(self, selector: str) -> Any:
        """Return an element."""
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """Return all elements."""
        return list(self.driver.find_elements("css selector", selector))

    def text(self, selector: str) -> str:
        """Return what an element says."""
        return str(self.find(selector).text)

    def js(self, code: str, *arguments: Any) -> Any:
        """Run a script."""
        return self.driver.execute_script(code, *arguments)

    def until(self, there: Callable[[], Any], seconds: float = 120) -> Any:
        """Wait until something is so, and return it."""
        from selenium.common.exceptions import WebDriverException

        end, found = time.monotonic() + seconds, None
        while time.monotonic() < end:
            try:
                found = there()
            except WebDriverException:  # it is not there, was drawn anew, or the page is on its way
                found = None
            if found:
                return found
            time.sleep(0.03)
        raise AssertionError(f"it did not come to be; the page says: {self.text('body')}")

    def drop(self, *files: tuple[str, bytes]) -> None:
        """Drop files on the page."""
        self.js(DROP, [(name, base64.b64encode(data).decode()) for name, data in files])

    def drop_from_disk(self, *paths: Path) -> None:
        """Drop files and folders as from the desktop: the browser reads them itself."""
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            drag = {"type": kind, "x": 600, "y": 400, "data": data}
            self.driver.execute_cdp_cmd("Input.dispatchDragEvent", drag)

    def write(self, selector: str, text: str) -> None:
        """Write into a field, in place of what is in it."""
        self.find(selector).clear()
        self.find(selector).send_keys(text)

    def pick(self, name: str) -> None:
        """Choose a picture of the list."""
        self.js(
            "[...document.querySelectorAll('#jobs button')].find((b) => b.title === arguments[0]).click()", name
        )

    def choose(self, field: str, value: str) -> None:
        """Choose in a field of the form."""
        self.js(
            "const field = document.querySelector('#settings').elements[arguments[0]]; field.value = arguments[1];"
            "(field[0] ?? field).dispatchEvent(new Event('input', {bubbles: true}));",
            field,
            value,
        )

    def states(self) -> dict[str, str]:
        """Return what the list says of every picture."""
        rows = "[...document.querySelectorAll('#jobs button')].map((b) => [b.title, b.children[1].textContent])"
        return {str(name): str(state) for name, state in self.js(f"return {rows}")}

    def drag(self, *points: tuple[float, float]) -> None:
        """Drag over the picture, from point to point, in shares of its canvas."""
        from selenium.webdriver.common.action_chains import ActionChains

        canvas = self.find("#canvas")
        size = canvas.size
        places = [(round((x - 0.5) * size["width"]), round((y - 0.5) * size["height"])) for x, y in points]
        chain = (
            ActionChains(self.driver, duration=30).move_to_element_with_offset(canvas, *places[0]).click_and_hold()
        )
        for place in places[1:]:
            chain.move_to_element_with_offset(canvas, *place)
        chain.release().perform()
