"""Which network is the prior: each architecture on a large hole, and DIP against no prior on an enlargement.

    python benchmarks/architectures.py --data DIR [--quick] [--scale N] [--steps N] [--names resnet,unet,...]
    python benchmarks/architectures.py --draw FILE

`library` has a hole with nothing known behind it, so that its restored pictures can only be looked at (--pictures
FOLDER keeps them). The score is made on a second hole of the same shape, cut where the picture is known.
`zebra` is enlarged four times by pixels without a prior, with total variation, and by DIP.
--scale and --steps make both smaller and shorter, and stand in the row. One JSON line a case.

--draw needs no data: what every architecture draws with random weights, before it has seen anything.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lib.harness import how, psnr, read8, run_cases

QUICK = ("hourglass-2", "hourglass-5", "hourglass-2-no-skips", "hourglass-5-no-skips", "unet", "resnet", "decoder")
QUICK_STEPS, QUICK_FACTOR = 400, 4  # at most so many steps, on a picture so much smaller
ENLARGED = ("pixels", "pixel-tv", "dip")
UNSTOPPED = ("dip-all-steps", "dip-paper")  # on request: ours and the paper's without a rule
SHIFT = (-160, 0)  # rows and columns by which the second hole lies off the first, in pixels of the whole picture
SIDE = 128  # of the drawings


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    from untaught.methods.networks.generators import GENERATORS

    shared = {"seed": args.seed, "time_limit": args.time_limit, "quick": args.quick, "data": str(args.data)}
    shared |= {"pictures": str(args.pictures) if args.pictures else None}
    shared |= {name: value for name in ("scale", "steps") if (value := getattr(args, name)) is not None}
    names = args.names.split(",") if args.names else [*(QUICK if args.quick else GENERATORS), *ENLARGED]
    for name in names:
        yield {"picture": "library" if name in GENERATORS else "zebra", "method": name, **shared}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    return library(case) if case["picture"] == "library" else zebra(case)


def library(case: dict[str, Any]) -> dict[str, Any]:
    """Fill both holes in with one network; score the one behind which the picture is known."""
    import untaught
    from untaught.methods.untrained.dip import DIP

    folder = Path(case["data"]) / "dip_demos"
    picture, kept = read8(folder / "library.png"), read8(folder / "library_mask.png")[..., 0] > 127
    factor = case.get("scale", QUICK_FACTOR if case["quick"] else 1)
    picture, kept = _smaller(picture, factor).round().astype(np.uint8), _smaller(kept, factor) == 1
    second = np.roll(kept, (SHIFT[0] // factor, SHIFT[1] // factor), (0, 1)) | ~kept
    method = replace(DIP.for_holes(), shape=case["method"])
    steps = case.get("steps", QUICK_STEPS if case["quick"] else method.steps)
    method = replace(method, steps=steps)
    limits = {"seed": case["seed"], "time_limit": case["time_limit"], "noise": "gaussian:0"}
    result, told = _timed(lambda: untaught.inpaint(picture, kept & second, method=method, **limits))
    _keep(case, result.image)
    return {
        "psnr": round(psnr(result.image[~second], picture[~second]), 3),
        "psnr_mean_colour": round(psnr(np.mean(picture[kept & second], 0), picture[~second]), 3),
        **told,
    }


def zebra(case: dict[str, Any]) -> dict[str, Any]:
    """Enlarge a picture that was made smaller four times."""
    import untaught

    clean = Image.fromarray(read8(Path(case["data"]) / "dip_demos" / "zebra_GT.png"))
    if "scale" in case:
        clean = Image.fromarray(_smaller(np.asarray(clean), case["scale"]).round().astype(np.uint8))
    elif case["quick"]:
        clean = clean.crop((200, 100, 328, 228))
    clean = clean.crop((0, 0, clean.width // 4 * 4, clean.height // 4 * 4))
    small = clean.resize((clean.width // 4, clean.height // 4), Image.Resampling.LANCZOS)
    limits = {"seed": case["seed"], "time_limit": case["time_limit"], **_setting(case)}
    result, told = _timed(lambda: untaught.upscale(np.asarray(small), 4, kernel="lanczos3", **limits))
    _keep(case, result.image)
    bicubic = np.asarray(small.resize(clean.size, Image.Resampling.BICUBIC))
    truth = np.asarray(clean)
    return {
        "psnr": round(psnr(result.image, truth), 3),
        "psnr_bicubic": round(psnr(bicubic, truth), 3),
        **told,
    }


def _setting(case: dict[str, Any]) -> dict[str, Any]:
    """Return the method of an enlargement, and its rule where all steps are to be taken."""
    from untaught.methods.untrained.dip import DIP

    name, steps = case["method"], {"steps": case["steps"]} if "steps" in case else {}
    if name in UNSTOPPED:
        network = DIP.reconstruction() if name == UNSTOPPED[0] else replace(DIP.paper(), bfloat16=True)
        return {"method": replace(network, **steps), "stop": "steps"}
    return {"method": replace(DIP.reconstruction(), **steps) if name == DIP.name else name}


def _smaller(values: NDArray[Any], factor: int) -> NDArray[np.float64]:
    """Return the means of squares of so many pixels a side."""
    height, width = (side // factor * factor for side in values.shape[:2])
    blocks = values[:height, :width].reshape(height // factor, factor, width // factor, factor, *values.shape[2:])
    return np.asarray(blocks.mean((1, 3)), np.float64)


def _timed(restored: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """Return a result, and how it came about, with the seconds of the processor: a clock counts other work too."""
    started = time.process_time()
    result = restored()
    told = how(result, time.process_time() - started)
    return result, {name: value for name, value in told.items() if name not in ("method", "versions")}


def _keep(case: dict[str, Any], image: NDArray[np.uint8]) -> None:
    if case["pictures"]:
        folder = Path(case["pictures"])
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{case['picture']}-{case['method']}.png")


def draw(path: Path) -> None:
    """Write one page of what every architecture draws with random weights from the same random code."""
    import torch

    from untaught.methods.networks.generators import GENERATORS, generator

    columns = 5
    rows = -(-len(GENERATORS) // columns)
    page = Image.new("RGB", (columns * (SIDE + 8), rows * (SIDE + 24)), "white")
    code = torch.rand(1, 32, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) / 10
    for number, name in enumerate(GENERATORS):
        torch.manual_seed(0)
        with torch.no_grad():
            drawn = generator(name, 32, 3, (SIDE, SIDE))(code)[0]
        low, high = drawn.amin((1, 2), keepdim=True), drawn.amax((1, 2), keepdim=True)
        values = ((drawn - low) / (high - low) * 255).round().byte().permute(1, 2, 0).numpy()
        place = (number % columns * (SIDE + 8) + 4, number // columns * (SIDE + 24) + 20)
        page.paste(Image.fromarray(values), place)
        ImageDraw.Draw(page).text((place[0], place[1] - 14), name, fill="black")
    page.save(path)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the resolution, fewer steps and architectures"
    )
    parser.add_argument("--scale", type=int, metavar="N", help="pictures so many times smaller")
    parser.add_argument("--steps", type=int, metavar="N", help="of the networks, at most")
    parser.add_argument("--names", default="", help=f"architectures, {', '.join((*ENLARGED, *UNSTOPPED))}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=None)
    parser.add_argument("--pictures", type=Path, help="folder to keep the restored pictures in")
    parser.add_argument("--draw", type=Path, metavar="FILE")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/architectures.jsonl"))
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
    elif args.draw:
        draw(args.draw)
    elif args.data is None:
        parser.error("--data DIR: the folder that holds dip_demos")
    else:
        run_cases(__file__, cases(args), args.output)


if __name__ == "__main__":
    main()
