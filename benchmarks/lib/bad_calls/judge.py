"""What is a fault: all that a call should not do, whatever it was given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from lib.bad_calls.call import Call, Contents, Fault, Seen

MOST_MIB = 768
"""MiB that a call may take beyond what the process had: it is told that 1 GiB is free, of which it uses half."""
LONGEST = 700
"""Letters of a sentence that a person still reads."""
CACHES = ("torchinductor_",)
"""What torch makes once for a person, and uses again."""
PROGRESS = re.compile(r"^(?:[a-z].*: .*so far.*|\d+ of \d+ \(.*)$")
OF_PYTHON = re.compile(
    r"Traceback|NoneType|object has no attribute|<class |<function |<built-in|object at 0x|\[Errno|Error\(|"
    r"Error: |dtype\('|unhashable|not subscriptable|not iterable|unexpected keyword|positional argument|ufunc|"
    r"Unable to synchronously|operands could not|can't convert|cannot convert|out of bounds|invalid literal for|"
    r"validation error"
)
"""What no sentence for a person has in it."""


def faults(call: Call, seen: Seen, before: Contents, after: Contents) -> list[Fault]:
    """Return what was wrong with what a call did."""
    found = [*_status(call, seen), *_files(call, seen, before, after)]
    if seen.grown > MOST_MIB:
        found.append(Fault(f"took {seen.grown} MiB", f"memory {_verb(call)}"))
    left = [name for name in seen.left if not name.startswith(CACHES)]
    found += [Fault(f"left {name} behind", f"litter {_verb(call)}") for name in left[:1]]
    return found + [Fault(f"warned: {text}", f"warning {_place(text)}") for text in seen.warned[:1]]


def _status(call: Call, seen: Seen) -> Iterator[Fault]:
    lines = [line for line in seen.err.splitlines() if not line.startswith("warning: ") and line]
    lines = [line for line in lines if not PROGRESS.match(line)]
    if seen.status not in (0, 2, 3):
        yield Fault(f"status {seen.status}: {seen.err.strip()[-300:]}", f"broke {seen.trace or _place(seen.err)}")
        return
    if "internal error" in seen.err + seen.out:
        yield Fault(_around(seen.err + seen.out, "internal error"), f"broke {seen.trace or 'one of several'}")
        return
    if seen.status == 2:
        if call.argv and seen.out:
            yield Fault(f"refused, and printed {seen.out[:120]!r}", f"printed {_verb(call)}")
        if len(lines) != 1:
            yield Fault(f"{len(lines)} lines for one sentence: {lines[:4]}", f"lines {_verb(call)}")
    elif seen.status == 3:
        lines = [line for line in lines if not line.startswith("untaught: ")]
        bad = [line for line in lines if not line.startswith("  ")]
        if bad or not lines:
            yield Fault(f"not a list of what failed: {bad[:3] or lines}", f"list {_verb(call)}")
    else:
        said = [line for line in lines if not line.startswith("untaught: note: ")]
        if said:
            yield Fault(f"done, and said {said[:3]}", f"spilled {_place(said[0])}")
    yield from _words(call, [line for line in lines if seen.status], seen)


def _words(call: Call, lines: list[str], seen: Seen) -> Iterator[Fault]:
    """Look at sentences, and at what is printed for programs."""
    for line in lines:
        text = line.removeprefix("untaught: ").strip()
        if call.argv and seen.status == 2 and not line.startswith("untaught: "):
            yield Fault(f"printed {line[:200]!r}", f"spilled {_place(line)}")
        elif OF_PYTHON.search(text.partition(" gives no array: ")[0]):
            yield Fault(f"speaks of Python's insides: {text[:300]}", f"words {OF_PYTHON.findall(text)[0]}")
        elif len(text) > LONGEST or len(text) < 20 or not text.isprintable():
            yield Fault(f"no sentence: {text[:200]!r} ({len(text)} letters)", f"sentence {text[:30]}")
    if "--json" in call.argv and seen.status == 0:
        for line in seen.out.splitlines():
            try:
                json.loads(line, parse_constant=_refuse)
            except ValueError as error:
                yield Fault(f"no JSON ({error}): {line[:120]}", f"json {_verb(call)}")
                return


def _refuse(word: str) -> None:
    raise ValueError(word)


def _files(call: Call, seen: Seen, before: Contents, after: Contents) -> Iterator[Fault]:
    for name, content in before.items():
        allowed = seen.status != 2 and Path(name).parts[0] in call.may_change
        if (name not in after or after[name] != content) and not allowed:
            what = "changed" if name in after else "removed"
            yield Fault(f"{what} {name!r}, status {seen.status}", f"input {what} {_verb(call)}")
            break
    new = [name for name in after if name not in before]
    litter = [name for name in new if ".untaught-" in name or name.endswith(".tmp")]
    if litter:
        yield Fault(f"left {litter[:2]} behind", f"litter {_verb(call)}")
    if seen.status == 2 and call.argv:
        told = [name for name in new if Path(name).parts[0] not in seen.err and name not in litter]
        if told:
            yield Fault(f"refused, and left {told[:3]}: {seen.err.strip()[:200]}", f"output {_verb(call)}")
    elif seen.status is not None:
        strange = [name for name in new if Path(name).parts[0] not in call.may_change and name not in litter]
        if strange:
            yield Fault(f"wrote {strange[:3]}", f"elsewhere {_verb(call)}")


def _verb(call: Call) -> str:
    return call.argv[0] if call.argv else call.said.partition("(")[0]


def _around(text: str, words: str) -> str:
    at = text.find(words)
    return " ".join(text[max(0, at - 60) : at + 300].split())


def _place(text: str) -> str:
    """Return where something came from, without numbers and paths."""
    found = re.search(r"(\w+\.py):(\d+)", text)
    if found:
        return f"{found[1]}:{found[2]} {text.rpartition(':')[2].strip()[:40]}"
    return re.sub(r"[\d./\\-]+", "#", text.strip().splitlines()[-1] if text.strip() else "nothing")[:60]
