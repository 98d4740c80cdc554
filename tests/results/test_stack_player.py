"""The report of a stack: a slider over its planes and cuts along it, bounded, and by keyboard in a browser."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.helpers.browser import CHROMIUM, DRIVER, Tab
from tests.helpers.results import a_result
from untaught.image.image import Image
from untaught.results import stack_player as player_page
from untaught.results.display import pairs, stretch_of
from untaught.results.page import page
from untaught.results.result import Result
from untaught.results.stack_player import FRAMES, Line


def stack(planes: int = 6, axes: str = "TYX", height: int = 24, width: int = 32) -> Result:
    """Return a result whose plane k has the level 10 k before, and one more after."""
    levels = 10 * np.arange(planes, dtype=np.uint8)[:, None, None] + np.zeros((planes, height, width), np.uint8)
    levels[:, :, width // 2] = 250
    return a_result(Image.of(levels, axes), Image.of(levels + 1, axes))


def pictures(html: str, kind: str) -> list[np.ndarray]:
    coded = re.findall(rf"data:image/{kind};base64,([A-Za-z0-9+/=]+)", html)
    return [np.asarray(Pillow.open(io.BytesIO(base64.b64decode(code)))) for code in coded]


def section_of(result: Result) -> str:
    shown = pairs(result)
    return player_page.stack_player(result, shown[0], stretch_of(result, shown))


def test_every_plane_is_there_before_and_after_with_its_place() -> None:
    html = section_of(stack())
    frames = pictures(html, "jpeg")
    assert [round(float(np.median(frame)) / 10) for frame in frames] == [0, 1, 2, 3, 4, 5] * 2
    assert re.findall(r'data-place="([^"]+)"', html)[:2] == ["T 1/6", "T 2/6"]
    assert html.count(" hidden>") == 10
    assert '<label for="plane">' in html


def test_the_cut_has_one_row_a_plane() -> None:
    before, after = pictures(section_of(stack()), "png")
    zoom = len(before) // 6
    np.testing.assert_array_equal(before[::zoom, 0], 10 * np.arange(6))
    np.testing.assert_array_equal(after[::zoom, 0], 10 * np.arange(6) + 1)
    assert "x-t cut" in section_of(stack())
    assert "x-z cut" in section_of(stack(axes="ZYX"))
    assert "cut" not in section_of(stack(3))


def test_of_thousands_of_planes_some_are_taken_from_all_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_page, "MOST_CUT", 50)
    result = stack(20)
    array = np.repeat(result.input.array, 100, 0)
    many = a_result(Image.of(array, "TYX"), Image.of(array, "TYX"))
    html = section_of(many)
    places = re.findall(r'data-place="([^"]+)"', html)
    assert len(places) == 2 * FRAMES
    assert [places[0], places[FRAMES - 1]] == ["T 1/2000", "T 2000/2000"]
    assert f"{FRAMES} of 2000 planes are shown" in html
    assert len(html) < 400_000
    assert "every 40th plane" in html


def test_the_line_goes_along_time_or_depth_through_the_plane_that_is_shown() -> None:
    picture = Image.of(np.zeros((5, 3, 8, 8, 4), np.uint8), "CTYXS")
    line = Line.of(picture, 4 * 3 + 2)  # the second channel's first time, third sample
    assert line == Line("T", (14, 18, 22))
    assert Line.of(Image.of(np.zeros((8, 8), np.uint8), "YX"), 0) is None
    channels = Line.of(Image.of(np.zeros((5, 8, 8), np.uint8), "CYX"), 0)
    assert channels is not None
    assert channels.axis == "C"


def test_a_picture_of_one_plane_has_no_slider() -> None:
    assert "Through the stack" in page(stack(axes="QYX"))
    assert "Through the stack" not in page(
        a_result(Image.of(np.eye(9, dtype=np.uint8), "YX"), np.eye(9, dtype=np.uint8))
    )


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    pytest.importorskip("selenium")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("there is no browser here")
    opened = Tab(tmp_path)
    yield opened
    opened.driver.quit()


def test_the_slider_moves_by_keys_and_plays(tab: Tab, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    place = stack().report(tmp_path / "report.html")
    tab.driver.get(place.as_uri())
    slider = tab.find("#plane")
    assert tab.text(".player output") == "T 1/6"
    slider.send_keys(Keys.ARROW_RIGHT * 2)
    assert tab.text(".player output") == slider.get_attribute("aria-valuetext") == "T 3/6"
    assert [image.get_attribute("alt") for image in tab.all(".player img") if image.is_displayed()] == [
        "before, T 3/6",
        "after, T 3/6",
    ]
    slider.send_keys(Keys.END)
    assert tab.text(".player output") == "T 6/6"
    button = tab.find(".player button")
    button.send_keys(Keys.ENTER)
    assert button.text == "Pause"
    tab.until(lambda: tab.text(".player output") != "T 6/6", 5)
    button.send_keys(Keys.ENTER)
    assert button.text == "Play"
    assert not tab.driver.get_log("browser")
