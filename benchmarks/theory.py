"""The figures of the structural-bias paper, made again.

    python benchmarks/theory.py --data DIR [--quick] [--only kernels,jacobian,...] [--out theory.jsonl]

DIR holds `theory/phantom256.png`. Prints and writes one JSON line a measurement; `published` is the notebooks'
figure. Parts: `kernels` (dual kernels, deterministic), `jacobian` (norms of J^T x over random networks),
`trigonometric` (the first 20 singular vectors of a 64 x 64 generator), `linear` (predicted and measured fit),
`stop` (predicted and best stop), `impedance` (four architectures, picture against noise, with spread over seeds).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from common import machine
from untaught import theory
from untaught.networks.decoder import ARCHITECTURES, Decoder, DecoderShape, TwoLayer
from untaught.networks.hourglass import Hourglass, HourglassShape
from untaught.theory.descent import watch
from untaught.theory.impedance import NOISE, PICTURE
from untaught.theory.kernels import PUBLISHED

GUARD = 1e-11  # taken off the cosine in the notebook, against arguments above one

# Least and largest singular value as printed in the notebook: k = 300; a Gaussian of .005 k is 1.5 pixels wide.
KERNELS = {
    "triangle:1": (0.1666664294124757, 0.1666664294124757),
    "triangle:10": (0.004869964834235159, 1.957451126942472),
    "triangle:30": (0.0015584634297893334, 5.896218826235423),
    "gaussian:1.5": (0.0210919829944388, 0.4960470114114067),
    "gaussian:3": (0.009148520805936729, 0.9829880396044313),
    "gaussian:15": (0.0017704492841324963, 4.900697183926314),
}
RATIOS = {"deep-decoder": 15, "dip": 3.5}  # read off the notebook's histograms
LEARNED = 3  # the paper's learned 3 x 3 convolutions have a third of the channels: 42, 85, 170 for 128, 256, 512


def phantom(data: Path, side: int = 256) -> Tensor:
    """Return the phantom as the notebooks read it, (1, 1, side, side): palette indices over the largest."""
    values = np.asarray(Image.open(data / "theory" / "phantom256.png"), dtype=np.float32)
    values = (values if values.ndim == 2 else values[..., 0]) / values.max()
    picture = torch.from_numpy(values)[None, None]
    return nn.functional.interpolate(picture, size=(side, side), mode="area")


def decoder(seed: int, shape: DecoderShape, side: int) -> tuple[nn.Module, Tensor]:
    """Return a decoder and its code."""
    torch.manual_seed(seed)
    network = Decoder(1, (side, side), shape)
    return network, network.draw_code(torch.Generator().manual_seed(seed))


def two_layers(seed: int, width: int, kernel: str, side: int) -> tuple[nn.Module, Tensor]:
    """Return the generator of the theory and its code."""
    network = TwoLayer((side, side), width, kernel)
    return network, network.draw_code(torch.Generator().manual_seed(seed))


def dip(seed: int) -> tuple[nn.Module, Tensor]:
    """Return the hourglass of the deep image prior and its code, at 256 x 256."""
    torch.manual_seed(seed)
    return Hourglass(32, 1, HourglassShape()), 0.1 * torch.rand(1, 32, 256, 256)


def of_2019(draw: theory.Draw) -> theory.Draw:
    """Start the normalisations as torch did before 1.2: scales uniform in [0, 1], not one."""

    def drawn(seed: int) -> tuple[nn.Module, Tensor]:
        network, code = draw(seed)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight)
        return network, code

    return drawn


def kernels(data: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Dual kernels, as in the paper, and with the notebook's guard, which every printed digit depends on."""
    for name, printed in KERNELS.items():
        found = theory.dual_kernel(name, 300, PUBLISHED)
        row = found.row.copy()
        row[0, 0] = PUBLISHED * (1 - np.arccos(1 - GUARD) / np.pi)
        guarded = np.abs(np.fft.fft2(row))
        ours = np.array([found.spectrum[-1], found.spectrum[0]])
        yield {
            "kernel": name,
            "published": printed,
            "ours": ours.tolist(),
            "relative_error": np.abs(ours / printed - 1).tolist(),
            "with_guard": [float(guarded.min()), float(guarded.max())],
            "relative_error_with_guard": np.abs(np.array([guarded.min(), guarded.max()]) / printed - 1).tolist(),
        }


def jacobian(data: Path, quick: bool, networks: int) -> Iterator[dict[str, Any]]:
    """|| J^T x || for the phantom over uniform noise of its norm, weights of convolutions."""
    picture = phantom(data)
    noise = torch.rand(picture.shape, generator=torch.Generator().manual_seed(1))
    wide = partial(decoder, shape=DecoderShape(256, 4, plain="last"), side=256)
    draws: dict[str, theory.Draw] = {"deep-decoder": wide, "dip": dip}
    for name, draw in draws.items():
        for start in ("2019", "now"):
            count = networks if name == "deep-decoder" and start == "2019" else max(networks // 10, 4)
            found = theory.jacobian_norms(
                of_2019(draw) if start == "2019" else draw, {"phantom": picture, "noise": noise}, count
            )
            ratio, error = found.ratio("phantom", "noise")
            mean, spread = found.norms.mean(axis=0), found.norms.std(axis=0)
            yield {
                "network": name,
                "start": start,
                "networks": count,
                "published": RATIOS[name],
                "ratio": round(ratio, 3),
                "standard_error": round(error, 3),
                "phantom": [round(float(mean[0]), 1), round(float(spread[0]), 1)],
                "noise": [round(float(mean[1]), 1), round(float(spread[1]), 1)],
                "notes": found.notes,
            }


def generators(width: int, scales: int) -> dict[str, DecoderShape]:
    """Return the four architectures at about one number of weights, as in the paper."""
    learned = max(2, width // LEARNED)
    return {
        name: DecoderShape(width if name in ("upsampling", "fixed") else learned, scales, name, plain="last")
        for name in ARCHITECTURES
    }


def trigonometric(data: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Share of energy of the first 20 singular vectors in their 10 largest DCT atoms."""
    side = 32 if quick else 64
    white = np.random.default_rng(0).standard_normal((20, 1, side, side))
    yield {"vectors": "white noise", "side": side, "share": shares(white)}
    for name, shape in generators(48, 2).items():
        network, code = decoder(0, shape, side)
        found = theory.leading(theory.Jacobian(network, code), 20, "randomised")
        yield {
            "vectors": name,
            "side": side,
            "share": shares(found.vectors),
            "mean": round(float(theory.trigonometric_share(found.vectors).mean()), 4),
            "coarse": round(float(theory.coarse_share(found.vectors).mean()), 4),
            "values": np.round(found.values, 3).tolist(),
            "notes": found.notes,
        }


def shares(vectors: NDArray[np.floating]) -> list[float]:
    """Return the shares, rounded."""
    return [round(float(share), 4) for share in theory.trigonometric_share(vectors)]


def linear(data: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Predicted against measured fit of the phantom, 16 x 16: generators from linear to far from it.

    A target that lies at a part of the way from the network's start to the phantom keeps it near its start.
    """
    picture = phantom(data, 16)
    deep = partial(decoder, shape=DecoderShape(128, 1), side=16)
    cases: list[tuple[str, theory.Draw, float]] = [
        ("two layers, k = 1024", partial(two_layers, width=1024, kernel="triangle:4", side=16), 1.0),
        ("two layers, k = 64", partial(two_layers, width=64, kernel="triangle:4", side=16), 1.0),
        *((f"deep decoder, k = 128, {part:g} of the way", deep, part) for part in (0.02, 0.2, 1.0)),
    ]
    for name, draw, part in cases:
        network, code = draw(0)
        found = theory.Jacobian(network, code)
        spectrum = theory.leading(found, found.pixels)
        target = found.output + part * (picture - found.output)
        descent = theory.Descent(draw, 0.5 / spectrum.values[0] ** 2, 100 if quick else 400)
        fit = theory.linear_regime(descent, spectrum, target, every=5)
        yield {
            "linear": name,
            "exact": spectrum.exact,
            "relative_error": round(fit.relative_error, 4),
            "apart": round(float(fit.apart.max()), 4),
            "fitted_energy": round(1 - float(fit.measured[-1] / (target - found.output).square().mean()), 4),
            "steps": fit.steps.tolist(),
            "measured": fit.measured.tolist(),
            "predicted": fit.predicted.tolist(),
        }


def stop(data: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Predicted stop, from sigma and the noisy picture's spectrum, beside the fit's own best."""
    picture = phantom(data, 16)
    for sigma in (0.05, 0.1, 0.2):
        noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
        y = picture + sigma * noise
        for name, draw in (
            ("two layers, k = 1024", partial(two_layers, width=1024, kernel="triangle:4", side=16)),
            ("deep decoder, k = 128", partial(decoder, shape=DecoderShape(128, 1), side=16)),
        ):
            network, code = draw(0)
            found = theory.Jacobian(network, code)
            spectrum = theory.leading(found, found.pixels)
            eta = 0.5 / spectrum.values[0] ** 2
            steps = range(1000 if quick else 3000)
            predicted = theory.predicted_stop(spectrum.components(y - found.output), sigma, eta, steps)
            errors = descent_errors(draw, eta, len(steps), y, picture)
            yield {
                "stop": name,
                "sigma": sigma,
                "predicted_step": predicted.step,
                "best_step": int(np.argmin(errors)),
                "predicted_error": float(predicted.error.min()),
                "error_there": errors[predicted.step],
                "best_error": min(errors),
            }


def descent_errors(draw: theory.Draw, eta: float, steps: int, y: Tensor, clean: Tensor) -> list[float]:
    """Return the mean squared error to `clean` at every step of a descent to y."""
    errors: list[float] = []
    watch(
        theory.Descent(draw, eta, steps),
        y,
        0,
        1,
        lambda step, image: errors.append(float((image - clean).square().mean())),
    )
    return errors


def impedance(data: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Four architectures fitted to the phantom and to noise as in the paper: descent, rate 0.1, momentum 0.9."""
    side, seeds, steps = (32, 2, 300) if quick else (64, 3, 2000)
    picture = phantom(data, side)
    eta = 2 * 0.1 / picture.numel()
    for name, shape in generators(64, 2 if quick else 3).items():
        rows = []
        for seed in range(seeds):
            draw = partial(decoder, shape=shape, side=side)
            rows.append(theory.impedance(theory.Descent(draw, eta, steps, 0.9), picture, 0.1, seed, every=10))
        yield {
            "impedance": name,
            "side": side,
            "seeds": seeds,
            "steps": steps,
            **{f"{target} left": spread([r.curves[target].error[-1] for r in rows]) for target in rows[0].curves},
            "steps_to_0.1": [r.steps_to(0.1) for r in rows],
            "noise_over_picture": spread([r.curves[NOISE].error[-1] / r.curves[PICTURE].error[-1] for r in rows]),
        }


def spread(values: list[float]) -> list[float]:
    """Return mean and standard deviation."""
    return [round(float(np.mean(values)), 5), round(float(np.std(values)), 5)]


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="fewer networks, seeds and steps, smaller pictures")
    parser.add_argument("--networks", type=int, default=200, help="for the Jacobian norms of the deep decoder")
    parser.add_argument("--only", default="kernels,jacobian,trigonometric,linear,stop,impedance")
    parser.add_argument("--out", type=Path, default=Path("theory.jsonl"))
    options = parser.parse_args()
    parts: dict[str, Callable[[Path, bool], Iterator[dict[str, Any]]]] = {
        "kernels": kernels,
        "jacobian": partial(jacobian, networks=6 if options.quick else options.networks),
        "trigonometric": trigonometric,
        "linear": linear,
        "stop": stop,
        "impedance": impedance,
    }
    with options.out.open("w", encoding="utf-8") as file:
        for part in options.only.split(","):
            started = time.process_time()
            for row in parts[part](options.data, options.quick):
                seconds = round(time.process_time() - started, 2)
                line = json.dumps({"part": part, **row, "seconds": seconds, "machine": machine()})
                print(line, flush=True)
                file.write(line + "\n")
                started = time.process_time()


if __name__ == "__main__":
    main()
