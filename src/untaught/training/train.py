"""The front door of training: a folder of noisy pictures in, a model that restores others like them out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from untaught.errors import InputError, quoted
from untaught.fitting.checkpoint import until_written
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.image.atomic import path_of
from untaught.methods.networks.denoisers import Shape, shape_of
from untaught.methods.self_supervised.learner import Batch, Learner, Upright, directed
from untaught.methods.self_supervised.learners import learner
from untaught.methods.self_supervised.single_image import OnePicture
from untaught.noise import NoiseModel
from untaught.pipeline.options import Listener, device_of, listener_of, noise_of, seconds_of, seed_of
from untaught.training.batches import Ahead, Patches, Reader, centres
from untaught.training.beside import learner_beside, with_neighbours
from untaught.training.dataset import Folder, scan
from untaught.training.dataset_fit import OwnRisk, Training, Work, problem_of
from untaught.training.distributed import Processes, processes
from untaught.training.request import Asked, places, positive, whole
from untaught.training.result import TrainingResult, finished

ALIASES = {"r2r": "gr2r"}  # a page that corrects the non-local picture of one picture has the name
EPOCHS, STEPS = 50, 2000  # by default, whichever is more
LOOKS = 20  # at least so many in a training, for the early stop
MOST_BETWEEN_LOOKS = 100
PATIENCE = 0.25  # of all steps without a smaller risk


def train(
    folder: str | Path,
    output: str | Path,
    *,
    second: str | Path | None = None,
    method: str | Learner = "r2r",
    network: str | Shape = "auto",
    noise: str | NoiseModel = "auto",
    epochs: float | None = None,
    patch: int = 64,
    batch: int = 16,
    neighbours: int = 0,
    seed: int = 0,
    time_limit: float | None = None,
    device: str = "auto",
    bfloat16: bool | None = None,
    resume: bool = False,
    on_progress: Listener | None = None,
) -> TrainingResult:
    """Fit a network to a folder of noisy pictures, of which no clean version is known.

        min over theta of the method's objective on random patches; what is kept has the least of it on pictures
        that were kept back

    Parameters
    ----------
    folder : path
        Its pictures, and those in the folders in it, are learned from: of any size, type and number of planes,
        but all with the same number of channels.
    output : path
        Where the model is written, ending in .safetensors. The state of the training stands beside it, in
        OUTPUT.checkpoint, until it is done.
    second : path, optional
        For 'n2n': a folder with another exposure of every picture, under the same name. Without it pairs are the
        consecutive planes of every file.
    method : str or Learner
        'r2r', or any name in `untaught.methods.self_supervised.learners.LEARNERS`, or one that is set up.
    network : str or shape
        'dncnn' or 'unet'; with sizes 'dncnn:DEPTH,WIDTH', 'unet:WIDTH,SCALES'. 'auto' is DnCNN on a GPU, and on
        a processor the U-Net, of which a step takes a sixth of the time.
    noise : str or NoiseModel
        As in `denoise`; 'auto' measures it on every picture.
    epochs : float, optional
        How often as many patches are drawn as cover all pictures; by default 50, or more in a small folder, so
        that there are at least 2000 steps.
    patch, batch : int
        Side of a patch in pixels, at least 8, and patches in a step.
    neighbours : int
        Planes of a stack on each side of one that the network sees with it; then only planes along T or Z that
        show the same are learned from, and the model restores such.
    seed : int
        Same seed, same model.
    time_limit : float, optional
        Seconds; the best so far is the model when they are over, and the checkpoint is left.
    device : str
        'auto', 'cpu' or 'cuda'.
    bfloat16 : bool, optional
        Whether convolutions run in bfloat16; by default where the device has instructions for it, which about
        halves the time.
    resume : bool
        Go on from the checkpoint, if there is one: the weights become what they would have been without a break.
    on_progress : callable, optional
        Called with a `fitting.Progress` at every look; False ends the training as Ctrl-C does.

    Returns
    -------
    TrainingResult

    Raises
    ------
    InputError, OutputError
        If the folder, an option or the output cannot be used; one sentence that says what to do.
    """
    started = time.monotonic()
    place, folder = path_of(output, "the output"), path_of(folder, "the folder")
    other = None if second is None else path_of(second, "the second folder")
    device = device_of(device)
    own = "dncnn" if device == "cuda" else "unet"
    asked = Asked(
        _learner(method),
        shape_of(own if isinstance(network, str) and network == "auto" else network),
        noise_of(noise, None),
        None if epochs is None else positive("epochs", epochs),
        whole("patch", patch, 8),
        whole("batch", batch, 1),
        seed_of(seed),
        seconds_of(time_limit),
        device,
        narrow(device) if bfloat16 is None else bfloat16,
        whole("neighbours", neighbours, 0),
    )
    if asked.neighbours:
        asked = replace(asked, learner=learner_beside(asked.learner, asked.neighbours))
    if asked.neighbours and second is not None:
        raise InputError("neighbours are the planes of one stack; leave the second folder out, or the neighbours")
    if second is not None and not asked.learner.needs.pairs:
        raise InputError(f"{asked.learner.name} learns from one exposure; a second folder is for n2n")
    checkpoint = places(place, resume)
    with until_written(), processes(asked.device) as group:
        found = scan(folder, asked.side, other)
        if isinstance(asked.learner, OnePicture) and asked.neighbours:
            found = with_neighbours(found, asked.learner)
        learned, judged = found.split(asked.seed)
        _refuse_single(asked.learner, found)
        reader = Reader(asked.noise, pairs=asked.learner.needs.pairs)
        patches = Patches(learned, asked.side, asked.seed, reader, _upright(asked.learner))
        size = math.ceil(asked.batch / group.parts) * group.parts
        batches = Ahead(patches, [range(part, size, group.parts) for part in group.mine])
        work = Work(batches, centres(judged, reader), group, asked.seconds, started)
        training = _training(asked, found, work, size)
        try:
            fitted = fit(
                training,
                problem_of(work.judged, asked.device),
                asked.seed,
                _loop(training, group, checkpoint, listener_of(on_progress) if group.first else None),
            )
        finally:
            batches.close()
        try:
            return finished(training, fitted, place, (asked, found, started))
        except KeyboardInterrupt:  # all the work is done: it has only to be written
            return finished(training, replace(fitted, interrupted=True), place, (asked, found, started))


def _learner(method: str | Learner) -> Learner:
    if isinstance(method, str):
        return learner(ALIASES.get(method, method))
    if isinstance(method, type) or not hasattr(method, "answer"):
        raise InputError(f"{quoted(method)} is no method to be trained; give a name, such as 'r2r'")
    return method


def _refuse_single(method: Learner, found: Folder) -> None:
    single = next((page for page in found.pages if page.second is None), None)
    if method.needs.pairs and single is not None:
        raise InputError(
            f"{method.name} learns from two exposures of the same picture, in the planes of one file or under "
            f"the same name in a second folder, and {single.path} has one plane; choose another, such as r2r"
        )


def _upright(method: Learner) -> Callable[[Batch], bool]:
    """Return what says whether squares may be turned by 180 degrees only."""
    return method.upright if isinstance(method, Upright) else directed


def _training(asked: Asked, found: Folder, work: Work, batch: int) -> Training:
    epoch = work.batches.patches.in_an_epoch / batch
    steps = max(math.ceil(EPOCHS * epoch), STEPS) if asked.epochs is None else math.ceil(asked.epochs * epoch)
    _refuse_clean(asked, work.judged, found.path)
    return Training(
        asked.learner,
        asked.shape,
        found.sha256,
        asked.noise,
        steps,
        work,
        channels=found.channels,
        neighbours=asked.neighbours,
        batch=batch,
        side=asked.side,
        bfloat16=asked.bfloat16,
    )


def narrow(device: str) -> bool:
    """Say whether a device has instructions for bfloat16, without which it would be slower."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    told: Callable[[], bool] = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)
    return told()


def _refuse_clean(asked: Asked, judged: Batch, folder: Path) -> None:
    if asked.learner.needs.level and all(noise.negligible for noise in judged.noises):
        raise InputError(
            f"no noise was found on the pictures in {folder}, and {asked.learner.name} needs to know its level; "
            "give it with --noise if there is some"
        )


def _loop(
    training: Training, group: Processes, checkpoint: Path, on_progress: Callable[[Progress], None] | None
) -> Options:
    every = max(1, min(MOST_BETWEEN_LOOKS, training.steps // LOOKS))
    return Options(
        rule=OwnRisk(every, math.ceil(PATIENCE * training.steps)),
        on_progress=on_progress,
        checkpoint=checkpoint,
        checkpoint_every=1 if group.first else 2**62,  # at every look; the others only read it
        phase="training",
    )
