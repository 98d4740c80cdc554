"""From the answers of the tiles to the answer of the plane: pixels blended, errors averaged, notes said once."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untaught.image.lazy import empty, release
from untaught.image.tiling import Tile
from untaught.method import Stopped
from untaught.noise.shares import Counted, added
from untaught.pipeline.answer import Answer
from untaught.results.recipe import PlaneRecipe
from untaught.results.restoration import Tried
from untaught.risk.estimate import together

ALL = 0.999  # share of the plane that is all of it, in words
_NUMBER = re.compile(r"\d[\d.,]*")
NOWHERE: NDArray[np.float32] = np.empty((0, 0, 0), np.float32)


@dataclass
class Canvas:
    """The plane as it comes to be, on the disk where it is large.

    Attributes
    ----------
    values, std : ndarray
        (H, W, C); `std` is None from the first tile on that has none.
    kept : ndarray
        bool, (H, W): where the picture stays as it is.
    """

    shape: tuple[int, int, int]
    exact: bool  # whether more digits than those of float32 matter
    values: NDArray[Any] = field(init=False)
    kept: NDArray[np.bool_] = field(init=False)
    std: NDArray[np.float32] | None = None
    known: bool = True  # whether every tile has said its standard deviation

    def __post_init__(self) -> None:
        self.values = empty(self.shape, np.float64 if self.exact else np.float32)
        self.kept = empty(self.shape[:2], np.bool_)

    def lay(self, tile: Tile, answer: Answer) -> None:
        """Add a tile with its share."""
        weight = tile.weight
        self.values[tile.window] += weight * answer.values
        if answer.kept is not None:
            self.kept[tile.own] = answer.kept[tile.core]
        self.known = self.known and answer.std is not None
        if self.known and answer.std is not None:
            if self.std is None:
                self.std = empty(self.shape, np.float32)
            self.std[tile.window] += weight * answer.std
            release(self.std)
        release(self.values)
        release(self.kept)


@dataclass(frozen=True)
class Laid:
    """A tile that is done, what was answered for it but its pixels, and whether that was to leave it alone."""

    tile: Tile
    answer: Answer
    copied: bool = False
    late: bool = False  # whether that was so because the time was over


def joined(canvas: Canvas, laid: Sequence[Laid], notes: Sequence[str]) -> Answer:
    """Return the answer for the plane.

    The mean squared error is the mean over the tiles, by their areas; so is its standard error, as all of them err
    in the same direction with the level of the noise. `notes` are those of the plane.
    """
    judged = [one for one in laid if not one.copied] or list(laid)
    first = next((one.answer for one in judged if one.answer.method != "none"), judged[0].answer)
    methods = dict.fromkeys(one.answer.method for one in judged if one.answer.method != "none")
    area = np.array([one.tile.area for one in judged], np.float64)
    share = (area / area.sum()).tolist()
    risks = [one.answer.risk for one in judged]
    known = [risk for risk in risks if risk is not None]
    said = [(one.answer.notes, one.tile.area) for one in judged]
    return replace(
        first,
        values=canvas.values,
        std=canvas.std if canvas.known else None,
        kept=canvas.kept if canvas.kept.any() else None,
        completed=any(one.answer.completed for one in laid),
        method=" / ".join(methods) or "none",
        why="; ".join(told_once(_reasons(judged))),
        stopped=_stopped(judged),
        risk=together(known, share) if len(known) == len(risks) else None,
        variance=math.fsum(part * one.answer.variance for part, one in zip(share, judged, strict=True)),
        candidates=_candidates(judged, share),
        notes=(*notes, *told_once(said)),
        interrupted=any(one.answer.interrupted for one in laid),
        recipe=_recipe([one.answer.recipe for one in judged]),
        doubt=None,
        weights=laid[-1].answer.weights,
    )


def _reasons(judged: Sequence[Laid]) -> list[tuple[tuple[str], int]]:
    """Return why tiles were restored as they were, with their areas."""
    done = [one for one in judged if one.answer.method != "none"] or judged
    return [((one.answer.why,), one.tile.area) for one in done]


def _stopped(judged: Sequence[Laid]) -> Stopped:
    """Return where the fits stopped: of several, the longest."""
    return max((one.answer.stopped for one in judged), key=lambda stopped: stopped.step)


def _recipe(recipes: Sequence[PlaneRecipe | None]) -> PlaneRecipe | None:
    """Return how the tiles are made again: in as many steps as the longest fit took, the rule stops the others."""
    found = [recipe for recipe in recipes if recipe is not None]
    return max(found, key=lambda recipe: recipe.steps) if found else None


def _candidates(judged: Sequence[Laid], share: Sequence[float]) -> tuple[Tried, ...]:
    """Return the rows of what was tried in every tile, their errors averaged, their seconds added up."""
    rows: list[Tried] = []
    tried = [one.answer.candidates for one in judged]
    for row in next(filter(None, tried), ()):
        same = [next((r for r in each if r.method == row.method), None) for each in tried]
        found = [each for each in same if each is not None]
        if len(found) < len(same):
            continue
        psnrs = [each.psnr for each in found if each.psnr is not None]
        psnr = None
        if len(psnrs) == len(found):
            error = math.fsum(s * 10 ** (-p / 10) for s, p in zip(share, psnrs, strict=True))
            psnr = -10 * math.log10(max(error, 1e-20))
        rows.append(Tried(row.method, psnr, math.fsum(each.seconds for each in found), row.note))
    return tuple(rows)


def told_once(said: Sequence[tuple[Sequence[str], int]]) -> list[str]:
    """Return what is said of tiles, each with its area: a sentence a kind, those that differ in numbers being one.

    What was counted is added up. Of another kind, what is said of the largest part of the plane, and of how much
    of it, where that is not all.
    """
    kinds: dict[str, list[tuple[str, int]]] = {}
    for notes, area in said:
        for note in notes:
            kind = note.rest if isinstance(note, Counted) else _NUMBER.sub("#", note)
            kinds.setdefault(kind, []).append((note, area))
    whole = sum(area for _, area in said)
    return [_told(found, sum(area for _, area in found) / whole) for found in kinds.values()]


def _told(found: Sequence[tuple[str, int]], share: float) -> str:
    """Return one sentence for those of a kind, which are said of so large a share of the plane."""
    counted = [note for note, _ in found if isinstance(note, Counted)]
    if counted:
        return added(counted, 1 / share)
    areas: dict[str, int] = {}
    for note, area in found:
        areas[note] = areas.get(note, 0) + area
    note = max(areas, key=lambda text: areas[text])
    if len(areas) == 1 and share > ALL:
        return note
    where = "in all parts" if share > ALL else f"in {max(100 * share, 1):.0f} % of the plane"
    return f"{where}{', such as' if len(areas) > 1 else ''}: {note}"
