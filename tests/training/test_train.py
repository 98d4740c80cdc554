"""Training on a folder: what is learned, and what is the same whatever interrupts or shares the work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import noisy, psnr
from tests.helpers.training import QUICK, fill, quick, scene, stop_at
from untaught import apply
from untaught.errors import InputError
from untaught.image.files import write
from untaught.image.image import Image
from untaught.methods.self_supervised.learners import LEARNERS, learner
from untaught.methods.trained.model_file import read_model
from untaught.noise import Gaussian
from untaught.training.batches import Reader
from untaught.training.dataset import scan

SIGMA = 25 / 255

TRAIN = import_module("untaught.training.train")  # the room hands on the function of that name


def weights(path: Path) -> dict[str, torch.Tensor]:
    return read_model(path).network.state_dict()


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a.keys() | b.keys())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "noisy")


def test_learning_brings_a_picture_nearer_to_the_truth(folder: Path, tmp_path: Path) -> None:
    """No clean picture is shown, and one that was not learned from comes out better than it went in."""
    result = quick(folder, tmp_path / "m.safetensors", epochs=50, network="dncnn:4,12")
    x = scene(777)
    y = noisy(x, seed=9)
    restored = apply(tmp_path / "m.safetensors", y, noise="gaussian:25")
    assert psnr(restored.image, x) > psnr(y, x) + 3
    assert result.history.score[-1] < result.history.score[0]
    assert result.model.header.fit.risk == min(result.history.score)


@pytest.mark.parametrize("method", sorted(set(LEARNERS) - {"n2n"}))
def test_every_learner_trains(folder: Path, tmp_path: Path, method: str) -> None:
    quick(folder, tmp_path / "m.safetensors", method=method, epochs=1)
    header = read_model(tmp_path / "m.safetensors").header
    assert header.method == method
    restored = apply(tmp_path / "m.safetensors", noisy(scene(5)), noise="gaussian:25")
    assert np.isfinite(restored.image).all()


def test_pairs_are_the_planes_of_a_stack(tmp_path: Path) -> None:
    """Of two exposures of each scene, one is learned from the other."""
    folder = tmp_path / "stacks"
    folder.mkdir()
    for i in range(4):
        np.save(folder / f"{i}.npy", np.stack([noisy(scene(i), seed=2 * i + k) for k in range(2)]))
    reader = Reader(Gaussian(SIGMA), pairs=True)
    page = scan(folder, 24).pages[0]
    square = reader.square(page, 5, 7, 24)
    stack = np.load(page.path)
    stack = (stack - stack[0].min()) / np.ptp(stack[0])  # on the range of the first
    assert np.allclose(square.y[0, 0], stack[0, 5:29, 7:31], atol=1e-6)
    assert square.second is not None
    assert np.allclose(square.second[0, 0], stack[1, 5:29, 7:31], atol=1e-6)
    quick(folder, tmp_path / "m.safetensors", method="n2n", epochs=1)
    with pytest.raises(InputError, match="two exposures"):
        quick(fill(tmp_path / "single"), tmp_path / "n.safetensors", method="n2n")


def test_pairs_are_the_files_of_two_folders(tmp_path: Path) -> None:
    """One exposure is learned from the other of the same name; a file without one is left out and named."""
    first, second = (fill(tmp_path / name, 4) for name in ("first", "second"))
    for i in range(4):
        np.save(second / f"{i}.npy", noisy(scene(10 * i), seed=50 + i))
    (second / "3.npy").unlink()
    found = scan(first, 24, second)
    assert [page.path.name for page in found.pages] == ["0.npy", "1.npy", "2.npy"]
    assert "3.npy" in found.left_out[0]
    assert found.sha256 != scan(first, 24).sha256
    square = Reader(Gaussian(SIGMA), pairs=True).square(found.pages[1], 5, 7, 24)
    one, two = (np.load(folder / "1.npy") for folder in (first, second))
    for seen, exposure in ((square.y, one), (square.second, two)):
        assert seen is not None
        assert np.allclose(seen[0, 0], ((exposure - one.min()) / np.ptp(one))[5:29, 7:31], atol=1e-6)
    quick(first, tmp_path / "m.safetensors", method="n2n", second=second, epochs=1)
    with pytest.raises(InputError, match="one exposure"):
        quick(first, tmp_path / "n.safetensors", second=second)
    np.save(second / "0.npy", noisy(scene(0, 50, 48)))
    assert "0.npy is not of the same size" in scan(first, 24, second).left_out[0]


def test_a_pair_may_name_its_planes_otherwise(tmp_path: Path) -> None:
    for name, axes in (("first", "ZYX"), ("second", "CYX")):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "0.tif", Image.of(np.stack([scene(0), scene(1)]), axes))
    found = scan(tmp_path / "first", 24, tmp_path / "second")
    assert [page.second for page in found.pages] == [0, 1]


def test_a_resumed_training_ends_with_the_same_weights(folder: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    reference = quick(folder, whole)
    first = quick(folder, broken, on_progress=stop_at(17))
    assert first.interrupted
    assert not same(weights(whole), weights(broken))
    with pytest.raises(InputError, match="--resume"):
        quick(folder, broken)
    second = quick(folder, broken, resume=True)
    assert same(weights(whole), weights(broken))
    assert second.history.score == reference.history.score
    assert not (tmp_path / "broken.safetensors.checkpoint").exists()


def test_another_training_does_not_go_on_from_it(folder: Path, tmp_path: Path) -> None:
    quick(folder, tmp_path / "m.safetensors", on_progress=stop_at(17))
    for other in ({"seed": 1}, {"method": "n2v"}, {"network": "dncnn:3,7"}):
        with pytest.raises(InputError, match="belongs to another"):
            quick(folder, tmp_path / "m.safetensors", resume=True, **other)
    np.save(folder / "new.npy", noisy(scene(99)))
    with pytest.raises(InputError, match="belongs to another"):
        quick(folder, tmp_path / "m.safetensors", resume=True)


def test_the_seed_decides(folder: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        quick(folder, tmp_path / f"{name}.safetensors", seed=seed, epochs=1)
    a, b, c = (weights(tmp_path / f"{name}.safetensors") for name in "abc")
    assert same(a, b)
    assert not same(a, c)


def test_time_is_kept_and_leaves_the_checkpoint(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TRAIN, "MOST_BETWEEN_LOOKS", 3)
    result = quick(folder, tmp_path / "m.safetensors", epochs=1e6, time_limit=1.0)
    assert result.stopped.rule == "time limit"
    assert not result.interrupted
    assert (tmp_path / "m.safetensors.checkpoint").exists()
    assert read_model(tmp_path / "m.safetensors").header.fit.step == result.stopped.step > 0


def test_it_stops_when_the_risk_does_not_fall(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is kept are the weights of the least risk, not the last ones."""
    monkeypatch.setattr("untaught.training.dataset_fit.JUDGED", 1)
    monkeypatch.setattr(TRAIN, "MOST_BETWEEN_LOOKS", 1)
    monkeypatch.setattr(TRAIN, "PATIENCE", 0.01)
    result = quick(folder, tmp_path / "m.safetensors", method="n2v", epochs=60)
    assert result.stopped.rule == "held-out pictures"
    assert "did not fall again" in result.stopped.reason
    best = int(np.argmin(result.history.score))
    assert (
        result.stopped.step == result.history.step[best] < result.history.step[-1] < result.model.header.fit.steps
    )


@pytest.mark.slow
def test_two_processes_make_what_one_makes(folder: Path, tmp_path: Path) -> None:
    """Gloo on the CPU, as torchrun starts them; the same loss, and the same weights but for rounding."""
    alone = quick(folder, tmp_path / "1.safetensors", epochs=2).history.loss
    code = (
        "import sys; from pathlib import Path; from tests.helpers.training import quick; "
        "r = quick(Path(sys.argv[1]), Path(sys.argv[2]), epochs=2); print(r.history.loss, r.history.score)"
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}", "OMP_NUM_THREADS": "1"}
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": "2"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder), str(tmp_path / "2.safetensors")],
            env=environment | place | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        for rank in range(2)
    ]
    told = [process.communicate(timeout=300)[0] for process in started]
    assert all(process.returncode == 0 for process in started)
    for out in told:
        assert np.allclose(alone, json.loads(out.split("] [")[0] + "]"), rtol=1e-5)
    one, two = (weights(tmp_path / f"{count}.safetensors") for count in (1, 2))
    for name, value in one.items():
        assert torch.allclose(value, two[name], atol=2e-5), name


def _free_port() -> int:
    import socket

    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
    return port


def test_the_header_says_what_it_is(folder: Path, tmp_path: Path) -> None:
    from safetensors import safe_open

    result = quick(folder, tmp_path / "m.safetensors", epochs=1, network="unet:6,2")
    with safe_open(tmp_path / "m.safetensors", "pt") as opened:
        said = json.loads(opened.metadata()["untaught"])
    assert said["network"] == {"name": "unet", "width": 6, "scales": 2}
    assert (said["method"], said["channels"], said["axes"], said["types"]) == ("gr2r", 1, ["YX"], ["float32"])
    assert (said["noise"]["kinds"], said["noise"]["given"]) == (["gaussian"], True)
    spans = [np.ptp(np.load(file)) for file in folder.iterdir()]
    assert any(said["noise"]["median"] == pytest.approx(25 / span, abs=1e-3) for span in spans)
    assert said["noise"]["least"] == said["noise"]["median"] == said["noise"]["most"]  # one picture is judged by
    assert said["ranges"] == [[0.0, 1.0]]
    assert said["files"]["sha256"] == scan(folder, 24).sha256
    assert (said["files"]["learned"], said["files"]["judged"]) == (5, 1)
    assert said["versions"]["torch"] == version("torch")  # without the build, which torch.__version__ has
    again = read_model(tmp_path / "m.safetensors")
    assert again.header == result.model.header
    assert again.learner == learner("gr2r")
    assert same(again.network.state_dict(), result.model.network.state_dict())


def test_quick_is_what_the_front_door_takes() -> None:
    import inspect

    from untaught import train

    assert QUICK.keys() <= inspect.signature(train).parameters.keys()


def test_what_is_odd_about_the_pictures_is_said(folder: Path, tmp_path: Path) -> None:
    from PIL import Image as Pillow

    levels = np.clip(np.rint(255 * noisy(scene(70))), 0, 255).astype(np.uint8)
    Pillow.fromarray(levels).save(folder / "z.png")
    result = quick(folder, tmp_path / "m.safetensors", epochs=1, method="n2v", noise="correlated:25,1")
    assert len(result.notes) == 2
    assert "different types, float32, uint8" in result.notes[0]
    assert "neighbours share" in result.notes[1]
    assert set(result.model.header.ranges) == {(0.0, 1.0), (0.0, 255.0)}
