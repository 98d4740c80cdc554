"""Two commands at once with one output and one checkpoint: both come to their end, and one answer is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.command import lay_out, pixels, started

CALL = ("denoise", "in.png", "-o", "out.png", "--method", "dip:hourglass-2", "--noise", "gaussian:25", "--quiet")


@pytest.mark.parametrize("seeds", [("0", "0"), ("0", "1")])
def test_two_commands_write_one_whole_picture(
    seeds: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay_out(tmp_path, monkeypatch, 16, 16)
    more = ("--checkpoint", "state", "--stop", "steps", "--time-limit", "2")
    both = [started(folder, *CALL, *more, "--seed", seed) for seed in seeds]
    said = [(process.communicate(timeout=300)[1], process.returncode) for process in both]
    for error, status in said:  # where the other's checkpoint was seen, that is said
        assert status == 0 or (status == 2 and "another picture, method or seed" in error), error
    assert any(status == 0 for _, status in said)
    assert pixels(folder / "out.png").shape == (16, 16, 3)
    names = {path.name for path in folder.iterdir()} - {"state"}
    assert names == {"in.png", "out.png", "clean.png"}
