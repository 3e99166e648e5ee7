# Image of web, worker, beat and migrate; docker-compose.yml has the command of each.
FROM python:3.11.11-slim-bookworm AS packages
COPY requirements.txt /requirements.txt
RUN python -m venv /opt/site \
 && /opt/site/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r /requirements.txt

FROM python:3.11.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/oncall oncall \
 && install --directory --owner oncall /var/lib/oncall
ENV PATH=/opt/site/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ONCALL_VAR=/var/lib/oncall \
    HOME=/var/lib/oncall \
    COLLECTED_STATIC=1 \
    PORT=8000
WORKDIR /srv/oncall
COPY --from=packages /opt/site /opt/site
COPY manage.py gunicorn.conf.py ./
COPY oncall_site oncall_site
COPY common common
COPY people people
COPY notifications notifications
COPY pipelines pipelines
COPY lineage lineage
COPY runbooks runbooks
COPY scheduling scheduling
COPY validation validation
COPY incidents incidents
COPY handoffs handoffs
COPY readiness readiness
COPY team_channels team_channels
COPY calendar_feeds calendar_feeds
COPY handbook handbook
COPY templates templates
COPY examples examples
USER oncall
# collectstatic reads the settings but uses neither value.
RUN DATABASE_URL=postgresql:///unused SECRET_KEY=unused python manage.py collectstatic --noinput
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as http; http.urlopen(f'http://localhost:{os.environ[\"PORT\"]}/healthz', timeout=5)"]
CMD ["python", "-m", "oncall_site.web_server", "--threads", "8", "--log-level", "warning"]
