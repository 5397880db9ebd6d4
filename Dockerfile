# syntax=docker/dockerfile:1
# The engine and the content of this checkout. Any role: `docker run IMAGE serve --role worker`.
#
#     docker build -t comanda:0.1.0 .
#
# A tag may be moved to another image. To pin what was tried, put the digest behind the tag
# (python:3.11.15-slim-bookworm@sha256:...), as told by
#     docker buildx imagetools inspect python:3.11.15-slim-bookworm --format '{{.Manifest.Digest}}'
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.lock requirements-serve.lock ./
# What makes the wheel is of the lock as well, but stays in this stage.
RUN awk '/^[a-z]/ {keep = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/} keep' \
        requirements.lock > requirements-build.lock \
    && python -m venv /build/tools \
    && /build/tools/bin/pip install --require-hashes --no-deps -r requirements-build.lock \
    && python -m venv /opt/comanda \
    && /opt/comanda/bin/pip install --require-hashes --no-deps -r requirements-serve.lock
COPY pyproject.toml README.md LICENSE ./
COPY engine engine
RUN /build/tools/bin/pip wheel --no-deps --no-build-isolation --no-index -w dist . \
    && /opt/comanda/bin/pip install --no-deps --no-index dist/comanda-*.whl \
    && /opt/comanda/bin/pip check \
    && /opt/comanda/bin/pip uninstall -y pip setuptools

FROM ${PYTHON_IMAGE}
# A number, so that Kubernetes can see that it is not root.
RUN groupadd --system --gid 10001 comanda \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent comanda
COPY --from=build /opt/comanda /opt/comanda
COPY conversations /srv/comanda/conversations
COPY flows /srv/comanda/flows
COPY tenants /srv/comanda/tenants
# Nothing is written: the root file system may be read-only.
ENV PATH=/opt/comanda/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    COMANDA_CONTENT=/srv/comanda
WORKDIR /srv/comanda
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a container whose database is away need not be started again.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["comanda"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
