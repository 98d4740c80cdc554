"""Checkpoints of strangers, and of fits whose answer could not be written."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import tensor
from tests.helpers.quick import DIP_FAST, crop
from untaught.cli import main
from untaught.errors import InputError, OutputError
from untaught.fitting.checkpoint import remove, until_written
from untaught.fitting.loop import fit
from untaught.fitting.progress import Fitted, Options, Progress
from untaught.methods.networks.codes import Code
from untaught.noise import Gaussian
from untaught.problem import Problem

DIP = replace(DIP_FAST, code=Code())


def fitted(path: Path, picture: np.ndarray | None = None, **more: Any) -> Fitted:
    y = tensor(crop(16) if picture is None else picture)
    problem = Problem(y, torch.ones(1, 1, 16, 16), Gaussian(25 / 255))
    return fit(DIP, problem, 0, Options(checkpoint=path, checkpoint_every=5, **more))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the checkpoint of a fit that was cut."""

    def stop(progress: Progress) -> None:
        if progress.step >= 15:
            raise KeyboardInterrupt

    path = tmp_path_factory.mktemp("begun") / "state"
    assert fitted(path, on_progress=stop).interrupted
    return path.read_bytes()


def test_bytes_that_are_changed_are_refused_or_do_no_harm(begun: bytes, tmp_path: Path) -> None:
    """A changed number may make another picture; nothing else may come of it, and nothing is executed."""
    rng, path = np.random.default_rng(0), tmp_path / "state"
    refused = 0
    for _ in range(24):
        data = bytearray(begun)
        if rng.random() < 0.3:
            del data[int(rng.integers(len(data))) :]
        for place in rng.integers(0, max(len(data), 1), 3):
            data[place % max(len(data), 1)] = int(rng.integers(256))
        path.write_bytes(data)
        try:
            shape = fitted(path).estimate.image.shape
        except InputError:
            refused += 1
        else:
            assert shape == (1, 3, 16, 16)
        path.unlink(missing_ok=True)
    assert refused > 8


@pytest.mark.parametrize(
    "damage",
    [
        lambda saved: saved.pop("watch"),
        lambda saved: saved.update(state={"network": {}}),
        lambda saved: saved["history"].update(more=[1]),
        lambda saved: saved.update(step="many"),
        lambda saved: saved.update(kept={"network": {}}),
        lambda saved: saved["state"].update(generator=torch.zeros(3)),
        lambda saved: saved.update(identity=torch.zeros(2).expand(10**6, 2)),
        lambda saved: saved["state"]["network"].update(
            {next(iter(saved["state"]["network"])): torch.zeros(10**3)}
        ),
    ],
)
def test_what_is_no_state_of_this_fit_is_refused(
    damage: Callable[[dict[str, Any]], object], begun: bytes, tmp_path: Path
) -> None:
    saved = torch.load(io.BytesIO(begun), weights_only=True)
    damage(saved)
    torch.save(saved, tmp_path / "state")
    with pytest.raises(InputError, match="checkpoint"):
        fitted(tmp_path / "state")


class Harmful:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("harm",)


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"identity": Harmful()}, "state")
    with pytest.raises(InputError, match="not a checkpoint"):
        fitted(Path("state"))
    Path("state").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(InputError, match="not a checkpoint"):
        fitted(Path("state"))
    assert not Path("harm").exists()


def test_what_would_unpack_to_more_is_refused(begun: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state"
    with zipfile.ZipFile(io.BytesIO(begun)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            new.writestr(one.filename, old.read(one))
    with pytest.raises(InputError, match="not a checkpoint"):
        fitted(path)


def test_a_checkpoint_is_of_these_values_and_not_of_their_sum(begun: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(begun)
    with pytest.raises(InputError, match="another picture"):
        fitted(path, crop(16)[::-1])


def test_it_stays_until_what_was_made_is_written(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for error in (OSError, None):
        path.touch()
        try:
            with until_written():
                remove(path)
                assert path.exists()
                if error is not None:
                    raise error
        except OSError:
            assert path.exists()
        else:
            assert not path.exists()


def test_a_fit_is_not_lost_when_its_picture_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("untaught.methods.untrained.dip.DIP", lambda: replace(DIP_FAST, steps=100))
    np.save("in.npy", crop(16))
    call = ["denoise", "in.npy", "-o", "out.npy", "--method", "dip", "--noise", "gaussian:25", "--stop", "steps"]
    call += ["--axes", "YXS", "--checkpoint", "state", "--quiet"]

    def full(*_: object, **__: object) -> None:
        raise OutputError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("untaught.image.files.write", full)
        assert main(call) == 2
    assert "no room" in capsys.readouterr().err
    assert Path("state").exists()
    assert main(call) == 0
    assert not Path("state").exists()
