"""Changes that were not caught, were read, and make no other program: by name, with the reason."""

from __future__ import annotations

EQUAL: dict[str, str] = {}
