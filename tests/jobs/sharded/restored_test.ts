/** Backups that know of a job of several batches, and not of all the batches that it has since. */
import assert from "node:assert/strict";
import { backup, DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { startSandbox } from "../../../sandbox/server.ts";
import { sandboxEnvironment } from "../../../sandbox/environment.ts";
import { usageAt } from "../../accounts/simulators.ts";
import { temporaryFolder } from "../../catalog/memory.ts";
import { startTestGateway } from "../../gateway.ts";
import { runProgram } from "../../program.ts";
import { createClient, holds, openaiLines, until } from "../wire.ts";

const program = fileURLToPath(new URL("../../../commands/catalog.ts", import.meta.url));

/** One batch runs at a time, with one record. */
const configuration = JSON.stringify({
  providers: { openai: { kind: "openai", batchLimits: { records: 1, running: 1 } } },
});

/** How the backup is made and comes back, and what is done before gateways go on. */
const ways = [
  { how: "import", rebuilds: false },
  { how: "import", rebuilds: true },
  { how: "copy", rebuilds: false },
] as const;

for (const { how, rebuilds } of ways) {
  const name = `${how === "import" ? "an import" : "a copy of the file"}${
    rebuilds ? " and a rebuild" : ""
  }`;
  Deno.test(`after ${name} a job goes on with the batches that were made since the backup`, async () => {
    await using folder = await temporaryFolder();
    const sandbox = await startSandbox({ batchSeconds: 0.2 });
    const catalogPath = `${folder.path}/catalog.kv`;
    const file = `${folder.path}/backup`;
    const environment = {
      HOME: Deno.env.get("HOME") ?? "/",
      ...sandboxEnvironment(sandbox),
      BATCHWAY_DATA: folder.path,
    };
    const command = async (...args: string[]) => {
      const run = ["run", "--no-prompt", "--cached-only", "-A", program, ...args];
      const { code, stderr } = await runProgram(Deno.execPath(), run, environment);
      assert.ok(code === 0, stderr);
    };
    const options = { providers: sandbox, catalogPath, configuration, env: environment };
    let gateway = await startTestGateway(options);
    try {
      const client = createClient(gateway.url);
      await client.upload("bucket/in.jsonl", openaiLines);
      const more = {
        modelId: "gpt-4o-mini",
        tags: [{ key: "batchway:dialect", value: "openai-chat" }],
      };
      const arn = await client.create("bucket/in.jsonl", more);
      await until("the first batch is there", async () => {
        await client.get(arn);
        return await holds(sandbox, "openai", "batches") === 1;
      });
      if (how === "import") await command("export", file);
      else {
        using source = new DatabaseSync(catalogPath, { readOnly: true });
        await backup(source, file);
      }
      await until("the job is over", async () => (await client.get(arn)).status === "Completed");
      assert.equal(await holds(sandbox, "openai", "batches"), 3);
      await gateway.stop();
      if (how === "import") await command("import", file, "--force");
      else await Deno.copyFile(file, catalogPath);
      if (rebuilds) await command("rebuild");
      gateway = await startTestGateway(options);
      const again = createClient(gateway.url);

      assert.equal((await again.list()).length, 1);
      await until("it is over again", async () => (await again.get(arn)).status === "Completed");
      assert.equal((await again.get(arn))["successRecordCount"], 3);
      assert.equal((await again.list()).length, 1);
      assert.equal(await holds(sandbox, "openai", "batches"), 3);
      const usage = await usageAt(gateway.url, "tenant");
      assert.deepEqual(usage.map(({ jobs, records }) => [jobs, records]), [[1, 3]]);
    } finally {
      await gateway.stop();
      await sandbox.close();
    }
  });
}
