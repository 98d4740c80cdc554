"""A folder of DICOM slices as one volume: in the order in which they lie, and written as a new series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import untaught
from tests.helpers.command import contents
from tests.helpers.files import again
from tests.image.formats.test_dicom import made, pydicom
from untaught.cli import main
from untaught.errors import InputError, OutputError
from untaught.image.files import check_writable, read, write
from untaught.image.formats.dicom_series import objection
from untaught.image.image import Image

ALONG = [1, 0, 0, 0, 0, -1]  # rows to the left, columns to the feet: the normal is the patient's y


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(count=6, side=16, seed=0):
    depth, rows, columns = np.indices((count, side, side))
    noise = 20 * np.random.default_rng(seed).standard_normal((count, side, side))
    return (300 + 100 * np.sin(rows / 5 + depth / 9) + 80 * np.cos(columns / 4) + noise).astype(np.int16)


def series(folder="ct", count=6, uid="1.2.3", number=1, left_out=(), **elements):
    """Write slices 2.5 mm apart along the normal, under names that tell nothing of their order."""
    Path(folder).mkdir(exist_ok=True)
    for k, plane in enumerate(values(count)):
        if k in left_out:
            continue
        name = f"{folder}/{number}-{(5 * k + 3) % 7}.dcm"
        place = {"ImageOrientationPatient": ALONG, "ImagePositionPatient": [1, 40 - 2.5 * (count - 1 - k), 7]}
        own = {"SeriesInstanceUID": uid, "SOPInstanceUID": f"{uid}.{k}", "SeriesNumber": number}
        made(name, plane, **own, **place, **elements)
    return Path(folder)


def test_slices_are_put_in_order_and_come_back_as_one_new_series():
    folder = series(RescaleIntercept=-1024, RescaleSlope=1)
    (folder / "notes.txt").write_text("not a slice")
    before = contents(folder)
    image = read(folder, volume=True)
    assert (image.axes, image.metadata["spacing"]["Z"]) == ("ZYX", (2.5, "mm"))
    np.testing.assert_array_equal(image.array, values())
    write("out", again(image))
    names = sorted(path.name for path in folder.glob("*.dcm"))
    assert sorted(path.name for path in Path("out").iterdir()) == names
    old, new = ([pydicom.dcmread(Path(where, name)) for name in names] for where in ("ct", "out"))
    for was, now in zip(old, new, strict=True):
        np.testing.assert_array_equal(now.pixel_array, was.pixel_array)
        assert now.ImagePositionPatient == was.ImagePositionPatient
        assert now.ImageType[0] == "DERIVED"
        assert now.SourceImageSequence[0].ReferencedSOPInstanceUID == was.SOPInstanceUID
    assert len({now.SeriesInstanceUID for now in new} | {"1.2.3"}) == 2
    assert len({one.SOPInstanceUID for one in (*old, *new)}) == 12
    assert contents(folder) == before
    np.testing.assert_array_equal(read("out", volume=True).array, image.array)


def test_two_series_in_a_folder_are_told_apart():
    series(count=6)
    series(count=4, uid="1.2.9", number=2, SeriesDescription="bone")
    image = read("ct", volume=True)
    assert image.array.shape == (6, 16, 16)
    assert "series 0 (6 slices) is restored, and these are not: 1 (bone, 4 slices)" in image.notes[0]
    np.testing.assert_array_equal(read("ct", volume=True, series=1).array, values(4))


@pytest.mark.parametrize(
    ("made_of", "words"),
    [
        ({"left_out": (2, 3)}, r"2 of 6 slices in ct are missing, the first between 1-1\.dcm and 1-2\.dcm"),
        ({"count": 1}, "a single slice"),
        ({"ImagePositionPatient": None}, "do not all say where they lie"),
    ],
)
def test_what_is_no_volume_is_a_sentence(made_of, words, capsys):
    lost = made_of.pop("ImagePositionPatient", 0) is None
    folder = series(**made_of)
    if lost:
        path = next(folder.iterdir())
        dataset = pydicom.dcmread(path)
        del dataset.ImagePositionPatient
        dataset.save_as(path)
    with pytest.raises(InputError, match=words):
        read(folder, volume=True)
    assert main(["denoise", "ct", "-o", "out", "--volume", "-q"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("element", "value", "words"),
    [
        ("ImageOrientationPatient", [0, 1, 0, 0, 0, -1], "not parallel"),
        ("ImagePositionPatient", [1, 40, 7], "1 of 6 slices in ct lie where another one"),
        ("RescaleSlope", 2, "has another RescaleSlope than"),
    ],
)
def test_a_slice_that_does_not_belong_is_a_sentence(element, value, words):
    folder = series(RescaleSlope=1)
    path = folder / "1-3.dcm"
    dataset = pydicom.dcmread(path)
    setattr(dataset, element, value)
    dataset.save_as(path)
    with pytest.raises(InputError, match=words):
        read(folder, volume=True)


def test_the_command_restores_a_series_and_never_replaces_another(capsys):
    series()
    line = ["denoise", "ct", "--volume", "--noise", "gaussian:10", "-q"]
    assert main([*line, "-o", "out"]) == 0
    restored = read("out", volume=True)
    assert restored.array.std() < read("ct", volume=True).array.std()
    assert main([*line, "-o", "out"]) == 0  # our own is replaced
    series("other", uid="1.9")
    before = contents(Path("other"))
    with pytest.raises(OutputError, match="something else already"):
        check_writable("other", restored)
    assert main([*line, "-o", "other"]) == 2
    assert main([*line, "-o", "ct"]) == 2
    assert contents(Path("other")) == before
    assert main([*line, "-o", "ct.nii"]) == 0
    assert read("ct.nii").metadata["spacing"]["Z"] == (2.5, "mm")


def test_folders_of_series_are_restored_each_as_one():
    Path("patients").mkdir()
    series("patients/a")
    series("patients/b", uid="1.2.4")
    found = untaught.denoise(
        "patients", output="clean", recursive=True, volume=True, method="nlm", noise="gaussian:10"
    )
    assert [(row.status, str(row.output)) for row in found] == [("done", "clean/a"), ("done", "clean/b")]
    assert len(list(Path("clean/b").iterdir())) == 6
    again = untaught.denoise(
        "patients", output="clean", recursive=True, volume=True, method="nlm", noise="gaussian:10"
    )
    assert [row.status for row in again] == ["kept", "kept"]


@pytest.mark.parametrize("element", [b"\x20\x00\x32\x00DS", b"\x20\x00\x37\x00DS"])
def test_places_that_are_no_numbers_are_a_sentence(element):
    path = sorted(series().iterdir())[0]
    data = bytearray(path.read_bytes())
    data[data.index(element) + 8] = ord("x")
    path.write_bytes(data)
    with pytest.raises(InputError, match="corrupt DICOM"):
        read(path.parent, volume=True)


def test_what_is_no_file_and_no_picture_is_passed_over():
    folder = series()
    made(folder / "DICOMDIR", values(1)[0])
    made(folder / ".hidden", values(1)[0])
    (folder / "below").mkdir()
    report = pydicom.Dataset()
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.7"
    report.file_meta = pydicom.dataset.FileMetaDataset()
    report.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    report.save_as(folder / "report.dcm", enforce_file_format=True)
    assert read(folder, volume=True).array.shape == values().shape
    only = Path("only")
    only.mkdir()
    (folder / "report.dcm").rename(only / "report.dcm")
    with pytest.raises(InputError, match="holds no DICOM slices"):
        read(only, volume=True)


def test_frames_and_colours_are_no_slices():
    folder = series()
    place = {"ImageOrientationPatient": ALONG, "ImagePositionPatient": [1, 60, 7]}
    made(folder / "film.dcm", values(3), SeriesInstanceUID="1.2.3", SeriesNumber=1, **place)
    with pytest.raises(InputError, match="holds frames or colours and is no slice"):
        read(folder, volume=True)


def test_a_volume_of_another_size_or_type_is_no_series():
    image = read(series(), volume=True)
    for other, said in (
        (Image.of(image.array[:, ::2], "ZYX", metadata=image.metadata), "no other size or type"),
        (Image.of(image.array.astype(np.float32), "ZYX", metadata=image.metadata), "no other size or type"),
        (Image.of(image.array, "ZYX"), "written of such a series alone"),
    ):
        assert said in (objection(other) or "")
    assert objection(image) is None


def test_slices_that_lie_unevenly_are_said_to():
    folder = series()
    names = sorted(folder.glob("*.dcm"), key=lambda path: pydicom.dcmread(path).ImagePositionPatient[1])
    moved = pydicom.dcmread(names[2])
    moved.ImagePositionPatient = [1, float(moved.ImagePositionPatient[1]) + 0.5, 7]
    moved.save_as(names[2])
    assert "the slices lie 2 to 3 mm apart; 2.5 mm is written" in " ".join(read(folder, volume=True).notes)
