"""The page in a real browser: what a person does on it, from the first drop to the server's end."""

from __future__ import annotations

import json
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

import untaught
from tests.conftest import clean, noisy
from tests.helpers.browser import CHROMIUM, DRIVER, Server, Tab
from tests.helpers.command import levels
from untaught.image.files import read, write
from untaught.image.image import Image

pytest.importorskip("fastapi")
pytest.importorskip("selenium")

STATIC = Path(untaught.__file__).parent / "serve" / "static"
CONTRAST = """
const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = rgb(getComputedStyle(at).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
const poor = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const box = element.getBoundingClientRect();
  if (!own || box.width < 2 || element.closest("[aria-disabled=true], :disabled, svg, .tag")) continue;
  if (getComputedStyle(element).visibility === "hidden") continue;
  const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) poor.push(`${element.outerHTML.slice(0, 80)} ${ratio}`);
}
return poor;
"""
NAMELESS = """
return [...document.querySelectorAll("button, input, select, a, [tabindex], canvas")].filter((element) =>
  !(element.labels?.length || element.getAttribute("aria-label") || element.textContent.trim())
).map((element) => element.outerHTML.slice(0, 80));
"""


PINK = """
const canvas = document.getElementById("canvas"), {width, height} = canvas;
const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
let count = 0;
for (let at = 0; at < data.length; at += 4) {
  count += data[at] > 130 && data[at + 2] > 50 && data[at + 1] < 0.6 * data[at + 2];
}
return count;
"""


def picture(height: int, width: int, channels: int = 3) -> bytes:
    stream = BytesIO()
    Pillow.fromarray(levels(noisy(clean(height, width, channels))).squeeze()).save(stream, "PNG")
    return stream.getvalue()


def stack() -> bytes:
    stream = BytesIO()
    planes = 600 + 3000 * np.stack([noisy(clean(64, 64, 1))[..., 0]] * 3)
    tifffile.imwrite(stream, planes.clip(0, 65535).astype(np.uint16), imagej=True, metadata={"axes": "ZYX"})
    return stream.getvalue()


def test_the_page_is_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < 150_000


def a_dropped_picture_is_shown_and_measured(tab: Tab, server: Server) -> None:
    assert "token" not in tab.driver.current_url
    tab.until(lambda: tab.find("#drop").is_displayed())
    tab.drop(("noisy.png", picture(64, 80)))
    tab.until(lambda: tab.find("#canvas").is_displayed())
    tab.until(lambda: tab.states() == {"noisy.png": "ready"})
    assert "noise of level" in tab.text("#noise")
    assert tab.text("#kind").startswith("64 x 80 x 3 (YXS), uint8")
    tab.until(lambda: tab.text("#command") == "untaught denoise noisy.png -o noisy-restored.png")
    tab.choose("effort", "quick")
    tab.until(lambda: tab.text("#command").endswith("--effort quick"))


def every_control_has_a_name_and_can_be_read(tab: Tab, server: Server) -> None:
    tab.find("#more-button").click()
    folded = "for (const each of document.querySelectorAll('#panel details')) each.open = arguments[0];"
    tab.js(folded, True)
    assert tab.js(NAMELESS) == []
    for scheme in ("light", "dark"):
        feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        assert tab.js(CONTRAST) == []
    tab.js(folded, False)
    tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    tab.find("#more-button").click()


def nothing_sticks_out_on_a_phone(tab: Tab, server: Server) -> None:
    phone = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    tab.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    assert tab.js("return document.documentElement.scrollWidth") == 400
    assert tab.find("#canvas").size["height"] > 300
    tab.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def a_fit_is_watched_found_again_seen_by_two_and_stopped(tab: Tab, server: Server) -> None:
    tab.choose("method", "self2self")  # which goes on for as long as two tabs may take to open
    tab.find("#start").click()
    tab.until(lambda: int(tab.js("return document.getElementById('canvas').dataset.preview ?? 0")) > 1)
    assert tab.text("#tag-after") == "so far"
    assert "step" in tab.text("#where")
    assert tab.find("#bar").get_attribute("aria-valuenow").isdecimal()
    tab.driver.refresh()
    tab.until(lambda: "step" in tab.text("#where"))
    tab.until(lambda: tab.find("#curve").is_displayed())
    assert tab.find("#method").get_attribute("value") == "self2self"

    first, here = tab.driver.current_window_handle, tab.driver.current_url
    tab.driver.switch_to.new_window("tab")
    tab.driver.get(here)
    tab.until(lambda: tab.text("#tag-after") == "so far")
    tab.find("#stop").click()
    tab.until(lambda: tab.states()["noisy.png"] == "done")
    tab.driver.close()
    tab.driver.switch_to.window(first)
    tab.until(lambda: tab.states()["noisy.png"] == "done")
    assert "Stopped; this is the best until then" in tab.text("#verdict")


def before_and_after_are_compared(tab: Tab, server: Server) -> None:
    drawn = "const c = document.getElementById('canvas'); return c.toDataURL();"
    seen = {}
    for view in ("split", "beside", "before", "after"):
        tab.find(f"[data-view={view}]").click()
        tab.js("return new Promise((done) => setTimeout(done, 150))")
        seen[view] = tab.js(drawn)
    assert len(set(seen.values())) == 4
    tab.find("[data-view=split]").click()
    line = tab.find("#divider")
    line.send_keys("\ue012" * 5)  # left
    tab.until(lambda: line.get_attribute("aria-valuenow") == "40")
    tab.find("#zoom-one").click()
    tab.until(lambda: tab.text("#scale") == "100 %")
    tab.find("#zoom-fit").click()
    tab.find("#more-button").click()
    tab.find("#profile-on").click()
    tab.drag((0.5, 0.5), (0.5, 0.55))
    tab.until(lambda: "→" in tab.text("#place"))
    assert tab.find("#profile").is_displayed()
    tab.js("const o = document.getElementById('overlay'); o.value = 'residual'; o.onchange();")
    tab.js("return new Promise((done) => setTimeout(done, 150))")
    assert tab.js(drawn) not in seen.values()
    tab.find("#more-button").click()


def paint_is_filled_in_and_fetched(tab: Tab, server: Server) -> None:
    tab.find("[data-hand=paint]").click()
    tab.js("const brush = document.getElementById('brush'); brush.value = 3; brush.oninput();")
    tab.drag((0.45, 0.4), (0.5, 0.5), (0.55, 0.5))
    tab.drag((0.45, 0.7), (0.55, 0.7))
    tab.until(lambda: "is painted" in tab.text("#painted"))
    tab.find("#undo").click()
    tab.until(lambda: "--mask noisy-mask.png" in tab.text("#command"))
    assert tab.find("#task").get_attribute("value") == "inpaint"
    tab.choose("method", "fill")
    tab.find("#start").click()
    tab.until(lambda: tab.states()["noisy.png"] == "done" and tab.text("#verdict").startswith("fill"))
    tab.until(lambda: tab.find("#get-result").get_attribute("aria-disabled") == "false")
    for link, name in (("#get-result", "noisy-restored.png"), ("#mask-link", "noisy-mask.png")):
        tab.find(link).click()
        tab.until((tab.downloads / name).exists)
    mask = np.asarray(Pillow.open(tab.downloads / "noisy-mask.png").convert("L"))
    assert mask.shape == (64, 80)
    assert set(np.unique(mask)) == {0, 255}
    restored = np.asarray(Pillow.open(tab.downloads / "noisy-restored.png"))
    assert restored.shape == (64, 80, 3)
    tab.driver.refresh()  # what was painted is there again
    tab.until(lambda: tab.js(PINK) > 20)


def a_mask_is_given_as_a_file_and_taken_back(tab: Tab, server: Server) -> None:
    mask = np.zeros((64, 80), np.uint8)
    mask[20:30, 30:50] = 255
    path = tab.downloads / "holes are white.png"
    Pillow.fromarray(mask).save(path)
    tab.find("#mask-file").send_keys(str(path))
    tab.until(lambda: tab.text("[data-given=mask] span") == "holes_are_white.png")
    tab.find("#start").click()
    tab.until(lambda: "say which is meant" in tab.text("#message"))
    tab.choose("mask_marks", "missing")
    tab.until(lambda: "--mask holes_are_white.png --mask-marks missing" in tab.text("#command"))
    tab.find("#start").click()
    tab.until(lambda: tab.states()["noisy.png"] == "done")
    tab.find("[data-given=mask] button").click()
    tab.until(lambda: "--mask" not in tab.text("#command"))
    assert not tab.find("[data-given=mask]").is_displayed()


def a_stack_is_gone_through_and_its_flat_part_measured(tab: Tab, server: Server) -> None:
    tab.drop(("stack.tif", stack()))
    tab.until(lambda: tab.states().get("stack.tif") == "ready")
    tab.pick("stack.tif")
    tab.until(lambda: tab.text("#plane-label") == "1 of 3 (Z 1/3)")
    tab.find("#canvas").send_keys(".")
    assert tab.text("#plane-label") == "2 of 3 (Z 2/3)"
    before = tab.js("return document.getElementById('canvas').toDataURL()")
    tab.js("const white = document.getElementById('high'); white.value = 300; white.oninput();")
    tab.until(lambda: tab.js("return document.getElementById('canvas').toDataURL()") != before)
    tab.find("[data-hand=region]").click()
    tab.drag((0.4, 0.4), (0.5, 0.5), (0.6, 0.6))
    tab.until(lambda: tab.text("#region-text").startswith("Flat part: plane 1/3"))
    assert "--noise-region" in tab.text("#command")


def folders_are_pictures_and_hold_some(tab: Tab, server: Server) -> None:
    if find_spec("zarr") is None:
        return
    folder = tab.downloads / "given"
    volume = Image.of(np.stack([levels(noisy(clean(64, 64, 1)))[..., 0]] * 2), "ZYX")
    folder.mkdir()
    write(folder / "cells.zarr", volume)
    (folder / "beside.png").write_bytes(picture(48, 48))
    (folder / "notes.txt").write_text("nothing to see")
    tab.drop_from_disk(folder)
    tab.until(lambda: tab.states().get("cells.zarr") == tab.states().get("beside.png") == "ready")
    assert "notes.txt" in tab.text("#banner")
    tab.find("#folder").send_keys(str(folder / "cells.zarr"))
    tab.until(lambda: "cells.zarr is on the page already" in tab.text("#banner"))
    tab.pick("cells.zarr")
    tab.until(lambda: tab.text("#command").startswith("untaught denoise cells.zarr -o cells-restored.zarr"))
    tab.choose("task", "denoise")
    tab.choose("effort", "quick")
    tab.find("#start").click()
    tab.until(lambda: tab.states()["cells.zarr"] == "done")
    tab.until(lambda: tab.find("#get-result").get_attribute("aria-disabled") == "false")
    tab.find("#get-result").click()
    packed = tab.downloads / "cells-restored.zarr.zip"
    tab.until(packed.exists)
    with ZipFile(packed) as archive:
        archive.extractall(tab.downloads)
    back = read(tab.downloads / "cells-restored.zarr")
    assert (back.axes, back.array.shape) == ("ZYX", (2, 64, 64))


def what_a_file_does_not_say_is_said_on_the_page(tab: Tab, server: Server) -> None:
    stream = BytesIO()
    np.save(stream, levels(noisy(clean(64, 64, 1))).repeat(12, axis=2))
    tab.drop(("bare.npy", stream.getvalue()))
    tab.until(lambda: tab.states().get("bare.npy") == "cannot be read")
    tab.pick("bare.npy")
    tab.until(lambda: "--axes YXC" in tab.text("#reading"))
    tab.until(lambda: tab.find("#axes").is_displayed())
    tab.write("#axes", "YXZ")
    tab.find("#read-so").click()
    tab.until(lambda: tab.states()["bare.npy"] == "ready")
    assert tab.text("#plane-label") == "1 of 12 (Z 1/12)"
    tab.write("#axes", "YX")
    tab.find("#read-so").click()
    tab.until(lambda: "do not fit" in tab.text("#read-message"))
    assert tab.text("#plane-label") == "1 of 12 (Z 1/12)"  # it stays as it was
    tab.write("#axes", "YXZ")
    tab.write("#range", "0,200")
    tab.find("#read-so").click()
    tab.until(lambda: tab.text("#kind").endswith("values 0 to 200"))
    tab.until(lambda: "--axes YXZ --value-range 0,200" in tab.text("#command"))


def what_is_wrong_is_said_on_the_page(tab: Tab, server: Server) -> None:
    tab.drop(("broken.png", picture(64, 64)[:900]), ("empty.png", b""), ("again.png", picture(64, 80)))
    tab.until(lambda: "empty.png is empty" in tab.text("#banner"))
    tab.until(lambda: "again.png is on the page already, as noisy.png" in tab.text("#banner"))
    tab.until(lambda: tab.states().get("broken.png") == "cannot be read")
    tab.pick("broken.png")
    tab.until(lambda: "broken.png" in tab.text("#reading"))
    assert not tab.find("#start").is_displayed()


def a_server_that_is_killed_is_said_and_found_again(tab: Tab, server: Server) -> None:
    server.kill()
    tab.until(lambda: "The server does not answer" in tab.text("#banner"))
    server.start()
    tab.until(lambda: not tab.find("#banner").is_displayed())
    assert tab.states()["noisy.png"] == "done"
    tab.pick("noisy.png")
    tab.until(lambda: tab.find("#get-result").get_attribute("aria-disabled") == "false")
    assert server.end() == 0
    assert not list(server.folder.glob("untaught-serve-*"))
    tab.until(lambda: "The server does not answer" in tab.text("#banner"))


STEPS = (
    a_dropped_picture_is_shown_and_measured,
    every_control_has_a_name_and_can_be_read,
    nothing_sticks_out_on_a_phone,
    a_fit_is_watched_found_again_seen_by_two_and_stopped,
    before_and_after_are_compared,
    paint_is_filled_in_and_fetched,
    a_mask_is_given_as_a_file_and_taken_back,
    a_stack_is_gone_through_and_its_flat_part_measured,
    folders_are_pictures_and_hold_some,
    what_a_file_does_not_say_is_said_on_the_page,
    what_is_wrong_is_said_on_the_page,
    a_server_that_is_killed_is_said_and_found_again,
)


@pytest.mark.slow
@pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="there is no browser here to try the page in; apt-get install chromium chromium-driver",
)
def test_an_afternoon_on_the_page(tmp_path: Path) -> None:
    """One test, for each step goes on where the one before has ended, on one server and in one browser."""
    for name in ("private", "downloads"):
        (tmp_path / name).mkdir()
    server, tab = Server(tmp_path / "private"), None
    try:
        tab = Tab(tmp_path / "downloads")
        tab.driver.get(server.address)
        for step in STEPS:
            step(tab, server)
            nothing_else_was_said_or_asked(tab)
    finally:
        if tab is not None:
            tab.driver.quit()
        if server.process.poll() is None:
            server.kill()


def nothing_else_was_said_or_asked(tab: Tab) -> None:
    """Refuse an error on the console, but that of a server which is away, and a request to another host."""
    said = [entry for entry in tab.driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [entry for entry in said if not (entry["source"] == "network" and "/api/" in entry["message"])]
    origin = tab.js("return location.origin")
    for entry in tab.driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            assert message["params"]["request"]["url"].startswith((origin, "data:", "blob:"))
