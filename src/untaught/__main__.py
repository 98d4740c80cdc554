"""`python -m untaught` is the command `untaught`."""

from __future__ import annotations

import sys

from untaught.cli import main

if __name__ == "__main__":
    sys.exit(main())
