/** The npm package: installed from its file into an empty folder, and used as people use it. */
import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { makeNpmPackage } from "../../packages/npm.ts";
import { attempt, runProgram, say } from "../program.ts";

const folder = await Deno.makeTempDir({ prefix: "batchway-npm-" });
const built = await makeNpmPackage();
const path = Deno.env.get("PATH") ?? "";
const environment = { HOME: folder, PATH: path, NO_COLOR: "1" };
const reason = await install();
if (reason !== undefined) say(`Tests of the npm package are ignored: ${reason}`);

/** Installs the package into a new folder; returns why that cannot be, if it cannot. */
async function install(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "they send signals, which Windows does not have";
  await Deno.writeFile(`${folder}/${built.name}`, built.bytes);
  const quiet = ["--no-fund", "--no-audit", "--loglevel=error"];
  const args = ["install", "--prefix", folder, ...quiet, `${folder}/${built.name}`];
  const installed = await attempt("npm", args);
  if (installed?.code === 0) return undefined;
  const why = installed?.stderr ?? "npm is not there";
  // A package that npm refuses is a failure; a registry that is out of reach is not.
  if (!/npm is not there|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|E404/.test(why)) {
    throw new Error(`The npm package cannot be installed: ${why}`);
  }
  return "deno cannot be installed from a registry";
}

function test(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: reason !== undefined, fn: body });
}

const program = `${folder}/node_modules/.bin/batchway`;
const batchway = (...args: string[]) => runProgram(program, args, environment);

Deno.test("the same sources give the same npm package", async () => {
  assert.equal(built.name, `batchway-${project.version}.tgz`);
  assert.deepEqual((await makeNpmPackage()).bytes, built.bytes);
});

test("npm's batchway has the version, help and exit codes of the program", async () => {
  const version = await batchway("version");
  assert.deepEqual([version.code, version.stderr], [0, ""]);
  assert.match(version.stdout, new RegExp(`^batchway ${project.version} \\(deno 2`));
  const unknown = await batchway("sandbx");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /the nearest is sandbox/);
  const failed = await batchway("start", "--config", "/nowhere.jsonc");
  assert.equal(failed.code, 1);
});

test("npx runs the sandbox, which takes an object and ends at SIGTERM", async () => {
  const child = new Deno.Command("npx", {
    args: ["--no", "batchway", "sandbox", "--port", "0"],
    cwd: folder,
    clearEnv: true,
    env: { ...environment, BATCHWAY_LOG: "json" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let url: string | undefined;
  let seen = "";
  const lines = child.stderr.pipeThrough(new TextDecoderStream());
  for await (const text of lines.values({ preventCancel: true })) {
    seen += text;
    url = /listening on (http:[^"\s]+)/.exec(seen)?.[1];
    if (url !== undefined) break;
  }
  assert.ok(url, seen);
  const put = await fetch(`${url}/bedrock/files/my-bucket/k`, {
    method: "PUT",
    body: "any bytes",
    headers: { "x-model-provider": "openai" },
  });
  await put.body?.cancel();
  assert.equal(put.status, 200);
  child.kill("SIGTERM");
  await lines.cancel();
  const { code, signal } = await child.status;
  // npx itself ends by the signal, or hands on the program's 0.
  assert.ok(code === 0 || signal === "SIGTERM" || code === 143, `${code} ${signal}`);
  await assert.rejects(until(url), "the gateway still answers");
});

/** Asks until nothing answers. */
async function until(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    await (await fetch(`${url}/healthz`)).body?.cancel();
    await new Promise((done) => setTimeout(done, 50));
  }
}

test("SIGHUP ends no sandbox of npm's, also while it starts", async () => {
  const child = new Deno.Command(program, {
    args: ["sandbox", "--port", "0"],
    clearEnv: true,
    env: { ...environment, BATCHWAY_LOG: "json" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let seen = "";
  let storm: ReturnType<typeof setInterval> | undefined;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    seen += text;
    // Deno's own threads are there; node has handed on signals for long.
    storm ??= setInterval(() => child.kill("SIGHUP"), 400);
    if (!seen.includes("SIGHUP changes nothing here")) continue;
    clearInterval(storm);
    child.kill("SIGTERM");
  }
  clearInterval(storm);
  assert.equal((await child.status).code, 0, seen);
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
