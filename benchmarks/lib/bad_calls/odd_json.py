"""JSON that is not what was asked for, by one entry or by all of it."""

from __future__ import annotations

import copy
from typing import Any

from lib.bad_calls.call import Random

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 10**9, 2**31, 2**63, 10**30, -(10**30), 0.5, -0.0, 1e300, 1e-320),
    *(
        float("nan"),
        float("inf"),
        "",
        "x",
        "auto",
        "nan",
        "../../etc/passwd",
        "a\nb",
        "\0",
        "\u202e\U0001f642",
        "9" * 999,
    ),
    *([], {}, [None], [[]], [1, 2, 3], [[1, 2], [3]], {"kind": "Mask"}, {"": None}, ["x"] * 50, "gaussian:25"),
)


def odd(rng: Random, content: Any) -> tuple[Any, str]:
    """Return a copy with one to three entries that are odd, missing, or too many; and what was done."""
    content, said = copy.deepcopy(content), []
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        places = _places(content)
        if not places or rng.random() < 0.03:
            content = VALUES[int(rng.integers(len(VALUES)))]
            said.append(f"all of it is {content!r:.40}")
            break
        holder, key = places[int(rng.integers(len(places)))]
        way = rng.random()
        value = copy.deepcopy(VALUES[int(rng.integers(len(VALUES)))])
        if way < 0.15:
            del holder[key]
            said.append(f"no {key}")
        elif way < 0.25 and isinstance(holder, dict):
            holder[f"{key}2"] = value
            said.append(f"{key}2={value!r:.40}")
        elif way < 0.35:
            holder[key] = [holder[key]] if rng.random() < 0.5 else {str(key): holder[key]}
            said.append(f"{key} is deeper")
        else:
            holder[key] = value
            said.append(f"{key}={value!r:.40}")
    return content, ", ".join(said)


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Return all entries, each by what holds it and its key."""
    if isinstance(content, dict):
        pairs: list[tuple[Any, Any]] = [(content, key) for key in content]
        inner = content.values()
    elif isinstance(content, list):
        pairs = [(content, at) for at in range(len(content))]
        inner = content  # type: ignore[assignment]
    else:
        return []
    return pairs + [place for value in inner for place in _places(value)]
