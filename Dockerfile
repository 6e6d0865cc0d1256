# One image for every service: docker build --build-arg SERVICE=users --tag tideshop/users .

FROM node:24-slim AS bundled
ARG SERVICE
RUN npm install --global pnpm@12.21.0
WORKDIR /shop
# Manifests first: a change of source does not install again.
COPY package.json pnpm-workspace.yaml pnpm-lock.yaml ./
COPY contracts/package.json contracts/
COPY packages/kit/package.json packages/kit/
COPY packages/clients/package.json packages/clients/
COPY tools/image/package.json tools/image/
COPY services/${SERVICE}/package.json services/${SERVICE}/
RUN pnpm install --prod --frozen-lockfile --filter "@tideshop/${SERVICE}..." --filter @tideshop/image
COPY contracts contracts
COPY packages packages
COPY tools/image tools/image
COPY services/${SERVICE} services/${SERVICE}
RUN node tools/image/src/main.ts ${SERVICE} /bundle

FROM node:24-slim
ARG SERVICE
ENV NODE_ENV=production NODE_COMPILE_CACHE=/var/cache/node
COPY --from=bundled /bundle /shop/services/${SERVICE}
WORKDIR /shop/services/${SERVICE}
RUN install --directory --owner=1000 $NODE_COMPILE_CACHE
# A number, because Kubernetes cannot tell of a name whether it is root.
USER 1000:1000
# Compiles once here what every replica would compile at its start: main.mjs loads all of it before it refuses a port that is none.
RUN PORT=none node --eval "import('./src/main.mjs').catch((error) => { if (!error.message.includes('at PORT')) throw error })"
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--import", "./src/open-early.mjs", "./src/main.mjs"]
