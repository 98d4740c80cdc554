"""`untaught train` and `untaught apply`: what they print and write, and one sentence for whatever is wrong."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import noisy
from tests.helpers.command import contents, levels, pixels, says, started
from tests.helpers.training import fill, quick, scene
from untaught.cli import main
from untaught.methods.trained.model_file import read_model

SMALL = ("--network", "dncnn:3,6", "--noise", "gaussian:25", "--patch", "24", "--batch", "4", "--device", "cpu")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a folder of pictures in it, and go there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTAUGHT_DEBUG", raising=False)
    fill(tmp_path / "noisy")
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    quick(fill(folder / "noisy"), folder / "m.safetensors", epochs=5)
    return folder / "m.safetensors"


def refused(capsys: pytest.CaptureFixture[str], argv: list[str], *words: str) -> bool:
    """Tell whether the call ends with 2, one sentence with all the words, and nothing written."""
    before = contents(Path.cwd())
    status = main(argv)
    out, error = capsys.readouterr()
    return status == 2 and not out and says(error, *words) and contents(Path.cwd()) == before


def test_train_and_apply(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "noisy", "-o", "m.safetensors", *SMALL, "--epochs", "2", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    said = json.loads(out)
    assert (said["input"], said["output"], said["method"]) == ("noisy", "m.safetensors", "gr2r")
    assert said["pictures"] == {"learned": 5, "judged": 1}
    assert said["network"] == {"name": "dncnn", "depth": 3, "width": 6}
    assert {"noise", "stopped", "seconds", "seed", "version", "risk", "notes"} <= said.keys()
    assert sorted(path.name for path in here.iterdir()) == ["m.safetensors", "noisy"]
    Pillow.fromarray(levels(noisy(scene(3)))).save("in.png")
    assert main(["apply", "m.safetensors", "in.png", "-o", "out.png", "--report", "r.html", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["method"], said["output"]) == ("trained", "out.png")
    assert said["psnr_estimate"]["low"] < said["psnr_estimate"]["high"]
    assert pixels(Path("out.png")).shape == (48, 48)
    assert "<html" in Path("r.html").read_text()
    assert main(["train", "noisy", "-o", "m.safetensors", *SMALL, "--epochs", "1"]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("noise", "learned", "stopped", "m.safetensors"))


def test_a_folder_is_restored_with_a_model_as_each_of_its_pictures_is(
    here: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(path.name for path in (here / "noisy").iterdir())[:3]
    for name in names[1:]:
        assert main(["apply", str(model), f"noisy/{name}", "-o", f"alone-{name}", "-q"]) == 0
    (here / "noisy" / names[0]).write_bytes(b"\x89PNG\r\n\x1a\nno more")
    given = [f"noisy/{name}" for name in names]
    assert main(["apply", str(model), *given, "-o", "clean", "--json"]) == 3
    out, error = capsys.readouterr()
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["status"] for one in told] == ["failed", "done", "done"]
    assert told[1]["method"] == "trained"
    assert names[0] in error
    for name in names[1:]:
        assert Path(f"clean/{name}").read_bytes() == Path(f"alone-{name}").read_bytes()
    assert main(["apply", "no.safetensors", "noisy", "-o", "other"]) == 2
    assert not Path("other").exists()


def test_a_broken_file_is_named_and_the_rest_is_learned_from(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "noisy" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    (here / "noisy" / "README.txt").write_text("not a picture")
    np.save(here / "noisy" / "tiny.npy", noisy(scene(0, 12, 12)))
    assert main(["train", "noisy", "-o", "m.safetensors", *SMALL, "--epochs", "1", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pictures"] == {"learned": 5, "judged": 1}
    assert len(said["notes"]) == 1
    assert all(word in said["notes"][0] for word in ("2 files were left out", "broken.png", "tiny.npy"))


def test_folders_that_cannot_be_learned_from(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "empty").mkdir()
    fill(here / "tiny", 1, 12, 12)
    fill(here / "single", 1)
    fill(here / "mixed", 2)
    np.save(here / "mixed" / "rgb.npy", np.random.default_rng(0).random((48, 48, 3)))
    (here / "broken").mkdir()
    (here / "broken" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    for folder, words in {
        "empty": ["empty holds no picture"],
        "missing": ["missing does not exist"],
        "noisy/0.npy": ["is not a folder"],
        "tiny": ["no picture in tiny can be learned from", "12 x 12", "smaller than a patch"],
        "single": ["one picture", "at least two"],
        "mixed": ["different numbers of channels", "1 (", "3 (rgb.npy)"],
        "broken": ["no picture in broken", "a.png"],
    }.items():
        assert refused(capsys, ["train", folder, "-o", "m.safetensors", *SMALL], *words), folder


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["-o", "m.pt"], ["m.pt has to end in .safetensors"]),
        (["-o", "no/m.safetensors"], ["does not exist"]),
        (["-o", "m.safetensors", "--method", "r3r"], ["'r3r' does not learn", "gr2r", "n2v"]),
        (["-o", "m.safetensors", "--network", "resnet"], ["no network 'resnet'", "dncnn, unet"]),
        (["-o", "m.safetensors", "--network", "dncnn:5"], ["dncnn:DEPTH,WIDTH"]),
        (["-o", "m.safetensors", "--network", "dncnn:1,8"], ["depth of the network is 1"]),
        (["-o", "m.safetensors", "--epochs", "0"], ["epochs is 0"]),
        (["-o", "m.safetensors", "--epochs", "nan"], ["epochs is nan"]),
        (["-o", "m.safetensors", "--patch", "3"], ["patch is 3"]),
        (["-o", "m.safetensors", "--batch", "0"], ["batch is 0"]),
        (["-o", "m.safetensors", "--patch", "64"], ["smaller than a patch"]),
        (["-o", "m.safetensors", "--noise", "loud"], ["no noise model 'loud'"]),
        (["-o", "m.safetensors", "--time-limit", "-1"], ["time limit"]),
        (["-o", "m.safetensors", "--seed", "-1"], ["seed"]),
        (["-o", "m.safetensors", "--method", "n2n", "--patch", "24"], ["two exposures"]),
    ],
)
def test_calls_that_are_wrong(
    here: Path, capsys: pytest.CaptureFixture[str], argv: list[str], words: list[str]
) -> None:
    defaults = ("--noise", "gaussian:25") if "--noise" not in argv else ()
    assert refused(capsys, ["train", "noisy", *defaults, *argv], *words)


def test_clean_pictures_have_no_level(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "clean").mkdir()
    for i in range(2):
        np.save(here / "clean" / f"{i}.npy", np.full((64, 64), 0.3, np.float32) + 0.2 * (np.arange(64) > 30))
    assert refused(capsys, ["train", "clean", "-o", "m.safetensors"], "no noise was found", "--noise")


def test_models_and_pictures_that_cannot_be_used(
    here: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = model.read_bytes()
    files = {
        "cut.safetensors": good[: len(good) // 2],
        "short.safetensors": good[:-7],
        "foreign.safetensors": _foreign(),
        "text.safetensors": b"these are no weights at all, only words in a row",
        "empty.safetensors": b"",
        "other.safetensors": good.replace(b"gr2r", b"gr3r"),
    }
    for name, content in files.items():
        Path(name).write_bytes(content)
    Pillow.fromarray(levels(noisy(scene(3)))).save("in.png")
    Pillow.fromarray(levels(np.random.default_rng(0).random((40, 40, 3)))).save("rgb.png")
    Path("m.safetensors").write_bytes(good)
    for given, picture, out, words in [
        ("cut.safetensors", "in.png", "out.png", ["cut.safetensors is cut off"]),
        ("short.safetensors", "in.png", "out.png", ["short.safetensors is cut off"]),
        ("foreign.safetensors", "in.png", "out.png", ["no model of untaught"]),
        ("text.safetensors", "in.png", "out.png", ["no model of untaught"]),
        ("empty.safetensors", "in.png", "out.png", ["no model of untaught"]),
        ("other.safetensors", "in.png", "out.png", ["cannot be used by this version", "gr3r"]),
        ("missing.safetensors", "in.png", "out.png", ["does not exist"]),
        ("noisy", "in.png", "out.png", ["is a folder"]),
        ("m.safetensors", "rgb.png", "out.png", ["1 channel", "3 channels"]),
        ("m.safetensors", "in.png", "in.png", ["is an input"]),
        ("m.safetensors", "in.png", "m.safetensors", ["is an input"]),
        ("m.safetensors", "missing.png", "out.png", ["missing.png does not exist"]),
    ]:
        assert refused(capsys, ["apply", given, picture, "-o", out], *words), (given, picture, out)


@pytest.mark.parametrize("method", ["m.safetensors", "tuned:m.safetensors"])
@pytest.mark.parametrize("option", ["-o", "--report", "--recipe", "--checkpoint"])
def test_a_model_that_is_the_method_is_not_written_over(
    method: str, option: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("m.safetensors").write_bytes(b"weights")
    Pillow.fromarray(levels(noisy(scene(3)))).save("in.png")
    Path("link.png").symlink_to("m.safetensors")
    argv = ["denoise", "in.png", "--method", method]
    places = ["-o", "link.png"] if option == "-o" else ["-o", "out.png", option, "m.safetensors"]
    assert refused(capsys, [*argv, *places], "is an input")


def _foreign() -> bytes:
    import torch
    from safetensors.torch import save

    return save({"weight": torch.zeros(3)}, {"format": "pt"})


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far_and_resume_goes_on(here: Path) -> None:
    """As a person would: the real command is interrupted, and gone on with; the weights are those of one run."""
    call = ["noisy", *SMALL, "--epochs", "25"]
    process = started(here, "train", *call, "-o", "a.safetensors")
    checkpoint = here / "a.safetensors.checkpoint"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "a.safetensors holds the best model so far" in error
    assert 0 < read_model(here / "a.safetensors").header.fit.step < 500
    assert main(["train", *call, "-o", "a.safetensors", "--resume", "--quiet"]) == 0
    assert main(["train", *call, "-o", "b.safetensors", "--quiet"]) == 0
    a, b = (read_model(here / f"{name}.safetensors").network.state_dict() for name in "ab")
    assert all(bool((a[name] == b[name]).all()) for name in a)
