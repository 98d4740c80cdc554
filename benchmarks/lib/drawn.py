"""Pictures that were drawn and not photographed: plots, letters, cartoons, games, line art, gradients, dithering.

All are made here, from fixed seeds, and hold no noise. Values are those of files of 8 bits.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter
from skimage import data

matplotlib.use("Agg")

Picture = NDArray[np.float32]
Colour = int | tuple[int, int, int]
Figure = Any  # of matplotlib, which has no types here

SANS, SERIF = (font_manager.findfont(name) for name in ("DejaVu Sans", "DejaVu Serif"))
SENTENCE = "The quick brown fox jumps over the lazy dog and reads 1234567890 letters again."
SIDE = 256  # pixels
FINER = 4  # times the size at which smoothed edges are drawn
TURN = 6.28


def unit(picture: Any) -> Picture:
    """Return a picture of 8 bits, without its opacity, in [0, 1]."""
    values = np.asarray(picture)
    return np.asarray((values[..., :3] if values.ndim == 3 else values).astype(np.float32) / 255, dtype=np.float32)


def rounded(values: NDArray[Any]) -> Picture:
    """Clip to [0, 1] and round to 8 bits."""
    return np.asarray(np.round(np.clip(values, 0, 1) * 255) / 255, dtype=np.float32)


def enlarged(picture: Picture, times: int) -> Picture:
    """Return the picture with each pixel copied to a square."""
    return picture.repeat(times, 0).repeat(times, 1)


def plotted(draw: Callable[[Figure], None], inches: tuple[float, float] = (3.2, 2.4)) -> Picture:
    """Return what `draw` puts on a figure of 100 pixels an inch."""
    figure, stored = plt.figure(figsize=inches, dpi=100), io.BytesIO()
    draw(figure)
    figure.savefig(stored)
    plt.close(figure)
    stored.seek(0)
    return unit(Image.open(stored).convert("RGB"))


def lines(figure: Figure) -> None:
    """Draw four curves with a legend, a grid and a title."""
    axes, x = figure.add_subplot(), np.linspace(0, 10, 200)
    for shift in range(4):
        axes.plot(x, np.sin(x + shift))
    axes.legend(list("abcd"))
    axes.grid()
    axes.set_title("Lines")


def scatter(figure: Figure, points: int = 400, size: int = 12) -> None:
    """Draw coloured points."""
    rng = np.random.default_rng(0)
    figure.add_subplot().scatter(*rng.normal(size=(2, points)), c=rng.random(points), s=size)


def dense_scatter(figure: Figure) -> None:
    """Draw so many points that they hide the paper."""
    scatter(figure, points=5000, size=3)


def bars(figure: Figure) -> None:
    """Draw ten bars."""
    heights = np.random.default_rng(1).random(10)
    figure.add_subplot().bar(range(10), heights, color=plt.cm.tab10(range(10)))


def contours(figure: Figure) -> None:
    """Draw filled contours."""
    x, y = np.mgrid[-3:3:100j, -3:3:100j]
    figure.add_subplot().contourf(x, y, np.sin(x * 2) * np.cos(y) + x * y / 5, 12)


def street_map(figure: Figure) -> None:
    """Draw land, roads and names on water."""
    rng, water = np.random.default_rng(3), "#aad3df"
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set_facecolor(water)
    axes.axis("off")
    figure.patch.set_facecolor(water)
    lands = ("#f2efe9", "#add19e", "#cdebb0", "#e0dfdf", "#d9d0c9")
    for number in range(60):
        middle, corners = rng.random(2) * 10, rng.integers(5, 12)
        angles = np.sort(rng.random(corners)) * TURN
        radii = rng.uniform(0.3, 1.5, corners)
        x, y = middle[0] + radii * np.cos(angles), middle[1] + radii * np.sin(angles)
        axes.fill(x, y, color=lands[number % 5], ec="#888", lw=0.6)
    roads = ("#f9b29c", "#fcd6a4", "#ffffff", "#e892a2")
    for number in range(25):
        road = np.cumsum(rng.normal(0, 0.6, (20, 2)), 0) + rng.random(2) * 10
        axes.plot(*road.T, color=roads[number % 4], lw=2)
    for number in range(30):
        axes.text(*(rng.random(2) * 10), ("Park", "Main St", "Lake", "Hill Rd", "A12")[number % 5], fontsize=6)


def letters(size: int, paper: Colour, ink: Colour, font: str = SANS, smooth: bool = True) -> Picture:
    """Return a page of words; `size` is that of the font."""
    image = Image.new("L" if isinstance(paper, int) else "RGB", (SIDE, SIDE), paper)
    pen, face = ImageDraw.Draw(image), ImageFont.truetype(font, size)
    pen.fontmode = "L" if smooth else "1"
    words = 9 * SENTENCE.split()
    for number, top in enumerate(range(2, SIDE, int(size * 1.25))):
        said = words[3 * number : 3 * number + 40 // max(1, size // 10) + 6]
        pen.text((3, top), " ".join(said), fill=ink, font=face)
    return unit(image)


def cartoon(side: int = SIDE, seed: int = 0, smooth: bool = False) -> Picture:
    """Return ellipses and rectangles of eight colours, with outlines."""
    rng, scale = np.random.default_rng(seed), FINER if smooth else 1
    image = Image.new("RGB", (side * scale, side * scale), (120, 200, 240))
    pen = ImageDraw.Draw(image)
    palette = [tuple(int(value) for value in rng.integers(10, 246, 3)) for _ in range(8)]
    for number in range(40):
        left, top = (int(place) for place in rng.integers(0, side * scale, 2))
        width, height = (int(length) for length in rng.integers(8 * scale, 60 * scale, 2))
        shape = pen.ellipse if number % 2 else pen.rectangle
        box = (left, top, left + width, top + height)
        shape(box, fill=palette[number % 8], outline=(20, 20, 20), width=2 * scale)
    return unit(image.resize((side, side), Image.Resampling.LANCZOS) if smooth else image)


def sprite(side: int, seed: int, colours: int = 12, smooth: bool = True) -> Picture:
    """Return patches of few colours, as small as pixels where not `smooth`."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(10, 246, (colours, 3))
    heights = gaussian_filter(rng.normal(size=(side, side)), 1.5 if smooth else 0.6)
    steps = np.quantile(heights, np.linspace(0, 1, colours + 1)[1:-1])
    return np.asarray(palette[np.digitize(heights, steps)] / 255, dtype=np.float32)


def game() -> Picture:
    """Return tiles of a game, one of them a chequered one."""
    rng = np.random.default_rng(0)
    tiles = [sprite(16, seed, 4, seed % 2 == 0) for seed in range(6)]
    chequered = (np.add.outer(np.arange(16), np.arange(16)) % 2)[:, :, None]
    tile = chequered * rng.random(3) + (1 - chequered) * rng.random(3)
    tiles.append(tile.astype(np.float32).round(2))
    chosen = rng.integers(0, 7, (8, 8))
    return rounded(np.concatenate([np.concatenate([tiles[kind] for kind in row], 1) for row in chosen], 0))


def line_art(smooth: bool = False) -> Picture:
    """Return black strokes on white."""
    rng, scale = np.random.default_rng(0), FINER if smooth else 1
    image = Image.new("L", (SIDE * scale, SIDE * scale), 255)
    pen = ImageDraw.Draw(image)
    for number in range(40):
        stroke = np.cumsum(rng.normal(0, 9 * scale, (14, 2)), 0) + rng.random(2) * SIDE * scale
        pen.line([(float(x), float(y)) for x, y in stroke], fill=0, width=scale * (1 + number % 3))
    return unit(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS) if smooth else image)


def gradients() -> list[Picture]:
    """Return five grey gradients and one of colours, rounded to 8 bits."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    grey = (
        x,
        0.2 + 0.5 * (x + y) / 2,
        np.hypot(x - 0.5, y - 0.5),
        0.5 + 0.3 * np.sin(3 * x + 2 * y),
        0.3 + 0.2 * x,
    )
    return [rounded(values) for values in (*grey, np.dstack([x, y, 1 - (x + y) / 2]))]


def screenshot(side: int = 320) -> Picture:
    """Return a window with a menu, a list of folders, a table and a button."""
    image = Image.new("RGB", (side, side), (246, 246, 246))
    pen, face, rng = ImageDraw.Draw(image), ImageFont.truetype(SANS, 11), np.random.default_rng(5)
    white, ink = (255, 255, 255), (20, 20, 20)
    pen.rectangle((0, 0, side, 24), fill=(44, 62, 80))
    pen.text((6, 5), "File  Edit  View  Tools  Help", fill=white, font=face)
    pen.rectangle((0, 24, 90, side), fill=(230, 233, 237))
    for row in range(18):
        pen.text((6, 30 + 16 * row), f"folder_{row:02d}", fill=(60, 60, 60), font=face)
    for row in range(18):
        pen.rectangle((95, 28 + 16 * row, side - 6, 43 + 16 * row), fill=(white, (240, 244, 250))[row % 2])
        pen.text((100, 30 + 16 * row), f"row {row}: value {rng.random():.6f} ok", fill=ink, font=face)
    pen.rectangle((200, 200, 300, 260), fill=(52, 152, 219), outline=(30, 100, 160))
    pen.text((215, 222), "Cancel", fill=white, font=face)
    return unit(image)


def diffused(values: NDArray[Any]) -> Picture:
    """Return black and white by error diffusion."""
    return unit(Image.fromarray((values * 255).astype(np.uint8)).convert("1").convert("L"))


def few_colours(values: NDArray[Any], colours: int = 16, dither: bool = False) -> Picture:
    """Return the picture in its own best colours, by error diffusion where `dither`."""
    image = Image.fromarray((values * 255).astype(np.uint8))
    kind = Image.Dither.FLOYDSTEINBERG if dither else Image.Dither.NONE
    return unit(image.quantize(colours, dither=kind).convert("RGB"))


def ordered(values: NDArray[Any], levels: int) -> Picture:
    """Return few levels of grey by a threshold that repeats every four pixels."""
    two = np.array([[0, 2], [3, 1]])
    thresholds = (np.block([[4 * two, 4 * two + 2], [4 * two + 3, 4 * two + 1]]) + 0.5) / 16
    height, width = values.shape
    tiled = np.tile(thresholds, (height // 4 + 1, width // 4 + 1))[:height, :width]
    scaled = values * (levels - 1)
    below = np.floor(scaled)
    return np.asarray((below + (scaled - below > tiled)).astype(np.float32) / (levels - 1), dtype=np.float32)


def _plots() -> Iterator[tuple[str, Picture]]:
    for draw in (lines, scatter, dense_scatter, bars, contours, street_map):
        yield f"plot: {draw.__name__.replace('_', ' ')}", plotted(draw)
    yield "plot: large street map", plotted(street_map, (5, 4))


def _pages() -> Iterator[tuple[str, Picture]]:
    for size in (8, 10, 12, 16, 24, 40):
        yield f"letters: {size}", letters(size, 255, 0)
    yield "letters: 10, grey", letters(10, 200, 40)
    yield "letters: 12, on dark", letters(12, (30, 34, 40), (200, 210, 220))
    yield "letters: 12, hard edges", letters(12, 230, 20, smooth=False)
    yield "letters: 9, serifs", letters(9, 245, 15, font=SERIF)
    yield "letters: 12, coloured", letters(12, (253, 246, 227), (38, 139, 210))


def _pixels() -> Iterator[tuple[str, Picture]]:
    yield "cartoon", cartoon()
    yield "cartoon: smooth edges", cartoon(seed=2, smooth=True)
    yield "cartoon: small", cartoon(side=96, seed=3)
    for times in (1, 2, 3, 4):
        yield f"sprites: x{times}", enlarged(sprite(160 // times, 1), times)
        yield f"rough sprites: x{times}", enlarged(sprite(160 // times, 2, 16, smooth=False), times)
    tiles = game()
    for times in (1, 2, 3):
        yield f"game: x{times}", enlarged(tiles[:96, :96] if times == 3 else tiles, times)


def _shades() -> Iterator[tuple[str, Picture]]:
    """Yield what is drawn of lines and gradients, and photographs in few colours."""
    yield "line art", line_art()
    yield "line art: smooth edges", line_art(smooth=True)
    shades = gradients()
    for number, values in enumerate(shades[:-1], 1):
        yield f"gradient: {number}", values
    yield "gradient: colours", shades[-1]
    yield "screenshot", screenshot()
    camera, astronaut = data.camera()[::2, ::2] / 255, data.astronaut()[::2, ::2] / 255
    yield "1 bit: camera, diffused", diffused(camera)
    yield "1 bit: gradient, diffused", diffused(shades[1])
    yield "16 colours: astronaut, diffused", few_colours(astronaut, dither=True)
    yield "16 colours: gradient, diffused", few_colours(shades[-1], dither=True)
    yield "1 bit: gradient, ordered", ordered(shades[1], 2)
    yield "2 bits: camera, ordered", ordered(camera, 4)
    yield "16 colours: astronaut", few_colours(astronaut)
    yield "64 colours: astronaut", few_colours(astronaut, 64)
    yield "camera: x2", enlarged(camera.astype(np.float32), 2)


def drawings() -> Iterator[tuple[str, Picture]]:
    """Yield all of them with their names."""
    for kind in (_plots, _pages, _pixels, _shades):
        yield from kind()
