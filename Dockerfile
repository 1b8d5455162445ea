# Understudy on CPU. Packages are read from /models (those that ship are there until you mount your own), the
# history of decisions is kept in /var/lib/understudy: without a volume that outlasts the container, each start is a first one,
# which takes the newest version of a model as stable unless its route is written.
#   docker build -t understudy .
#   docker run --stop-timeout 40 -p 8000:8000 -v "$PWD/models:/models:ro" -v understudy:/var/lib/understudy understudy
# It needs no init: as the first process the gateway takes signals, answers what is in flight, and ends its own processes.
# It writes to /var/lib/understudy alone, so --read-only is fine (docs/operations/install.md).

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build
# The runtime brings binaries for every system: only those of this one stay.
RUN npm prune --omit=dev --no-audit --no-fund \
  && cd node_modules/onnxruntime-node/bin/napi-v6 \
  && rm -rf win32 darwin \
  && find linux -mindepth 1 -maxdepth 1 ! -name "$(node -p process.arch)" -exec rm -rf {} +

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="understudy" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.description="A model gateway that promotes a new version only on statistical proof, from live traffic, that it is no worse" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/out/src ./out/src
COPY protos ./protos
COPY models /models
COPY deploy/understudy.yaml /etc/understudy/understudy.yaml
RUN ln -s /models ./models && install -d -o node -g node /var/lib/understudy
USER node
VOLUME ["/var/lib/understudy"]
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/v2/health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "out/src/cli/main.js"]
CMD ["serve", "--config", "/etc/understudy/understudy.yaml"]
