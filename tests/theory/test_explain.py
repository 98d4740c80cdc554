"""`untaught explain`: what it measures, what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import untaught
from tests.conftest import clean
from tests.helpers.command import contents, levels, pixels, says
from untaught.cli import main
from untaught.errors import InputError
from untaught.image.image import image_of_array
from untaught.methods.networks.decoder import DecoderShape
from untaught.methods.self_supervised.r2r import R2R
from untaught.methods.untrained.deep_decoder import DeepDecoder
from untaught.noise import Gaussian
from untaught.theory.explain import Explanation, explain
from untaught.theory.explain.experiments import Experiment
from untaught.theory.explain.page import PLOTS
from untaught.theory.explain.subject import subject_of
from untaught.theory.explain.text import detail, sentences
from untaught.theory.impedance import NOISE, NOISY, PICTURE, SHUFFLED

TINY = Experiment(
    side=32,
    method=DeepDecoder(
        steps=60, rate=0.02, warmup=5, decay=0.8, shape=DecoderShape(width=24, scales=1), bfloat16=False
    ),
    every=2,
    vectors=4,
    products=40,
)


@pytest.fixture(scope="module")
def found() -> Explanation:
    return explain(clean(64, 80), noise="gaussian:25", experiment=TINY)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a picture, where explanations are quick."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNTAUGHT_DEBUG", raising=False)
    quick = replace(TINY, side=16, method=replace(TINY.method, steps=12), vectors=2, products=8)
    monkeypatch.setattr("untaught.theory.explain.explanation.Experiment", lambda: quick)
    Pillow.fromarray(levels(clean(40, 32))).save("in.png")
    return tmp_path


def test_a_picture_is_fitted_before_noise(found: Explanation) -> None:
    left = {name: curve.error[-1] for name, curve in found.impedance.curves.items()}
    assert left[PICTURE] < left[NOISY] < min(left[SHUFFLED], left[NOISE])
    steps = found.impedance.steps_to(0.5)
    assert steps[PICTURE] is not None
    assert steps[NOISE] is None or steps[NOISE] > 2 * steps[PICTURE]
    # and so say the directions that are learned fast
    value = found.start.picture.holding(0.8)
    assert found.start.picture.above(value) > 3 * found.start.density.above(value)
    assert found.start.energies["picture"].sum() > 3 * found.start.energies["noise"].sum()


def test_numbers_agree_with_each_other(found: Explanation) -> None:
    curve = found.impedance.curves[NOISY]
    assert found.start.density.total == pytest.approx(32 * 32)
    residual = float(np.square(curve.target).sum())  # about: the network's first output is not zero
    assert 0.02 * residual < found.start.noisy.total < 2 * residual
    best = found.stops["best"]
    assert best.psnr == pytest.approx(-10 * np.log10(curve.clean_error.min()))
    assert all(stop.psnr is None or stop.psnr <= best.psnr for stop in found.stops.values())
    predicted = found.stops["predicted"].step
    assert predicted is not None
    at = curve.at(predicted)
    variance = float(np.var(curve.target, dtype=np.float64))
    assert curve.error[at] * variance < found.start.predicted.misfit <= curve.error[at - 1] * variance


def test_the_predicted_stop_is_near_the_best(found: Explanation) -> None:
    assert found.stops["best"].psnr - found.stops["predicted"].psnr < 1


def test_json_holds_what_was_found(found: Explanation) -> None:
    out = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert out["sigma"] == pytest.approx(25)
    assert out["size"] == [32, 32]
    assert out["steps_to"]["0.5"] == found.impedance.steps_to(0.5)
    for name, curve in out["curves"].items():
        assert curve["not_fitted"][-1] == out["not_fitted_at_the_end"][name]
        assert len(curve["step"]) == len(curve["psnr"]) == len(curve["octaves"]) == 30
    assert max(out["curves"][NOISY]["psnr"]) == pytest.approx(out["stops"]["best"]["psnr"], rel=1e-5)
    assert len(out["spectrum"]["values"]) == 4
    assert "curves" not in found.as_dict(curves=False)


def test_sentences_follow_from_the_numbers(found: Explanation) -> None:
    said = sentences(found)
    assert list(said) == list(PLOTS)
    assert f"best at step {found.stops['best'].step}" in said["stop"]
    assert all(text.count(". ") < 8 and text.endswith(".") and "nan" not in text for text in said.values())
    curves = found.impedance.curves
    other = replace(found.impedance, curves=dict.fromkeys(curves, curves[PICTURE]))
    assert "hardly prefers structure" in sentences(replace(found, impedance=other))["impedance"]
    stops = found.stops | {"end": found.stops["best"]}
    assert "no need to stop" in sentences(replace(found, stops=stops))["stop"]


def test_details_have_the_waves_of_their_octave() -> None:
    assert [detail(band, 4) for band in range(4)] == ["above 16", "8 to 16", "4 to 8", "2 to 4"]


def test_same_seed_same_explanation() -> None:
    quick = replace(TINY, side=16, method=replace(TINY.method, steps=6), vectors=2, products=6)
    one, two, other = (explain(clean(16, 16), seed=seed, experiment=quick).as_dict() for seed in (0, 0, 1))
    assert one["curves"] == two["curves"]
    assert one["spectrum"] == two["spectrum"]
    assert one["curves"] != other["curves"]


def test_it_is_public() -> None:
    assert untaught.explain is explain


def test_the_command_writes_a_page_plots_and_numbers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "in.png", "-o", "out", "--json", "--seed", "3"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    printed = json.loads(out)
    assert printed["output"] == "out"
    assert sorted(p.name for p in Path("out").iterdir()) == sorted(
        ["explanation.html", "explanation.json", *(f"{name}.png" for name in PLOTS)]
    )
    kept = json.loads(Path("out/explanation.json").read_text())
    assert {name: kept[name] for name in kept if name in printed} == {
        name: value for name, value in printed.items() if name not in ("output", "page")
    }
    assert kept["input"] == "in.png"
    page = Path("out/explanation.html").read_text()
    assert page.count("<img") == len(PLOTS)
    assert all(source.startswith("data:image/png") for source in re.findall(r'src="([^"]{0,20})', page))
    assert not re.search(r"https?://|<link|<script", page)
    for name in PLOTS:
        assert np.ptp(pixels(Path(f"out/{name}.png"))) > 100


def test_people_are_told_in_sentences(found: Explanation) -> None:
    assert found.describe().split("\n\n") == list(sentences(found).values())


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((32, 32), 7, np.uint8), ("everywhere",)),
        (np.zeros((4, 4), np.uint8), ("too small",)),
        (np.full((32, 32), np.nan, np.float32), ("NaN",)),
        (np.pad(np.zeros((32, 32), np.uint8), ((0, 0), (40, 40)), constant_values=9), ("middle", "one value")),
    ],
)
def test_bad_pictures(array: np.ndarray, words: tuple[str, ...], folder: Path, capsys) -> None:
    np.save("bad.npy", array)
    before = contents(folder)
    assert main(["explain", "bad.npy", "-o", "out"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, *words), err
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["missing.png", "-o", "out"], ("does not exist",)),
        (["in.png", "-o", "in.png"], ("file of that name",)),
        (["in.png", "-o", "out", "--noise", "gaussian:0"], ("noise",)),
        (["in.png", "-o", "out", "--noise", "loud"], ("loud",)),
        (["in.png", "-o", "out", "--time-limit", "1e-6"], ("more seconds",)),
    ],
)
def test_bad_calls(argv: list[str], words: tuple[str, ...], folder: Path, capsys) -> None:
    before = contents(folder)
    assert main(["explain", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says(err, *words), err
    assert contents(folder) == before


def test_an_input_is_never_written_over(folder: Path, capsys) -> None:
    Path("out").mkdir()
    Path("in.png").rename("out/impedance.png")
    before = contents(folder)
    assert main(["explain", "out/impedance.png", "-o", "out"]) == 2
    assert says(capsys.readouterr().err, "input")
    assert contents(folder) == before


def test_an_interrupt_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def stopped(*arguments: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("untaught.theory.explain.experiments.impedance", stopped)
    before = contents(folder)
    assert main(["explain", "in.png", "-o", "out"]) == 130
    assert contents(folder) == before


def test_a_method_without_a_code_is_refused() -> None:
    with pytest.raises(InputError, match="choose dip or deep-decoder"):
        explain(clean(16, 16), experiment=replace(TINY, method=R2R()))


def test_the_subject_is_small_grey_and_clean() -> None:
    made = subject_of(image_of_array(clean(64, 80)), None, 32)
    assert made.picture.shape == (1, 1, 32, 32)
    grey = clean(64, 80).mean(axis=2)[:, 8:72]
    assert made.picture[0, 0].numpy() == pytest.approx(grey.reshape(32, 2, 32, 2).mean(axis=(1, 3)), abs=1e-5)
    assert made.sigma == pytest.approx(25 / 255)
    assert any("central 64 x 64" in note for note in made.notes)
    assert subject_of(image_of_array(clean(20, 24)), Gaussian(0.2), 32).picture.shape == (1, 1, 20, 20)
    assert subject_of(image_of_array(clean(20, 24)), Gaussian(0.2), 32).sigma == pytest.approx(0.2)


def test_noise_of_its_own_is_measured_and_removed() -> None:
    x = clean(96, 96, 1)
    y = x + np.random.default_rng(0).normal(0, 0.15, x.shape).astype(np.float32)
    made = subject_of(image_of_array(y[..., 0]), None, 96)
    assert made.sigma == pytest.approx(0.15, rel=0.2)
    assert any("removed first" in note for note in made.notes)
    error = float(np.square(made.picture[0, 0].numpy() - x[..., 0]).mean())
    assert error < 0.3 * 0.15**2


def test_stacks_and_gaps_are_told() -> None:
    stack = np.stack([np.zeros((32, 32), np.float32), clean(32, 32, 1)[..., 0], clean(32, 32, 1)[..., 0]])
    stack[1, 3:5, 3:5] = np.nan
    notes = " ".join(subject_of(image_of_array(stack), None, 32).notes)
    assert "of 3 planes" in notes
    assert "no measurement" in notes


def test_the_help_and_the_readme_agree_on_the_time_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--help"]) == 0
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    section = readme[readme.index("untaught explain") :]
    for text in (capsys.readouterr().out, section):
        assert "about half a minute" in " ".join(text.split())
