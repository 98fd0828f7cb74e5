# The service alone; docker-compose.yml adds its database.
#
# Images are pinned to a release each. A digest, which nobody can move, is known to a registry only; whoever deploys asks
# (docker buildx imagetools inspect debian:13.8-slim) and writes it behind the tag: debian:13.8-slim@sha256:...

FROM rust:1.95.0-slim-trixie AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY migrations migrations
COPY openapi openapi
COPY site site
COPY src src
COPY templates templates
# The caches outlive the build, the layer does not: what is kept must leave the target directory.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --profile image --locked --bin ward-policy \
    && cp target/image/ward-policy /usr/local/bin/

FROM debian:13.8-slim
# pg_dump knows servers up to its own version: the client is that of the database in docker-compose.yml.
# A new volume at /backups is owned as the directory it is laid over.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq5 postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin --uid 10001 ward-policy \
    && install --directory --owner=ward-policy --mode=0700 /backups
COPY --from=build /usr/local/bin/ward-policy /usr/local/bin/
USER 10001
ENV WARD_POLICY_BIND=0.0.0.0:8080
EXPOSE 8080
# That the process lives. Whether its database does, /readyz says; to start the service anew would not help that.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["ward-policy", "healthcheck"]
ENTRYPOINT ["ward-policy"]
