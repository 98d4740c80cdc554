"""Changes of one operator, number or condition in a room's code: how many do the tests of that room see.

    python benchmarks/mutants.py [--rooms fitting,risk,image/formats] [--count 100] [--seed 0] [--again]

The changes are those of cosmic-ray (`pip install cosmic-ray coverage`), drawn at random from all that it makes
(`lib.mutations`, which says what is left out). Each is made in a copy of the repository, and the room's tests are
run until one fails (`lib.forked_tests`): the pages of tests that run the changed statement, those tests first that
do. What no test of the room runs is not caught. A run that takes more than four times as long as it did, and ten
seconds, counts as caught; the tables count these apart. One JSON line a change in --output; what is there already
is not run again. `--again` runs those again that were not caught, after tests were added, and drops what is no
more in the code. Another seed draws a sample that nobody has written tests for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import zip_longest
from pathlib import Path
from typing import Any

from lib.forked_tests import NO_TESTS, Ended, InOrder, Tree, Watched, load
from lib.harness import done, machine
from lib.mutations import Mutant, drawn, lines_of, mutants, mutated

HERE = Path(__file__).resolve().parent.parent
ROOMS = {
    "fitting": ("tests/fitting",),
    "risk": ("tests/risk",),
    "image/formats": ("tests/image", "tests/laws/test_formats.py"),
}
ASIDE = (".git", ".venv", "build", "__pycache__", ".*_cache", ".hypothesis")
LONGER, MORE = 4, 10.0  # times, and seconds, that a run may take
FIRST_RUN = 1800.0  # seconds

Row = dict[str, Any]


class Room:
    """The files of a room and their tests, as they are in a copy of the repository."""

    def __init__(self, name: str, tree: Tree) -> None:
        self.name, self.tree = name, tree
        files = [str(path) for path in sorted((tree.root / "src/untaught" / name).rglob("*.py"))]
        watched = Watched(files, tree.root.with_suffix(".coverage"))
        ended = tree.run(ROOMS[name], watched, FIRST_RUN)
        if ended.status != 0:
            raise SystemExit(
                f"the tests of {name} fail as they are: {ended.failed or tree.root.with_suffix('.log')}"
            )
        self.lines: dict[str, dict[str, list[str]]] = ended.told["lines"]
        self.seconds: dict[str, float] = ended.told["seconds"]
        load(ended.told["loaded"])

        self.count = 0

    def sample(self, count: int, seed: int) -> Iterator[Mutant]:
        """Yield the first of the drawn mutants that are Python."""
        order, left = drawn(mutants(self.tree.root, f"src/untaught/{self.name}"), seed), count
        self.count = len(order)
        for mutant in order:
            if left and _compiles(mutated((self.tree.root / mutant.file).read_text("utf-8"), mutant)):
                left -= 1
                yield mutant

    def tests(self, mutant: Mutant) -> list[str]:
        """Return which tests run what is changed; of what runs when the file is loaded, all that run the file."""
        path = self.tree.root / mutant.file
        names = self.lines[str(path)]
        near = lines_of(path.read_text("utf-8"), mutant.line)
        found = {name for line in near for name in names.get(str(line), ())}
        if not found and any(str(line) in names for line in near):
            found = {name for line in names.values() for name in line}
        return sorted(found)

    def judge(self, mutant: Mutant, seed: int) -> Row:
        """Make the change, run the tests, and take it back."""
        first, path = self.tests(mutant), self.tree.root / mutant.file
        pages = sorted({name.partition("::")[0] for name in first})
        source = path.read_text("utf-8")
        changed = mutated(source, mutant)
        if first:
            usual = sum(took for name, took in self.seconds.items() if name.partition("::")[0] in pages)
            self.tree.changed(mutant.file, changed)
            ended = self.tree.run([*pages, "-x"], InOrder(first), LONGER * usual + MORE)
            self.tree.changed(mutant.file, source)
        else:
            ended = Ended(0, None, 0.0)
        if ended.status == NO_TESTS:
            raise SystemExit(f"no test is found in {pages}")
        return {
            "case": {"room": self.name, "mutant": mutant.name, "seed": seed},
            "file": mutant.file,
            "line": mutant.line,
            "operator": mutant.operator.removeprefix("core/"),
            **_difference(source, changed),
            "caught": ended.status != 0,
            "tests": len(first),
            "by": ended.failed,
            "of": self.count,
            "seconds": ended.seconds,
            "date": date.today().isoformat(),
            "machine": machine(),
        }


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _difference(before: str, after: str) -> dict[str, str]:
    pairs = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    changed = [(one.strip(), other.strip()) for one, other in pairs if one != other]
    return {"before": changed[0][0], "after": changed[0][1]}


def in_turn(samples: Iterable[Iterable[tuple[Room, Mutant]]]) -> Iterator[tuple[Room, Mutant]]:
    """Yield one of each room after the other, so that what is broken off is balanced."""
    for some in zip_longest(*samples):
        yield from filter(None, some)


def _sample(row: Row) -> tuple[str, int]:
    return row["case"]["room"], row["case"]["seed"]


def run(rooms: list[Room], kept: dict[tuple[str, int], Row], args: argparse.Namespace) -> None:
    """Judge what was not judged yet, and with --again what was not caught."""
    samples = [[(room, mutant) for mutant in room.sample(args.count, args.seed)] for room in rooms]
    for room, mutant in in_turn(samples):
        row = kept.get((mutant.name, args.seed))
        if row is None or (args.again and not row["caught"]):
            row = room.judge(mutant, args.seed)
            with args.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            kept[mutant.name, args.seed] = row
            how = f"caught by {row['by']}" if row["caught"] else "NOT CAUGHT"
            print(f"{row['file']}:{row['line']} {row['after']}\n    {how}, {row['seconds']} s", flush=True)
    if args.again:
        present = {mutant.name for sample in samples for _, mutant in sample}
        own = {(room.name, args.seed) for room in rooms}
        left = [row for (name, _), row in kept.items() if name in present or _sample(row) not in own]
        args.output.write_text("".join(json.dumps(row) + "\n" for row in left), encoding="utf-8")


def main() -> int:
    """Read the arguments, copy the repository, and go on where it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", default=",".join(ROOMS))
    parser.add_argument("--count", type=int, default=100, help="of each room")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="those that were not caught, too")
    parser.add_argument("--work", type=Path, help="where the copy is made; default: a temporary folder")
    parser.add_argument("--output", type=Path, default=HERE / "benchmarks/results/mutants.jsonl")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as folder:
        tree = Tree(Path(folder) / "copy")
        shutil.copytree(HERE, tree.root, ignore=shutil.ignore_patterns(*ASIDE), symlinks=True)
        rooms = [Room(name, tree) for name in args.rooms.split(",")]
        run(rooms, {(row["case"]["mutant"], row["case"]["seed"]): row for row in done(args.output)}, args)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
