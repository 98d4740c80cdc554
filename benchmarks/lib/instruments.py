"""The measurements of `benchmarks/theory.py`: each takes its case, a dictionary, and returns what it found."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from untaught import theory
from untaught.fitting import malloc as heap
from untaught.methods.networks.decoder import ARCHITECTURES, Decoder, DecoderShape, TwoLayer
from untaught.methods.networks.hourglass import Hourglass, HourglassShape
from untaught.theory.dual_kernels import PUBLISHED
from untaught.theory.gradient_descent import watch
from untaught.theory.impedance import NOISE, PICTURE

Found = dict[str, Any]
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
LINEAR = {  # generator, and the part of the way to the phantom at which the target lies
    "two layers, k = 1024, 0.2 of the way": ("two", 1024, 0.2),
    "two layers, k = 1024": ("two", 1024, 1.0),
    "two layers, k = 64": ("two", 64, 1.0),
    "deep decoder, k = 128, 0.02 of the way": ("deep", 128, 0.02),
    "deep decoder, k = 128, 0.2 of the way": ("deep", 128, 0.2),
    "deep decoder, k = 128": ("deep", 128, 1.0),
}


def phantom(data: str, side: int = 256) -> Tensor:
    """Return the phantom as the notebooks read it, (1, 1, side, side): palette indices over the largest."""
    values = np.asarray(Image.open(Path(data) / "theory" / "phantom256.png"), dtype=np.float32)
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
    network = Hourglass(32, 1, HourglassShape()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    # In this order of the values a step takes two thirds of the time.
    return network, (0.1 * torch.rand(1, 32, 256, 256)).contiguous(memory_format=torch.channels_last)


def of_2019(draw: theory.Draw) -> theory.Draw:
    """Start the normalisations as torch did before 1.2: scales uniform in [0, 1], not one."""

    def drawn(seed: int) -> tuple[nn.Module, Tensor]:
        network, code = draw(seed)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight)
        return network, code

    return drawn


def generator(architecture: str, width: int, scales: int) -> DecoderShape:
    """Return one of the four architectures, all at about one number of weights, as in the paper."""
    name = next(known for known in ARCHITECTURES if known == architecture)
    fixed = name in ("upsampling", "fixed")
    return DecoderShape(width if fixed else max(2, width // LEARNED), scales, name, plain="last")


def kernels(case: Found) -> Found:
    """Dual kernel, as in the paper, and with the notebook's guard, which every printed digit depends on."""
    printed = np.array(KERNELS[case["kernel"]])
    found = theory.dual_kernel(case["kernel"], 300, PUBLISHED)
    row = found.row.copy()
    row[0, 0] = PUBLISHED * (1 - np.arccos(1 - GUARD) / np.pi)
    guarded = np.abs(np.fft.fft2(row))
    ours = np.array([found.spectrum[-1], found.spectrum[0]])
    digits = np.array([guarded.min(), guarded.max()])
    return {
        "published": printed.tolist(),
        "ours": ours.tolist(),
        "relative_error": float(np.abs(ours / printed - 1).max()),
        "with_guard": digits.tolist(),
        "relative_error_with_guard": float(np.abs(digits / printed - 1).max()),
    }


def jacobian(case: Found) -> Found:
    """|| J^T x || for the phantom over uniform noise of its norm, weights of convolutions."""
    picture = phantom(case["data"])
    noise = torch.rand(picture.shape, generator=torch.Generator().manual_seed(1))
    wide = partial(decoder, shape=DecoderShape(256, 4, plain="last"), side=256)
    draw: theory.Draw = wide if case["network"] == "deep-decoder" else dip
    draw = of_2019(draw) if case["start"] == "2019" else draw
    targets = {"phantom": picture, "noise": noise}
    found = theory.jacobian_norms(draw, targets, case["networks"], case["first"])
    ratio, error = found.ratio("phantom", "noise")
    mean, spread = found.norms.mean(axis=0), found.norms.std(axis=0)
    return {
        "published": RATIOS[case["network"]],
        "ratio": round(ratio, 3),
        "standard_error": round(error, 3),
        "phantom": [round(float(mean[0]), 1), round(float(spread[0]), 1)],
        "noise": [round(float(mean[1]), 1), round(float(spread[1]), 1)],
        "notes": found.notes,
    }


def vectors(case: Found) -> theory.Spectrum:
    """Return the first 20 singular values and vectors of an untrained generator."""
    if case["architecture"] == "two layers":
        network, code = two_layers(case["seed"], 256, "triangle:4", case["side"])
    else:
        network, code = decoder(case["seed"], generator(case["architecture"], 48, 2), case["side"])
    return theory.leading(theory.Jacobian(network, code), 20, "randomised")


def trigonometric(case: Found) -> Found:
    """Share of energy of the first 20 singular vectors in their 10 largest DCT atoms, and that of white noise."""
    found, side = vectors(case), case["side"]
    white = np.random.default_rng(0).standard_normal((20, 1, side, side))
    shares = theory.trigonometric_share(found.vectors)
    return {
        "share": [round(float(share), 4) for share in shares],
        "mean": round(float(shares.mean()), 4),
        "white_noise": round(float(theory.trigonometric_share(white).mean()), 4),
        "coarse": round(float(theory.coarse_share(found.vectors).mean()), 4),
        "values": np.round(found.values, 3).tolist(),
        "notes": found.notes,
    }


def svd(case: Found) -> Found:
    """Hold the randomised method against numpy on the whole Jacobian of a 16 x 16 generator."""
    network, code = decoder(0, generator(case["architecture"], 24, 1), 16)
    found = theory.Jacobian(network, code)
    _, truth, _ = np.linalg.svd(found.matrix().double().numpy(), full_matrices=False)
    ours = theory.leading(found, 20, "randomised").values
    return {"relative_error": float(np.abs(ours / truth[:20] - 1).max())}


def linear(case: Found) -> Found:
    """Predicted against measured fit of the phantom, 16 x 16: generators from linear to far from it.

    A target that lies at a part of the way from the network's start to the phantom keeps it near its start.
    """
    kind, width, part = LINEAR[case["generator"]]
    draw: theory.Draw = partial(two_layers, width=width, kernel="triangle:4", side=16)
    if kind == "deep":
        draw = partial(decoder, shape=DecoderShape(width, 1), side=16)
    found = theory.Jacobian(*draw(0))
    spectrum = theory.leading(found, found.pixels)
    target = found.output + part * (phantom(case["data"], 16) - found.output)
    descent = theory.Descent(draw, 0.5 / spectrum.values[0] ** 2, case["steps"])
    fit = theory.linear_regime(descent, spectrum, target, every=5)
    return {
        "exact": spectrum.exact,
        "relative_error": round(fit.relative_error, 4),
        "apart": round(float(fit.apart.max()), 4),
        "fitted_energy": round(1 - float(fit.measured[-1] / (target - found.output).square().mean()), 4),
        "steps": fit.steps[::4].tolist(),
        "measured": np.round(fit.measured[::4], 7).tolist(),
        "predicted": np.round(fit.predicted[::4], 7).tolist(),
    }


def stop(case: Found) -> Found:
    """Predicted stop, from sigma and the noisy picture's spectrum, beside the fit's own best."""
    picture, sigma = phantom(case["data"], 16), case["sigma"]
    y = picture + sigma * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
    draw: theory.Draw = partial(two_layers, width=1024, kernel="triangle:4", side=16)
    if case["generator"] == "deep decoder, k = 128":
        draw = partial(decoder, shape=DecoderShape(128, 1), side=16)
    found = theory.Jacobian(*draw(0))
    spectrum = theory.leading(found, found.pixels)
    eta = 0.5 / spectrum.values[0] ** 2
    predicted = theory.predicted_stop(spectrum.components(y - found.output), sigma, eta, range(case["steps"]))
    return held_against(predicted, theory.Descent(draw, eta, case["steps"]), y, picture)


def followed(case: Found) -> Found:
    """Like `stop` for a deep decoder, which leaves the linear regime: the error is estimated along the fit."""
    picture, sigma = phantom(case["data"], 16), case["sigma"]
    y = picture + sigma * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
    draw: theory.Draw = partial(decoder, shape=DecoderShape(128, 1), side=16)
    spectrum = theory.leading(theory.Jacobian(*draw(0)), 1)
    descent = theory.Descent(draw, 0.5 / spectrum.values[0] ** 2, case["steps"])
    return held_against(theory.followed_stop(descent, y, sigma), descent, y, picture)


def held_against(predicted: theory.PredictedStop, descent: theory.Descent, y: Tensor, clean: Tensor) -> Found:
    """Return a predicted stop beside the best one of the descent."""
    errors = descent_errors(descent, y, clean)
    return {
        "predicted_step": predicted.step,
        "best_step": int(np.argmin(errors)),
        "predicted_error": float(predicted.error.min()),
        "error_there": errors[predicted.step],
        "best_error": min(errors),
        "behind_best": round(10 * float(np.log10(errors[predicted.step] / min(errors))), 3),
    }


def descent_errors(descent: theory.Descent, y: Tensor, clean: Tensor) -> list[float]:
    """Return the mean squared error to `clean` at every step of a descent to y."""
    errors: list[float] = []

    def look(step: int, image: Tensor) -> None:
        errors.append(float((image - clean).square().mean()))

    watch(descent, y, 0, 1, look)
    return errors


def impedance(case: Found) -> Found:
    """One architecture fitted to the phantom and to noise as in the paper: descent, rate 0.1, momentum 0.9."""
    side, scales = case["side"], 2 if case["side"] < 64 else 3
    picture = phantom(case["data"], side)
    draw = partial(decoder, shape=generator(case["architecture"], 64, scales), side=side)
    descent = theory.Descent(draw, 2 * 0.1 / picture.numel(), case["steps"], 0.9)
    rows = [theory.impedance(descent, picture, 0.1, seed, every=10) for seed in range(case["seeds"])]
    left = {name: [round(r.curves[name].error[-1], 5) for r in rows] for name in rows[0].curves}
    return {
        "left": left,
        "steps_to_0.5": [r.steps_to(0.5) for r in rows],
        "noise_over_picture": [round(a / b, 3) for a, b in zip(left[NOISE], left[PICTURE], strict=True)],
    }


PARTS: dict[str, Callable[[Found], Found]] = {
    "kernels": kernels,
    "jacobian": jacobian,
    "trigonometric": trigonometric,
    "svd": svd,
    "linear": linear,
    "stop": stop,
    "followed": followed,
    "impedance": impedance,
}


def measured(case: Found) -> Found:
    """Run a case, and say what it took."""
    heap.keep()
    started = time.process_time()
    found = PARTS[case["part"]](case)
    return {**found, "cpu_seconds": round(time.process_time() - started, 2)}
