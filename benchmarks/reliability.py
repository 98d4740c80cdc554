"""Calls that are wrong, by the thousand: nothing breaks, hangs or is lost, and each is refused in a sentence.

    python benchmarks/reliability.py --count 10000             # goes on where it was
    python benchmarks/reliability.py --only file --count 500   # of one kind
    python benchmarks/reliability.py --repeat 0:1000123        # one call, with all that was seen of it
    python benchmarks/reliability.py --again                   # all calls in which a fault was found

A number stands for one call, with its seed: the millions say which kind (`lib/bad_calls/kinds.py`),
and the rest of
it is drawn from both. `benchmarks/results/reliability.jsonl` has a line a kind, how many calls there were and how
they ended, and a line a fault that was found; what is mended since says so. What is wanted of a call stands in
`lib/bad_calls/judge.py`. The calls are made one after the other in a process that is forked from this one,
which has
all libraries loaded; it is followed by another after some hundred calls, or where it is lost.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

RESULTS = Path("benchmarks/results/reliability.jsonl")
Row = dict[str, Any]


class Record:
    """What was found so far: a row a kind and seed, and a row a fault.

    Parameters
    ----------
    path : Path
        The file; read where it is there, and written whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        rows = [json.loads(line) for line in lines if line]
        self.kinds: list[Row] = [row for row in rows if row["row"] == "kind"]
        self.faults: list[Row] = [row for row in rows if row["row"] == "fault"]

    def of(self, kind: str, seed: int) -> Row:
        """Return the row of a kind."""
        for row in self.kinds:
            if (row["kind"], row["seed"]) == (kind, seed):
                return row
        new: Row = {"row": "kind", "kind": kind, "seed": seed, "calls": 0, "statuses": {}, "faulty": 0}
        self.kinds.append(new | {"cpu_seconds": 0.0, "slowest": 0.0, "most_mib": 0, "date": ""})
        return self.kinds[-1]

    def add(self, kind: str, seed: int, made: Row) -> None:
        """Take in what became of a call."""
        row = self.of(kind, seed)
        row["calls"] += 1
        row["statuses"] = dict(sorted((Counter(row["statuses"]) + Counter([str(made["status"])])).items()))
        row["faulty"] += bool(made["faults"])
        row["cpu_seconds"] = round(row["cpu_seconds"] + made["cpu"], 2)
        row["slowest"] = max(row["slowest"], made["seconds"])
        row["most_mib"] = max(row["most_mib"], made["mib"])
        row["date"] = date.today().isoformat()
        for fault in made["faults"]:
            case = {"row": "fault", "call": f"{seed}:{made['number']}", "kind": kind, "mended": False}
            self.faults.append(case | fault | {"said": made["said"][:120], "argv": " ".join(made["argv"])[:120]})

    def write(self) -> None:
        """Write all of it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text("".join(json.dumps(row) + "\n" for row in (*self.kinds, *self.faults)))
        os.replace(new, self.path)


def asked(args: argparse.Namespace, record: Record) -> Iterator[tuple[str, int]]:
    """Yield kind and number of the calls that are still to be made, the kinds one after the other."""
    from lib.bad_calls.kinds import QUICK, SHARES, number_of

    kinds = [args.only] if args.only else list(QUICK if args.quick else SHARES)
    whole = sum(SHARES[kind] for kind in kinds)
    for kind in kinds:
        wanted = -(-args.count * SHARES[kind] // whole)
        for index in range(record.of(kind, args.seed)["calls"], wanted):
            yield kind, number_of(kind, index)


def run(args: argparse.Namespace, crew: Any) -> int:
    """Make the calls and write down what was found; return how many had a fault."""
    record, faulty, since = Record(args.output), 0, time.monotonic()
    ended = since + args.seconds if args.seconds else float("inf")
    try:
        for kind, number in asked(args, record):
            made = crew.call(args.seed, number)
            record.add(kind, args.seed, made)
            faulty += bool(made["faults"])
            for fault in made["faults"]:
                print(f"{args.seed}:{number} {fault['sign']} | {fault['what']} | {made['said']}", flush=True)
            if time.monotonic() - since > 5:
                since = time.monotonic()
                record.write()
            if since > ended:
                break
    finally:
        record.write()
    total = sum(row["calls"] for row in record.kinds)
    print(f"{total} calls, {faulty} with a fault this time")
    return faulty


def again(args: argparse.Namespace, crew: Any) -> int:
    """Make the calls again that had a fault, write down which are mended, and return how many faults are not."""
    record = Record(args.output)
    made: dict[str, Row] = {}
    for fault in record.faults:
        seed, number = map(int, fault["call"].split(":"))
        if fault["call"] not in made:
            made[fault["call"]] = crew.call(seed, number)
        fault["mended"] = not made[fault["call"]]["faults"]
    record.write()
    left = [fault for fault in record.faults if not fault["mended"]]
    for fault in left:
        print(fault["call"], fault["sign"], [each["what"] for each in made[fault["call"]]["faults"]])
    print(f"{len(record.faults) - len(left)} of {len(record.faults)} are mended")
    return len(left)


def main() -> None:
    """Read the arguments and do it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="calls in all")
    parser.add_argument("--only", help="of this kind alone")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="some calls of each kind, in a few seconds")
    parser.add_argument("--seconds", type=float, help="stop after so many, and go on the next time")
    parser.add_argument("--repeat", metavar="SEED:NUMBER", help="make one call, and say what was seen of it")
    parser.add_argument("--again", action="store_true", help="make the calls again that had a fault")
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    args.output = args.output.absolute()
    if args.quick:
        args.count = min(args.count, 30)

    from lib.bad_calls.child import prepare
    from lib.bad_calls.crew import Crew
    from lib.bad_calls.samples import make

    with tempfile.TemporaryDirectory(prefix="bad-calls-") as folder:
        scratch = Path(folder)
        make(scratch / "pool")
        prepare()
        crew = Crew(scratch / "pool", scratch)
        try:
            if args.repeat:
                made = crew.call(*map(int, args.repeat.split(":")))
                print(json.dumps(made, indent=1))
                status = bool(made["faults"])
            else:
                status = bool((again if args.again else run)(args, crew))
        finally:
            crew.close()
    sys.exit(status)


if __name__ == "__main__":
    main()
