# The gateway in a container. Build it in a clone, after `deno task npm`:
#   docker build -t batchway:0.2.0 .
# It runs as a user without rights, writes to /data only, and takes a read-only root file system.
FROM node:22-bookworm-slim
COPY dist/batchway-*.tgz /tmp/batchway.tgz
RUN npm install --global --no-fund --no-audit /tmp/batchway.tgz && rm -rf /tmp/batchway.tgz /root/.npm
RUN mkdir -p /data && chown node:node /data
USER node
ENV BATCHWAY_HOST=0.0.0.0 BATCHWAY_DATA=/data BATCHWAY_LOG=json
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["batchway"]
CMD ["start"]
