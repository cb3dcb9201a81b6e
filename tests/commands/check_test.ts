/** `batchway check` on simulated providers, well and with faults. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { commandPermissions } from "../../config/permissions.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { runProgram } from "../program.ts";

const program = fileURLToPath(new URL("../../batchway.ts", import.meta.url));

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { what: string; ok: boolean; detail: string }[];
}

/** A sandbox, an empty data folder, and the check on both. */
interface World {
  readonly sandbox: Sandbox;
  check(env?: Readonly<Record<string, string>>, ...args: string[]): Promise<{
    code: number;
    stderr: string;
    /** Details of what does not work, by what it is. */
    failed: Readonly<Record<string, string>>;
    report: Report;
  }>;
  fault(rule: Readonly<Record<string, unknown>>): Promise<void>;
}

async function inWorld(work: (world: World) => Promise<void>, strict = false): Promise<void> {
  const sandbox = await startSandbox({ batchSeconds: 1, strict });
  const folder = await Deno.makeTempDir();
  try {
    await work({
      sandbox,
      async check(env = {}, ...more) {
        const environment = {
          BATCHWAY_DATA: folder,
          BATCHWAY_CONFIG: `${folder}/batchway.jsonc`,
          ...sandboxEnvironment(sandbox),
          ...env,
        };
        const given = env["BATCHWAY_CONFIG"] ?? `{}`;
        await Deno.writeTextFile(`${folder}/batchway.jsonc`, given);
        environment.BATCHWAY_CONFIG = `${folder}/batchway.jsonc`;
        const args = ["check", "--json", ...more];
        const flags = await commandPermissions(args, environment);
        const { code, stdout, stderr } = await runProgram(
          Deno.execPath(),
          ["run", ...flags, program, ...args],
          {
            ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
            HOME: Deno.env.get("HOME") ?? folder,
            ...environment,
          },
        );
        const report = JSON.parse(stdout || '{"ok":false,"findings":[]}') as Report;
        const wrong = report.findings.filter(({ ok }) => !ok);
        const failed = Object.fromEntries(wrong.map(({ what, detail }) => [what, detail]));
        return { code, stderr, report, failed };
      },
      async fault(rule) {
        const body = JSON.stringify({ times: 100, ...rule });
        const answer = await fetch(`${sandbox.controlUrl}/faults`, { method: "POST", body });
        assert.ok(answer.ok, await answer.text());
      },
    });
  } finally {
    await sandbox.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("everything works on the sandbox, with the permissions of the command", async () => {
  await inWorld(async ({ check }) => {
    const { code, report, failed, stderr } = await check();
    assert.deepEqual(failed, {}, stderr);
    assert.equal(code, 0);
    const whats = report.findings.map(({ what }) => what.split(/[/ ]/)[0]);
    for (const name of ["openai", "gemini", "anthropic", "bedrock", "data", "catalog"]) {
      assert.ok(whats.includes(name), `${name} is not in ${whats}`);
    }
  });
});

Deno.test("each account that does not work is named with its reason, and the rest is still asked", async () => {
  await inWorld(async ({ check, fault }) => {
    await fault({ provider: "anthropic", headers: { date: "Thu, 01 Jan 2026 00:00:00 GMT" } });
    await fault({ provider: "gemini", latencySeconds: 5 });
    const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = closed.addr;
    closed.close();
    const { code, failed, report } = await check(
      { OPENAI_API_KEY: "sk-of-another", AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}/s3` },
      "--timeout",
      "1",
    );
    assert.equal(code, 1);
    const text = JSON.stringify(failed);
    assert.equal(report.ok, false);
    assert.deepEqual(
      Object.keys(failed).map((what) => what.split("/")[0]).toSorted(),
      ["anthropic", "bedrock s3", "gemini", "openai"],
      text,
    );
    assert.match(text, /"openai[^"]*":"[^"]*401/);
    assert.match(text, /"gemini[^"]*":"no answer within 1 s/);
    assert.match(text, /"anthropic[^"]*":"[^"]*clock is \d+ s ahead of/);
    assert.match(failed["bedrock s3"] ?? "", /No server listens there/);
    assert.doesNotMatch(text, /sk-of-another/);
  });
});

Deno.test("a bound bucket is asked for, and one that does not exist is named", async () => {
  await inWorld(async ({ check }) => {
    const { code, failed } = await check({
      BATCHWAY_CONFIG: '{ "buckets": { "not-there": { "provider": "bedrock" } } }',
    });
    assert.equal(code, 1);
    assert.match(failed["bedrock s3 not-there"] ?? "", /404/);
  }, true);
});

Deno.test("all errors of the configuration are reported at once", async () => {
  await inWorld(async ({ check }) => {
    const { code, failed } = await check({ BATCHWAY_PORT: "x", BATCHWAY_POLL_SECONDS: "often" });
    assert.equal(code, 1);
    assert.match(failed["configuration"] ?? "", /BATCHWAY_PORT[^]*BATCHWAY_POLL_SECONDS/);
  });
});

Deno.test("a live check runs a job at each provider, and leaves nothing there", async () => {
  await inWorld(async ({ check, sandbox }) => {
    const models = JSON.stringify({
      models: { "us.anthropic.claude-*": { bedrock: "anthropic.claude-3-haiku-20240307-v1:0" } },
    });
    const more = ["--yes", "--bucket", "inputs", "--role", "arn:aws:iam::123456789012:role/any"];
    const live = await check({ BATCHWAY_CONFIG: models }, "--live", ...more);
    assert.equal(live.code, 0, JSON.stringify(live.failed) + live.stderr);
    for (const provider of ["openai", "gemini", "anthropic", "bedrock"]) {
      const steps = live.report.findings.map(({ what }) => what)
        .filter((what) => what.startsWith(`live ${provider} `));
      const all = ["put", "create", "run", "results", "delete"];
      assert.deepEqual(steps, all.map((step) => `live ${provider} ${step}`));
    }
    const ledger = await (await fetch(`${sandbox.controlUrl}/ledger`)).json();
    // A batch's own output is the provider's; what was sent there is gone.
    const { items } = ledger.holdings.openai.files as { items: { purpose: string }[] };
    assert.deepEqual(items.map(({ purpose }) => purpose), ["batch_output"]);
  });
});

Deno.test("a live check names the step that failed, and stops what takes too long", async () => {
  await inWorld(async ({ check, fault }) => {
    const body = JSON.stringify({
      error: { message: "No such model", type: "invalid_request_error" },
    });
    await fault({ provider: "openai", path: "/batches$", method: "POST", status: 400, body });
    const only = ["--live", "--yes", "--only", "openai"];
    const refused = await check({}, ...only);
    assert.equal(refused.code, 1);
    assert.match(refused.failed["live openai run"] ?? "", /^Failed after \d+ s: .*No such model/);
    const slow = await check({}, "--live", "--yes", "--only", "gemini", "--wait", "0.000001");
    assert.match(slow.failed["live gemini run"] ?? "", /it was stopped$/);
    const unready = await check({}, "--live", "--yes", "--only", "bedrock");
    assert.match(unready.failed["live bedrock"] ?? "", /--bucket BUCKET and --role ARN/);
  });
});

Deno.test("a live check asks first, and its options need --live", async () => {
  await inWorld(async ({ check }) => {
    const asked = await check({}, "--live");
    assert.match(asked.stderr, /--live costs money: say --yes to it/);
    assert.equal(asked.code, 2);
    const idle = await check({}, "--only", "openai");
    assert.match(idle.stderr, /--only needs --live/);
    const unknown = await check({}, "--live", "--yes", "--model", "opnai=x");
    assert.match(unknown.stderr, /no provider opnai; configured are/);
    assert.equal(unknown.code, 2);
  });
});
