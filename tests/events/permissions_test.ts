/** Events of a gateway that may only do what its configuration needs, as `deno task start` runs it. */
import assert from "node:assert/strict";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { spawnGateway } from "../gateway.ts";
import { createClient, ledger, until } from "../jobs/wire.ts";
import { secret, startHook } from "./hook.ts";

const start = ["/bin/sh", "-c", 'MORE= DENO="$0" exec /bin/sh start.sh main.ts'];

Deno.test("a gateway with narrow permissions sends events to EventBridge and to webhooks", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  await using hook = startHook();
  const events = {
    webhooks: [{ url: hook.url, secret }],
    eventBridge: { bus: "default", provider: "bedrock" },
  };
  await Deno.writeTextFile(`${folder.path}/batchway.jsonc`, JSON.stringify({ events }));
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_DATA: folder.path,
    BATCHWAY_CONFIG: `${folder.path}/batchway.jsonc`,
    BATCHWAY_POLL_SECONDS: "0",
    PATH: Deno.env.get("PATH") ?? "",
  };
  const gateway = await spawnGateway(environment, [], start);
  try {
    const client = createClient(gateway.url);
    await client.upload("inputs/a.jsonl");
    const arn = await client.create("inputs/a.jsonl", { modelId: "gpt-4o-mini" });
    await until("the job ended", async () => (await client.get(arn)).status === "Completed");
    await until(
      "the webhook has its end",
      () => Promise.resolve(hook.taken.at(-1)?.detail.status === "Completed"),
    );
    const taken = await until("the bus has all", async () => {
      const found = (await ledger(sandbox)).holdings["eventbridge"]?.["events"]?.items ?? [];
      return found.length === hook.taken.length && found;
    });
    for (const { Source } of taken) assert.equal(Source, "batchway");
    assert.doesNotMatch(gateway.log(), /NotCapable|Requires .* access/);
    assert.equal(await gateway.stop(), 0);
  } finally {
    await gateway.kill();
    await sandbox.close();
  }
});
