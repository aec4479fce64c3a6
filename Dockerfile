# Llampost as a container image. compose.yaml starts it together with Ollama.

FROM python:3.11.15-slim-trixie AS packages
WORKDIR /build
COPY requirements.txt .
# Only wheels, each checked against its hash: nothing is compiled, so no compiler is needed.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --only-binary=:all: --require-hashes --requirement requirements.txt

FROM python:3.11.15-slim-trixie
# A fixed id, so that a folder of the host can be given to it: chown 10001:10001 FOLDER
RUN groupadd --gid 10001 llampost \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin llampost \
    && install --directory --owner=10001 --group=10001 --mode=0700 /app/data
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
# Readable for everybody, whatever the umask of the machine that builds.
COPY --chmod=755 bot/ bot/
COPY --chmod=755 cogs/ cogs/
COPY --chmod=755 migrations/ migrations/

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

USER 10001:10001
VOLUME ["/app/data"]
STOPSIGNAL SIGTERM
# The bot renews a sign of life every 15 seconds while it is connected to Discord.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "bot", "health"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
