"""The protocols of papers: what is asked for, what is done to a picture, and the table."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import clean
from tests.helpers.benchmark_pages import pages


@pytest.fixture(scope="module")
def loaded():
    with pages("awgn", "lib.rivals", "tables.awgn", "tables.awgn_published") as found:
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    picture = np.rint(255 * clean(64, 72)).astype(np.uint8)
    for folder, names in (("BSD68", "ab"), ("kodak", "cde")):
        (tmp_path / folder).mkdir()
        for name in names:
            Image.fromarray(picture).save(tmp_path / folder / f"{name}.png")
    return tmp_path


def asked(data: Path, **more: Any) -> argparse.Namespace:
    usual = {"protocol": "bsd68,set12,kodak24,kodak256", "methods": "nonlocal", "levels": "", "effort": "normal"}
    return argparse.Namespace(**{**usual, "pictures": "", "quick": False, "seed": 0, "data": data, **more})


def test_every_picture_level_and_method_is_a_case_and_what_is_missing_is_said(loaded, data, capsys) -> None:
    found = list(loaded["awgn"].cases(asked(data)))
    counts = {name: sum(case["protocol"] == name for case in found) for name in ("bsd68", "kodak24", "kodak256")}
    assert counts == {"bsd68": 2 * 3, "kodak24": 3 * 3, "kodak256": 3 * 2}
    assert len(found) == sum(counts.values())
    assert {case["side"] for case in found if case["protocol"] == "kodak256"} == {256}
    out = capsys.readouterr().out
    assert "set12 is left out" in out
    assert "kodak24: 3 of 24 pictures are there" in out
    assert [case["level"] for case in loaded["awgn"].cases(asked(data, pictures="d", levels="50,15"))] == [
        50,
        15,
        50,
    ]
    assert {case["level"] for case in loaded["awgn"].cases(asked(data, quick=True))} == {25}
    with pytest.raises(SystemExit, match="no protocol 'bsd'; choose bsd68"):
        list(loaded["awgn"].cases(asked(data, protocol="bsd")))


def test_noise_is_cut_off_and_rounded_by_one_protocol_alone(loaded) -> None:
    page, protocols = loaded["awgn"], loaded["tables.awgn_published"].PROTOCOLS
    x = np.full((100, 100), 250, np.uint8)
    y = page.noisy(x, 25, 0, protocols["bsd68"])
    assert y.dtype == np.float32
    assert y.max() > 300
    assert np.std(y - 250) == pytest.approx(25, rel=0.03)
    cut = page.noisy(x, 25, 0, protocols["kodak256"])
    np.testing.assert_array_equal(cut, np.clip(np.rint(y), 0, 255).astype(np.uint8))


def test_a_picture_that_is_brighter_than_white_keeps_its_scale(loaded, data) -> None:
    (case, *_) = loaded["awgn"].cases(asked(data, protocol="bsd68", levels="50", methods="nonlocal-quick"))
    row = loaded["awgn"].run(case)
    assert json.loads(json.dumps(row))["size"] == [64, 72]
    assert row["sigma"] == 50
    assert row["psnr"] > row["psnr_noisy"] + 6
    assert row["psnr_float"] == pytest.approx(row["psnr"], abs=0.1)
    assert row["psnr_noisy"] == pytest.approx(20 * np.log10(255 / 50), abs=0.2)
    assert (row["pictures_there"], row["pictures_of_the_set"]) == (2, 68)


def test_the_level_is_not_given_for_the_clipped_squares(loaded, data) -> None:
    (case, *_) = loaded["awgn"].cases(asked(data, protocol="kodak256", levels="25", methods="nonlocal-quick"))
    row = loaded["awgn"].run(case)
    assert row["sigma"] != 25
    assert row["sigma"] == pytest.approx(25, rel=0.15)
    assert row["psnr"] > row["psnr_noisy"] + 4


def test_a_rival_is_told_the_level_and_left_out_where_it_is_not_installed(
    loaded, data, monkeypatch, capsys
) -> None:
    page = loaded["lib.rivals"]
    monkeypatch.setattr(page, "find_spec", lambda name: None if name == "bm3d" else name)
    assert page.present(["nonlocal", "bm3d", "skimage-nlm"]) == ["nonlocal", "skimage-nlm"]
    assert "BM3D is left out: it is not installed (pip install bm3d)" in capsys.readouterr().out
    for protocol in ("bsd68", "kodak24"):
        (case, *_) = loaded["awgn"].cases(asked(data, protocol=protocol, levels="25", methods="skimage-nlm"))
        row = loaded["awgn"].run(case)
        assert row["psnr"] > row["psnr_noisy"] + 4
        assert row["method"].endswith("level given")


def test_the_table_says_of_how_many_pictures_and_where_others_were_read(loaded) -> None:
    common = {"benchmark": "awgn", "date": "2026-01-02", "machine": {"cpu": "c", "cores": 2}, "threads": 1}
    case = {"protocol": "kodak24", "method": "nonlocal", "effort": "normal", "side": 0, "seed": 0}
    rows = [
        {"case": {**case, "level": level, "picture": name}, "psnr": psnr, **common}
        for level, name, psnr in ((15, "a", 34.0), (15, "b", 35.0), (25, "a", 31.0))
    ]
    rows += [{"case": {**case, "level": 25, "picture": "a", "side": 96, "method": "bm3d"}, "psnr": 30.0, **common}]
    text = loaded["tables.awgn"].awgn(rows)
    assert "| `nonlocal` | 1 to 2 of 24 | 34.50 | 31.00 | - | measured here |" in text
    assert "| BM3D, here (central 96 x 96) | 1 of 24 | - | 30.00 | - | measured here |" in text
    assert "| BM3D | all 68 | 31.07 | 28.57 | 25.62 | Zhang et al., DnCNN" in text
    assert "| ZS-N2N | all 24 | 29.07 | 24.81 | as quoted in the project's issue |" in text
    assert "`python benchmarks/awgn.py --data DIR --protocol kodak24 --methods nonlocal`" in text
    assert "--methods bm3d --quick`" in text
    assert loaded["tables.awgn"].NOT_YET in loaded["tables.awgn"].awgn([])
    lines = list(loaded["awgn"].means(rows))
    assert "kodak24, nonlocal, effort normal, level 15: 34.50 dB, 2 of 24 pictures" in lines


def test_published_figures_are_there_for_levels_of_the_protocol_and_fall_with_them(loaded) -> None:
    for protocol in loaded["tables.awgn_published"].PROTOCOLS.values():
        assert protocol.published
        for found in protocol.published:
            assert set(found.psnr) <= set(protocol.levels)
            values = [float(text.split()[0]) for _, text in sorted(found.psnr.items())]
            assert values == sorted(values, reverse=True)
            assert found.source
