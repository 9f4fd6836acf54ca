# Three steps: compile and pack as for npm, prepare dbt's Python environment and the pages, and an image that holds only what runs.

FROM node:22.19.0-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# The tarball has what the package ships and nothing else; then development packages go.
RUN mkdir -p /packed /opt/headgate/app \
    && npm pack --silent --pack-destination /packed \
    && tar -xzf /packed/*.tgz --strip-components=1 -C /opt/headgate/app \
    && npm prune --omit=dev --ignore-scripts \
    && mv node_modules /opt/headgate/app/node_modules \
    && chmod 755 /opt/headgate/app/dist/cli/main.js

FROM node:22.19.0-bookworm-slim AS python
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/headgate /opt/headgate
# By the same code that prepares it on first use, from the requirements locked by their hashes.
RUN node --input-type=module -e "const { ensurePythonEnvironment } = await import('/opt/headgate/app/dist/transforms/runner/python-environment.js'); await ensurePythonEnvironment({ cacheDirectory: '/opt/headgate/cache/headgate' })"
# The pages too: they hold no company's data, and a container may have no way to a registry.
RUN node --input-type=module -e "const { ensureSite } = await import('/opt/headgate/app/dist/cli/dashboards/build-site.js'); await ensureSite({ environment: { PATH: process.env.PATH, HOME: '/tmp', XDG_CACHE_HOME: '/opt/headgate/cache' }, onProgress: console.log })"

FROM node:22.19.0-bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /opt/headgate/app/dist/cli/main.js /usr/local/bin/headgate \
    && install -d -o node -g node -m 0700 /data
COPY --from=python /opt/headgate /opt/headgate
ENV NODE_ENV=production \
    XDG_CACHE_HOME=/opt/headgate/cache \
    HEADGATE_DATA=/data \
    HEADGATE_HOST=0.0.0.0 \
    HEADGATE_PORT=8471
# The image's own user "node", by number, so that a platform can see that it is not root.
USER 1000:1000
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8471
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEADGATE_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["headgate"]
CMD ["serve"]
