#!/bin/sh
# Write packaging/locked.txt anew: the newest versions of all that the package and its tests need, on every platform and
# version of Python, with the hashes of their files. Needs `pip install uv` and the network.
set -eu
cd "$(dirname "$0")/.."
uv pip compile pyproject.toml --universal --python-version 3.11 --extra test --generate-hashes --no-annotate \
    --no-header --constraint constraints.txt --upgrade --quiet --output-file packaging/locked.txt
