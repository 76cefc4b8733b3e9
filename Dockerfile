# The services of a cluster and the `tollgate` command, on glibc: lmdb's prebuilt library wants it.
# Two installations, so that neither the compiler nor anything else of development is in the image.
FROM node:20.20.2-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev
COPY . .
RUN node scripts/setup.mjs

FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
# The embedded ClickHouse engine (half a gigabyte) is for `tollgate start`; a cluster has a server.
RUN npm ci --omit=dev && rm -rf node_modules/chdb node_modules/@chdb

FROM base
ENV NODE_ENV=production TZ=UTC
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY LICENSE package.json ./
USER node
STOPSIGNAL SIGTERM
CMD ["node", "dist/cli/main.js", "--help"]
