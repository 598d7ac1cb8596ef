ARG DEBIAN=bookworm
FROM debian:${DEBIAN}-slim

ARG TINI_VERSION=0.19.0
ADD https://github.com/krallin/tini/releases/download/v${TINI_VERSION}/tini /tini
RUN apt-get update \
 && apt-get install -y --no-install-recommends curl perl \
# no lists in the image
 && rm -rf /var/lib/apt/lists/*

COPY server.pl /usr/local/bin/server
COPY etc/ /etc/app/
ONBUILD COPY . /srv

ENV PORT=8080 FORMAT='{{.Names}}'
EXPOSE 8080
ENTRYPOINT ["/tini", "--", "perl", "/usr/local/bin/server"]
