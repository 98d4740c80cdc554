"""Training on a folder of noisy pictures, against a twin that is shown the clean ones.

    python benchmarks/dataset.py --data DIR [--quick] [--methods supervised,gr2r,n2v ...] [--levels 15,25,50]

Trains on `train400` with white Gaussian noise, one noisy version of each picture, and tests on `bsd68`, noise not
clipped, level given. Every method, and the supervised twin, has the same network, the same first weights, the same
patches in the same order and the same number of steps; each is judged on the same pictures kept back by its own
risk. One JSON line a case in --output; cases that are there already are not run again. --quick: a small network,
sigma 25 and every fourth test picture, some minutes a case on a core; without it DnCNN of 17 layers, for a GPU.
`--table` prints what --output holds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor, nn

from lib.harness import done, machine, peak_gib, psnr, run_cases
from tables.tasks import trained
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.image.image import Image
from untaught.method import Needs
from untaught.methods.networks.denoisers import shape_of
from untaught.methods.self_supervised.learner import Batch, Learner, deviation
from untaught.methods.self_supervised.learners import LEARNERS, learner
from untaught.noise import Gaussian
from untaught.pipeline.options import device_of
from untaught.pipeline.plane.working_scale import WorkingScale
from untaught.problem import array, tensor
from untaught.training.batches import Ahead, Patches, Reader, Shelf, centres
from untaught.training.dataset import Page, scan, window
from untaught.training.dataset_fit import OwnRisk, Training, Work, problem_of
from untaught.training.distributed import Processes
from untaught.training.train import narrow

METHODS = ("supervised", *(name for name in LEARNERS if name not in ("n2n", "struct-n2v", "zs-n2n")))
QUICK = {"network": "dncnn:6,24", "steps": 2000, "side": 48, "batch": 16, "every": 4}
FULL = {"network": "dncnn", "steps": 60000, "side": 64, "batch": 64, "every": 1}


@dataclass(frozen=True)
class Supervised:
    """Least squares against the clean picture, which stands as the second observation."""

    name: ClassVar[str] = "supervised"
    needs: ClassVar[Needs] = Needs()

    def objective(self, network: nn.Module, seen: Batch, generator: torch.Generator) -> Tensor:
        """Return the mean of (f(y) - x)^2."""
        assert seen.second is not None
        return deviation(network(seen.y), seen.second, seen.mask)

    def answer(self, network: nn.Module, seen: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return a plain pass."""
        return network(seen.y).detach(), None


class OnUnitRange(Shelf):
    """Pictures whose 0 and 1 are black and white, however far the noise goes beyond."""

    def image(self, path: Path) -> Image:
        """See `Shelf`."""
        return replace(super().image(path), value_range=(0.0, 1.0))


@dataclass
class WithTruth(Reader):
    """A reader whose second observation is the clean picture of the same name in another folder."""

    clean: Path = Path()

    def square(self, page: Page, top: int, left: int, side: int) -> Batch:
        """See `Reader`."""
        seen, (_, ends) = super().square(page, top, left, side), self._look(page)
        image = replace(self.shelf.image(self.clean / page.path.name), value_range=ends)
        clean = window(image, page.index, top, left, side)
        return replace(seen, second=tensor(clean.values))


def cases(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what has to be run."""
    settings = QUICK if args.quick else FULL
    for level in ("25" if args.quick and not args.levels else args.levels or "15,25,50").split(","):
        for method in args.methods.split(","):
            yield {"method": method, "level": int(level), "seed": args.seed, **settings, "data": str(args.data)}


def grey(path: Path) -> NDArray[np.float32]:
    """Return a grey picture in [0, 1]."""
    return np.asarray(Pillow.open(path).convert("L"), np.float32) / 255


def with_noise(x: NDArray[np.float32], level: int, seed: int) -> NDArray[np.float32]:
    """Return the picture with white Gaussian noise of a level (of 255), not clipped."""
    return (x + np.random.default_rng(seed).normal(0, level / 255, x.shape)).astype(np.float32)


def fitted(case: dict[str, Any], method: Learner, folder: Path, device: str) -> tuple[nn.Module, dict[str, Any]]:
    """Train, and return the network and what is to be written down of it."""
    noisy, clean = folder / "noisy", folder / "clean"
    for place in (noisy, clean):
        place.mkdir()
    for i, path in enumerate(sorted((Path(case["data"]) / "train400").glob("*.png"))):
        x = grey(path)
        np.save(clean / f"{path.stem}.npy", x)
        np.save(noisy / f"{path.stem}.npy", with_noise(x, case["level"], i))
    found = scan(noisy, case["side"])
    learned, judged = found.split(case["seed"])
    reader = WithTruth(Gaussian(case["level"] / 255), OnUnitRange(), clean=clean)
    patches = Patches(learned, case["side"], case["seed"], reader, lambda seen: False)
    parts = Processes().parts
    batches = Ahead(patches, [range(part, case["batch"], parts) for part in range(parts)])
    training = Training(
        method,
        shape_of(case["network"]),
        found.sha256,
        reader.noise,
        case["steps"],
        Work(batches, centres(judged, reader)),
        batch=case["batch"],
        side=case["side"],
        bfloat16=narrow(device),
    )
    rule = OwnRisk(max(1, case["steps"] // 30), case["steps"])
    run = fit(training, problem_of(training.work.judged, device), case["seed"], Options(rule=rule))
    batches.close()
    assert isinstance(run.estimate.function, nn.Module)
    return run.estimate.function, {"step": run.stopped.step, "risk": run.watch.best_score}


def tested(case: dict[str, Any], network: nn.Module, method: Learner, device: str) -> list[float]:
    """Return the PSNR of every test picture."""
    scores = []
    for i, path in enumerate(sorted((Path(case["data"]) / "bsd68").glob("*.png"))[:: case["every"]]):
        x = grey(path)
        noisy = replace(Image.of(with_noise(x, case["level"], 10_000 + i), "YX"), value_range=(0.0, 1.0))
        own = next(noisy.planes()).working  # the range on which pages are learned, too
        y, scale = tensor(own.values).to(device), WorkingScale(own.factor, own.shift)
        seen = Batch(y, (scale.noise(Gaussian(case["level"] / 255)),), torch.ones_like(y))
        with torch.no_grad():
            answer, _ = method.answer(network, seen, torch.Generator().manual_seed(i))
        scores.append(psnr(scale.values(array(answer))[:, :, 0], x, 1.0))
    return scores


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case."""
    device = device_of("auto")
    method = Supervised() if case["method"] == "supervised" else learner(case["method"])
    started, used = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        network, row = fitted(case, method, Path(folder), device)
    spent = {
        "train_seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
    }
    scores = tested(case, network, method, device)
    return {
        "psnr": round(float(np.mean(scores)), 3),
        "pictures": len(scores),
        **row,
        **spent,
        "test_seconds": round(time.monotonic() - started - spent["train_seconds"], 1),
        "parameters": sum(value.numel() for value in network.parameters()),
        "device": device,
        "threads": torch.get_num_threads(),
        "peak_gib": round(peak_gib(), 3),
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": {"torch": torch.__version__},
    }


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="a small network, sigma 25")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--levels", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/dataset.jsonl"))
    parser.add_argument("--table", action="store_true", help="print what --output holds")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(json.loads(args.case))))
    elif args.table:
        print(trained([{"benchmark": "dataset", **row} for row in done(args.output)]))
    elif args.data is None:
        parser.error("--data DIR: the folder that holds train400 and bsd68")
    else:
        run_cases(__file__, cases(args), args.output)


if __name__ == "__main__":
    main()
