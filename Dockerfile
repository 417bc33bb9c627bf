# syntax=docker/dockerfile:1

FROM swift:6.3-bookworm AS build
WORKDIR /source
# The packages to build with, and DuckDB's library, which SQL loads; there is none for other machines than x86-64.
COPY scripts/bootstrap scripts/
RUN mkdir -p .deps/duckdb && scripts/bootstrap && rm -rf /var/lib/apt/lists/*
# The packages come first, in a layer of their own: they change seldom.
COPY Package.swift ./
RUN swift package resolve
COPY Sources ./Sources
COPY Tests ./Tests
RUN swift build --configuration release --product pyralog --static-swift-stdlib \
    && install -D -m 755 "$(swift build --configuration release --show-bin-path)/pyralog" /out/pyralog

FROM debian:bookworm-slim
RUN apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
        libmicrohttpd12 libjansson4 libsimdjson14 libxxhash0 libzstd1 zlib1g libcurl4 libssl3 libexpat1 \
        libstdc++6 libpython3.11 ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7070 --user-group --home-dir /nonexistent --shell /usr/sbin/nologin pyralog \
    && install -d -m 700 -o pyralog -g pyralog /var/lib/pyralog
COPY --from=build /out/pyralog /usr/local/bin/pyralog
COPY --from=build /source/.deps/duckdb /usr/local/lib/duckdb
ENV PYRALOG_DUCKDB_LIBRARY=/usr/local/lib/duckdb/libduckdb-2.0.0.so
USER pyralog
EXPOSE 7070
# In memory unless it is told to keep logs: -v pyralog:/var/lib/pyralog -e PYRALOG_DATA_DIR=/var/lib/pyralog
# In a container the address inside is not loopback, and nothing outside reaches it unless the port is published:
# publish it on loopback (-p 127.0.0.1:7070:7070), or put a proxy with tokens and TLS before it.
ENV PYRALOG_HOST=0.0.0.0 PYRALOG_INSECURE=true
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["curl", "--silent", "--fail", "--output", "/dev/null", "http://127.0.0.1:7070/readyz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["pyralog"]
CMD ["serve"]
