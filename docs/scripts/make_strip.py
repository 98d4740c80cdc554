"""Make docs/img/strip.png, the picture at the top of the README, from what `untaught demo` wrote.

    untaught demo -o demo && python docs/scripts/make_strip.py demo

Crops of 192 x 192 pixels keep the file small; the figures above them are those of the whole picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from untaught.cli.commands.demo import strip_of
from untaught.image.files import read
from untaught.image.metrics import quality

SIDE = 192
TARGET = Path(__file__).resolve().parents[1] / "img" / "strip.png"


def main(folder: Path) -> None:
    """Read noisy.png, restored.png and clean.png of `folder`, and write the strip."""
    noisy, restored, clean = (read(folder / f"{name}.png") for name in ("noisy", "restored", "clean"))
    before, after = quality(noisy, clean).psnr, quality(restored, clean).psnr
    shown = {
        f"before, {before:.1f} dB": noisy.array,
        f"after, {after:.1f} dB": restored.array,
        "clean, which was not used": clean.array,
    }
    top, left = (length // 2 - SIDE // 2 for length in clean.array.shape[:2])
    cut = {name: array[top : top + SIDE, left : left + SIDE] for name, array in shown.items()}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(strip_of(cut)).save(TARGET, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
