#!/bin/sh
# Install what was built, wheel and source, each in an empty environment, and run it away from the checkout.
#   sh packaging/try_dist.sh dist
# PYTHON: which interpreter. SITE: site-packages to take what it needs from, where there is no network.
set -eu
dist=$(cd "$1" && pwd)
python=${PYTHON:-python3}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
unset PYTHONPATH
for built in "$dist"/*.whl "$dist"/*.tar.gz; do
    rm -rf env demo
    "$python" -m venv env
    if [ -n "${SITE:-}" ]; then
        env/bin/python -m pip install --quiet --no-deps "$built"
        env/bin/python -c 'import sys, sysconfig; print(sys.argv[1], file=open(sysconfig.get_path("purelib") + "/site.pth", "w"))' "$SITE"
    else
        env/bin/python -m pip install --quiet "$built"
        env/bin/python -m pip check
    fi
    env/bin/python -c 'import sys, untaught; assert untaught.__file__.startswith(sys.prefix), untaught.__file__'
    env/bin/untaught --version
    env/bin/untaught demo -o demo
    env/bin/untaught denoise demo/noisy.png -o restored.png --method wavelet --reference demo/clean.png
    rm restored.png
    echo "works: $(basename "$built")"
done
