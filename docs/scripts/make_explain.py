"""Make docs/explain.md and its pictures: what `untaught explain` finds on pictures of scikit-image.

    python docs/scripts/make_explain.py

The first picture is shown with all plots, the others with two. Every figure of the page comes from the run.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from skimage import data

import untaught
from untaught.theory.explain import Explanation
from untaught.theory.explain.page import PLOTS
from untaught.theory.explain.plots import png
from untaught.theory.explain.text import sentences

DOCS = Path(__file__).resolve().parents[1]
PICTURES = {
    "camera": "the cameraman, 512 x 512, grey",
    "coffee": "a cup of coffee, 600 x 400, in colours",
    "brick": "a wall of bricks, 512 x 512, grey: a texture",
}
FEW = ("impedance", "stop")  # of the pictures after the first
WIDTHS = {"targets": 600, "patterns": 600}  # pixels of a plot on the page; others have WIDTH
WIDTH = 900
COLOURS = 128  # in its palette
HEAD = """# Why it works, on a picture

A network that nobody taught draws a picture before it draws noise, and whoever stops it in time has the picture
without the noise. `untaught explain IN -o DIR` measures on your own picture whether that is so, why, and where
to stop; it writes a page like this one. In Python: `untaught.explain(image).save(folder)`. The instruments
behind it are in `untaught.theory`, and take any network of the project. It takes about half a minute. `untaught
compress IN -o DIR` draws a picture from few numbers, beside wavelets and JPEG of as many. This page was made by
`docs/scripts/make_explain.py`.
"""
TAIL = """
## What is measured, and how

- **Impedance** (Ulyanov, Vedaldi, Lempitsky, "Deep Image Prior", 2018): one network, from one start, is fitted
  to the picture, the picture with noise, its pixels shuffled, and noise.
- **Patterns** are the leading left-singular vectors of the network's Jacobian before the first step, by
  products alone (randomised block Krylov method).
- **Spread over speeds**: the energy of a picture along all singular vectors, by Lanczos quadrature of 120
  products with the Jacobian and its transpose. A direction of singular value s is fitted as (1 - eta s^2)^t in
  t steps.
- **The predicted stop** (Heckel, Soltanolkotabi, 2020, for the dynamics; Stein, 1981, for the risk): squared
  bias plus variance of the linearised network, from the noise level and the noisy picture's spectrum. It is
  handed on as a distance to the noisy picture, because Adam's steps are not those of plain descent.
- **The stopping rule** is `recorrupted` ([how it works](how-it-works.md)).

## Fixed and learned kernels

How like waves the patterns are depends on the network. Of the energy of the first twenty patterns of each of five
untrained generators, 64 x 64 pixels, this share lies in ten cosine waves, and this in waves of more than 8 pixels:

| network | in ten cosine waves | in waves above 8 pixels |
|---|---|---|
| two layers of 256 channels, a fixed kernel: the one that the theory is about | 77 % | 100 % |
| fixed kernel, up-sampling (deep decoder, 48 channels) | 20 % | 70 % |
| fixed kernel, no up-sampling | 18 % | 68 % |
| learned kernels, up-sampling | 27 % | 4 % |
| learned kernels, no up-sampling | 3 % | 10 % |
| white noise | 3 % | 6 % |

Fixed kernels make the patterns coarse, as coarse as pictures are. Learned up-sampling prefers waves too, but the
finest. Learned kernels without it prefer nothing. The figures are from
`python benchmarks/theory.py --data DIR --only trigonometric`, the plot from
`python benchmarks/vectors.py docs/img/vectors.png`.

![Above, the first left-singular vectors, mid grey is zero; below, their shares in ten waves.](img/vectors.png)

The network of the chapters above is a deep decoder of 64 channels on 64 x 64 grey pixels, which can hold the
noise and so has to be stopped. `untaught.explain(image, experiment=Experiment(method=..., side=...))`, with
`Experiment` from `untaught.theory.explain`, takes another.
"""


def saved(found: Explanation, name: str, plots: tuple[str, ...]) -> dict[str, str]:
    """Write plots of a picture with few colours, and return their files by plot."""
    files = {}
    for plot, figure in found.plots().items():
        if plot not in plots:
            continue
        image = Image.open(io.BytesIO(png(figure))).convert("RGB")
        width = WIDTHS.get(plot, WIDTH)
        size = (width, round(image.height * width / image.width))
        image = image.resize(size, Image.Resampling.LANCZOS)
        image = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        files[plot] = f"img/explain-{name}-{plot}.png"
        image.save(DOCS / files[plot], optimize=True)
    return files


def chapter(name: str, about: str, plots: tuple[str, ...]) -> str:
    """Return what was found on a picture, in Markdown, and write its plots."""
    found = untaught.explain(getattr(data, name)())
    said, files = sentences(found), saved(found, name, plots)
    notes = "; ".join(found.subject.notes)
    parts = [f"## {name[:1].upper()}{name[1:]}", f"{about[:1].upper()}{about[1:]}; {notes}."]
    for plot, file in files.items():
        title, caption = PLOTS[plot]
        parts += [f"**{title}.** {said[plot]}", f"![{caption}]({file})"]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Make the page."""
    (DOCS / "img").mkdir(exist_ok=True)
    first = next(iter(PICTURES))
    chapters = [chapter(name, about, tuple(PLOTS) if name == first else FEW) for name, about in PICTURES.items()]
    (DOCS / "explain.md").write_text("\n".join([HEAD, *chapters]) + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main()
