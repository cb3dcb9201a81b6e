/** `batchway events` on the catalog of a gateway that runs. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { startHook, withHooks } from "../events/hook.ts";
import { spawnGateway } from "../gateway.ts";
import { createClient, until } from "../jobs/wire.ts";
import { runProgram } from "../program.ts";

const program = fileURLToPath(new URL("../../batchway.ts", import.meta.url));

/** A row of the list. */
interface Row {
  readonly id: string;
  readonly state: string;
  readonly status: string;
  readonly tries: number;
}

Deno.test("events are listed, and sent again with the same id by event or by job", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  await using hook = startHook();
  const config = `${folder.path}/batchway.jsonc`;
  await Deno.writeTextFile(config, withHooks(hook.url));
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_DATA: folder.path,
    BATCHWAY_CONFIG: config,
    BATCHWAY_POLL_SECONDS: "0",
    // No sweep sends what was asked for again.
    BATCHWAY_SWEEP_SECONDS: "600",
  };
  const events = (...args: string[]) =>
    runProgram(Deno.execPath(), ["run", "-A", "--quiet", program, "events", ...args], {
      HOME: Deno.env.get("HOME") ?? folder.path,
      ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
      ...environment,
    });
  const listed = async (): Promise<Row[]> =>
    JSON.parse((await events("list", "--json")).stdout).events;
  const gateway = await spawnGateway(environment);
  try {
    const client = createClient(gateway.url);
    await client.upload("inputs/a.jsonl");
    const arn = await client.create("inputs/a.jsonl", { modelId: "gpt-4o-mini" });
    await until("the job ended", async () => (await client.get(arn)).status === "Completed");
    await until(
      "the end's event came",
      () => Promise.resolve(hook.taken.at(-1)?.detail.status === "Completed"),
    );
    await until(
      "all are delivered",
      async () => (await listed()).every(({ state }) => state === "delivered"),
    );
    const rows = await listed();
    assert.deepEqual(
      new Set(rows.map(({ id }) => id)),
      new Set(hook.taken.map(({ id }) => id)),
    );
    const last = rows.find(({ status }) => status === "Completed");
    assert.ok(last);

    const count = () => hook.taken.filter(({ id }) => id === last.id).length;
    const before = count();
    const one = await events("replay", last.id);
    assert.equal(one.code, 0, one.stderr);
    assert.match(one.stdout, /^1 event waits/);
    await until("it came again", () => Promise.resolve(count() === before + 1));
    await until(
      "it is delivered once more",
      async () => (await listed()).every(({ state }) => state === "delivered"),
    );
    // A replay takes the place of what was delivered before.
    assert.equal((await listed()).length, rows.length);

    const total = hook.taken.length;
    const all = await events("replay", arn, "--json");
    assert.equal(JSON.parse(all.stdout).replayed.length, rows.length);
    await until("all came again", () => Promise.resolve(hook.taken.length === total + rows.length));
    const byId = await events("replay", arn.slice(-12), "--json");
    assert.deepEqual(JSON.parse(byId.stdout), JSON.parse(all.stdout));

    const unknown = await events("replay", "00000000-0000-8000-8000-000000000000");
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /There is no event 0{8}-.*batchway events list/s);
  } finally {
    await gateway.kill();
    await sandbox.close();
  }
});
