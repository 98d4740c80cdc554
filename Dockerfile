# untaught on a processor, with all formats and the page.
#
#   docker build -t untaught .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" untaught denoise noisy.tif -o restored.tif
FROM python:3.13-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
ARG EXTRAS=all,page
COPY constraints.txt /tmp/
# torch first, of the index without CUDA, which would weigh gigabytes.
RUN --mount=from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --constraint /tmp/constraints.txt --index-url https://download.pytorch.org/whl/cpu torch \
    && pip install --no-cache-dir --constraint /tmp/constraints.txt "$(echo /wheels/*.whl)[$EXTRAS]" \
    && rm /tmp/constraints.txt
# Whoever runs it, caches lie where anybody may write; only /tmp and the mounted folder need to be writable.
ENV HOME=/tmp NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib PYTHONDONTWRITEBYTECODE=1
RUN useradd --no-create-home --uid 1000 untaught && install --directory --owner untaught /data
USER 1000
WORKDIR /data
ENTRYPOINT ["untaught"]
CMD ["--help"]
