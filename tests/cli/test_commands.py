"""The commands beside `denoise`: inspect, demo, doctor."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import clean, noisy
from tests.helpers.command import contents, lay_out, levels, pixels, says
from untaught import InputError, __version__, inspect
from untaught.cli import main
from untaught.cli.commands import demo


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a noisy picture of 32 x 48, and its clean version, and go there."""
    return lay_out(tmp_path, monkeypatch, 32, 48)


def test_inspect(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = levels(noisy(clean(128, 128)))
    Pillow.fromarray(picture).save("big.png")
    assert main(["inspect", "big.png", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert found["shape"] == [128, 128, 3]
    assert found["noise"]["sigma"] == pytest.approx(25, rel=0.15)
    assert found["plan"]
    methods = {row["method"]: row for row in found["methods"]}
    assert set(found["plan"]) <= {name for name, row in methods.items() if row["fits"]}
    assert main(["inspect", "big.png"]) == 0
    out = capsys.readouterr().out
    assert found["advice"] in out
    assert all(name in out for name in methods)


def test_inspect_finds_what_does_not_fit(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(0).normal(size=(128, 128)), 1.0)
    np.save("c.npy", (0.5 + 0.3 * clean(128, 128, 1)[..., 0] + 0.1 * noise / noise.std()).astype(np.float32))
    assert main(["inspect", "c.npy", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["noise"]["kind"] == "correlated"
    r2r = next(row for row in found["methods"] if row["method"] == "r2r")
    assert not r2r["fits"]
    assert "neighbours" in r2r["objection"]


def test_inspect_passes_over_flat_planes(folder: Path) -> None:
    """Whatever their places: every second one, or all but one of many."""
    stack = np.zeros((20, 32, 32), np.uint8)
    stack[1::2] = np.random.default_rng(0).integers(90, 160, (10, 32, 32))
    assert [plane.index for plane in inspect(stack).planes] == list(range(1, 20, 2))
    stack = np.zeros((40, 32, 32), np.uint8)
    stack[:36] = np.random.default_rng(0).integers(90, 160, (36, 32, 32))
    found = inspect(stack)
    assert [plane.index for plane in found.planes] == list(range(0, 36, 3))
    assert "12 of 40 planes were measured" in found.notes
    flat = np.stack([np.full((32, 32), value, np.uint8) for value in (3, 200)])
    with pytest.raises(InputError, match="every plane of the picture is of one value"):
        inspect(flat)


def test_demo_picture_is_what_its_page_says() -> None:
    from skimage import data

    from untaught.cli.commands.demo import pictures

    crop = data.astronaut()[0:256, 100:356]
    noise = np.random.default_rng(0).normal(0, 25, crop.shape)
    given, truth = pictures()
    assert np.array_equal(truth.array, crop)
    assert np.array_equal(given.array, np.clip(np.rint(crop + noise), 0, 255).astype(np.uint8))


def test_demo(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from untaught.image.files import read

    monkeypatch.setattr("untaught.cli.commands.demo.pictures", lambda: (read("in.png"), read("clean.png")))
    assert main(["demo", "-o", "there/demo"]) == 0
    out = capsys.readouterr().out
    before, after = (
        float(re.search(rf"^{name} +PSNR ([\d.]+)", out, re.MULTILINE)[1]) for name in ("before", "after")
    )
    assert after > before + 1
    made = sorted(p.name for p in Path("there/demo").iterdir())
    assert made == sorted(demo.FILES)
    demo.check_folder(Path("there/demo"))
    strip = pixels(Path("there/demo/strip.png"))
    assert np.array_equal(strip[22:54, 8:56], pixels(Path("in.png")))
    assert np.array_equal(strip[22:54, 120:168], pixels(Path("clean.png")))


@pytest.mark.parametrize("name", demo.FILES)
def test_demo_replaces_its_own_files_alone(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "restored", lambda *_: pytest.fail("it was known before"))
    Path("place").mkdir()
    Path("place", name).write_text("precious")
    before = contents(folder)
    assert main(["demo", "-o", "place"]) == 2
    assert says(capsys.readouterr().err, f"place/{name}", "another folder")
    assert contents(folder) == before


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert found["untaught"] == __version__
    assert found["cores"] >= 1
    assert found["torch"]["gflops_float32"] > 0
    assert found["versions"]["numpy"] == np.__version__
    assert "r2r" in found["speed"]
    assert main(["doctor"]) == 0
    assert f"numpy {np.__version__}" in capsys.readouterr().out


def test_doctor_finds_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from untaught.cli.commands import doctor

    def broken() -> None:
        raise ImportError("libgomp.so.1 is not there")

    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "tifffile" else real(name))
    monkeypatch.setattr(doctor, "_torch", broken)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "pip install tifffile" in out
    assert "libgomp" in out
    assert "until torch works" in out


def test_doctor_knows_the_limits_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from untaught.cli.commands import doctor

    monkeypatch.setattr(doctor, "CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text(f"{2**30}\n")
    assert doctor._cores() == 1
    assert doctor._memory() == 1.0
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor._memory() != 1.0
