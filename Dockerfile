# firewatch as a service. The first stage builds the console and installs as `make setup` does; the image keeps the result.
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/firewatch \
    && /opt/firewatch/bin/python -m pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/firewatch --create-home --shell /usr/sbin/nologin firewatch
COPY --from=build /opt/firewatch /opt/firewatch
WORKDIR /etc/firewatch
COPY config config
COPY rules rules
USER firewatch
ENV PATH=/opt/firewatch/bin:$PATH \
    FIREWATCH_STATE_DIRECTORY=/var/lib/firewatch \
    FIREWATCH_LOG__FORMAT=json
VOLUME /var/lib/firewatch
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=8s --start-period=60s CMD ["firewatch", "status", "--url", "http://127.0.0.1:8080"]
CMD ["firewatch", "run"]
