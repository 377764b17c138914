# syntax=docker/dockerfile:1
# One image for every role: `serve`, `serve --role worker`, `migrate`, `doctor`. See compose.yaml for a whole installation.

FROM node:20-bookworm-slim AS node

FROM rust:1.95.0-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# wasm-opt, which makes the browser's part small, is run by Node.js.
COPY --from=node /usr/local/bin/node /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm

WORKDIR /linewatch
ENV LINEWATCH_TOOLS=/tools PATH=/tools/bin:/linewatch/end2end/node_modules/.bin:$PATH
# What the tools depend on alone, so that they are made again only when it changes. No database is needed to compile.
COPY rust-toolchain.toml Cargo.lock ./
COPY .ci/tools .ci/tools
COPY end2end/package.json end2end/package-lock.json end2end/.npmrc end2end/
RUN --mount=type=cache,target=/usr/local/cargo/registry LINEWATCH_POSTGRES_BIN=none .ci/tools build

COPY . .
ENV SQLX_OFFLINE=true CARGO_INCREMENTAL=0
# The target directory is kept between builds and holds what others wrote; our own packages are always built again.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/target <<'EOT'
export CARGO_TARGET_DIR=/target
find app server \( -name lib.rs -o -name main.rs \) -exec touch {} +
rm -rf /target/site
cargo leptos build --release --split --precompress --cargo-locked
mkdir /out
cp /target/release/linewatch /target/release/hash.txt /out/
cp -R /target/site /out/site
# What others wrote keeps its name and licence, for browsers too: /third-party.txt. Where there is a choice it is not Apache's.
texts() { from=$1; shift; find "$from" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' \) "$@" -exec cat {} + | grep ''; }
cargo tree --locked --package server --package hydrate --edges normal --target all --prefix none --format '{p}|{l}' |
    sed -n 's/ (\*)$//; s/^\([^ ]*\) v\([^ |]*\)[^|]*|\(.*\)$/\1 \2 \3/p' | LC_ALL=C sort -u |
    while read -r name version licence; do
        dir=$(echo "$CARGO_HOME"/registry/src/*/"$name-$version")
        [ -d "$dir" ] || continue
        printf '\n======== %s %s (%s)\n\n' "$name" "$version" "$licence"
        texts "$dir" ! -iname '*apache*' || texts "$dir" || awk '/^authors/ { on = 1 } on { print; if (/]/) exit }' "$dir/Cargo.toml"
    done >/out/site/third-party.txt
gzip --best --keep /out/site/third-party.txt
EOT

FROM debian:bookworm-slim
# Certificates of those whom Linewatch asks; where they are missing nothing can be asked over https.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/linewatch --create-home linewatch \
    && ln -s /opt/linewatch/linewatch /usr/local/bin/linewatch
COPY --from=build /out /opt/linewatch
COPY LICENSE /opt/linewatch/LICENSE

USER 10001:10001
WORKDIR /var/lib/linewatch
VOLUME /var/lib/linewatch
ENV LINEWATCH_HTTP_BIND=0.0.0.0 LINEWATCH_DATA_DIR=/var/lib/linewatch PORT=3000
EXPOSE 3000
# Alive, not ready: a database that is away is not mended by starting Linewatch again.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /livez HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '\"alive\":true' <&3"]
ENTRYPOINT ["linewatch"]
CMD ["serve"]
