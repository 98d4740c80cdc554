"""What files of one camera share: where their values are cut off, and so the brightness of what is flat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import untaught
from untaught.image.image import Image
from untaught.image.reading import WHOLE
from untaught.jobs.shared_noise import SharedLaw, class_of, denoised, shared_laws
from untaught.noise import Gaussian
from untaught.pipeline.plane.cut_off import Ends, cut_of, cut_off

SIDE, HALF = 64, 32
LAW = Gaussian(5 / 255)


def picture(beside: tuple[int, int]) -> Image:
    """Noise that is cut off at black: a dark square, the same for all, amid some values, and light."""
    around, dark = np.random.default_rng(beside[0]), np.random.default_rng(0)
    y = around.integers(*beside, (SIDE, SIDE)).astype(float)
    y[-8:] = 200 + 5 * around.standard_normal((8, SIDE))
    y[:HALF, :HALF] = 2 + 5 * dark.standard_normal((HALF, HALF))
    return Image.of(np.rint(np.clip(y, 0, 255)).astype(np.uint8), "YX")


DIM, FAINT = picture((50, 60)), picture((1, 11))  # amid so much that is near black a cut does not show


def test_one_file_tells_all_where_values_are_cut_off() -> None:
    alone = [Ends.of(one.plane(0)) for one in (DIM, FAINT)]
    assert [ends and ends.piled[0] for ends in alone] == [True, False]
    assert cut_of(alone) == (0.0, None)
    assert cut_of([*alone, Ends(-5.0, 9.0, (False, False))]) == (None, None)  # there is something beyond
    assert cut_of([None]) == (None, None)


def test_a_cut_is_that_of_a_plane_whose_end_lies_there() -> None:
    bright = Image.of(np.asarray(DIM.array + np.uint8(7)), "YX")
    for one, cut, found in (
        (FAINT, (0.0, None), True),
        (FAINT, (None, None), False),
        (bright, (0.0, None), False),
    ):
        assert cut_off(one.plane(0), cut) == (found, False)
    assert cut_off(DIM.plane(0), None) == (True, False)  # where nobody told, it is looked for


def dark_part(one: Image, cut: tuple[float | None, float | None]) -> float:
    laws = {class_of(one): SharedLaw((LAW,), (0.0, 255.0), (cut,))}
    found = denoised(laws, one, {"method": "wavelet", "output_type": "float32"})
    again = untaught.rerun(found.recipe, one)
    np.testing.assert_array_equal(again.image, found.image)
    return float(found.image[4:26, 4:26].mean())


def test_flat_parts_of_files_with_one_law_are_equally_bright() -> None:
    """Files that find the cut by themselves and files that do not were a part of a grey level apart."""
    told = [dark_part(one, (0.0, None)) for one in (DIM, FAINT)]
    assert abs(told[0] - told[1]) < 0.1
    assert abs(dark_part(FAINT, (None, None)) - told[0]) > 0.1  # as it would be where the cut is not told


def test_the_cut_is_kept_with_the_law(tmp_path: Path) -> None:
    paths = [untaught.write(tmp_path / f"{at}.tif", one) for at, one in enumerate((DIM, FAINT))]
    laws = shared_laws(paths, tmp_path / "noise.json", WHOLE, None)
    (law,) = laws.values()
    assert law.cuts == ((0.0, None),)
    assert not any(any(one.clip) for one in law.laws)
    assert shared_laws(paths, tmp_path / "noise.json", WHOLE, None) == laws
    text = (tmp_path / "noise.json").read_text()
    (tmp_path / "noise.json").write_text(text.replace('"cuts"', '"cats"'))
    with pytest.raises(untaught.errors.InputError, match="remove it to measure it anew"):
        shared_laws(paths, tmp_path / "noise.json", WHOLE, None)
