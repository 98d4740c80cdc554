"""Changes that were not caught, were read, and make no other program: by name, with the reason."""

from __future__ import annotations

EQUAL: dict[str, str] = {
    "806b27432200": "the ratio is three bits of the file, and never below 0",
    "46a9ec1762e5": "one picture or none is no animation, and 0 is taken only where nothing counts them",
    "569b4897a713": "there is always a shade: the ratio above is that of the least",
    "69cc7f970738": "the step that is kept is never one behind the end",
    "7fbe6b0806c1": "what is gained is a square over a square, and never below 0",
    "c01c9d59f193": "what is decoded has rows and columns at least",
    "b23970813f93": "a picture without any section is refused before",
    "fde417f9e66f": "it is asked with opacity alone, which is never the only sample",
    "3fc7d93c4366": "a picture with a palette has rows, columns and samples, and no axis before them",
}
