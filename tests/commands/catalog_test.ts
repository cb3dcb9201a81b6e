import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { keys } from "../../catalog/keys.ts";
import { openCatalogKv } from "../../catalog/open.ts";
import { schemaVersion } from "../../catalog/schema.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { sleep, temporaryFolder } from "../catalog/memory.ts";
import { type GatewayProcess, spawnGateway } from "../gateway.ts";
import { type ProgramResult, runProgram } from "../program.ts";

const program = fileURLToPath(new URL("../../commands/catalog.ts", import.meta.url));
// Those of the task in deno.json.
const permissions = ["--allow-net", "--allow-env", "--allow-read", "--allow-write", "--allow-sys"];

/** A folder for data, providers, and what runs the command on them. */
async function createWorld() {
  const folder = await temporaryFolder();
  const sandbox: Sandbox = await startSandbox({ batchSeconds: 0.1 });
  const environment: Record<string, string> = {
    HOME: Deno.env.get("HOME") ?? "/",
    ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
    NO_COLOR: "1",
    BATCHWAY_DATA: `${folder.path}/data`,
    ...sandboxEnvironment(sandbox),
  };
  return {
    folder: folder.path,
    environment,
    catalog: `${folder.path}/data/catalog.kv`,
    run: (args: readonly string[], env: Record<string, string> = {}): Promise<ProgramResult> =>
      runProgram(
        Deno.execPath(),
        ["run", "--no-prompt", "--cached-only", ...permissions, program, ...args],
        { ...environment, ...env },
      ),
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const providers = ["openai", "gemini"];

async function put(gateway: GatewayProcess, provider: string, key: string): Promise<void> {
  const custom =
    '{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o-mini","messages":[]}}';
  const line = provider === "openai" ? custom : '{"key":"1","request":{"contents":[]}}';
  const answer = await fetch(`${gateway.url}/bedrock/files/team-a/${key}`, {
    method: "PUT",
    headers: { "x-model-provider": provider },
    body: `${line}\n`,
  });
  assert.equal(answer.status, 200, await answer.text());
}

async function get(gateway: GatewayProcess, provider: string, key: string): Promise<string> {
  const url = `${gateway.url}/bedrock/files/team-a/${key}`;
  const answer = await fetch(url, { headers: { "x-model-provider": provider } });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

async function createJob(gateway: GatewayProcess, provider: string, key: string): Promise<string> {
  const answer = await fetch(`${gateway.url}/bedrock/model-invocation-job`, {
    method: "POST",
    headers: { "x-model-provider": provider, "content-type": "application/json" },
    body: JSON.stringify({
      jobName: `${provider}-job`,
      roleArn: "none",
      modelId: "gpt-4o-mini",
      inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://team-a/${key}` } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://team-a/out/" } },
    }),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.jobArn;
}

Deno.test("a catalog is checked, backed up, lost, brought back, and made again of the providers", async () => {
  await using world = await createWorld();
  let gateway = await spawnGateway(world.environment);
  const arns: Record<string, string> = {};
  try {
    for (const provider of providers) {
      await put(gateway, provider, "in/a.jsonl");
      arns[provider] = await createJob(gateway, provider, "in/a.jsonl");
    }
    // Beside a gateway at work.
    const check = await world.run(["check"]);
    assert.equal(check.code, 0, check.stdout + check.stderr);
    assert.match(
      check.stdout,
      /^Catalog \S+, schema \d, held against 3 accounts\nNothing is wrong\n$/,
    );
    const saved = await world.run(["export", `${world.folder}/backup.jsonl`]);
    assert.equal(saved.code, 0, saved.stderr);
    assert.match(saved.stderr, /was written to \S+backup\.jsonl\. Keep it as a secret/);
    const { mode } = await Deno.stat(`${world.folder}/backup.jsonl`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
    const busy = await world.run(["import", `${world.folder}/backup.jsonl`, "--force"]);
    assert.equal(busy.code, 1);
    assert.match(busy.stderr, /^The catalog \S+ is in use\. Stop every gateway/);
    const twice = await world.run(["export", `${world.folder}/backup.jsonl`]);
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /exists already, and no backup is written over/);
  } finally {
    await gateway.stop();
  }

  await Deno.remove(`${world.folder}/data`, { recursive: true });
  const brought = await world.run(["import", `${world.folder}/backup.jsonl`]);
  assert.equal(brought.code, 0, brought.stderr);
  assert.match(brought.stderr, /^\d+ entries of \S+backup\.jsonl are in the catalog /);
  const full = await world.run(["import", `${world.folder}/backup.jsonl`]);
  assert.equal(full.code, 1);
  assert.match(full.stderr, /^The catalog is not empty\./);
  gateway = await spawnGateway(world.environment);
  try {
    for (const provider of providers) await findAll(gateway, provider);
  } finally {
    await gateway.stop();
  }

  await Deno.remove(`${world.folder}/data`, { recursive: true });
  const rebuilt = await world.run(["rebuild", "--json"]);
  assert.equal(rebuilt.code, 0, rebuilt.stdout + rebuilt.stderr);
  const { catalog: _, ...done } = JSON.parse(rebuilt.stdout);
  assert.deepEqual(done, { mended: 0, jobs: 2, objects: 2, left: [], leftCount: 0 });
  gateway = await spawnGateway(world.environment);
  try {
    for (const provider of providers) await findAll(gateway, provider);
  } finally {
    await gateway.stop();
  }
  const after = await world.run(["check", "--json"]);
  assert.equal(after.code, 0, after.stdout);
  assert.equal(JSON.parse(after.stdout).ok, true);

  /** The object's bytes, and the job under its ARN. */
  async function findAll(gateway: GatewayProcess, provider: string): Promise<void> {
    if (provider === "openai") {
      assert.match(await get(gateway, provider, "in/a.jsonl"), /custom_id/);
    }
    const id = encodeURIComponent(arns[provider] ?? "");
    const answer = await fetch(`${gateway.url}/bedrock/model-invocation-job/${id}`, {
      headers: { "x-model-provider": provider },
    });
    const job = await answer.json();
    assert.equal(job.jobArn, arns[provider]);
    assert.equal(job.jobName, `${provider}-job`);
  }
});

Deno.test("a check that finds something ends with 1, and a rebuild puts it right", async () => {
  await using world = await createWorld();
  const opened = await openCatalogKv(world.catalog, { sleep });
  for (let n = 0; n < 12; n++) {
    await opened.kv.set(["token", "default", "openai", `secret-${n}`, "d"], `aaaaaaaaaa${n + 10}`);
  }
  await opened.close();
  const found = await world.run(["check", "--offline"]);
  assert.equal(found.code, 1);
  assert.match(
    found.stdout,
    /\n12 idempotency tokens without their job:\n {2}a token of default for job /,
  );
  assert.match(found.stdout, /\n {2}and 2 more\n/);
  assert.ok(!found.stdout.includes("secret-"), found.stdout);
  const done = await world.run(["rebuild", "--offline"]);
  assert.equal(done.code, 0, done.stderr);
  assert.match(
    done.stdout,
    /^Catalog \S+: 12 entries put right, 0 jobs and 0 objects made again\n$/,
  );
  assert.equal((await world.run(["check", "--offline"])).code, 0);
});

Deno.test("accounts that cannot be asked are reported, and end a check with 1", async () => {
  await using world = await createWorld();
  await (await openCatalogKv(world.catalog, { sleep })).close();
  const { code, stdout } = await world.run(["check"], { OPENAI_API_KEY: "wrong" });
  assert.equal(code, 1);
  assert.match(stdout, /\n1 accounts that could not be asked:\n {2}account default of openai: /);
});

Deno.test("mistakes on the command line and catalogs that are not there are reported", async () => {
  await using world = await createWorld();
  const usage: [string[], number, RegExp][] = [
    [["--help"], 0, /^$/],
    [[], 2, /^Name a command: check, rebuild, export, import\n\ndeno task catalog check/],
    [["mend"], 2, /^There is no command mend; there are check, /],
    [["chekc"], 2, /^There is no command chekc; .*; the nearest is check\n/],
    [["check", "--offlin"], 2, /^Unknown option '--offlin'; the nearest is --offline\. /],
    [["check", "--data", `${world.folder}/other`], 1, /^There is no catalog \S+other\/catalog\.kv/],
    [["check", "--force"], 2, /^check takes no --force\n/],
    [["check", "file"], 2, /^check takes no further arguments\n/],
    [["import"], 2, /^import needs a file\n/],
    [["export", "--what"], 2, /--what/],
    [["check"], 1, /^There is no catalog \S+catalog\.kv\. BATCHWAY_DATA names the folder/],
    [["export"], 1, /^There is no catalog /],
    [["import", `${world.folder}/none`], 1, /none cannot be read: /],
  ];
  for (const [args, code, message] of usage) {
    const ended = await world.run(args);
    assert.equal(ended.code, code, args.join(" ") + ended.stderr);
    assert.match(ended.stderr, message);
  }
  assert.match(
    (await world.run(["--help"])).stdout,
    /^deno task catalog check .*\n[^]*folder that BATCHWAY_DATA names/,
  );
  // Nothing that only looked has made a catalog.
  await assert.rejects(Deno.stat(world.catalog), Deno.errors.NotFound);
});

Deno.test("a catalog of another form is left as it is by a check, and stops a start if newer", async () => {
  await using world = await createWorld();
  const opened = await openCatalogKv(world.catalog, { sleep });
  await opened.kv.set(keys.schema(), schemaVersion - 1);
  await opened.close();
  const old = await world.run(["check", "--offline"]);
  assert.equal(old.code, 1);
  const forms = `has schema ${schemaVersion - 1}, and this program works on ${schemaVersion}. `;
  assert.ok(old.stderr.includes(`${forms}Start a gateway, or run`), old.stderr);
  const again = await openCatalogKv(world.catalog, { sleep, anyForm: true });
  assert.equal((await again.kv.get(keys.schema())).value, schemaVersion - 1);
  await again.kv.set(keys.schema(), schemaVersion + 1);
  await again.close();
  for (const command of [["check"], ["rebuild"]]) {
    const newer = await world.run(command);
    assert.equal(newer.code, 1);
    assert.match(newer.stderr, /^The catalog \S+ was written by a newer Batchway: /);
  }
  await assert.rejects(spawnGateway(world.environment), /was written by a newer Batchway/);
});

Deno.test("a damaged catalog stops the start with a sentence, and so does every command", async () => {
  await using world = await createWorld();
  const opened = await openCatalogKv(world.catalog, { sleep });
  for (let n = 0; n < 500; n++) await opened.kv.set(["filler", n], "x".repeat(2_000));
  await opened.close();
  {
    using file = await Deno.open(world.catalog, { write: true });
    await file.seek(20 * 4_096, Deno.SeekMode.Start);
    await file.write(new Uint8Array(100 * 4_096).fill(0xa5));
  }
  for (const command of [["check"], ["rebuild"], ["export"]]) {
    const ended = await world.run(command);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /^Cannot open the catalog \S+: .*Stop every gateway that uses it/);
  }
  await assert.rejects(
    spawnGateway(world.environment),
    /Cannot open the catalog .*catalog rebuild/,
  );
});

Deno.test("a catalog that is on a server is looked at there, and never a file in its place", async () => {
  await using world = await createWorld();
  const { code, stderr } = await world.run(["check"], {
    BATCHWAY_CATALOG: "http://127.0.0.1:9",
    DENO_KV_ACCESS_TOKEN: "a-token-for-tests",
  });
  assert.equal(code, 2);
  assert.match(stderr, /Run it on the machine of the server, without BATCHWAY_CATALOG/);
  await assert.rejects(Deno.stat(world.catalog), Deno.errors.NotFound);
});
