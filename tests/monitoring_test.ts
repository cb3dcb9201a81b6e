/** docs/monitoring.md: its commands are run as they stand there, but for ports, folders and pauses. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./clients/session.ts";
import { debianProgram } from "./debian.ts";
import { freePort } from "./denokv.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const page = await Deno.readTextFile(`${root}docs/monitoring.md`);
/** Traces need no Prometheus: their command is run by tests/docs. */
const [watched = ""] = page.split("\n## Traces");
const blocks = [...watched.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = ""]) => text);
// The package with promtool has Prometheus too (tests/metrics).
const promtool = await debianProgram({
  name: "promtool",
  package: "prometheus",
  path: "usr/bin/promtool",
  probe: ["--version"],
});
const isMissing = promtool.state === "missing";

/** A place to run the page's commands in. */
async function stage(folder: string) {
  const ports = new Map(["8080", "8081", "9464", "9091"].map((port) => [port, `${freePort()}`]));
  const placed = (text: string) =>
    [...ports].reduce(
      (all, [port, free]) => all.replaceAll(new RegExp(`\\b${port}\\b`, "g"), free),
      text,
    )
      .replaceAll("docs/monitoring/", `${folder}/`)
      .replaceAll("/tmp/prometheus", `${folder}/data`);
  await Deno.copyFile(`${root}docs/monitoring/alerts.yml`, `${folder}/alerts.yml`);
  const config = placed(await Deno.readTextFile(`${root}docs/monitoring/prometheus.yml`));
  await Deno.writeTextFile(`${folder}/prometheus.yml`, config.replaceAll("15s", "200ms"));
  const tools = promtool.state === "ready" && promtool.path.includes("/")
    ? dirname(promtool.path)
    : "";
  const env = {
    HOME: Deno.env.get("HOME") ?? "/",
    ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
    PATH: [dirname(Deno.execPath()), tools, Deno.env.get("PATH") ?? ""].join(":"),
    NO_COLOR: "1",
  };
  const shell = (script: string) =>
    new Deno.Command("bash", {
      args: ["-e", "-o", "pipefail", "-c", placed(script)],
      cwd: root,
      clearEnv: true,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  return { shell };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Runs a block that goes on until it is ended; resolves once it has printed that it is ready. */
async function begin({ shell }: Stage, script: string, ready: RegExp) {
  // In the place of the shell, so that signals reach it.
  const child = shell(script.replace(/^((?:[A-Z_]+=\S+ )*)/, "$1exec ")).spawn();
  let seen = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) seen += text;
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  await until(() => ready.test(seen)).catch(() => assert.fail(seen));
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await reading;
    },
  };
}

async function run({ shell }: Stage, script: string): Promise<string> {
  const { code, stdout, stderr } = await shell(script).output();
  const words = new TextDecoder().decode(stdout);
  assert.equal(code, 0, words + new TextDecoder().decode(stderr));
  return words;
}

Deno.test({
  name: "the commands of docs/monitoring.md lead from a gateway to an alert in Prometheus",
  ignore: isMissing || Deno.build.os === "windows",
  async fn() {
    const [sandbox = "", prometheus = "", look = "", fault = "", ...more] = blocks;
    assert.deepEqual(more, []);
    const folder = await Deno.makeTempDir({ prefix: "batchway-monitoring-" });
    const here = await stage(folder);
    try {
      await using _sandbox = await begin(here, sandbox, /Metrics and health of this process/);
      await using _prometheus = await begin(here, prometheus, /ready to receive web requests/);
      let seen = "";
      await until(async () => (seen = await run(here, look)).includes('"job":"batchway"'));
      assert.match(seen, /^{"status":"ready"}/);
      const [first = "", ...rest] = fault.split(/(?<=')\n/);
      await run(here, first);
      await until(async () =>
        /"alertname":"BatchwayAccountSetAside"[^]*"state":"pending"/
          .test(seen = await run(here, rest.join("\n")))
      );
      assert.match(seen, /batchway_account_set_aside{provider="openai",account="default"} 1/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
