# syntax=docker/dockerfile:1

FROM swift:6.3-bookworm AS build
RUN apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
        libmicrohttpd-dev libjansson-dev libsimdjson-dev libxxhash-dev libzstd-dev zlib1g-dev \
        libcurl4-openssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
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
        libmicrohttpd12 libjansson4 libsimdjson14 libxxhash0 libzstd1 zlib1g libcurl4 libstdc++6 ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7070 --user-group --home-dir /nonexistent --shell /usr/sbin/nologin pyralog
COPY --from=build /out/pyralog /usr/local/bin/pyralog
USER pyralog
EXPOSE 7070
# In a container the address inside is not loopback, and nothing outside reaches it unless the port is published:
# publish it on loopback (-p 127.0.0.1:7070:7070), or put a proxy with tokens and TLS before it.
ENV PYRALOG_HOST=0.0.0.0 PYRALOG_INSECURE=true
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["curl", "--silent", "--fail", "--output", "/dev/null", "http://127.0.0.1:7070/readyz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["pyralog"]
CMD ["serve"]
