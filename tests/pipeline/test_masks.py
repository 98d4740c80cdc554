"""Masks in shades, of JPEG files, and those whose white marks the holes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import untaught
from tests.conftest import clean, psnr
from tests.helpers.command import levels
from untaught.pipeline.tasks.masks import kept_by, mask_of

X = clean(64, 64)
SOFT = np.ones((64, 64), np.float32)  # a bar with edges of two pixels
SOFT[20:30, 8:56] = 0
SOFT[19, 8:56] = SOFT[30, 8:56] = 0.3
SOFT[18, 8:56] = SOFT[31, 8:56] = 0.8
LAID = SOFT[..., None] * X + (1 - SOFT[..., None]) * np.float32([1, 0.9, 0.1])
PICTURE = untaught.Image.of(levels(LAID), "YXS")


def kept(mask: np.ndarray, marks: str | None = None) -> np.ndarray:
    return mask_of(mask, PICTURE, marks)[0, 0].numpy() > 0


def test_of_a_soft_mask_the_edges_are_missing_too() -> None:
    for mask in (levels(SOFT), SOFT, np.uint16(65535 * SOFT)):
        assert np.array_equal(kept(mask), SOFT == 1)
    assert np.array_equal(kept(levels(1 - SOFT), "missing"), SOFT == 1)


def test_two_values_labels_and_flags_keep_what_is_not_zero() -> None:
    assert kept_by(np.uint8([0, 1])).tolist() == [False, True]
    assert kept_by(np.uint8([0, 1, 2])).tolist() == [False, True, True]
    assert kept_by(np.array([False, True])).tolist() == [False, True]
    assert kept_by(np.uint8([0, 7]), missing=True).tolist() == [True, False]


def test_a_soft_mask_takes_all_of_a_text_away_and_it_is_said(tmp_path: Path) -> None:
    Pillow.fromarray(levels(LAID)).save(tmp_path / "in.png")
    Pillow.fromarray(levels(SOFT)).save(tmp_path / "mask.png")
    found = untaught.inpaint(tmp_path / "in.png", tmp_path / "mask.png", method="fill")
    assert psnr(found.image / 255, X) > 24
    assert any("shades" in note for note in found.notes)


def test_a_mask_that_was_a_jpeg_file_has_the_same_holes_and_a_little_more(tmp_path: Path) -> None:
    hard = np.uint8(255 * (SOFT > 0.5))
    Pillow.fromarray(hard).save(tmp_path / "mask.jpg", quality=80)
    found = mask_of(tmp_path / "mask.jpg", PICTURE)[0, 0].numpy() > 0
    assert not found[hard == 0].any()
    assert found[hard > 0].mean() > 0.9


def test_it_is_asked_where_next_to_all_of_the_picture_would_be_filled_in() -> None:
    holes = np.uint8(255 * (SOFT < 1))  # white marks them
    with pytest.raises(untaught.InputError, match="mask-marks"):
        untaught.inpaint(LAID, holes)
    assert np.array_equal(kept(holes, "missing"), SOFT == 1)
    assert np.array_equal(kept(holes, "kept"), SOFT < 1)
    samples = np.random.default_rng(0).random((64, 64)) > 0.9  # scattered ones are meant so
    assert np.array_equal(kept(samples), samples)
    with pytest.raises(untaught.InputError, match="'kept' or 'missing'"):
        untaught.inpaint(LAID, holes, mask_marks="white")
