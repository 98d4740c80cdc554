"""Calls that are killed at random moments, and the same calls again: what is lost, half written or left behind.

    python benchmarks/kills.py [--quick] [--count 500] [--seed 0] [--scenes fit,folder] [--number N]
        [--table]

Each kill has a number, and with the seed that says all: which call (`lib.killed_scenes`, and the page of
`lib.killed_page`), what befalls it and when (`lib.faults`). One JSON line a kill in --output; what is there
already is not run again, and --number runs one again and shows it. At the end, how many there were of each kind,
and what was found. No data are needed; where it is root, it has full disks of its own, else files that may not
grow.

After the kill: inputs are untouched, what has its final name is whole (what was there before, or the answer;
after a signal that can be caught, also the best so far), the exit status is that of the fault, and nothing is
said but sentences. After the same call again, that nothing befalls: all outputs have the bits of a run that was
never killed, and the folder holds the same names. After a third call on a folder of pictures: nothing was done
again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lib.faults import SIGNALS, Ended, Fault, call
from lib.harness import done, machine
from lib.killed_page import kill_page
from lib.killed_page import whole as whole_page
from lib.killed_scenes import SCENES, prepare
from lib.left_behind import FILLER, Seen, faults_after, faults_at_the_end, faults_when_kept, seen

KINDS = {"kill": 30, "int": 10, "term": 8, "hup": 6, "torn": 12, "limit": 6, "full": 10, "memory": 6, "shut": 6}
KINDS |= {"clock": 6}
QUICK = ("formula", "folder")
ROOM = 2**26  # bytes of a disk that is to be full
NAMED = {
    "kill": "`kill -9`",
    "torn": "`kill -9` in the middle of a write",
    "int": "SIGINT",
    "term": "SIGTERM",
    "hup": "SIGHUP",
    "full": "a full disk",
    "limit": "a file that may not grow",
    "memory": "no more memory",
    "shut": "permission lost",
    "clock": "the clock moved, then `kill -9`",
}
PAGE, RARE = "page", 2  # `untaught serve`, and how often it is drawn


def fault_of(rng: np.random.Generator, whole: list[Ended], largest: int) -> tuple[int, Fault]:
    """Draw which call of several is killed, and how."""
    at = int(rng.integers(len(whole)))
    names = list(KINDS)
    kind = names[rng.choice(len(names), p=np.array(list(KINDS.values())) / sum(KINDS.values()))]
    operation = int(rng.integers(1, max(whole[at].operations, 1) + 1))
    if kind in SIGNALS and rng.random() < 0.4:
        return at, Fault(kind, moment=round(float(rng.random()), 4))
    if kind in ("torn", "limit", "full"):
        return at, Fault(kind, amount=int(np.exp(rng.uniform(0, np.log(1.3 * largest)))))
    if kind == "memory":
        return at, Fault(kind, operation if rng.random() < 0.5 else 0, amount=2 ** int(rng.integers(0, 23)))
    if kind == "clock":
        sign, days = rng.choice([-1, 1]), rng.choice([1 / 24, 2, 400])
        return at, Fault(kind, operation, amount=int(sign * days * 86400))
    return at, Fault(kind, operation)


class Scenes:
    """The scenes, each run once without a fault: what it takes and what comes out."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[list[Ended], Seen]] = {}

    def whole(self, name: str) -> tuple[list[Ended], Seen]:
        """Return how the calls end, and what is there then."""
        if name not in self.known:
            scene = SCENES[name]
            with tempfile.TemporaryDirectory() as base:
                folder = Path(base) / "f"
                folder.mkdir()
                scene.lay(folder)
                ended = [call(folder, argv, Fault()) for argv in scene.calls]
                assert not any(one.status for one in ended), ended
                self.known[name] = ended, seen(folder, scene)
        return self.known[name]

    @cached_property
    def page(self) -> tuple[str, float]:
        """What the page answers, and the seconds it takes."""
        return whole_page()


@contextmanager
def place(full: bool) -> Iterator[Path]:
    """Yield an empty folder, on a small disk of its own where that is to be full and one can be had."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "f"
        folder.mkdir()
        os.chmod(base, 0o777)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", str(folder)]
        mounted = full and not subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode
        try:
            yield folder
        finally:
            if mounted:
                subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, left: int) -> None:
    """Let so much be left of the disk of a folder."""
    free = os.statvfs(folder)
    with open(folder / FILLER, "wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(free.f_bavail * free.f_frsize - left, 1))


def kill(case: dict[str, Any], scenes: Scenes) -> dict[str, Any]:
    """Kill one call, call again, and say what was found."""
    rng = np.random.default_rng([case["seed"], case["number"]])
    names = case["scenes"]
    shares = np.array([SCENES[name].share if name in SCENES else RARE for name in names])
    name = names[rng.choice(len(names), p=shares / shares.sum())]
    if name == PAGE:
        return kill_page(rng, scenes.page) | {"date": date.today().isoformat(), "machine": machine()}
    whole, answer = scenes.whole(name)
    at, fault = fault_of(rng, whole, answer.largest)
    scene = SCENES[name]
    with place(fault.kind == "full") as folder:
        scene.lay(folder)
        if os.getuid() == 0 and fault.kind == "shut":
            for path in (folder, *folder.rglob("*")):
                os.chown(path, 65534, 65534)
        if fault.kind == "full" and folder.is_mount():
            before = [call(folder, argv, Fault()) for argv in scene.calls[:at]]
            fill(folder, fault.amount)
        else:
            fault = Fault("limit", amount=fault.amount) if fault.kind == "full" else fault
            before = [call(folder, argv, Fault()) for argv in scene.calls[:at]]
        given = seen(folder, scene)
        ended = call(folder, scene.calls[at], fault, whole[at].seconds)
        (folder / FILLER).unlink(missing_ok=True)
        os.chmod(folder, 0o755)
        found = [f"before: {one.said}" for one in before if one.status]
        found += faults_after(seen(folder, scene), (given, answer), ended, fault)
        again = [call(folder, argv, Fault()) for argv in scene.calls[at:]]
        last = seen(folder, scene)
        found += faults_at_the_end(last, answer, again)
        if scene.kept and not found:
            third = call(folder, scene.calls[-1], Fault())
            found += faults_when_kept(seen(folder, scene), last, third)
    told = {"kind": fault.kind, "operation": fault.operation, "moment": fault.moment, "amount": fault.amount}
    return {
        "scene": name,
        "call": at,
        "fault": {key: value for key, value in told.items() if value},
        "status": ended.status,
        "said": _said(ended.said)[:3000] if ended.hung else _said(ended.said)[-200:],
        "found": found,
        "date": date.today().isoformat(),
        "machine": machine(),
    }


def _said(text: str) -> str:
    """Return a text without the folders of the paths in it, which are of one machine."""
    return re.sub(r"/(?:[\w.+-]+/)+", "", text.strip())


def summary(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield how many kills there were of each kind, how many calls were really cut, and how many survived."""
    for key, of in (("kind", lambda row: row["fault"]["kind"]), ("scene", lambda row: row["scene"])):
        for one in sorted(set(map(of, rows))):
            yield {key: one} | _counted([row for row in rows if of(row) == one])
    yield _counted(rows)


def _counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    cut = sum(row["status"] != 0 for row in rows)
    return {"kills": len(rows), "cut": cut, "survived": sum(not row["found"] for row in rows)}


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the summary as the table of docs/interruptions.md."""
    yield "| | kills | cut | survived |"
    yield "|---|---:|---:|---:|"
    for line in summary(rows):
        name = NAMED.get(line.get("kind", ""), line.get("scene", "all"))
        yield f"| {name} | {line['kills']} | {line['cut']} | {line['survived']} |"


def main() -> None:
    """Read the arguments, and kill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few kills of two scenes")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenes", default=",".join((*SCENES, PAGE)))
    parser.add_argument("--number", type=int, help="one kill, again")
    parser.add_argument("--table", action="store_true", help="what --output holds, as a table, and no kills")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/kills.jsonl"))
    args = parser.parse_args()
    if args.table:
        print("\n".join(table(done(args.output))))
        return
    names = QUICK if args.quick else tuple(args.scenes.split(","))
    prepare(*(name for name in names if name in SCENES and SCENES[name].share > RARE))
    scenes = Scenes()
    if args.number is not None:
        print(json.dumps(kill({"seed": args.seed, "number": args.number, "scenes": names}, scenes), indent=1))
        return
    args.output.parent.mkdir(parents=True, exist_ok=True)
    known = [row["case"] for row in done(args.output)]
    for number in range(4 if args.quick else args.count):
        case = {"seed": args.seed, "number": number, "scenes": list(names)}
        if case in known:
            continue
        row = kill(case, scenes)
        with args.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"case": case, **row}) + "\n")
        if row["found"]:
            print(json.dumps({"number": number, **row}), flush=True)
    for line in summary(done(args.output)):
        print(json.dumps(line))


if __name__ == "__main__":
    main()
