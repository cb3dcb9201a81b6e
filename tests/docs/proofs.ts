/** By what each block of code of the pages is held to be right. */

/** How a block is held to be right. */
export type Proof =
  /** Run here, after commands that bring about what it takes for granted. */
  | { readonly run: string; readonly prints?: RegExp; readonly needs?: readonly string[] }
  /** Taken here as a configuration. */
  | "configuration"
  /** Run or read by another test. */
  | { readonly by: string }
  /** Not run anywhere, and why. */
  | { readonly because: string };

const here = (prints?: RegExp, run = ":"): Proof => ({ run, ...(prints && { prints }) });
const by = (test: string): Proof => ({ by: `tests/${test}_test.ts` });
const because = (reason: string): Proof => ({ because: reason });

const line =
  `{"recordId":"a","modelInput":{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}}`;
const withInput = `echo '${line}' > input.jsonl`;
const withKey = "deno task keys add --tenant team-b --providers openai";
const withId = `ID=$(${withKey} | grep -o 'BWAK[A-Z2-7]*' | head -1)`;
const withBackup = `${withKey}; deno task catalog export backup.jsonl`;

/** By the names of {@linkcode blocksOf}. */
export const proofs: Readonly<Record<string, Proof>> = {
  "CONTRIBUTING.md: deno cache main.ts": because("it writes the working copy's lock file"),
  "README.md: batchway keys add --tenant team-a --providers op": by("docs"),
  "README.md: import boto3": by("docs"),
  "README.md: npx --yes deno@2.9.6 task wheel": by("packages/wheel"),
  "README.md: export OPENAI_API_KEY=…": here(/openai.*listening on/s),
  "README.md: batchway translate input.jsonl --to openai --mod": by("docs"),
  'docs/catalog.md: {"batchway":"catalog","format":1,"schema":3,"at"': because(
    "a form that tests/care holds",
  ),
  "docs/catalog.md: deno task catalog import backup.jsonl --force": here(/./, withBackup),
  "docs/configuration.md: {": by("docs"),
  'docs/deployment.md: sqlite3 /var/lib/batchway/catalog.kv ".backup /b': {
    run: withKey,
    needs: ["sqlite3", "--version"],
  },
  "docs/deployment.md: Environment=BATCHWAY_REUSE_PORT=1": by("machines/one_port"),
  "docs/deployment.md: cargo install denokv --version 0.14.0 --locked": because(
    "ten minutes of cargo",
  ),
  "docs/deployment.md: BATCHWAY_CATALOG=https://kv.example": because(
    "it needs a server of KV Connect",
  ),
  'docs/events.md: "events": {': "configuration",
  "docs/events.md: {": because("a form that tests/events/webhook_test.ts holds"),
  "docs/events.md: from standardwebhooks import Webhook": by("events/webhook"),
  "docs/events.md: { (2)": because("EventBridge itself reads it"),
  "docs/install.md: pip install batchway": by("packages/wheel"),
  "docs/install.md: deno task npm": by("packages/npm"),
  "docs/install.md: deno task npm (2)": because(
    "it needs a container builder; tests/deploy_test.ts reads the Dockerfile",
  ),
  "docs/install.md: python3 -m venv /opt/batchway": because(
    "it needs root and systemd; tests/deploy_test.ts checks the unit",
  ),
  "docs/install.md: flags=$(deno run --quiet --no-prompt --allow-env": here(
    /^batchway \d/,
    'deno bundle --quiet -o "$STAGE/batchway.js" batchway.ts >/dev/null; set -- version',
  ),
  "docs/keys.md: deno task keys add --tenant team-a --providers o": here(/BWAK[A-Z2-7]{16}/),
  "docs/keys.md: BATCHWAY_ADMIN_KEY_ID=BATCHWAYADMIN001": {
    run: "set -a",
    needs: ["openssl", "version"],
  },
  'docs/keys.md: curl -H "Authorization: Bearer $ADMIN_TOKEN" -d': here(/"secretAccessKey"/),
  "docs/monitoring.md: BATCHWAY_ADMIN_PORT=9464 deno task sandbox --por": by("monitoring"),
  "docs/monitoring.md: prometheus --config.file docs/monitoring/prometh": by("monitoring"),
  "docs/monitoring.md: curl -s http://127.0.0.1:9464/readyz": by("monitoring"),
  "docs/monitoring.md: curl -s -X POST http://127.0.0.1:8081/control/fa": by("monitoring"),
  "docs/monitoring.md: livenessProbe:": because(
    "tests/deploy_test.ts holds the same in the manifests",
  ),
  "docs/monitoring.md: scrape_configs:": because("it names a machine of the reader's"),
  "docs/monitoring.md: OTEL_DENO=true OTEL_EXPORTER_OTLP_ENDPOINT=http:": by("tracing"),
  'docs/objects.md: "objects": {': "configuration",
  "docs/openai-compatible.md: {": "configuration",
  "docs/performance.md: deno task bench": because("seven minutes and 2 GB of disk"),
  "docs/permissions.md: deno run --allow-env --allow-read config/permiss": here(
    /--allow-net=\S*127\.0\.0\.1:/,
  ),
  "docs/permissions.md: deno compile --no-prompt --allow-env $(deno run": because(
    "Deno's download site was not reachable",
  ),
  'docs/portable.md: made.meta.events.register("before-send", lambda': by("sandbox/main"),
  "docs/portable.md: deno task translate input.jsonl --to openai --mo": here(/./, withInput),
  'docs/portable.md: "models": {': "configuration",
  "docs/real-providers.md: batchway check": here(/gemini/),
  "docs/real-providers.md: batchway check --live": by("commands/check"),
  "docs/reliability.md: FAULTS_SEED=12 FAULTS_JOBS=1000 FAULTS_WORKERS=1": because(
    "it runs tests themselves",
  ),
  "docs/reliability.md: deno task test tests/faults/matrix_test.ts": because(
    "it runs tests themselves",
  ),
  "docs/reliability.md: deno task test tests/faults/random_test.ts": because(
    "it runs tests themselves",
  ),
  'docs/s3-tests.md: echo \'{ "defaultProvider": "openai", "implicitBu': here(
    /BWAK.*listening on/s,
  ),
  "docs/s3-tests.md: git clone https://github.com/ceph/s3-tests && cd": because(
    "it clones from GitHub",
  ),
  "docs/sandbox.md: deno task sandbox --port 9000 --batch-seconds 0.": here(
    /(?:listening on.*){3}/s,
  ),
  'docs/sandbox.md: curl -X POST $CONTROL/faults -d \'{"provider":"op': here(/"openai"/),
  "docs/switch.md: batchway keys add --tenant team-a --providers op": by("clients/switch"),
  "docs/switch.md: [profile gateway]": by("clients/switch"),
  "docs/testing.md: pip install 'batchway[testing]'": by("packages/testing"),
  "docs/testing.md: # test_pipeline.py": by("packages/testing"),
  "docs/testing.md: # test_outage.py": by("packages/testing"),
  "docs/testing.md: # test_records.py": by("packages/testing"),
  "docs/testing.md: # test_with_unittest.py": by("packages/testing"),
  "docs/usage.md: deno task usage": here(/No job ended/),
  'docs/usage.md: curl -H "Authorization: Bearer $TOKEN" \'http://1': here(/"rows"/),
  "docs/usage.md: {": "configuration",
  "docs/usage.md: deno task keys add --tenant team-a --providers o": here(/300/, withId),
  "examples/README.md: deno task keys add --tenant team-a --providers o": by("examples/programs"),
  "examples/README.md: deno task keys add --tenant team-a --providers o (2)": here(/BWAK/),
  "examples/airflow/README.md: export AIRFLOW_CONN_BATCHWAY='{": by("examples/airflow"),
  "examples/airflow/README.md: python3 -m venv /tmp/airflow && /tmp/airflow/bin": by(
    "examples/airflow",
  ),
  "npm/README.md: npx batchway sandbox": by("packages/npm"),
  "python/README.md: pip install batchway": by("packages/wheel"),
  "python/README.md: export OPENAI_API_KEY=...": here(/listening on/),
  "python/README.md: export AWS_ENDPOINT_URL_S3=http://127.0.0.1:8080": by("clients/switch"),
  "python/README.md: def test_pipeline(batchway):": because("the pipeline is the reader's own"),
};
